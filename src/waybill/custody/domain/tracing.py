"""The history of one file: its own events, those of where it came from, and those of what was copied from it."""

import hmac
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Protocol

from pydantic import JsonValue

from waybill.core.errors import ConflictError, NotFoundError
from waybill.custody.domain.identity import IDENTIFIER, place_hash
from waybill.custody.domain.recording import PLACES
from waybill.custody.domain.sealed_form import Keys, mac_of, parsed
from waybill.custody.domain.sealed_states import named, states_hold
from waybill.custody.domain.sealing import Head, Placed
from waybill.custody.errors import BadProofError
from waybill.custody.models import Event, EventType, KnownPlace, Outcome, Place, StateReference

# Generations that are followed up and down, and files that one history may be about.
_MOST_STEPS, _MOST_SUBJECTS = 8, 100
_PAGE = 200


@dataclass(frozen=True)
class Links:
    """Where a history goes on: subjects it came from, and those copied from it, each with its place; `cut`: not all."""

    origins: tuple[str, ...] = ()
    copies: tuple[tuple[str, str], ...] = ()
    cut: bool = False


class TracedLedger(Protocol):
    """The table as a trace reads it; raises `CustodyUnavailableError`."""

    def head(self) -> Head:
        """Return the head of the log, as of now."""
        ...

    def placed(self, minute: str) -> Iterator[Placed]:
        """Yield where the log has the leaves of a minute."""
        ...

    def places(self, hashes: Iterable[str]) -> Mapping[str, KnownPlace]:
        """Return those of the places that are known, by their hashes."""
        ...

    def subject_of_file(self, consignment_id: str, file_id: str) -> str | None:
        """Return the subject of a file of a consignment."""
        ...

    def subjects_of_digest(self, sha256: str, limit: int) -> list[str]:
        """Return subjects that have had this content, at most so many."""
        ...

    def links(self, subject: str, limit: int) -> Links:
        """Return where a history goes on."""
        ...

    def events_of(self, subject: str, after: str, limit: int) -> list[Event]:
        """Return events of a subject behind the sort key `after`, oldest first."""
        ...


@dataclass(frozen=True)
class ByPlace:
    """A file at a place; of one version of it alone, where it is named."""

    place: Place
    version_id: str | None = None


@dataclass(frozen=True)
class ByDigest:
    """Files with this content: SHA-256, in lower case."""

    sha256: str


@dataclass(frozen=True)
class ByIdentifier:
    """What has this canonical id."""

    canonical_id: str


@dataclass(frozen=True)
class ByConsignment:
    """A file of a consignment."""

    consignment_id: str
    file_id: str


type Asked = ByPlace | ByDigest | ByIdentifier | ByConsignment


@dataclass(frozen=True)
class TracedState:
    """A file in an event; `place` and `salt` are None where its name was erased."""

    place: Place | None
    version_id: str | None
    sha256: str | None
    size: int | None
    salt: str | None = None


@dataclass(frozen=True)
class TracedEvent:
    """An event with its names. `index` is its place in the log, None before it is sealed.

    `intact`: the keyed hash is that of the sealed bytes, and what is shown of files is what was sealed.
    """

    event: Event
    said: Mapping[str, JsonValue]
    states: tuple[TracedState, ...]
    intact: bool
    index: int | None


@dataclass(frozen=True)
class Trace:
    """A page of a history, oldest first.

    `places` are where the file is or was, `copies` those of what was copied from it; `more`: the page is not the last;
    `cut`: it is about more files than one trace follows.
    """

    subjects: tuple[str, ...]
    origins: tuple[str, ...]
    places: tuple[Place, ...]
    copies: tuple[Place, ...]
    events: tuple[TracedEvent, ...]
    head: Head
    more: bool
    cut: bool
    last: tuple[str, str] | None = None
    """Where the next page begins."""


