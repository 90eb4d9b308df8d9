"""What is found inside of a container, what was not opened and why, and how far one goes."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import BinaryIO

# Returns up to so many bytes; none at the end only. Raises `ContainerError`.
type Read = Callable[[int], bytes]


class ContainerKind(StrEnum):
    """What can hold something that its own bytes do not show."""

    ZIP = "zip"
    TAR = "tar"
    GZIP = "gzip"
    BZIP2 = "bzip2"
    XZ = "xz"
    LZMA = "lzma"
    COMPOUND = "compound file"
    OLE_NATIVE = "embedded object"
    COMPRESSED_RTF = "compressed RTF"
    TNEF = "winmail.dat"
    MAIL = "message"
    MAILBOX = "mailbox"
    RTF = "RTF"
    WIDE_TEXT = "text in UTF-16 or UTF-32"
    OLD_LINES = "text of carriage returns"
    DATA_URLS = "encoded parts of a text"
    PDF = "PDF"
    WEB_ARCHIVE = "web archive"
    SIGNED = "signed content"
    OPEN_PGP = "OpenPGP message"
    ONENOTE = "OneNote section"
    FLASH = "Flash film"
    ENCRYPTED_MAIL = "encrypted message"
    APPENDED = "archive behind other bytes"
    PICTURE = "picture or sound"
    # Known by their mark, and nobody opens them here.
    SEVEN_ZIP = "7z"
    RAR = "RAR"
    CABINET = "cabinet"
    ISO = "disc image"
    ZSTANDARD = "zstd"
    COMPRESS = "compress"
    LZ4 = "lz4"
    OUTLOOK_FOLDERS = "Outlook folders"
    DISK_IMAGE = "disk image"
    OTHER_ARCHIVE = "archive"


class UnopenedReason(StrEnum):
    """Why something was not opened, or not to its end."""

    ENCRYPTED = "ENCRYPTED"
    BROKEN = "BROKEN"
    TRUNCATED = "TRUNCATED"
    NO_READER = "NO_READER"
    UNKNOWN_METHOD = "UNKNOWN_METHOD"
    DEPTH = "DEPTH"
    MEMBERS = "MEMBERS"
    MEMBER_BYTES = "MEMBER_BYTES"
    TOTAL_BYTES = "TOTAL_BYTES"
    RATIO = "RATIO"
    TIME = "TIME"
    DISK = "DISK"
    PARSER_FAILED = "PARSER_FAILED"


# Over one of these nothing else of the whole object is opened either.
EXHAUSTED = frozenset({UnopenedReason.MEMBERS, UnopenedReason.TOTAL_BYTES, UnopenedReason.TIME})


class ContainerError(Exception):
    """Something cannot be read, or may not be read any further."""

    def __init__(self, reason: UnopenedReason) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class ContainerEntry:
    """One entry of a container, to be read before the next is asked for; `reason` says why it cannot be read at all."""

    name: str
    read: Read
    reason: UnopenedReason | None = None


@dataclass(frozen=True)
class ContainerMember:
    """A member at whatever depth: `path` is made of the names on the way; `content` lasts until the next is taken."""

    path: str
    content: BinaryIO
    size: int


@dataclass(frozen=True)
class UnopenedMember:
    """What was not opened, or not to its end; `path` is empty for the outermost object."""

    path: str
    kind: ContainerKind | None
    reason: UnopenedReason


@dataclass(frozen=True)
class ContainerLimits:
    """How far one goes: levels, members, bytes of a member and of all, how many times its packed size, seconds."""

    depth: int = 8
    members: int = 50_000
    member_bytes: int = 512 << 20
    total_bytes: int = 2 << 30
    ratio: int = 200
    # What compresses well is no bomb below this.
    ratio_free_bytes: int = 64 << 20
    seconds: float = 240.0


@dataclass
class ContainerBudget:
    """What one object has used of its limits; every reader counts here what it gives out."""

    limits: ContainerLimits = field(default_factory=ContainerLimits)
    clock: Callable[[], float] = time.monotonic
    members: int = 0
    total_bytes: int = 0

    def __post_init__(self) -> None:
        self._deadline = self.clock() + self.limits.seconds

    def enter(self) -> None:
        """Count one more member; raises `ContainerError` over the limit."""
        self.members += 1
        if self.members > self.limits.members:
            raise ContainerError(UnopenedReason.MEMBERS)
        self.check_time()

    def check_time(self) -> None:
        """Raise `ContainerError` when the time is over."""
        if self.clock() > self._deadline:
            raise ContainerError(UnopenedReason.TIME)

    def count(self, more: int, unpacked: int, packed: int) -> None:
        """Count `more` bytes of a member, `unpacked` so far from `packed`; raises `ContainerError` over a limit."""
        self.total_bytes += more
        if self.total_bytes > self.limits.total_bytes:
            raise ContainerError(UnopenedReason.TOTAL_BYTES)
        if unpacked > self.limits.member_bytes:
            raise ContainerError(UnopenedReason.MEMBER_BYTES)
        if unpacked > self.limits.ratio_free_bytes and unpacked > packed * self.limits.ratio:
            raise ContainerError(UnopenedReason.RATIO)
        self.check_time()


# Opens one level: yields the entries of a container, whose file it may read at any place.
type ContainerReader = Callable[[BinaryIO, ContainerBudget], Iterator[ContainerEntry]]
