"""Recording: what happened becomes events of the subjects that it is about, each once, however often it is told.

Everything that an event needs is written before it (names, ways to it), and the slip after all events of a batch: a
batch that dies in between comes again, finds what is there, and writes the slip. A slip names all events of its batch,
those that were there already too, or one that was written right before a death would never be sealed.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import NamedTuple, Protocol

from waybill.core.clock import iso
from waybill.custody.domain.identity import (
    IDENTIFIER,
    commitment,
    event_id,
    event_sort_key,
    new_salt,
    new_subject_pk,
    place_hash,
    pseudonym,
    trail_id,
)
from waybill.custody.domain.key_pattern import KeyPattern
from waybill.custody.domain.ledger import KnownPlaces
from waybill.custody.domain.sealed_form import (
    MOST_BYTES,
    Keys,
    Origin,
    mac_of,
    sealed_event,
    sealed_trail_entry,
    trail_key,
)
from waybill.custody.errors import UnknownRecordError
from waybill.custody.models import (
    Event,
    EventType,
    FileState,
    Happening,
    KnownPlace,
    Leaf,
    Outcome,
    Place,
    StateReference,
    Subject,
    TrailEntry,
    Way,
)

PLACES, PEOPLE = "places", "people"
# Text of UTC, to the minute.
MINUTE = len("2026-11-29T12:05")
_LEFT_TO_THE_STREAM = timedelta(hours=1)
_SETTLED = timedelta(days=1)


class LeafKey(NamedTuple):
    """Where the item of a leaf is."""

    pk: str
    sk: str


class KnownEvents(Protocol):
    """The events by their keys."""

    def events(self, keys: Sequence[LeafKey]) -> Mapping[LeafKey, Event]:
        """Return those of the events that there are; an entry of a trail is one without states."""
        ...


class Ledger(KnownPlaces, KnownEvents, Protocol):
    """Where events are kept; raises `CustodyUnavailableError`."""

    def erased(self, hashes: Iterable[str]) -> Mapping[str, str]:
        """Return when the names of those of the places were erased that were, by their hashes; ISO 8601."""
        ...

    def add_place(self, hash_: str, known: KnownPlace) -> KnownPlace:
        """Keep a new place; return the one that is kept, this or somebody else's."""
        ...

    def link(self, way: Way) -> None:
        """Keep that a history goes on where that of its origin was."""
        ...

    def missing_ways(self, ways: Iterable[Way]) -> Iterable[Way]:
        """Return those of the ways that are not there."""
        ...

    def add_ways(self, subject: Subject, *, sha256: str | None, consignment_file: tuple[str, str] | None) -> None:
        """Keep by which other names a subject is found."""
        ...

    def contents_there(self, ways: Iterable[Way]) -> Iterable[Way]:
        """Return those of the ways by content that there are, but for some that may be young."""
        ...

    def files_there(self, files: Iterable[tuple[str, str]]) -> Iterable[tuple[str, str]]:
        """Return those of the files of consignments that a history is known of, but for some that may be young."""
        ...

    def newest_mac(self, subject: Subject) -> str | None:
        """Return the MAC of the newest event of a subject."""
        ...

    def add(self, event: Event) -> Leaf | None:
        """Keep an event that is not there yet; return the leaf that is there already, None when there was none."""
        ...

    def add_slip(self, minute: str, name: str, leaves: Sequence[LeafKey]) -> None:
        """Keep which leaves a batch has told of, for whoever seals."""
        ...


@dataclass(frozen=True)
class Recorded:
    """What a batch has come to: how many leaves it tells of, and how many of them are new."""

    told: int
    new: int


