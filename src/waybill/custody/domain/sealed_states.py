"""What stands beside an event in the clear, against what was sealed of it."""

from collections.abc import Mapping, Sequence
from functools import lru_cache

from pydantic import JsonValue

from waybill.custody.domain.identity import commitment
from waybill.custody.models import Event, FileState, KnownPlace, Place


def named(known: KnownPlace | None, at: JsonValue) -> KnownPlace | None:
    """Return the place of a state in an event of the time `at`: None where its names were erased since.

    A place that has got a new history has a name again, which is none of the old events'.
    """
    return None if known is None or str(at) <= known.since else known


def sealed_commitments(content: Mapping[str, JsonValue]) -> list[JsonValue]:
    """Return what was sealed of the files that an event is about, its own first."""
    own, related = content.get("object"), content.get("related")
    return [*([own] if own else []), *(related if isinstance(related, list) else [])]


def all_named(
    event: Event, content: Mapping[str, JsonValue], places: Mapping[str, KnownPlace]
) -> list[KnownPlace | None]:
    """Return the places of an event's states, each as `named` has it."""
    at = content.get("at")
    return [named(places.get(state.place), at) for state in event.states]


def states_hold(event: Event, content: Mapping[str, JsonValue], known: Sequence[KnownPlace | None]) -> bool:
    """Return whether the versions and digests that stand beside an event, at its `known` places, are what was sealed.

    Of a place whose names were erased nothing can be said, and nothing is.
    """
    if [state.commitment for state in event.states] != sealed_commitments(content):
        return False
    for state, there in zip(event.states, known, strict=True):
        if there is None:
            continue
        place, salt = there.place, there.subject.salt
        if _commitment(place.bucket, place.key, state.version_id, state.sha256, state.size, salt) != state.commitment:
            return False
    return True


# Events of one file lie beside each other, in the log and in the table, and most are about the same state of it. Typed:
# True is no size, and equals 1.
@lru_cache(maxsize=4_096, typed=True)
def _commitment(bucket: str, key: str, version_id: str | None, sha256: str | None, size: int | None, salt: str) -> str:
    return commitment(FileState(Place(bucket, key), version_id, sha256, size), salt)
