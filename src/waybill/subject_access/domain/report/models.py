"""What goes into a part and into the report, and what is known of them once they are made."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Any, Self

# A string, number, boolean, null, list or object, as `json.loads` returns them.
type Json = Any


class Number(str):
    """A number of an answer, printed as it was sent: 1.10 stays 1.10."""

    __slots__ = ()


class Outcome(StrEnum):
    """What a service answered, as far as the report shows it."""

    COMPLETE = "COMPLETE"
    NO_DATA = "NO_DATA"
    NOT_SUPPORTED = "NOT_SUPPORTED"


class IdKind(StrEnum):
    """The kind of a subject's number, in the words of the report."""

    NOMIS = "NOMIS ID"
    NDELIUS = "nDelius ID"


@dataclass(frozen=True)
class Subject:
    """The person that the report is about.

    Attributes
    ----------
    name : str
        As printed; empty when it is not known.
    id_kind : IdKind
        What `id` is.
    id : str
        The number.
    """

    name: str
    id_kind: IdKind
    id: str

    @classmethod
    def named(cls, last: str | None, first: str | None, id_kind: IdKind, id: str) -> Self:
        """Return the subject as ``SURNAME, Forename``; who has one name keeps it."""
        halves = ((last or "").strip().upper(), (first or "").strip())
        return cls(", ".join(filter(None, halves)), id_kind, id)


@dataclass(frozen=True)
class Attachment:
    """A file that a service sent along.

    Attributes
    ----------
    number : int
        Its place among the service's attachments.
    name, filename, content_type : str
        As the service gave them; cleaned before they are printed.
    path : Path or None
        The bytes; None when there are none, and `problem` says why.
    problem : str or None
        A sentence for the page that stands for the attachment.
    """

    number: int
    name: str
    filename: str
    content_type: str
    path: Path | None
    problem: str | None = None


@dataclass(frozen=True)
class InlineImage:
    """What ``inlineAttachment`` prints: the number of a picture of the answer; sizes in CSS pixels, 0 for its own."""

    number: int
    width: int = 0
    height: int = 0


@dataclass(frozen=True)
class Redaction:
    """A rule that takes values out of a service's answer before it is drawn.

    Attributes
    ----------
    path : str
        Where it is, from the content downwards (`json_paths`).
    reason, exemption : str
        Printed in place of the value; the exemption of the law may be empty.
    everywhere : bool
        Also take whatever else is written for the same out of all that is printed for this service.
    kind : str
        ``name``, ``identifier`` or ``text``; empty for what the value looks like.
    given_name : bool
        Of a person, take the given name alone out as well.
    texts : tuple[str, ...]
        Texts whose forms are taken out; with any, the path names nothing.
    mark : str
        What it is counted as: which mark or rule of somebody's list.
    """

    path: str
    reason: str
    everywhere: bool = False
    kind: str = ""
    given_name: bool = False
    exemption: str = ""
    texts: tuple[str, ...] = ()
    mark: str = ""


@dataclass(frozen=True)
class Place:
    """Something that a person has to look at: where it is in the answer, and what it is; never the text."""

    place: str
    kind: str


@dataclass(frozen=True)
class Lookups:
    """Names for codes that templates print, each by code: prisons, staff by user name, locations."""

    prisons: Mapping[str, str] = field(default_factory=dict)
    surnames: Mapping[str, str] = field(default_factory=dict)
    locations: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def from_json(cls, data: Json) -> Self:
        """Return the names of ``{"prisons": {code: name}, "surnames": …, "locations": …}``, each of them optional.

        Raises
        ------
        ValueError
            `data` has another shape; names the member.
        """
        kinds = {one.name for one in fields(cls)}
        if not isinstance(data, dict) or not kinds.issuperset(data):
            raise ValueError(f"not an object with {', '.join(sorted(kinds))}")
        for kind, names in data.items():
            if not isinstance(names, dict) or not all(isinstance(name, str) for name in names.values()):
                raise ValueError(f"{kind} is not an object of names by code")
        return cls(**data)


