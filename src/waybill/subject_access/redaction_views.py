"""What the routes answer about redaction: the parts as they are drawn, their values, and what is taken out."""

from typing import Literal

from pydantic import Field

from waybill.core.views import View
from waybill.subject_access.models import PartStatus

_ID, _SERVICE, _LATER = "0b7e6f0a-5f0c-4f7e-9d55-3c1f6a1f7c11", "keyworker-api", "2026-11-02T09:21:04Z"


class AttachmentView(View):
    """A file that a service has sent with its answer."""

    number: int = Field(description="Its number", ge=0, examples=[1])
    name: str = Field(description="What the service calls it", examples=["Letter of 3 May"])
    file_name: str = Field(description="The name of the file", examples=["letter.pdf"])
    content_type: str = Field(description="What the service says it is", examples=["application/pdf"])
    bytes: int | None = Field(description="Its size", ge=0, examples=[48213])
    first_page: int | None = Field(description="Its first page, counted from 1 in the part", ge=1, examples=[3])
    pages: int | None = Field(description="How many pages it has in the part", ge=0, examples=[2])
    shown: bool = Field(description="Whether it is in the report")
    redacted: bool = Field(description="Whether it is taken out")
    searched: bool = Field(description="Whether it is text, from which what is taken out everywhere is gone")
    withheld: str | None = Field(
        description="Why it is not in the report though nobody took it out", examples=["the file is damaged"]
    )


class StaysView(View):
    """That a near miss stays in the report."""

    reason: str = Field(description="Why", examples=["Another person of that name"])
    by: str = Field(description="Who has decided that", examples=["carol"])
    at: str = Field(description="When", examples=[_LATER])


class NearMissView(View):
    """Something that is nearly what was taken out, for a person to decide about."""

    path: str = Field(description="Where it is in the service's answer", examples=["notes[3].text"])
    kind: str = Field(description="What it is", examples=["given name alone"])
    stays: StaysView | None = Field(description="What somebody has decided: that it stays in the report")


class DrawnPart(View):
    """What became of one service's part, in detail."""

    service_name: str = Field(description="The service", examples=[_SERVICE])
    service_label: str = Field(description="What the report calls it", examples=["Keyworker"])
    render_status: PartStatus = Field(description="What became of it")
    error_code: str | None = Field(description="Why it is not there, for programs", examples=["UPSTREAM_503"])
    pages: int | None = Field(description="How many pages it has", ge=1, examples=[12])
    redacted: int = Field(description="How many values are taken out", ge=0, examples=[2])
    redacted_left: int = Field(description="How many places still have a form of one", ge=0, examples=[0])
    near_misses: int = Field(description="How many places have what is nearly one", ge=0, examples=[1])
    near_misses_open: int = Field(description="About how many of these nobody has decided", ge=0, examples=[1])
    not_searched: int = Field(
        description="How many attachments go to the person without having been searched for what is taken out",
        ge=0,
        examples=[0],
    )
    near: list[NearMissView] = Field(description="The first of these places")
    warnings: list[str] = Field(
        description="What is taken out so often that it may be everywhere",
        examples=[["values[0] is taken out in 1,204 places of this part"]],
    )
    current: bool = Field(description="Whether it was drawn without all that is taken out now", examples=[True])
    attachments: list[AttachmentView] = Field(description="What the service has sent with its answer")


class PartList(View):
    """The parts of a report."""

    id: str = Field(description="The request", examples=[_ID])
    parts: list[DrawnPart] = Field(description="Its parts, in the order of the report")


class ContentValue(View):
    """A value of an answer."""

    path: str = Field(description="What names it", examples=["notes[3].author"])
    value: str | bool | None = Field(
        description="The value; a number, or an empty list or object, as text as it was sent", examples=["John Jones"]
    )
    whole: bool = Field(description="Whether all of it is shown: at most 10,000 characters are", examples=[True])


class PartContent(View):
    """Values of a service's answer."""

    service_name: str = Field(description="The service", examples=[_SERVICE])
    values: list[ContentValue] = Field(description="The values, in the order of the answer")
    cursor: str | None = Field(description="Where the next page starts; null on the last", examples=["eyJhdCI6NTB9"])


class _Taken(View):
    reason: str = Field(description="Why, as the report says it", examples=["third party"])
    exemption: str | None = Field(description="The exemption of the law", examples=["Sch 2 para 16"])


class MarkedValueView(_Taken):
    """A value, or a text, that is taken out."""

    service: str | None = Field(description="The service; null for all of them", examples=[_SERVICE])
    path: str | None = Field(description="Where it is in the service's answer", examples=["notes[3].author"])
    text: str | None = Field(description="The text; null where a path names it", examples=[None])
    everywhere: bool = Field(description="Whether every form of it goes out of all that is printed")
    kind: Literal["name", "identifier", "text"] | None = Field(description="What kind of value it is")
    given_name: bool = Field(description="Whether a person's given name goes alone as well")


class MarkedPageView(_Taken):
    """A page that is taken out."""

    service: str = Field(description="The service", examples=[_SERVICE])
    page: int = Field(description="The page, counted from 1 in the part", ge=1, examples=[3])


class MarkedAttachmentView(_Taken):
    """An attachment that is taken out."""

    service: str = Field(description="The service", examples=[_SERVICE])
    number: int = Field(description="Its number", ge=0, examples=[1])


class RedactionsView(View):
    """All that people take out of a report."""

    values: list[MarkedValueView] = Field(description="Values by their path, and texts")
    pages: list[MarkedPageView] = Field(description="Whole pages")
    attachments: list[MarkedAttachmentView] = Field(description="Whole attachments")
