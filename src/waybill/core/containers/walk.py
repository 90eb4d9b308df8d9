"""Goes through all levels of a container, and gives every member to be read or names it as not opened."""

import errno
import tempfile
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import BinaryIO, cast

from waybill.core.containers.archives import CHUNK, bzip2_entries, gzip_entries, lzma_entries, tar_entries, xz_entries
from waybill.core.containers.compound import compound_entries, native_entries
from waybill.core.containers.encryption import encryption_of
from waybill.core.containers.kinds import kinds_of
from waybill.core.containers.mail import mail_entries, mailbox_entries, tnef_entries
from waybill.core.containers.models import (
    EXHAUSTED,
    ContainerBudget,
    ContainerEntry,
    ContainerError,
    ContainerKind,
    ContainerLimits,
    ContainerMember,
    ContainerReader,
    UnopenedMember,
    UnopenedReason,
)
from waybill.core.containers.pictures import picture_entries
from waybill.core.containers.texts import (
    compressed_rtf_entries,
    encoded_entries,
    old_lines_entries,
    rtf_entries,
    wide_text_entries,
)
from waybill.core.containers.web_archive import web_archive_entries
from waybill.core.containers.wrapped import cms_entries, flash_entries, onenote_entries, pgp_entries
from waybill.core.containers.zip_archive import zip_entries

READERS: Mapping[ContainerKind, ContainerReader] = MappingProxyType(
    {
        ContainerKind.ZIP: zip_entries,
        ContainerKind.TAR: tar_entries,
        ContainerKind.GZIP: gzip_entries,
        ContainerKind.BZIP2: bzip2_entries,
        ContainerKind.XZ: xz_entries,
        ContainerKind.LZMA: lzma_entries,
        ContainerKind.COMPOUND: compound_entries,
        ContainerKind.OLE_NATIVE: native_entries,
        ContainerKind.COMPRESSED_RTF: compressed_rtf_entries,
        ContainerKind.TNEF: tnef_entries,
        ContainerKind.MAIL: mail_entries,
        ContainerKind.MAILBOX: mailbox_entries,
        ContainerKind.RTF: rtf_entries,
        ContainerKind.WIDE_TEXT: wide_text_entries,
        ContainerKind.OLD_LINES: old_lines_entries,
        ContainerKind.DATA_URLS: encoded_entries,
        ContainerKind.WEB_ARCHIVE: web_archive_entries,
        ContainerKind.SIGNED: cms_entries,
        ContainerKind.OPEN_PGP: pgp_entries,
        ContainerKind.FLASH: flash_entries,
        ContainerKind.ONENOTE: onenote_entries,
        ContainerKind.PICTURE: picture_entries,
    }
)
_IN_MEMORY_BYTES = 4 << 20
_PATH_LENGTH = 1000
_NATIVE_STREAM = "Ole10Native"


def walk(
    file: BinaryIO,
    limits: ContainerLimits | None = None,
    readers: Mapping[ContainerKind, ContainerReader] = READERS,
) -> Iterator[ContainerMember | UnopenedMember]:
    """Yield what is inside of `file`, each container before its own members; the file itself is not among them.

    A member's content lasts until the next is asked for. Something that is broken, encrypted or over a limit costs
    itself; only where the limits of the whole object are reached does the walk end.

    Parameters
    ----------
    file : BinaryIO
        Readable and seekable.
    limits : ContainerLimits
        How far one goes.
    readers : mapping of ContainerKind to ContainerReader
        What opens each kind; a kind without a reader is named as not opened.
    """
    walker = _Walker(ContainerBudget(limits or ContainerLimits()), readers)
    try:
        yield from walker.inside(file, "", "", 0, None)
    except ContainerError as error:
        yield UnopenedMember("", None, error.reason)


class _Walker:
    def __init__(self, budget: ContainerBudget, readers: Mapping[ContainerKind, ContainerReader]) -> None:
        self._budget = budget
        self._readers = readers

    def inside(
        self, file: BinaryIO, path: str, name: str, depth: int, within: ContainerKind | None
    ) -> Iterator[ContainerMember | UnopenedMember]:
        """Yield what is inside of one content; raises `ContainerError` where the whole object's limits are reached.

        `within` is what it was found in.
        """
        encrypted = encryption_of(file) is not None
        if encrypted:
            yield UnopenedMember(path, None, UnopenedReason.ENCRYPTED)
        kinds = kinds_of(file)
        if name == _NATIVE_STREAM:
            kinds.append(ContainerKind.OLE_NATIVE)
        # In anything; what stands behind an appended archive stands behind the whole, where it was found already.
        if ContainerKind.APPENDED in self._readers and within is not ContainerKind.APPENDED:
            kinds.append(ContainerKind.APPENDED)
        for kind in kinds:
            if kind is ContainerKind.ENCRYPTED_MAIL:
                # Once for one content, however many signs of it there are.
                if not encrypted:
                    yield UnopenedMember(path, kind, UnopenedReason.ENCRYPTED)
            elif kind not in self._readers:
                yield UnopenedMember(path, kind, UnopenedReason.NO_READER)
            else:
                yield from self._opened(file, path, kind, depth)

    def _opened(
        self, file: BinaryIO, path: str, kind: ContainerKind, depth: int
    ) -> Iterator[ContainerMember | UnopenedMember]:
        entries = self._readers[kind](file, self._budget)
        while True:
            try:
                entry = next(entries, None)
            except ContainerError as error:
                if error.reason in EXHAUSTED:
                    raise
                yield UnopenedMember(path, kind, error.reason)
                return
            except Exception:  # whatever a parser makes of hostile bytes: it costs this container alone
                yield UnopenedMember(path, kind, UnopenedReason.PARSER_FAILED)
                return
            if entry is None:
                return
            below = _shown(f"{path}/{entry.name}" if path else entry.name)
            if depth >= self._budget.limits.depth:
                yield UnopenedMember(below, kind, UnopenedReason.DEPTH)
                return
            yield from self._member(entry, below, kind, depth + 1)

    def _member(
        self, entry: ContainerEntry, path: str, kind: ContainerKind, depth: int
    ) -> Iterator[ContainerMember | UnopenedMember]:
        if entry.reason is not None:
            yield UnopenedMember(path, kind, entry.reason)
            return
        with tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY_BYTES) as spool:
            content = cast("BinaryIO", spool)
            reason = None
            try:
                while chunk := entry.read(CHUNK):
                    content.write(chunk)
            except ContainerError as error:
                reason = error.reason
            except OSError as error:  # the disk's: readers have names of their own for what is broken
                reason = UnopenedReason.DISK if error.errno == errno.ENOSPC else UnopenedReason.PARSER_FAILED
            except Exception:  # as above
                reason = UnopenedReason.PARSER_FAILED
            size = content.tell()
            content.seek(0)
            # What was unpacked before it broke counts too.
            yield ContainerMember(path, content, size)
            if reason is not None:
                yield UnopenedMember(path, kind, reason)
            if reason in EXHAUSTED:
                raise ContainerError(reason)
            if reason is None or size:
                yield from self.inside(content, path, entry.name, depth, kind)


def _shown(path: str) -> str:
    """Return a path as text that can be stored: archives hold names of any bytes and of any length."""
    text = path[:_PATH_LENGTH].encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    return text if len(path) <= _PATH_LENGTH else f"{text}…"