@dataclass(frozen=True)
class EventRecorder:
    """Makes events of what happened; `source` says where it is known from: "stream" or "record".

    Where a `pattern` finds an identifier in the key of a file, and something is recorded of it, the two are linked.
    """

    ledger: Ledger
    keys: Keys
    now: Callable[[], datetime]
    source: str = "stream"
    pattern: KeyPattern | None = None

    def record(self, happened: Sequence[Happening], entries: Sequence[TrailEntry], slip: str) -> Recorded:
        """Keep everything of a batch, and then the slip, whose name begins with `slip`."""
        batch = _Batch(self, iso(self.now()))
        told = batch.find_places(happened)
        told.sort(key=lambda one: one.at)
        leaves = [batch.keep(one) for one in told]
        leaves += batch.link_by_keys(told, self.pattern) if self.pattern else []
        leaves += [batch.save_entry(entry) for entry in entries]
        if leaves:
            named = list(dict.fromkeys(leaves))
            # A slip that says something else has another name: none is ever replaced.
            digest = hashlib.sha256(repr(named).encode(errors="surrogatepass")).hexdigest()[:16]
            self.ledger.add_slip(batch.recorded_at[:MINUTE], f"{slip}-{digest}", named)
        return Recorded(len(leaves), batch.new)

    def lost(
        self, happened: Sequence[Happening], entries: Sequence[TrailEntry]
    ) -> tuple[list[Happening], list[TrailEntry]]:
        """Return what is older than an hour and is not there; or is for less than a day, and may lack its slip."""
        now = self.now()
        before, settled = iso(now - _LEFT_TO_THE_STREAM), iso(now - _SETTLED)[:MINUTE]
        batch = _Batch(self, iso(now))
        keys = batch.keys_of([one for one in happened if one.at < before])
        trails = [(one, LeafKey(*trail_key(one.trail, one.number))) for one in entries if one.at < before]
        wanted = dict.fromkeys(key for _, key in (*keys, *trails) if key)
        there = {key for key, event in self.ledger.events(list(wanted)).items() if event.leaf.minute < settled}
        return [one for one, key in keys if key not in there], [one for one, key in trails if key not in there]


