"""What a scan says: told apart from the other models, for the process of the parsers needs nothing that they import."""

from typing import NotRequired, TypedDict


class Hit(TypedDict):
    """A rule that matches, and the member that it matches in; the path is empty for the file's own bytes."""

    rule: str
    path: str


class Unscanned(TypedDict):
    """A member that was not scanned, or not to its end, and why (`UnopenedReason`)."""

    path: str
    reason: str
    # What it is, where nobody here opens its kind (`ContainerKind`).
    kind: NotRequired[str]


class ScanAnswer(TypedDict):
    """What a scan has found: the first of the hits and of what was not scanned, and the number of the latter."""

    hits: list[Hit]
    unscanned: list[Unscanned]
    unscannedCount: int
