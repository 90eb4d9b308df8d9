"""Erasing the names of a file: of all places that share its history, without breaking what was sealed.

The log holds commitments with a salt alone. Without the salt, and without the versions, digests and sizes beside the
events, they open to nothing, and every leaf still verifies. The marker comes first: it says what is to go, so that an
erasure that dies goes on where it was, and from then on nobody brings the names back. Names go before what stands
beside the events, or a verification in between would find these altered.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from waybill.core.clock import iso
from waybill.core.errors import NotFoundError
from waybill.custody.domain.identity import place_hash
from waybill.custody.domain.ledger import Histories, KnownPlaces
from waybill.custody.domain.recording import PLACES, EventRecorder
from waybill.custody.domain.sealed_form import Keys
from waybill.custody.domain.tracing import Links
from waybill.custody.models import Event, EventType, FileState, Happening, KnownPlace, Outcome, Place

WORKFLOW = "custody"
# What one erasure takes: a file is in a few places. More than that is nobody's intention.
MOST_PLACES = 100
_PAGE = 200
_UUID = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_FILE = re.compile(rf"(?:^|/)({_UUID})/({_UUID})$")


@dataclass(frozen=True)
class ErasedPlace:
    """A place that loses its names: the keyed hash of it, its history, and the file of a consignment that it may be."""

    hash_: str
    subject: str
    consignment_file: tuple[str, str] | None = None


@dataclass(frozen=True)
class Marker:
    """When the names of a place were erased, by whom and why.

    `plan` is what goes with it, as long as that is under way; `first` is the place that has the plan, in the others'.
    """

    at: str
    by: str
    reason: str
    plan: tuple[ErasedPlace, ...] = ()
    first: str = ""


class ErasedLedger(KnownPlaces, Histories, Protocol):
    """The table as an erasure needs it; raises `CustodyUnavailableError`."""

    def links(self, subject: str, limit: int) -> Links:
        """Return where a history goes on."""
        ...

    def erasure(self, hash_: str) -> Marker | None:
        """Return the newest note of an erasure of this place."""
        ...

    def mark_erased(self, hash_: str, marker: Marker) -> None:
        """Note that the names of a place are erased, or are going to be as long as the note has a plan."""
        ...

    def blank(self, event: Event) -> None:
        """Keep what stands beside an event as it is given."""
        ...

    def remove_ways(
        self, subject: str, *, digests: Iterable[str], consignment_files: Iterable[tuple[str, str]]
    ) -> None:
        """Remove other names by which a subject is found."""
        ...

    def remove_reasons(self, subject: str) -> None:
        """Remove what people have written about a subject."""
        ...

    def remove_place(self, hash_: str, subject: str) -> None:
        """Remove the name of a place."""
        ...


@dataclass(frozen=True)
class Eraser:
    """Erases names; `recorder` tells of it in the histories that lose them."""

    ledger: ErasedLedger
    recorder: EventRecorder
    keys: Keys
    now: Callable[[], datetime]

    def places_of(self, place: Place) -> list[Place]:
        """Return the places whose histories hang together with that of `place`, which comes first.

        Raises
        ------
        NotFoundError
            Nothing is recorded of it, or it is one of more than an erasure takes.
        """
        return [known.place for known in self._family(place).values()]

    def erase(self, place: Place, *, by: str, reason: str) -> list[Place]:
        """Erase the names of `place` and of all places that share its history; return those that still had one.

        Raises
        ------
        NotFoundError
            As `places_of`.
        """
        first, marker = self._begun(place_hash(place, self.keys.key(PLACES))) or self._begin(place, by, reason)
        for each in marker.plan:
            if each.hash_ != first:
                self.ledger.mark_erased(each.hash_, replace(marker, plan=(), first=first))
        named = self.ledger.places([each.hash_ for each in marker.plan])
        for hash_, known in named.items():
            self._tell(hash_, known.place, marker)
        for each in marker.plan:
            self.ledger.remove_place(each.hash_, each.subject)
        for each in marker.plan:
            self._empty(each, {other.hash_ for other in marker.plan})
        self.ledger.mark_erased(first, replace(marker, plan=()))
        return [known.place for known in named.values()]

    def _begun(self, hash_: str) -> tuple[str, Marker] | None:
        """Return the erasure that takes this place and has not ended, with the place where it began."""
        marker = self.ledger.erasure(hash_)
        if marker and marker.first:
            hash_, marker = marker.first, self.ledger.erasure(marker.first)
        return (hash_, marker) if marker and marker.plan else None

    def _begin(self, place: Place, by: str, reason: str) -> tuple[str, Marker]:
        family = self._family(place)
        # One that has died right after its beginning is gone on with, from whichever of its places.
        begun = next(filter(None, map(self._begun, family)), None)
        if begun and any(each.hash_ == next(iter(family)) for each in begun[1].plan):
            return begun
        plan = tuple(_erased(hash_, known) for hash_, known in family.items())
        first, marker = next(iter(family)), Marker(iso(self.now()), by, reason, plan)
        self.ledger.mark_erased(first, marker)
        return first, marker

    def _tell(self, hash_: str, place: Place, marker: Marker) -> None:
        erased = Happening(
            workflow=WORKFLOW,
            kind="erased",
            parts=(hash_, marker.at),
            type=EventType.DELETION,
            at=marker.at,
            outcome=Outcome.SUCCESS,
            about=FileState(place),
            agent={"software": "waybill.custody", "person": marker.by},
            detail={"erased": "names"},
        )
        self.recorder.record([erased], [], f"erase-{hash_}")

    def _empty(self, place: ErasedPlace, erased: set[str]) -> None:
        """Blank what stands beside the events of a history, and remove the other names that it has."""
        digests = set[str]()
        for event in self._events(place.subject):
            digests |= {state.sha256 for state in event.states[:1] if state.sha256}
            states = tuple(
                replace(state, version_id=None, sha256=None, size=None) if state.place in erased else state
                for state in event.states
            )
            if states != event.states:
                # The way by digest goes first: the event says which it is.
                self.ledger.remove_ways(place.subject, digests=digests, consignment_files=[])
                self.ledger.blank(replace(event, states=states))
        files = [place.consignment_file] if place.consignment_file else []
        self.ledger.remove_ways(place.subject, digests=digests, consignment_files=files)
        self.ledger.remove_reasons(place.subject)

    def _events(self, subject: str) -> Iterable[Event]:
        after = ""
        while page := self.ledger.events_of(subject, after, _PAGE):
            yield from page
            after = page[-1].leaf.sk

    def _family(self, place: Place) -> dict[str, KnownPlace]:
        first = place_hash(place, self.keys.key(PLACES))
        found = dict(self.ledger.places([first]))
        if not found:
            raise NotFoundError(f"Nothing is recorded of {place.key} in bucket {place.bucket}")
        seen, row = {found[first].subject.pk}, [found[first].subject.pk]
        while row:
            hashes: dict[str, None] = {}
            for subject in row:
                hashes |= dict.fromkeys(state.place for event in self._events(subject) for state in event.states)
                links = self.ledger.links(subject, MOST_PLACES + 1)
                hashes |= dict.fromkeys(hash_ for _, hash_ in links.copies)
                named = (pk for known in found.values() if known.subject.pk == subject for pk in known.origins)
                # The place of an origin is in its own events alone.
                hashes |= dict.fromkeys(self._own_places([*links.origins, *named]))
            found |= self.ledger.places([hash_ for hash_ in hashes if hash_ not in found])
            if len(found) > MOST_PLACES:
                raise NotFoundError(f"Its history is that of more than {MOST_PLACES} places: erase those first")
            row = [known.subject.pk for known in found.values() if known.subject.pk not in seen]
            seen |= set(row)
        return found

    def _own_places(self, subjects: Sequence[str]) -> Iterable[str]:
        for subject in subjects:
            yield from (event.states[0].place for event in self.ledger.events_of(subject, "", 1) if event.states)


def _erased(hash_: str, known: KnownPlace) -> ErasedPlace:
    # A file of a consignment is named by both in the key of its upload, and of its copy.
    ids = _FILE.search(known.place.key)
    return ErasedPlace(hash_, known.subject.pk, (ids[1], ids[2]) if ids else None)