@dataclass(frozen=True)
class Tracer:
    """Answers what happened to a file."""

    ledger: TracedLedger
    keys: Keys

    def trace(self, asked: Asked, *, limit: int, after: tuple[str, str] | None = None) -> Trace:
        """Return a page of the history of what was asked for, behind the position `after`.

        Raises
        ------
        NotFoundError
            Nothing is known of it; says what was looked for.
        """
        own = self._subjects(asked)
        family = self._family(own)
        events = self._page(family.subjects, limit, after)
        if not events and after is None:
            raise _unknown(asked)
        shown, more = events[:limit], len(events) > limit
        hashes = {state.place for event in shown for state in event.states} | set(family.copies)
        known = self.ledger.places(hashes)
        log = {minute: list(self.ledger.placed(minute)) for minute in {event.leaf.minute for event in shown}}
        traced = [self._traced(event, known, log[event.leaf.minute]) for event in shown]
        if isinstance(asked, ByPlace) and asked.version_id:
            traced = [one for one in traced if _is_about(one, asked.place, asked.version_id)]
        places = dict.fromkeys(
            state.place for one in traced if one.event.leaf.pk in own for state in one.states[:1] if state.place
        )
        copies = [known[hash_].place for hash_ in family.copies if hash_ in known]
        last = (shown[-1].leaf.sk, shown[-1].leaf.pk) if more else None
        head = self.ledger.head()
        return Trace(own, family.origins, tuple(places), tuple(copies), tuple(traced), head, more, family.cut, last)

    def whole(self, asked: Asked) -> Trace:
        """Return the whole history of what was asked for; raises as `trace`."""
        page = self.trace(asked, limit=_PAGE)
        events, last = list(page.events), page.last
        while last:
            following = self.trace(asked, limit=_PAGE, after=last)
            events += following.events
            last = following.last
        return replace(page, events=tuple(events), more=False, last=None)

    def _subjects(self, asked: Asked) -> tuple[str, ...]:
        match asked:
            case ByPlace(place):
                hash_ = place_hash(place, self.keys.key(PLACES))
                known = self.ledger.places([hash_]).get(hash_)
                found = [known.subject.pk] if known else []
            case ByDigest(sha256):
                found = self.ledger.subjects_of_digest(sha256, _MOST_SUBJECTS)
            case ByIdentifier(canonical_id):
                found = [IDENTIFIER + canonical_id]
            case ByConsignment(consignment_id, file_id):
                subject = self.ledger.subject_of_file(consignment_id, file_id)
                found = [subject] if subject else []
        if not found:
            raise _unknown(asked)
        return tuple(found)

    def _family(self, own: Sequence[str]) -> "_Family":
        """Return the subjects up from `own` and down from them; what else came of an origin is not about this file."""
        seen, copies, cut = dict.fromkeys(own), dict[str, None](), False
        links_of = cache(lambda subject: self.ledger.links(subject, _MOST_SUBJECTS))
        for up in (True, False):
            row = list(own)
            for _ in range(_MOST_STEPS):
                following: dict[str, None] = {}
                for subject in row:
                    links = links_of(subject)
                    cut = cut or links.cut
                    following |= dict.fromkeys(links.origins if up else (pk for pk, _ in links.copies))
                    if not up:
                        copies |= dict.fromkeys(place for _, place in links.copies)
                row = [subject for subject in following if subject not in seen]
                seen |= dict.fromkeys(row)
                if not row or len(seen) > _MOST_SUBJECTS:
                    cut = cut or len(seen) > _MOST_SUBJECTS
                    break
            if up:
                origins = tuple(subject for subject in seen if subject not in own)
        return _Family(tuple(seen)[:_MOST_SUBJECTS], origins, tuple(copies), cut)

    def _page(self, subjects: Sequence[str], limit: int, after: tuple[str, str] | None) -> list[Event]:
        found: list[Event] = []
        for subject in subjects:
            # Of another subject there may be an event of the same moment: those are sorted out below.
            start = after[0] if after and subject <= after[1] else _just_before(after)
            found += self.ledger.events_of(subject, start, limit + 1)
        found.sort(key=lambda event: (event.leaf.sk, event.leaf.pk))
        return [event for event in found if after is None or (event.leaf.sk, event.leaf.pk) > after][: limit + 1]

    def _traced(self, event: Event, known: Mapping[str, KnownPlace], placed: Sequence[Placed]) -> TracedEvent:
        said = _readable(event)
        mac = mac_of(event.leaf.sealed, str(said.get("recordedAt")), self.keys)
        intact = hmac.compare_digest(mac, event.leaf.mac) and states_hold(event, said, known)
        states = tuple(_traced_state(state, named(known.get(state.place), said["at"])) for state in event.states)
        return TracedEvent(event, said, states, intact, _index(event, placed))


@dataclass(frozen=True)
class _Family:
    subjects: tuple[str, ...]
    origins: tuple[str, ...]
    copies: tuple[str, ...]
    cut: bool


def _readable(event: Event) -> Mapping[str, JsonValue]:
    """Return what an event says.

    Raises
    ------
    ConflictError
        It is no event any more: somebody has written over it.
    """
    try:
        said = parsed(event.leaf.sealed)
        EventType(str(said["type"]))
        Outcome(str(said["outcome"]))
        texts = [said[name] for name in ("eventId", "at", "recordedAt", "workflow")]
    except (BadProofError, KeyError, ValueError):
        texts = [None]
    if not all(isinstance(text, str) for text in texts):
        told = f"Event {event.leaf.id} was written over, and cannot be read: waybill custody verify names what was done"
        raise ConflictError(told)
    return said


def _index(event: Event, placed: Sequence[Placed]) -> int | None:
    found = next((each for each in placed if event.leaf.id in each.ids), None)
    return found.first + found.ids.index(event.leaf.id) if found else None


def _traced_state(state: StateReference, known: KnownPlace | None) -> TracedState:
    if known is None:
        return TracedState(None, state.version_id, state.sha256, state.size)
    return TracedState(known.place, state.version_id, state.sha256, state.size, known.subject.salt)


def _just_before(after: tuple[str, str] | None) -> str:
    return after[0][:-1] if after else ""


def _is_about(one: TracedEvent, place: Place, version_id: str) -> bool:
    return any(state.place == place and state.version_id == version_id for state in one.states)


def _unknown(asked: Asked) -> NotFoundError:
    match asked:
        case ByPlace(place):
            return NotFoundError(f"Nothing is recorded of {place.key} in bucket {place.bucket}")
        case ByDigest(sha256):
            return NotFoundError(f"Nothing is recorded of a file with SHA-256 {sha256}")
        case ByIdentifier(canonical_id):
            return NotFoundError(f"Nothing is recorded of the identifier {canonical_id}")
        case ByConsignment(consignment_id, file_id):
            return NotFoundError(f"Nothing is recorded of file {file_id} of consignment {consignment_id}")
