"""How far containers are followed: limits that a bomb cannot pass, and what one object has used of them."""

from collections.abc import Callable
from dataclasses import dataclass, field

from waybill.core.containers.models import ContainerError, UnopenedReason

CHUNK = 65_536
RATIO_FREE_BYTES = 1 << 20
# A name is stored with every finding, and an item of DynamoDB takes 400 KB; archives take names of any length.
NAME_LENGTH = 1000


class UnreadableError(Exception):
    """A member cannot be read, or may not be read any further; `reason` is what the report says."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


_REASONS = {
    UnopenedReason.ENCRYPTED: "ENCRYPTED",
    UnopenedReason.TRUNCATED: "ARCHIVE_TRUNCATED",
    UnopenedReason.UNKNOWN_METHOD: "ARCHIVE_METHOD",
    UnopenedReason.DEPTH: "ARCHIVE_DEPTH",
    UnopenedReason.MEMBERS: "ARCHIVE_ENTRIES",
    UnopenedReason.MEMBER_BYTES: "ARCHIVE_TOO_LARGE",
    UnopenedReason.TOTAL_BYTES: "ARCHIVE_TOTAL_BYTES",
    UnopenedReason.RATIO: "ARCHIVE_RATIO",
    UnopenedReason.TIME: "TIME_LIMIT",
}


def unreadable(error: ContainerError) -> UnreadableError:
    """Return what a reader of containers has met as the report says it."""
    return UnreadableError(reason_of(error.reason))


def reason_of(reason: UnopenedReason) -> str:
    """Return a reason of the readers of containers as the report says it."""
    return _REASONS.get(reason, "ARCHIVE_BROKEN")


@dataclass(frozen=True)
class Limits:
    """How far archives are followed; sizes in bytes."""

    depth: int = 3
    ratio: int = 100
    total_bytes: int = 2 << 30
    entries: int = 10_000
    archive_bytes: int = 400 << 20

    def budget(self, shown: Callable[[str], str]) -> "Budget":
        """Return the budget of one object, whose members' names are stored as `shown` gives them."""
        return Budget(self, shown)


@dataclass
class Budget:
    """What is left of the limits for one object; `left_bytes` counts packed bytes that nobody has looked at."""

    limits: Limits
    shown: Callable[[str], str]
    bytes_unpacked: int = 0
    entries: int = 0
    left_bytes: int = 0
    _named: dict[int, int] = field(default_factory=dict)

    def enter(self) -> None:
        """Count one more member; raises UnreadableError when there are too many."""
        self.entries += 1
        if self.entries > self.limits.entries:
            raise UnreadableError("ARCHIVE_ENTRIES")

    def leave(self, count: int) -> None:
        """Count bytes that nobody looks at."""
        self.left_bytes += count

    def name(self, path: str) -> str:
        """Return what a member is called: its path, with a number where another member of the object has that name.

        Findings are told apart by it, and archives may hold a path any number of times. What `shown` hides is hidden
        before: two paths may then be one.
        """
        path = self.shown(path)[:NAME_LENGTH]
        # The names themselves would take as much memory as an archive likes; two with one hash only get a number.
        first = hash(path)
        name, number = path, self._named.get(first, 0)
        while hash(name) in self._named:
            number += 1
            name = f"{path} ({number + 1})"
        self._named[first] = number
        self._named.setdefault(hash(name), 0)
        return name

    def unpack(self, count: int, unpacked: int, packed: int) -> None:
        """Count `count` bytes of a member, `unpacked` so far from `packed`; raises UnreadableError over a limit."""
        self.bytes_unpacked += count
        if self.bytes_unpacked > self.limits.total_bytes:
            raise UnreadableError("ARCHIVE_TOTAL_BYTES")
        if unpacked > RATIO_FREE_BYTES and unpacked > packed * self.limits.ratio:
            raise UnreadableError("ARCHIVE_RATIO")
