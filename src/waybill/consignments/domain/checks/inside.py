"""Scans a file and everything in it. Imported in the scanners' process alone, since what it opens is hostile."""

import time
from collections.abc import Iterator
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, BinaryIO

from waybill.consignments.domain.checks import packed
from waybill.consignments.domain.checks.appended import appended_entries
from waybill.consignments.domain.checks.pdf import pdf_entries
from waybill.consignments.domain.checks.scan_answers import Hit, ScanAnswer, Unscanned
from waybill.core.containers.models import (
    ContainerBudget,
    ContainerEntry,
    ContainerKind,
    ContainerLimits,
    ContainerMember,
    UnopenedReason,
)
from waybill.core.containers.walk import READERS, walk
from waybill.core.containers.zip_archive import unlisted_entries, zip_entries

if TYPE_CHECKING:
    from waybill.consignments.domain.checks.malware_rules import MalwareRules


def _zip(file: BinaryIO, budget: ContainerBudget) -> Iterator[ContainerEntry]:
    yield from zip_entries(file, budget)
    yield from unlisted_entries(file, budget)


_READERS = MappingProxyType(
    {
        **READERS,
        **packed.READERS,
        ContainerKind.ZIP: _zip,
        ContainerKind.PDF: pdf_entries,
        ContainerKind.APPENDED: appended_entries,
    }
)
# What is told of a file: of what was not scanned the number of all is told beside it.
_TOLD = 20
_PLACES = 5
# What is left of the time is needed for the member that is being scanned when it ends.
_MEMBERS_SHARE = 0.8


def scan(rules: "MalwareRules", path: Path, seconds: float, limits: ContainerLimits | None = None) -> ScanAnswer:
    """Return which rules match, where, and what could not be scanned.

    Every member is an object of its own: a rule that says `at 0` or `filesize` means the member.

    Raises
    ------
    yara_x.TimeoutError
        The file's own bytes take longer than `seconds`.
    """
    ends = time.monotonic() + seconds
    answer: ScanAnswer = {"hits": [], "unscanned": [], "unscannedCount": 0}
    answer["hits"] += [Hit(rule=rule, path="") for rule in rules.scan_file(path, max(1, int(seconds)))]
    with path.open("rb") as file:
        for found in walk(file, limits or ContainerLimits(seconds=seconds * _MEMBERS_SHARE), _READERS):
            if isinstance(found, ContainerMember):
                _scan_member(rules, found, ends - time.monotonic(), answer)
            else:
                _note(answer, found.path, found.reason, found.kind)
    return answer


def _scan_member(rules: "MalwareRules", member: ContainerMember, seconds: float, answer: ScanAnswer) -> None:
    import yara_x

    try:
        matching = rules.scan_open(member.content, member.size, max(1, int(seconds)))
    except yara_x.TimeoutError:
        _note(answer, member.path, UnopenedReason.TIME)
        return
    for rule in matching:
        if sum(hit["rule"] == rule for hit in answer["hits"]) < _PLACES:
            answer["hits"].append(Hit(rule=rule, path=member.path))


def _note(answer: ScanAnswer, path: str, reason: UnopenedReason, kind: ContainerKind | None = None) -> None:
    answer["unscannedCount"] += 1
    if len(answer["unscanned"]) < _TOLD:
        note = Unscanned(path=path, reason=reason.value)
        if kind is not None and reason is UnopenedReason.NO_READER:
            note["kind"] = kind.value
        answer["unscanned"].append(note)


def scan_alone(rules: "MalwareRules", path: Path, seconds: float) -> ScanAnswer:
    """Return what `scan` does for a part of a file: by its own bytes alone."""
    hits = [Hit(rule=rule, path="") for rule in rules.scan_file(path, max(1, int(seconds)))]
    return {"hits": hits, "unscanned": [], "unscannedCount": 0}
