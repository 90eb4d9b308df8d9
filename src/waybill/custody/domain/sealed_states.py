"""What stands beside an event in the clear, against what was sealed of it."""

from collections.abc import Mapping

from pydantic import JsonValue

from waybill.custody.domain.identity import commitment
from waybill.custody.models import Event, FileState, KnownPlace


def named(known: KnownPlace | None, at: JsonValue) -> KnownPlace | None:
    """Return the place of a state in an event of the time `at`: None where its names were erased since.

    A place that has got a new history has a name again, which is none of the old events'.
    """
    return None if known is None or str(at) <= known.since else known


def sealed_commitments(content: Mapping[str, JsonValue]) -> list[JsonValue]:
    """Return what was sealed of the files that an event is about, its own first."""
    own, related = content.get("object"), content.get("related")
    return [*([own] if own else []), *(related if isinstance(related, list) else [])]


def states_hold(event: Event, content: Mapping[str, JsonValue], places: Mapping[str, KnownPlace]) -> bool:
    """Return whether the names, versions and digests that stand beside an event are those that were sealed.

    Of a place whose names were erased nothing can be said, and nothing is.
    """
    if [state.commitment for state in event.states] != sealed_commitments(content):
        return False
    for state in event.states:
        known = named(places.get(state.place), content.get("at"))
        if known is None:
            continue
        opened = FileState(known.place, state.version_id, state.sha256, state.size)
        if commitment(opened, known.subject.salt) != state.commitment:
            return False
    return True
