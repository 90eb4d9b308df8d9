"""The audit trail: entries of which each carries the hash of the one before, so that no change goes unseen.

The hash covers everything that an entry says, and the id of what it is about. The number of entries and the last hash
stand apart from them: an entry that is altered, removed, or cut off at the end breaks the chain at its number.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace

from pydantic import JsonValue

from waybill.core.executions import stable_json

WORKER = "worker"
SCHEDULE = "schedule"


@dataclass(frozen=True)
class AuditEntry:
    """One action: `actor` is who did it, `at` an ISO time, `number` counts from 1."""

    number: int
    at: str
    actor: str
    action: str
    detail: Mapping[str, JsonValue]
    previous: str
    hash: str


@dataclass(frozen=True)
class ChainBreak:
    """Where a chain does not hold: the number of the entry, and what is wrong with it."""

    number: int
    problem: str


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


def link(about: str, number: int, at: str, action: Action, previous: str) -> AuditEntry:
    """Return the entry that records `action` behind the one whose hash is `previous`."""
    detail = {name: value for name, value in action.detail.items() if value is not None}
    unsealed = AuditEntry(number, at, action.actor, action.name, detail, previous, "")
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


def _digest(about: str, entry: AuditEntry) -> str:
    said = asdict(entry) | {"about": about, "detail": dict(entry.detail)}
    del said["hash"]
    return hashlib.sha256(stable_json(said).encode()).hexdigest()