@dataclass(frozen=True)
class Section:
    """What one service holds.

    Attributes
    ----------
    service, label : str
        The service's name and its title in the report.
    outcome : Outcome
        With `COMPLETE`, `content` and `attachments` are shown; the others have a page that says so.
    content : Json or Path
        The value, or the file with the service's answer, ``{"content": …, "attachments": […]}``.
    template : str or None
        Handlebars text (`templates`); without one the content is shown as it is.
    pictures : Mapping[str, Attachment]
        Those that stand in the content itself, by the hash of their address (`domain.inline_pictures`).
    hidden_attachments, hidden_pages : Mapping[int, str]
        What is printed in place of whole attachments, by number, and of whole pages, which count from 1.
    """

    service: str
    label: str
    outcome: Outcome
    content: Json | Path = None
    template: str | None = None
    attachments: Sequence[Attachment] = ()
    redactions: Sequence[Redaction] = ()
    lookups: Lookups = Lookups()
    pictures: Mapping[str, Attachment] = field(default_factory=dict)
    hidden_attachments: Mapping[int, str] = field(default_factory=dict)
    hidden_pages: Mapping[int, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Bookmark:
    """An entry of the outline: `page` counts from 1 within the part, `level` 0 is the service itself."""

    title: str
    page: int
    level: int = 0


@dataclass(frozen=True)
class AttachmentOutcome:
    """How an attachment came out.

    `problem` is what its placeholder page says, None when it is shown; a `redacted` one is not shown, for a reason; a
    `searched` one was text, from which redacted values are gone. `name` is without them too. Of a `swept`
    one something is taken out: it goes nowhere as it came.
    """

    number: int
    page: int
    pages: int
    problem: str | None = None
    redacted: bool = False
    searched: bool = False
    name: str = ""
    swept: bool = False


@dataclass(frozen=True)
class PartSummary:
    """A part as it was made.

    Attributes
    ----------
    pages, size : int
        Pages and bytes of the file.
    sha256 : str
        Of the file, hexadecimal.
    bookmarks : tuple[Bookmark, ...]
        The service and each attachment.
    unprintable : Mapping[str, int]
        Characters that no font has, as ``U+1F9D1``, with how often they occur.
    redacted, redacted_left, near_misses : int
        Values taken out; places that still have a form of them, as no rule takes them out; and places that have what
        is nearly the same, of which `near` names the first.
    attachments : tuple[AttachmentOutcome, ...]
        In the order of their numbers.
    taken : Mapping[str, int]
        How many values were taken out for each mark or rule (`Redaction.mark`).
    """

    pages: int
    size: int
    sha256: str
    bookmarks: tuple[Bookmark, ...]
    unprintable: Mapping[str, int] = field(default_factory=dict)
    redacted: int = 0
    redacted_left: int = 0
    near_misses: int = 0
    near: tuple[Place, ...] = ()
    attachments: tuple[AttachmentOutcome, ...] = ()
    taken: Mapping[str, int] = field(default_factory=dict)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Return the summary that `dataclasses.asdict` and JSON made `data` of."""
        return cls(
            **{
                **data,
                "bookmarks": tuple(Bookmark(**one) for one in data["bookmarks"]),
                "attachments": tuple(AttachmentOutcome(**one) for one in data["attachments"]),
                "near": tuple(Place(**one) for one in data.get("near", ())),
            }
        )


@dataclass(frozen=True)
class Part:
    """A part on its way into the report: `category` is PRISON or PROBATION, `template_version` as shown to staff."""

    service: str
    label: str
    category: str
    path: Path
    summary: PartSummary
    template_version: str | None = None


@dataclass(frozen=True)
class Missing:
    """A service whose answer is not in the report, and who decided to go without it."""

    label: str
    reason: str
    accepted_by: str | None = None


@dataclass(frozen=True)
class Facts:
    """What the covers say.

    Attributes
    ----------
    date_from : date or None
        None prints "Start of record".
    generated : date
        The day of generation; also the file's date, so that the same input gives the same bytes.
    """

    title: str
    subject: Subject
    case_reference: str
    date_from: date | None
    date_to: date
    generated: date
    missing: Sequence[Missing] = ()


@dataclass(frozen=True)
class SectionPlace:
    """Where a section is: `first_page` counts from 1 in the whole file."""

    service: str
    label: str
    first_page: int
    pages: int


@dataclass(frozen=True)
class ReportSummary:
    """The report as it was made: all `pages`, `size` in bytes, `sha256` hexadecimal."""

    pages: int
    size: int
    sha256: str
    sections: tuple[SectionPlace, ...]
    unprintable: Mapping[str, int] = field(default_factory=dict)
