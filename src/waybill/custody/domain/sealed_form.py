"""The bytes that are sealed, the same for the same content, and the keyed hash that protects them until they are."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

from pydantic import JsonValue
from pydantic_core import from_json

from waybill.core.executions import stable_json
from waybill.custody.domain.identity import TRAIL, event_sort_key
from waybill.custody.errors import BadProofError
from waybill.custody.models import VERSION, Happening, StateReference, TrailEntry

# C2SP tlog-tiles: an entry is preceded by its length in two bytes.
MOST_BYTES = 65_535
# That of SHA-256, in bytes.
_BLOCK = 64


class Keys(Protocol):
    """Secret keys by what they are for, derived from one that nobody can read; raises `CustodyUnavailableError`."""

    def key(self, purpose: str) -> bytes:
        """Return the key: the same purpose, the same key."""
        ...


@dataclass(frozen=True)
class Origin:
    """What an event says of its making: its subject's `pk`, when it was recorded, from what, and what it follows."""

    subject: str
    recorded_at: str
    recorded_from: str
    previous: str | None


def sealed_event(id_: str, happening: Happening, origin: Origin, states: tuple[StateReference, ...]) -> str:
    """Return the sealed form of an event; the first of `states` is its own file's."""
    said: dict[str, JsonValue] = {
        "v": VERSION,
        "eventId": id_,
        "subject": origin.subject,
        "type": happening.type.value,
        "at": happening.at,
        "recordedAt": origin.recorded_at,
        "recordedFrom": origin.recorded_from,
        "workflow": happening.workflow,
        "outcome": happening.outcome.value,
        "agent": dict(happening.agent),
        "detail": {name: value for name, value in happening.detail.items() if value is not None},
        "object": states[0].commitment if states else None,
        "related": [state.commitment for state in states[1:]],
        "previous": origin.previous,
    }
    return stable_json(said)


def sealed_trail_entry(id_: str, entry: TrailEntry, recorded_at: str) -> str:
    """Return the sealed form of an entry of the subject access trail."""
    said: dict[str, JsonValue] = {
        "v": VERSION,
        "entryId": id_,
        "trail": entry.trail,
        "number": entry.number,
        "hash": entry.hash,
        "recordedAt": recorded_at,
    }
    return stable_json(said)


def mac_of(sealed: str, recorded_at: str, keys: Keys) -> str:
    """Return the keyed hash of sealed bytes, under the key of the day on which they were recorded.

    HMAC with SHA-256 (RFC 2104): both of its hashes are begun once for a key, where `hmac.digest` begins them for each
    message, which takes longer than to hash it.
    """
    begun_inner, begun_outer = _begun(keys.key(recorded_at[:10]))
    inner, outer = begun_inner.copy(), begun_outer.copy()
    inner.update(sealed.encode())
    outer.update(inner.digest())
    return outer.hexdigest()


@lru_cache(maxsize=64)
def _begun(key: bytes) -> "tuple[hashlib._Hash, hashlib._Hash]":
    block = (hashlib.sha256(key).digest() if len(key) > _BLOCK else key).ljust(_BLOCK, b"\0")
    return hashlib.sha256(bytes(byte ^ 0x36 for byte in block)), hashlib.sha256(bytes(byte ^ 0x5C for byte in block))


def parsed(sealed: str | bytes) -> Mapping[str, JsonValue]:
    """Return what sealed bytes say.

    Raises
    ------
    BadProofError
        They are not what custody seals.
    """
    try:
        said = _read(sealed if isinstance(sealed, bytes) else sealed.encode())
    except (ValueError, RecursionError):
        raise BadProofError("an entry of the log is not JSON") from None
    if not isinstance(said, dict) or said.get("v") != VERSION:
        raise BadProofError("an entry of the log is of another version, or no object")
    return said


def _read(sealed: bytes) -> JsonValue:
    try:
        said: JsonValue = from_json(sealed)
    except ValueError:
        # Several times as fast, but for halves of characters, which a name may have.
        said = json.loads(sealed.decode())  # UTF-8, and not what it looks like
    return said


def id_of(said: Mapping[str, JsonValue]) -> str:
    """Return the id of an entry."""
    return str(said.get("eventId") or said.get("entryId"))


def key_of(said: Mapping[str, JsonValue]) -> tuple[str, str]:
    """Return the `pk` and `sk` of the item of an entry."""
    if "eventId" in said:
        return str(said["subject"]), event_sort_key(str(said["at"]), str(said["eventId"]))
    number = said.get("number")
    if not isinstance(number, int):
        raise BadProofError("an entry of the log has no number")
    return trail_key(str(said.get("trail")), number)


def trail_key(trail: str, number: int) -> tuple[str, str]:
    """Return the `pk` and `sk` of an entry of the subject access trail."""
    return TRAIL + trail, f"{number:08}"
