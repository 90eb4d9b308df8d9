"""The history of one file: its own events, those of where it came from, and those of what was copied from it."""

import hmac
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from pydantic import JsonValue

from waybill.core.clock import iso, moment_of
from waybill.core.errors import ConflictError, NotFoundError
from waybill.custody.domain.identity import IDENTIFIER, place_hash
from waybill.custody.domain.ledger import Histories, KnownPlaces
from waybill.custody.domain.recording import PLACES
from waybill.custody.domain.sealed_form import Keys, mac_of, parsed
from waybill.custody.domain.sealed_states import all_named, states_hold
from waybill.custody.domain.sealing import LogPosition, Placed
from waybill.custody.errors import BadProofError
from waybill.custody.models import FIRST_DAY, Event, EventType, KnownPlace, Outcome, Place, StateReference

# Generations that are followed up and down, and files that one history may be about.
_MOST_STEPS, _MOST_SUBJECTS = 8, 100
_PAGE = 200
_WIDEST_SEQUENCER = 64
# Of a history that began with more events than one read gives.
_MOST_OF_FIRST_DAY, _PAGE_OF_FIRST_DAY = 20_000, 1_000


@dataclass(frozen=True)
class Links:
    """Where a history goes on: subjects it came from, and those copied from it, each with its place; `cut`: not all."""

    origins: tuple[str, ...] = ()
    copies: tuple[tuple[str, str], ...] = ()
    cut: bool = False


@dataclass(frozen=True)
class Opening:
    """The beginning of a history: its links, and its oldest events; `more`: there are others behind them."""

    links: Links
    events: Sequence[Event]
    more: bool = False


