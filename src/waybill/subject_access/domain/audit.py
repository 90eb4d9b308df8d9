"""The audit trail: entries of which each carries the hash of the one before, so that no change goes unseen.

The hash covers everything that an entry says, and the id of what it is about. The number of entries and the last hash
stand apart from them: an entry that is altered, removed, or cut off at the end breaks the chain at its number.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from pydantic import JsonValue

from waybill.core.clock import moment_of
from waybill.core.executions import stable_json

WORKER = "worker"
SCHEDULE = "schedule"
# Entries reach the log within minutes; what is older should be there.
_SEALED_WITHIN = timedelta(hours=1)


@dataclass(frozen=True)
class AuditEntry:
    """One action: `actor` is who did it, `at` an ISO time, `number` counts from 1.

    `says` has a digest of everything that the request says otherwise from then on (`domain.entry_digests`).
    """

    number: int
    at: str
    actor: str
    action: str
    detail: Mapping[str, JsonValue]
    previous: str
    hash: str
    says: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class ChainBreak:
    """Where a chain does not hold: the number of the entry, and what is wrong with it."""

    number: int
    problem: str


@dataclass(frozen=True)
class Trail:
    """A trail as it is stored: `count` and `head` are its number of entries and the last hash, as they are kept apart.

    `request` has the attributes of the request that it is about, None where there is none, `parts` those of its parts.
    """

    entries: Sequence[AuditEntry]
    count: int
    head: str
    request: Mapping[str, Any] | None = None
    parts: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True)
class Sealing:
    """How a trail stands to a log that nobody can rewrite.

    `sealed` entries are in it as they are here, `waiting` ones are too young to be, and `unsealed` ones are old and not
    in it; `broken` is the first that the log has otherwise, or that is not here any more.
    """

    sealed: int
    waiting: int
    unsealed: Sequence[int]
    broken: ChainBreak | None


@dataclass(frozen=True)
class Action:
    """What is to be recorded; `detail` holds nothing about the subject of a request."""

    actor: str
    name: str
    detail: Mapping[str, JsonValue]


def trail_key(about: str) -> str:
    """Return what a trail is kept under: a request's, or that of a day (``AUDIT#<day>``), which is about no request."""
    return about if about.startswith("AUDIT#") else f"SAR#{about}"


def sealed(text: str, salt: str) -> str:
    """Return the SHA-256 (hex) that stands for a text in a trail, which is kept for ever.

    The text may name people, so it is kept with the request and goes with it, and so does the salt, without which the
    text cannot be guessed from the hash. Until then anybody can check that the text is the one that was given.
    """
    return hashlib.sha256(f"{salt}{text}".encode()).hexdigest()


def link(
    about: str, number: int, at: str, action: Action, previous: str, says: Mapping[str, str] | None = None
) -> AuditEntry:
    """Return the entry that records `action` behind the one whose hash is `previous`."""
    detail = {name: value for name, value in action.detail.items() if value is not None}
    unsealed = AuditEntry(number, at, action.actor, action.name, detail, previous, "", says or {})
    return replace(unsealed, hash=_digest(about, unsealed))


def first_break(about: str, entries: Iterable[AuditEntry], count: int, head: str) -> ChainBreak | None:
    """Return where the chain does not hold, None when it does.

    Parameters
    ----------
    entries
        In the order of their numbers.
    count, head
        The number of entries and the last hash, as they were kept apart.
    """
    previous, number = "", 0
    for entry in entries:
        number += 1
        if entry.number != number:
            return ChainBreak(number, "is missing")
        if entry.previous != previous:
            return ChainBreak(number, "does not follow the entry before it")
        if entry.hash != _digest(about, entry):
            return ChainBreak(number, "was altered")
        previous = entry.hash
    if number < count:
        return ChainBreak(number + 1, "is missing")
    if number > count or previous != head:
        return ChainBreak(number, "is not what the chain ends with")
    return None


def against_log(entries: Sequence[AuditEntry], sealed: Mapping[int, str], now: datetime) -> Sealing:
    """Return how a trail stands to the hashes, by number, that a log has of it."""
    hashes = {entry.number: entry.hash for entry in entries}
    broken = next(
        (
            ChainBreak(number, "was altered since it was sealed" if number in hashes else "is in the log, and not here")
            for number in sorted(sealed)
            if hashes.get(number) != sealed[number]
        ),
        None,
    )
    others = [entry for entry in entries if entry.number not in sealed]
    young = [entry for entry in others if (at := moment_of(entry.at)) and now - at < _SEALED_WITHIN]
    old = [entry.number for entry in others if entry not in young]
    same = sum(hashes.get(number) == hash_ for number, hash_ in sealed.items())
    return Sealing(same, len(young), old, broken)


def _digest(about: str, entry: AuditEntry) -> str:
    said = asdict(entry) | {"about": about, "detail": dict(entry.detail)}
    del said["hash"]
    if entry.says:
        said["says"] = dict(entry.says)
    else:
        # So that entries from before have the hash that they had.
        del said["says"]
    return hashlib.sha256(stable_json(said).encode()).hexdigest()