class _Batch:
    """What is known while one batch is recorded."""

    def __init__(self, recorder: EventRecorder, recorded_at: str) -> None:
        self._ledger, self._keys, self._source = recorder.ledger, recorder.keys, recorder.source
        self.recorded_at = recorded_at
        self._places: dict[str, KnownPlace] = {}
        self._newest: dict[str, str | None] = {}
        self._ways: set[tuple[object, ...]] = set()
        self.new = 0

    def find_places(self, happened: Sequence[Happening]) -> list[Happening]:
        """Find the places of what happened, or make them; return what is to be told.

        That is all but what happened before the names of one of its places were erased, and a removal behind that with
        nothing in between: the workflows' records still hold those names, and S3 names what it removes, and would bring
        them back.
        """
        hashes = [{self._hash(state.place): state.place for state in _states(one)} for one in happened]
        wanted = {hash_: place for named in hashes for hash_, place in named.items()}
        self._places = dict(self._ledger.places(wanted))
        unknown = [hash_ for hash_ in wanted if hash_ not in self._places]
        since = {hash_: known.since for hash_, known in self._places.items()}
        since |= self._ledger.erased(unknown) if unknown else {}
        fresh = [
            (one, named)
            for one, named in zip(happened, hashes, strict=True)
            if all(one.at > since.get(hash_, "") for hash_ in named)
        ]
        begun = {hash_ for one, named in fresh if one.type is not EventType.DELETION for hash_ in named}
        erased = {hash_ for hash_ in unknown if hash_ in since} - begun
        told, needed = [], dict[str, None]()
        for one, named in fresh:
            if one.type is not EventType.DELETION or erased.isdisjoint(named):
                told.append(one)
                needed |= dict.fromkeys(named)
        origins = self._origins_of(told)
        self._look_for_ways(told)
        for hash_ in unknown:
            if hash_ in needed:
                self._add_place(hash_, wanted, since, origins)
        return told

    def _look_for_ways(self, told: Sequence[Happening]) -> None:
        """Find out by what the files are found already that were known before: a look costs less than a write."""
        contents, files = dict[Way, None](), dict[tuple[str, str], None]()
        for one in told:
            known = self._places.get(self._hash(one.about.place)) if isinstance(one.about, FileState) else None
            if known and isinstance(one.about, FileState):
                contents |= {Way(known.subject.pk, one.about.sha256): None} if one.about.sha256 else {}
                files |= {one.consignment_file: None} if one.consignment_file else {}
        if contents or files:
            self._ways |= {("content", way.subject, way.sha256) for way in self._ledger.contents_there(contents)}
            self._ways |= {("file", file) for file in self._ledger.files_there(files)}

    def _origins_of(self, told: Sequence[Happening]) -> dict[str, str]:
        """Return of which place each copy is one, by the hashes of both; the first that is told."""
        found: dict[str, str] = {}
        for one in told:
            if isinstance(one.about, FileState):
                own = self._hash(one.about.place)
                for copy in one.copies:
                    if (hash_ := self._hash(copy.place)) != own:
                        found.setdefault(hash_, own)
        return found

    def _add_place(
        self, hash_: str, wanted: Mapping[str, Place], since: Mapping[str, str], origins: dict[str, str]
    ) -> None:
        """Keep a new place, after the one that it is a copy of: it names that one's subject."""
        if hash_ in self._places:
            return
        # Taken out: two that are copies of each other end here.
        origin = origins.pop(hash_, None)
        if origin and origin in wanted:
            self._add_place(origin, wanted, since, origins)
        named = (self._places[origin].subject.pk,) if origin in self._places else ()
        subject = Subject(new_subject_pk(), new_salt())
        new = KnownPlace(wanted[hash_], subject, since.get(hash_, ""), named, self.recorded_at)
        known = self._places[hash_] = self._ledger.add_place(hash_, new)
        if known.subject == subject:
            self._newest[subject.pk] = None

    def keys_of(self, happened: Sequence[Happening]) -> list[tuple[Happening, LeafKey | None]]:
        """Return where the events of what happened are, or would be; None where nothing is recorded of the file."""
        hashes = {self._hash(one.about.place) for one in happened if isinstance(one.about, FileState)}
        self._places = dict(self._ledger.places(hashes))
        found: list[tuple[Happening, LeafKey | None]] = []
        for one in happened:
            known = not isinstance(one.about, FileState) or self._hash(one.about.place) in self._places
            if not known:
                found.append((one, None))
                continue
            subject = self._subject(one)
            found.append((one, LeafKey(subject.pk, event_sort_key(one.at, event_id(one, subject.salt)))))
        return found

    def keep(self, one: Happening) -> LeafKey:
        subject = self._subject(one)
        states = tuple(self._reference(state) for state in _states(one))
        id_ = event_id(one, subject.salt)
        origin = Origin(subject.pk, self.recorded_at, self._source, self._previous(subject))
        sealed = sealed_event(id_, self._named(one), origin, states)
        event = Event(self._leaf(subject.pk, event_sort_key(one.at, id_), id_, sealed), states)
        self._keep_ways(one, subject, states)
        self._newest[subject.pk] = self._kept(event).mac
        return LeafKey(event.leaf.pk, event.leaf.sk)

    def link_by_keys(self, told: Sequence[Happening], pattern: KeyPattern) -> Iterator[LeafKey]:
        """Link files with the identifiers that their keys name, those that were neither linked nor taken back."""
        named: dict[Way, tuple[Happening, FileState, str]] = {}
        for one in told:
            if isinstance(one.about, FileState) and (id_ := pattern.canonical_id_in(one.about.place.key)):
                way = Way(self._subject(one).pk, origin=IDENTIFIER + id_, place=self._hash(one.about.place))
                named.setdefault(way, (one, one.about, id_))
        for way in list(self._ledger.missing_ways(named)):
            one, file, id_ = named[way]
            identifier = Subject(way.origin, "")
            if self._previous(identifier) is None:
                continue  # it may be a word that looks like one
            # At the time of what tells of the file: told again after a death, it is the same event.
            link = Happening(
                workflow="custody",
                kind="linked",
                parts=(id_, way.place, "key"),
                type=EventType.METADATA_MODIFICATION,
                at=one.at,
                outcome=Outcome.SUCCESS,
                about=FileState(file.place),
                agent={"software": "waybill.custody"},
                detail={"canonicalId": id_, "evidence": "its key names it, by CustodyIdentifierPattern"},
            )
            yield self.keep(link)
            # Last, as a person's: a trace by the identifier finds the file once it is said why.
            self._ledger.link(way)

    def save_entry(self, entry: TrailEntry) -> LeafKey:
        id_ = trail_id(entry.trail, entry.number)
        pk, sk = trail_key(entry.trail, entry.number)
        self._kept(Event(self._leaf(pk, sk, id_, sealed_trail_entry(id_, entry, self.recorded_at))))
        return LeafKey(pk, sk)

    def _kept(self, event: Event) -> Leaf:
        there = self._ledger.add(event)
        self.new += there is None
        return there or event.leaf

    def _leaf(self, pk: str, sk: str, id_: str, sealed: str) -> Leaf:
        if len(sealed.encode()) > MOST_BYTES:
            raise UnknownRecordError("it is too large for the log")
        return Leaf(pk, sk, id_, sealed, mac_of(sealed, self.recorded_at, self._keys), self.recorded_at[:MINUTE])

    def _subject(self, one: Happening) -> Subject:
        if isinstance(one.about, FileState):
            return self._places[self._hash(one.about.place)].subject
        # An identifier is public: its history has no name to hide, and whose it is stays out of it.
        salt = place_hash(Place("", one.about), self._keys.key(PLACES))
        return Subject(IDENTIFIER + one.about, salt)

    def _previous(self, subject: Subject) -> str | None:
        if subject.pk not in self._newest:
            self._newest[subject.pk] = self._ledger.newest_mac(subject)
        return self._newest[subject.pk]

    def _keep_ways(self, one: Happening, subject: Subject, states: Sequence[StateReference]) -> None:
        for state in states[1:] if isinstance(one.about, FileState) else ():
            way = way_of_copy(self._places[states[0].place], state.place, self._places[state.place], self.recorded_at)
            if way and self._is_new_way("copy", *way):
                self._ledger.link(way)
        sha256 = states[0].sha256 if states else None
        if not self._is_new_way("content", subject.pk, sha256):
            sha256 = None
        file = one.consignment_file
        if not self._is_new_way("file", file):
            file = None
        if sha256 or file:
            self._ledger.add_ways(subject, sha256=sha256, consignment_file=file)

    def _is_new_way(self, *way: object) -> bool:
        """Return whether this batch has not kept it yet: what a batch tells is mostly about the same files."""
        was_kept = way in self._ways
        self._ways.add(way)
        return not was_kept

    def _reference(self, state: FileState) -> StateReference:
        hash_ = self._hash(state.place)
        salt = self._places[hash_].subject.salt
        return StateReference(hash_, commitment(state, salt), state.version_id, state.sha256, state.size)

    def _named(self, one: Happening) -> Happening:
        agent = {name: value for name, value in one.agent.items() if value}
        if person := agent.get("person"):
            agent["person"] = pseudonym(person, self._keys.key(PEOPLE))
        return replace(one, agent=agent)

    def _hash(self, place: Place) -> str:
        return place_hash(place, self._keys.key(PLACES))


def way_of_copy(origin: KnownPlace, place: str, copy: KnownPlace, recorded_at: str) -> Way | None:
    """Return what items have to say of a copy at `place`, by its hash, and its origin, from an event of then.

    A copy's place names the origin that it has had from the beginning, and a young history's copies are in its events:
    neither needs an item of its own.
    """
    own = origin.subject.pk
    up, down = own not in copy.origins, not origin.is_young(recorded_at)
    return Way(copy.subject.pk, origin=own, place=place, up=up, down=down) if up or down else None


def _states(one: Happening) -> tuple[FileState, ...]:
    return (one.about, *one.copies) if isinstance(one.about, FileState) else one.copies
