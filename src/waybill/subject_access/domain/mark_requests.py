"""What people send to say what is taken out of a report, and which near misses stay."""

from typing import Annotated, Literal

from pydantic import Field, StrictBool

from waybill.subject_access.domain.bodies import Body
from waybill.subject_access.domain.inline_pictures import FIRST_INLINE, MOST_INLINE

_MOST_MARKS = 500
type _Line = Annotated[str, Field(min_length=1, max_length=500)]
type _Service = Annotated[str, Field(max_length=64)]


class ReasonedMark(Body):
    """Something that is taken out, and why."""

    reason: str = Field(description="Why, as the report says it", examples=["third party"])
    exemption: str | None = Field(
        default=None, description="The exemption of the law, as the report says it", examples=["Sch 2 para 16"]
    )


class ValueMark(ReasonedMark):
    """A value, by its path in a service's answer; or a text, wherever it is."""

    service: _Service | None = Field(
        default=None, description="The service; needed with a path, else every service", examples=["keyworker-api"]
    )
    path: _Line | None = Field(
        default=None, description="Where it is in the service's answer", examples=["notes[3].author"]
    )
    text: _Line | None = Field(default=None, description="The text, where it is not named by a path", examples=[None])
    everywhere: StrictBool = Field(
        default=True, description="Whether every form of it goes out of all that is printed, from all services"
    )
    kind: Literal["name", "identifier", "text"] | None = Field(
        default=None, description="What kind of value it is, where that is not to be guessed"
    )
    given_name: StrictBool = Field(default=False, description="Whether a person's given name goes alone as well")


class PageMark(ReasonedMark):
    """A whole page of a service's part, as it was drawn last."""

    service: _Service = Field(description="The service", examples=["keyworker-api"])
    page: Annotated[int, Field(ge=1, le=1_000_000)] = Field(
        description="The page, counted from 1 in the part", examples=[3]
    )


class AttachmentMark(ReasonedMark):
    """A whole attachment."""

    service: _Service = Field(description="The service", examples=["keyworker-api"])
    number: Annotated[int, Field(ge=0, le=FIRST_INLINE + MOST_INLINE)] = Field(
        description="Its number; a picture within an answer has one from 100,001", examples=[1]
    )


class NearMark(Body):
    """A near miss that stays: text that is nearly what is taken out, and is about somebody or something else."""

    service: _Service = Field(description="The service", examples=["keyworker-api"])
    path: _Line | None = Field(
        default=None,
        description="Where it is, as the parts list it; without it, all near misses of the service",
        examples=["notes[3].text"],
    )
    reason: str = Field(description="Why it stays", examples=["Another person of that name"])


class Marks(Body):
    """All that is taken out of a request's report: what is not named is printed again."""

    values: Annotated[tuple[ValueMark, ...], Field(max_length=_MOST_MARKS)] = Field(
        default=(), description="Values by their path, and texts", examples=[[]]
    )
    pages: Annotated[tuple[PageMark, ...], Field(max_length=_MOST_MARKS)] = Field(
        default=(), description="Whole pages", examples=[[]]
    )
    attachments: Annotated[tuple[AttachmentMark, ...], Field(max_length=_MOST_MARKS)] = Field(
        default=(), description="Whole attachments", examples=[[]]
    )
    near_misses: Annotated[tuple[NearMark, ...], Field(max_length=_MOST_MARKS)] = Field(
        default=(), description="Near misses that stay, besides those that were decided about before", examples=[[]]
    )
