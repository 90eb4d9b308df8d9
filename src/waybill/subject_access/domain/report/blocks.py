"""What a section is made of: what `content` and `templates` make of an answer, and `flow` puts on pages."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading of the section (level 1) or of something within it (2 and deeper)."""

    text: str
    level: int


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Running text; with a `mark`, an item of a list."""

    text: str
    mark: str = ""


@dataclass(frozen=True, slots=True)
class Pair:
    """A row of a summary list: what it is called, and its value."""

    label: str
    value: str


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under a head that is repeated on every page; a row has as many cells as the head."""

    head: Sequence[str]
    rows: Iterable[Sequence[str]]


@dataclass(frozen=True, slots=True)
class Inline:
    """A picture of the answer, by its number; `alt` is what the template says that it shows.

    The box that it is fitted into is in points; 0 for as wide or high as it is. A `caption` stands above one that
    belongs into a table, which names it.
    """

    number: int
    alt: str = ""
    caption: str = ""
    width: float = 0.0
    height: float = 0.0


@dataclass(frozen=True, slots=True)
class Enclosed:
    """A file within a document, which is drawn as attachments are, under a heading of its own."""

    title: str
    content: bytes
    content_type: str
    filename: str


type Block = Heading | Paragraph | Pair | Table | Inline | Enclosed
