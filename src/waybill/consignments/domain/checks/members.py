"""What an archive holds, each member with its format: shown to people, and accepted as nothing.

DROID and Siegfried look into archives in the same way. A document that is built as a package is no archive. Imported in
the scanners' process alone, since what it opens is hostile.
"""

import json
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from shutil import copyfileobj
from types import MappingProxyType
from typing import Any, BinaryIO

from waybill.consignments.domain.checks import packed
from waybill.consignments.domain.checks.spool import Workspace
from waybill.consignments.domain.evidence import extension_of, formats_of
from waybill.core.containers.kinds import kinds_of
from waybill.core.containers.models import (
    ContainerBudget,
    ContainerEntry,
    ContainerKind,
    ContainerLimits,
    ContainerMember,
)
from waybill.core.containers.walk import READERS, walk
from waybill.core.containers.zip_archive import OF_PACKAGES, zip_entries, zip_names

# What the results of a file have room for; the number of all is told beside it.
_LISTED_BYTES = 8000
_UNLISTED = 5
_MEMBERS_SHARE = 0.8


def _archive_entries(file: BinaryIO, budget: ContainerBudget) -> Iterator[ContainerEntry]:
    if not OF_PACKAGES.intersection(zip_names(file)):
        yield from zip_entries(file, budget)


_PLAIN = (ContainerKind.TAR, ContainerKind.GZIP, ContainerKind.BZIP2, ContainerKind.XZ, ContainerKind.WEB_ARCHIVE)
_READERS = MappingProxyType(
    {**{kind: READERS[kind] for kind in _PLAIN}, **packed.READERS, ContainerKind.ZIP: _archive_entries}
)


def members_of(path: Path, identify: Callable[[Path, str], dict[str, Any]], seconds: float) -> dict[str, Any] | None:
    """Return `count`, the first members as `listed`, and as `notListed` what could not be opened; None of no archive.

    Parameters
    ----------
    path : Path
        The file.
    identify : callable
        Identifies a copy of a member, by its path and its extension.
    seconds : float
        How long that may take.
    """
    with path.open("rb") as file, tempfile.TemporaryDirectory(dir=path.parent) as folder:
        if not _is_archive(file):
            return None
        workspace = Workspace(Path(folder))
        listed: list[dict[str, Any]] = []
        not_listed: list[dict[str, str]] = []
        count = room = 0
        for found in walk(file, ContainerLimits(seconds=seconds * _MEMBERS_SHARE), _READERS):
            if not isinstance(found, ContainerMember):
                if found.kind is not None and found.kind not in _READERS:
                    continue
                if listed and (listed[-1]["path"], listed[-1]["size"]) == (found.path, 0):
                    # Nothing of it could be read: neither that it is empty nor its format is known.
                    listed.pop()
                if len(not_listed) < _UNLISTED:
                    not_listed.append({"path": found.path, "reason": found.reason.value})
                continue
            count += 1
            if room < _LISTED_BYTES:
                listed.append(_member(found, workspace, identify))
                room += len(json.dumps(listed[-1]))
    return {"count": count, "listed": listed, "notListed": not_listed}


def _is_archive(file: BinaryIO) -> bool:
    kinds = _READERS.keys() & set(kinds_of(file))
    return bool(kinds) and (kinds != {ContainerKind.ZIP} or not OF_PACKAGES.intersection(zip_names(file)))


def _member(
    found: ContainerMember, workspace: Workspace, identify: Callable[[Path, str], dict[str, Any]]
) -> dict[str, Any]:
    extension = extension_of(found.path)
    copy = workspace.path(extension)
    try:
        with copy.open("wb") as target:
            found.content.seek(0)
            copyfileobj(found.content, target)
        formats = formats_of(identify(copy, extension))
    finally:
        copy.unlink(missing_ok=True)
    told = {"puid": formats[0]["puid"], "formatName": formats[0]["formatName"]} if formats else {}
    return {"path": found.path, "size": found.size, **told}
