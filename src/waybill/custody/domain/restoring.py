"""Restoring: items of the table become again what the log proves that they were.

The log holds what was sealed, of a file a commitment alone. So what stands beside an item (version, digest, size) is
taken from where it still is: the item itself, other events of the same history, the records of the workflows. It is put
back where it opens the commitment, and an item for whose commitments nothing is found stays as it is.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, override

from pydantic import JsonValue

from waybill.custody.domain.identity import commitment, place_hash
from waybill.custody.domain.ledger import Histories, KnownPlaces
from waybill.custody.domain.log_index import LogIndex, PlacedIds
from waybill.custody.domain.merkle import leaf_hash
from waybill.custody.domain.recording import MINUTE, PLACES, KnownEvents, LeafKey
from waybill.custody.domain.sealed_form import Keys, id_of, key_of, mac_of, parsed
from waybill.custody.domain.sealed_states import all_named, named, sealed_commitments, states_hold
from waybill.custody.domain.sealing import LogPosition
from waybill.custody.domain.verifying import EntryReader, Verifier
from waybill.custody.errors import BadProofError
from waybill.custody.models import Event, FileState, Happening, KnownPlace, Leaf, Place, StateReference

_PAGE = 1_000


class RestoredLedger(KnownPlaces, Histories, KnownEvents, Protocol):
    """The table as restoring needs it; raises `CustodyUnavailableError`."""

    def put_back(self, event: Event, seen: Event | None) -> bool:
        """Keep an event where `seen` is; False where there is something else by now."""
        ...

    def head(self) -> LogPosition:
        """Return the head of the log, as of now."""
        ...

    def all_placed(self) -> Iterable[PlacedIds]:
        """Yield where the table says that the log has its entries."""
        ...

    def put_place(self, placed: PlacedIds) -> None:
        """Keep where the log has some entries."""
        ...

    def remove_place_in_log(self, placed: PlacedIds) -> None:
        """Remove what the table says of some entries, as it was read."""
        ...


@dataclass(frozen=True)
class Restored:
    """An item that was not what the log says: where it is, its entry, and what it was: MISSING or ALTERED.

    `state` is RESTORED, NOT_FOUND (nothing opens what was sealed of its files), CHANGED (somebody else was faster), or
    FOUND in a dry run.
    """

    about: LeafKey
    index: int | None
    was: str
    state: str


@dataclass(frozen=True)
class _Differing:
    """An entry whose item is gone or is another: the leaf as it was sealed, and the item that is there."""

    index: int
    leaf: Leaf
    content: Mapping[str, JsonValue]
    seen: Event | None

    @property
    def key(self) -> LeafKey:
        return LeafKey(self.leaf.pk, self.leaf.sk)


@dataclass
class DifferingEntries(EntryReader):
    """The entries of the log whose items are not what they were; of entries with one key the first is what was."""

    ledger: RestoredLedger
    keys: Keys
    found: list[_Differing] = field(default_factory=list)
    index: LogIndex = field(default_factory=LogIndex)
    _seen: set[bytes] = field(default_factory=set)

    @override
    def compare(self, first: int, entries: Sequence[bytes], hashes: Sequence[bytes]) -> None:
        sealed = dict[LeafKey, tuple[int, Leaf, Mapping[str, JsonValue]]]()
        for index, entry in enumerate(entries, first):
            self.index.grow(index + 1)
            try:
                leaf, content = _leaf_of(entry, self.keys)
                self.index.add(index, content)
            except (BadProofError, KeyError):
                continue  # none of custody's: verification names it
            name = leaf_hash(f"{leaf.pk} {leaf.sk}".encode())[:16]
            if name not in self._seen:
                self._seen.add(name)
                sealed[LeafKey(leaf.pk, leaf.sk)] = (index, leaf, content)
        there = self.ledger.events(list(sealed))
        places = self.ledger.places({state.place for event in there.values() for state in event.states})
        for key, (index, leaf, content) in sealed.items():
            event = there.get(key)
            holds = event and event.leaf == leaf and states_hold(event, content, all_named(event, content, places))
            if not holds:
                self.found.append(_Differing(index, leaf, content, event))

    @override
    def expect(self, first: int, hashes: Sequence[bytes]) -> None:
        raise LookupError("what is restored is read as a whole")


@dataclass(frozen=True)
class Restorer:
    """Puts back what the log has and the table has not; `records` yields what the workflows' records tell."""

    verifier: Verifier
    ledger: RestoredLedger
    keys: Keys
    records: Callable[[Iterable[str]], Iterable[Happening]]

    def restore(self, *, dry_run: bool = False) -> list[Restored]:
        """Put every item back that can be, and return all that were not what the log says, in its order.

        Raises
        ------
        BadProofError
            The log itself does not hold, so that it proves nothing.
        """
        differing = DifferingEntries(self.ledger, self.keys)
        report = self.verifier.read_all(differing)
        if any(finding.code != "UNANCHORED" for finding in report.findings):
            raise BadProofError("the log itself does not hold, and nothing is restored from it: `verify` names why")
        states = self._states_of(differing.found)
        restored = [self._restored(one, states.get(one.key), dry_run=dry_run) for one in differing.found]
        return restored + list(self._restored_places(differing.index, dry_run=dry_run))

    def _restored_places(self, index: LogIndex, *, dry_run: bool) -> Iterator[Restored]:
        """Yield where the table says otherwise than the log where the log has what, after it says the same."""
        right, wrong = list[PlacedIds](), list[PlacedIds]()
        for placed in self.ledger.all_placed():
            (right if index.is_right(placed) else wrong).append(placed)
        # Read last: what was added meanwhile is not older.
        size = self.ledger.head().edge.size
        state = "FOUND" if dry_run else "RESTORED"
        for placed in wrong:
            # What is younger than what was read is not known to be wrong, where the log is so long by now.
            if placed.first is None or placed.first < index.size or placed.end > size or placed.end <= placed.first:
                if not dry_run:
                    self.ledger.remove_place_in_log(placed)
                yield Restored(placed.about, placed.first, "ALTERED", state)
        for placed in index.lacking(right, min(index.size, size)):
            if not dry_run:
                self.ledger.put_place(placed)
            yield Restored(placed.about, placed.first, "MISSING", state)

    def _restored(self, one: _Differing, states: tuple[StateReference, ...] | None, *, dry_run: bool) -> Restored:
        if states is None:
            state = "NOT_FOUND"
        elif dry_run:
            state = "FOUND"
        else:
            state = "RESTORED" if self.ledger.put_back(Event(one.leaf, states), one.seen) else "CHANGED"
        return Restored(one.key, one.index, "ALTERED" if one.seen else "MISSING", state)

    def _states_of(self, differing: Sequence[_Differing]) -> Mapping[LeafKey, tuple[StateReference, ...]]:
        """Return what stands beside each item again, of those for which it is found."""
        known: dict[str, list[StateReference]] = defaultdict(list)
        for one in differing:
            for state in one.seen.states if one.seen else ():
                known[state.commitment].append(state)
        for subject in dict.fromkeys(one.leaf.pk for one in differing):
            for state in self._of_history(subject):
                known[state.commitment].append(state)
        found, left = self._fitting(differing, known)
        if left:
            wanted = {sealed for one in left for sealed in sealed_commitments(one.content)}
            for state in self._told(left):
                if state.commitment in wanted:
                    known[state.commitment].append(state)
            found |= self._fitting(left, known)[0]
        return found

    def _of_history(self, subject: str) -> Iterator[StateReference]:
        """Yield what stands beside the events of a history, and its places without anything beside them."""
        after = ""
        while page := self.ledger.events_of(subject, after, _PAGE):
            states = [state for event in page for state in event.states]
            yield from states
            for hash_, known in self.ledger.places({state.place for state in states}).items():
                yield StateReference(hash_, commitment(FileState(known.place), known.subject.salt))
            after = page[-1].leaf.sk

    def _told(self, differing: Sequence[_Differing]) -> Iterator[StateReference]:
        """Yield what the records of the workflows say of files whose names are known."""
        workflows = dict.fromkeys(str(one.content.get("workflow")) for one in differing)
        hashes: dict[Place, str] = {}
        names: dict[str, KnownPlace] = {}
        for told in self.records(workflows):
            about = (told.about,) if isinstance(told.about, FileState) else ()
            for state in (*about, *told.copies):
                if state.place not in hashes:
                    hashes[state.place] = place_hash(state.place, self.keys.key(PLACES))
                    names |= self.ledger.places([hashes[state.place]])
                hash_ = hashes[state.place]
                if hash_ in names:
                    sealed = commitment(state, names[hash_].subject.salt)
                    yield StateReference(hash_, sealed, state.version_id, state.sha256, state.size)

    def _fitting(
        self, differing: Sequence[_Differing], known: Mapping[str, Sequence[StateReference]]
    ) -> tuple[dict[LeafKey, tuple[StateReference, ...]], list[_Differing]]:
        """Return what opens the commitments of each, and those for which nothing does."""
        places = self.ledger.places({state.place for states in known.values() for state in states})
        found, left = dict[LeafKey, tuple[StateReference, ...]](), list[_Differing]()
        for one in differing:
            sealed = sealed_commitments(one.content)
            states = [
                next(
                    (state for state in known.get(str(each), ()) if _opens(state, places, one.content.get("at"))), None
                )
                for each in sealed
            ]
            fitting = tuple(state for state in states if state is not None)
            if len(fitting) == len(sealed):
                found[one.key] = fitting
            else:
                left.append(one)
        return found, left


def _leaf_of(entry: bytes, keys: Keys) -> tuple[Leaf, Mapping[str, JsonValue]]:
    """Return the leaf that an entry of the log was made of, and what it says."""
    content, sealed = parsed(entry), entry.decode()
    recorded_at = str(content["recordedAt"])
    leaf = Leaf(*key_of(content), id_of(content), sealed, mac_of(sealed, recorded_at, keys), recorded_at[:MINUTE])
    return leaf, content


def _opens(state: StateReference, places: Mapping[str, KnownPlace], at: JsonValue) -> bool:
    """Return whether a state is what its commitment stands for; of one whose names were erased nothing says no."""
    known = named(places.get(state.place), at)
    if known is None:
        return True
    opened = FileState(known.place, state.version_id, state.sha256, state.size)
    return commitment(opened, known.subject.salt) == state.commitment