class TracedLedger(KnownPlaces, Histories, Protocol):
    """The table as a trace reads it; raises `CustodyUnavailableError`."""

    def names_and_head(self, hashes: Iterable[str]) -> tuple[Mapping[str, KnownPlace], LogPosition]:
        """Return those of the places that are known, by their hashes, and the head of the log, as of now."""
        ...

    def placed(self, minute: str) -> Iterator[Placed]:
        """Yield where the log has the leaves of a minute."""
        ...

    def subject_of_file(self, consignment_id: str, file_id: str) -> str | None:
        """Return the subject of a file of a consignment."""
        ...

    def subjects_of_digest(self, sha256: str, limit: int) -> list[str]:
        """Return subjects that have had this content, at most so many."""
        ...

    def opening(self, subject: str) -> Opening:
        """Return the beginning of a history, as much as one read gives."""
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
    """What has this canonical ID."""

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
    """An event with its names. `index` is its place in the log, None before it is sealed or where nobody has asked.

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
    head: LogPosition
    more: bool
    cut: bool
    last: tuple[str, str] | None = None
    """Where the next page begins."""


@dataclass(frozen=True)
class Tracer:
    """Answers what happened to a file."""

    ledger: TracedLedger
    keys: Keys

    def trace(
        self, asked: Asked, *, limit: int, after: tuple[str, str] | None = None, with_index: bool = True
    ) -> Trace:
        """Return a page of the history of what was asked for, behind the position `after`.

        `with_index`: where the log has its events is read too, a read for each minute in which they were recorded.

        Raises
        ------
        NotFoundError
            Nothing is known of it; says what was looked for.
        """
        reading = _Reading(self.ledger)
        own = self._subjects(asked, reading)
        family = self._family(own, reading)
        events = self._page(family.subjects, limit, after, reading)
        if not events and after is None:
            raise nothing_recorded(asked)
        shown, more = events[:limit], len(events) > limit
        hashes = {state.place for event in shown for state in event.states} | set(family.copies)
        # Last: the head is not older than what it is about.
        known, head = reading.names_and_head(hashes)
        minutes = {event.leaf.minute for event in shown} if with_index else set[str]()
        log = {minute: list(self.ledger.placed(minute)) for minute in minutes}
        traced = [self._traced(event, known, log.get(event.leaf.minute, ())) for event in shown]
        if isinstance(asked, ByPlace) and asked.version_id:
            traced = [one for one in traced if _is_about(one, asked.place, asked.version_id)]
            if not traced and not more and after is None:
                raise nothing_recorded(asked)
        places = dict.fromkeys(
            state.place for one in traced if one.event.leaf.pk in own for state in one.states[:1] if state.place
        )
        copies = [known[hash_].place for hash_ in family.copies if hash_ in known]
        traced.sort(key=_moment)
        last = (shown[-1].leaf.sk, shown[-1].leaf.pk) if more else None
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

    def _subjects(self, asked: Asked, reading: "_Reading") -> tuple[str, ...]:
        match asked:
            case ByPlace(place):
                hash_ = place_hash(place, self.keys.key(PLACES))
                known = reading.places([hash_]).get(hash_)
                found = [known.subject.pk] if known else []
            case ByDigest(sha256):
                found = self.ledger.subjects_of_digest(sha256, _MOST_SUBJECTS)
            case ByIdentifier(canonical_id):
                found = [IDENTIFIER + canonical_id]
            case ByConsignment(consignment_id, file_id):
                subject = self.ledger.subject_of_file(consignment_id, file_id)
                found = [subject] if subject else []
        if not found:
            raise nothing_recorded(asked)
        return tuple(found)

    def _family(self, own: Sequence[str], reading: "_Reading") -> "_Family":
        """Return the subjects up from `own` and down from them; what else came of an origin is not about this file."""
        seen, copies, cut = dict.fromkeys(own), dict[str, None](), False
        for up in (True, False):
            row = list(own)
            for _ in range(_MOST_STEPS):
                following: dict[str, None] = {}
                for subject in row:
                    links = reading.links(subject, copies=not up)
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

    def _page(
        self, subjects: Sequence[str], limit: int, after: tuple[str, str] | None, reading: "_Reading"
    ) -> list[Event]:
        found: list[Event] = []
        for subject in subjects:
            # Of another subject there may be an event of the same moment: those are sorted out below.
            start = after[0] if after and subject <= after[1] else _just_before(after)
            found += reading.events_of(subject, start, limit + 1)
        found.sort(key=lambda event: (event.leaf.sk, event.leaf.pk))
        return [event for event in found if after is None or (event.leaf.sk, event.leaf.pk) > after][: limit + 1]

    def _traced(self, event: Event, known: Mapping[str, KnownPlace], placed: Sequence[Placed]) -> TracedEvent:
        said = _readable(event)
        mac = mac_of(event.leaf.sealed, str(said.get("recordedAt")), self.keys)
        there = all_named(event, said, known)
        intact = hmac.compare_digest(mac, event.leaf.mac) and states_hold(event, said, there)
        states = tuple(_traced_state(state, place) for state, place in zip(event.states, there, strict=True))
        return TracedEvent(event, said, states, intact, _index(event, placed))


class _Reading:
    """What one trace reads, each thing once."""

    def __init__(self, ledger: TracedLedger) -> None:
        self._ledger = ledger
        self._openings: dict[str, Opening] = {}
        self._names: dict[str, KnownPlace | None] = {}

    def places(self, hashes: Iterable[str]) -> Mapping[str, KnownPlace]:
        wanted = dict.fromkeys(hashes)
        if unread := [hash_ for hash_ in wanted if hash_ not in self._names]:
            self._names |= {**dict.fromkeys(unread), **self._ledger.places(unread)}
        return {hash_: known for hash_ in wanted if (known := self._names[hash_])}

    def names_and_head(self, hashes: Iterable[str]) -> tuple[Mapping[str, KnownPlace], LogPosition]:
        wanted = dict.fromkeys(hashes)
        unread = [hash_ for hash_ in wanted if hash_ not in self._names]
        found, head = self._ledger.names_and_head(unread)
        self._names |= {**dict.fromkeys(unread), **found}
        return self.places(wanted), head

    def links(self, subject: str, *, copies: bool) -> Links:
        """Return where a history goes on: by items of its own, by the name of its place, and by its events.

        A place names what it was a copy of when it became known. Copies of a history's first day are in its events.
        """
        opening = self._opening(subject)
        origins, found, cut = (
            dict.fromkeys(opening.links.origins),
            dict.fromkeys(opening.links.copies),
            opening.links.cut,
        )
        for known in self._own_names(subject, opening):
            origins |= dict.fromkeys(known.origins)
        if copies:
            events, is_cut = self._of_first_day(subject, opening)
            cut = cut or is_cut
            hashes = dict.fromkeys(state.place for event in events for state in event.states[1:])
            for hash_, known in self.places(hashes).items():
                if known.subject.pk != subject:
                    found[known.subject.pk, hash_] = None
        return Links(tuple(origins), tuple(found), cut=cut)

    def events_of(self, subject: str, after: str, limit: int) -> Sequence[Event]:
        opening = self._opening(subject)
        events = [event for event in opening.events if event.leaf.sk > after]
        if not opening.more or len(events) >= limit:
            return events[:limit]
        return self._ledger.events_of(subject, after, limit)

    def _opening(self, subject: str) -> Opening:
        if subject not in self._openings:
            self._openings[subject] = self._ledger.opening(subject)
        return self._openings[subject]

    def _own_names(self, subject: str, opening: Opening) -> list[KnownPlace]:
        """Return the names of a history's own place, by which it was asked for or which its first event is about."""
        own = [known for known in self._names.values() if known and known.subject.pk == subject]
        if not own and opening.events:
            places = self.places(state.place for state in opening.events[0].states[:1])
            own = [known for known in places.values() if known.subject.pk == subject]
        return own

    def _of_first_day(self, subject: str, opening: Opening) -> tuple[Sequence[Event], bool]:
        """Return the events that may name copies which no item does, and whether there are more than were read."""
        events = list(opening.events)
        if not opening.more or not events:
            return events, False
        created = next((moment_of(known.created) for known in self._own_names(subject, opening)), None)
        # What happened is told later, but for what clocks differ.
        until = f"E#{iso(created + 2 * FIRST_DAY)}" if created else ""
        while until and events[-1].leaf.sk < until and len(events) < _MOST_OF_FIRST_DAY:
            page = self._ledger.events_of(subject, events[-1].leaf.sk, _PAGE_OF_FIRST_DAY)
            if not page:
                return events, False
            events += page
        return events, bool(until) and events[-1].leaf.sk < until


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


def _moment(traced: TracedEvent) -> tuple[str, str]:
    """Return what events of a page are ordered by: S3 tells seconds, and beside them the order of those of one key.

    Shorter ones are padded on the right (Amazon S3 user guide, "Event message structure", `sequencer`).
    """
    detail = traced.said.get("detail")
    sequencer = str(detail.get("sequencer", "")) if isinstance(detail, dict) else ""
    return str(traced.said["at"]), sequencer.ljust(_WIDEST_SEQUENCER, "0") if sequencer else ""


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


def nothing_recorded(asked: Asked) -> NotFoundError:
    """Return the error that says what was looked for."""
    match asked:
        case ByPlace(place, version_id):
            version = f"version {version_id} of " if version_id else ""
            return NotFoundError(f"Nothing is recorded of {version}{place.key} in bucket {place.bucket}")
        case ByDigest(sha256):
            return NotFoundError(f"Nothing is recorded of a file with SHA-256 {sha256}")
        case ByIdentifier(canonical_id):
            return NotFoundError(f"Nothing is recorded of the identifier {canonical_id}")
        case ByConsignment(consignment_id, file_id):
            return NotFoundError(f"Nothing is recorded of file {file_id} of consignment {consignment_id}")
