"""The entries of the log against the items of the table, both ways, and what the items stand beside.

Items are known by where they are, never by what they call themselves: whoever writes the table may give an item the id
of another.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from itertools import batched
from typing import NamedTuple, Protocol

from pydantic import JsonValue

from waybill.custody.domain.identity import IDENTIFIER
from waybill.custody.domain.ledger import KnownPlaces
from waybill.custody.domain.linking import EVIDENCE
from waybill.custody.domain.linking import WORKFLOW as CUSTODY
from waybill.custody.domain.log_index import LogIndex, PlacedIds
from waybill.custody.domain.merkle import leaf_hash
from waybill.custody.domain.recording import MINUTE, KnownEvents, LeafKey, way_of_copy
from waybill.custody.domain.sealed_form import Keys, id_of, key_of, mac_of, parsed
from waybill.custody.domain.sealed_states import all_named, states_hold
from waybill.custody.errors import BadProofError, CustodyRefusedError
from waybill.custody.models import Event, KnownPlace, Leaf, Way

_AT_ONCE = 2_048
# Of a hash of an entry so much is kept: to find another text that begins alike takes 2**128 tries.
_HASH_BYTES = 16


@dataclass(frozen=True)
class Finding:
    """What does not hold.

    `code` is BAD_SIGNATURE, FORKED, MISSING, ALTERED, UNSEALED, MAC_WRONG, MAC_UNCHECKED, or UNANCHORED; `index` is the
    place in the log, where there is one.
    """

    code: str
    about: str
    index: int | None = None


@dataclass
class Report:
    """What a verification has come to.

    Attributes
    ----------
    size
        Entries of the log, by the greatest head that is known.
    entries
        Those whose hashes lead to the signed heads.
    read_again
        Those of them whose contents were read; of the others, which an earlier verification has read, the hashes.
    compared
        Entries whose items were looked at.
    waiting
        Items that are not in the log yet.
    made_again
        Entries of what is in the log before: an item that was gone was made again, and sealed again. The first counts.
    """

    size: int = 0
    entries: int = 0
    read_again: int = 0
    compared: int = 0
    waiting: int = 0
    made_again: int = 0
    findings: list[Finding] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        """Whether nothing was found."""
        return not self.findings

    def add(self, code: str, about: str, index: int | None = None) -> None:
        """Note what does not hold."""
        self.findings.append(Finding(code, about, index))


class ComparedLedger(KnownPlaces, KnownEvents, Protocol):
    """The table as a comparison reads it; raises `CustodyUnavailableError`."""

    def all_items(self) -> Iterator[Event | PlacedIds]:
        """Yield every event, every entry of a trail as one without states, and where the log has them, in no order."""
        ...

    def missing_ways(self, ways: Iterable[Way], *, counting: bool = False) -> Iterable[Way]:
        """Return those of the ways that are not there; with `counting`, those too that were taken back."""
        ...


class Trails(Protocol):
    """The audit trails of subject access, as they stand now; raises `CustodyUnavailableError`."""

    def hashes(self, entries: Iterable[tuple[str, int]]) -> Mapping[tuple[str, int], str]:
        """Return the hashes of those of the entries (trail and number) that there are."""
        ...


class _Met(NamedTuple):
    """An entry of the log whose item says the same, with its place there."""

    place: int
    event: Event
    content: Mapping[str, JsonValue]


class LogComparison:
    """Compares, and remembers what it has seen until `end`; `report` gets what it finds.

    An entry and its item are the same bytes: what an entry's hash says, its item has to have. So what is read of the
    log are hashes, and of entries that no item has, what they say.
    """

    def __init__(self, ledger: ComparedLedger, trails: Trails, keys: Keys, report: Report) -> None:
        self._ledger, self._trails, self._keys, self._report = ledger, trails, keys, report
        self._index = LogIndex()
        # The places of entries in the log by the hashes of what they say, the first of each; those that met their item.
        self._entries: dict[bytes, int] = {}
        self._met = bytearray()
        # Items of entries that have met none, by where they are.
        self._left: set[LeafKey] = set()
        self._ways: set[bytes] = set()
        self._unnamed: dict[str, int] = {}
        self._unnamed_copies: dict[str, int] = {}
        self._erased: set[str] = set()
        # What was said last of a file and an identifier: when, whether one names the other, and where the log has it.
        self._links: dict[Way, tuple[str, bool, int | None]] = {}
        self._keys_refused = False
        self._places_end = 0

    def expect(self, first: int, hashes: Sequence[bytes]) -> None:
        """Take entries by their hashes, from the place `first` of the log on."""
        self._index.grow(first + len(hashes))
        self._met.extend(bytes(first + len(hashes) - len(self._met)))
        for index, hash_ in enumerate(hashes, first):
            other = self._entries.setdefault(hash_[:_HASH_BYTES], index)
            if other != index:
                self._report.made_again += 1
                self._index.same(index, other)

    def compare(self, first: int, entries: Sequence[bytes], hashes: Sequence[bytes]) -> None:
        """Take entries that were read again: what they say is looked at where no item says the same."""
        del entries
        self.expect(first, hashes)

    def look_through(self, young: str, entries: Callable[[Iterable[int]], Iterable[tuple[int, bytes]]]) -> None:
        """Look at every item of the table; what is of the minute `young` or later may still wait to be sealed.

        `entries` gives entries of the log by their places: what has met no item is read, to say what became of it.
        """
        strange: list[Event] = []
        for some in batched(self._ledger.all_items(), _AT_ONCE, strict=False):
            met = []
            for event in some:
                if isinstance(event, PlacedIds):
                    self._take_place(event)
                elif one := self._expected(event):
                    met.append(one)
                else:
                    strange.append(event)
            self._judge(met, [(one.place, one.content) for one in met])
        left = sorted(index for index in self._entries.values() if not self._met[index])
        for pairs in batched(entries(left), _AT_ONCE, strict=False):
            self._compare_left(pairs)
        for event in strange:
            self._look_at_strange(event, young)

    def _compare_left(self, entries: Iterable[tuple[int, bytes]]) -> None:
        """Compare entries that no item is the same as, in ascending order, with what their items are."""
        said: dict[LeafKey, tuple[int, bytes, Mapping[str, JsonValue]]] = {}
        for index, entry in entries:
            try:
                content = parsed(entry)
                key = LeafKey(*key_of(content))
                self._index.add(index, content)
            except (BadProofError, KeyError):
                self._report.add("ALTERED", "an entry of the log is none of custody's", index)
                continue
            if key in self._left:
                # What is to be said of this item was said of its first entry.
                self._report.made_again += 1
            else:
                self._left.add(key)
                said[key] = (index, entry, content)
        found = self._ledger.events(list(said))
        met, sealed = list[_Met](), list[tuple[int, Mapping[str, JsonValue]]]()
        for key, (index, entry, content) in said.items():
            event = found.get(key)
            other = self._entry_of(event)
            if other is not None and other < index:
                # The item is compared with its first entry, and this one says when it was made again.
                self._report.made_again += 1
                continue
            # What trails are sealed with is in the log, whatever became of the item.
            sealed.append((index, content))
            if event is not None and event.leaf.sealed.encode() == entry and event.leaf.id == id_of(content):
                met.append(_Met(index, event, content))
                continue
            if other is not None:
                self._report.made_again += 1
                told = f"is another in the table, which was made again and sealed as entry {other}"
                self._tell("ALTERED", key, told, index)
                continue
            self._report.compared += 1
            if event is None:
                self._tell("MISSING", key, "is not in the table", index)
            else:
                self._tell("ALTERED", key, "is another in the table", index)
        self._judge(met, sealed)

    def _entry_of(self, event: Event | None) -> int | None:
        """Return the entry that an item is the same as, one that has met it."""
        if event is None:
            return None
        index = self._entries.get(leaf_hash(event.leaf.sealed.encode())[:_HASH_BYTES])
        return index if index is not None and self._met[index] else None

    def _tell(self, code: str, key: LeafKey, told: str, index: int) -> None:
        self._report.add(code, f"{key.pk} {key.sk} {told}", index)

    def _take_place(self, placed: PlacedIds) -> None:
        self._places_end = max(self._places_end, placed.end)
        if not self._index.claim(placed):
            self._report.add("ALTERED", f"LOG#{placed.minute} says what cannot be of the log", placed.first)

    def end(self, placed: int, size: int) -> None:
        """Say which histories have lost their names, and nobody has erased them; and which places in the log.

        The table has to say where the log has the first `placed` entries, and nothing of any behind `size`.
        """
        for wrong in self._index.wrong(min(placed, self._report.entries)):
            code, told = ("MISSING", "is not in the table") if wrong.is_missing else ("ALTERED", "is another")
            self._report.add(code, f"where the log has entries {wrong.first} to {wrong.end - 1} {told}", wrong.first)
        if self._places_end > size:
            told = f"the table has places for entries up to {self._places_end - 1}, and the log ends before {size}"
            self._report.add("ALTERED", told)
        told = "are not there, and no erasure of them is recorded"
        for subject, index in self._unnamed.items():
            if subject not in self._erased:
                self._report.add("MISSING", f"the names of {subject} {told}", index)
        for place, index in self._unnamed_copies.items():
            if place not in self._erased:
                self._report.add("MISSING", f"the names of a copy, P#{place}, {told}", index)
        self._compare_links()

    def _compare_links(self) -> None:
        """Compare which identifiers name which files, as it was said last, with what finds one by the other."""
        links = {way: told for way, told in self._links.items() if way.subject not in self._erased}
        halves = {way: (way._replace(down=False), way._replace(up=False)) for way in links}
        absent = set(self._ledger.missing_ways((half for both in halves.values() for half in both), counting=True))
        for way, (_, names, index) in links.items():
            between, gone = f"{way.origin} and {way.subject}", len(absent.intersection(halves[way]))
            if names and gone:
                self._report.add("MISSING", f"{between}, which it names, are not found by each other any more", index)
            elif not names and gone < len(halves[way]):
                self._report.add("ALTERED", f"{between} are found by each other, which was taken back", index)

    def _expected(self, event: Event) -> _Met | None:
        """Return the entry whose item this is; None where the log has none that says the same of it."""
        leaf = event.leaf
        sealed = leaf.sealed.encode()
        index = self._entries.get(leaf_hash(sealed)[:_HASH_BYTES])
        if index is None or self._met[index]:
            return None
        try:
            content = parsed(sealed)
            if key_of(content) != (leaf.pk, leaf.sk) or id_of(content) != leaf.id:
                return None
        except (BadProofError, KeyError):
            return None
        self._met[index] = 1
        self._index.add(index, content)
        return _Met(index, event, content)

    def _judge(self, met: Sequence[_Met], sealed: Iterable[tuple[int, Mapping[str, JsonValue]]]) -> None:
        """Look at what stands beside the items that say what was sealed, and at the trails that entries are about."""
        places = self._ledger.places({state.place for one in met for state in one.event.states})
        ways: dict[Way, int] = {}
        self._report.compared += len(met)
        for one in met:
            index, event, content, leaf = one.place, one.event, one.content, one.event.leaf
            known = all_named(event, content, places)
            if not self._mac_holds(leaf, content):
                self._report.add("MAC_WRONG", f"{leaf.pk} {leaf.sk}", index)
            elif leaf.minute != str(content.get("recordedAt"))[:MINUTE]:
                self._report.add("ALTERED", f"{leaf.pk} {leaf.sk} was recorded in another minute", index)
            elif not states_hold(event, content, known):
                self._report.add("ALTERED", f"{leaf.pk} {leaf.sk} is about another file", index)
            if content.get("workflow") == CUSTODY:
                self._note_custody(event, content, index)
            for state, copy in zip(event.states[1:], known[1:], strict=True):
                if copy is None:
                    self._unnamed_copies.setdefault(state.place, index)
            if known and content.get("object"):
                own = known[0]
                if own is None or own.subject.pk != leaf.pk:
                    self._unnamed.setdefault(leaf.pk, index)
                else:
                    for way in _ways(event, content, own, known):
                        ways[way] = index
        ways = {way: index for way, index in ways.items() if self._is_new(way)}
        for way in self._ledger.missing_ways(ways):
            self._report.add("MISSING", way.shown, ways[way])
        self._compare_trails((index, content) for index, content in sealed if "entryId" in content)

    def _is_new(self, way: Way) -> bool:
        name = _name(*map(str, way))
        was_seen = name in self._ways
        self._ways.add(name)
        return not was_seen

    def _note_custody(self, event: Event, content: Mapping[str, JsonValue], index: int | None) -> None:
        """Note what custody itself has done to a history: erased its names, or linked it with an identifier."""
        detail = content.get("detail") if content.get("workflow") == CUSTODY else None
        if not isinstance(detail, dict):
            return
        if detail.get("erased") == "names":
            self._erased |= {event.leaf.pk, *(state.place for state in event.states[:1])}
        elif "canonicalId" in detail and event.states:
            way = Way(event.leaf.pk, origin=f"{IDENTIFIER}{detail['canonicalId']}", place=event.states[0].place)
            told = (str(content.get("at")), detail.get("evidence") != EVIDENCE["unlinked"], index)
            self._links[way] = max(told, self._links.get(way, told), key=lambda one: one[:2])

    def _compare_trails(self, entries: Iterable[tuple[int, Mapping[str, JsonValue]]]) -> None:
        """Compare the trails themselves: who may write their table can make a whole chain of hashes anew."""
        sealed: dict[tuple[str, int], tuple[int, JsonValue]] = {}
        for index, content in entries:
            number = content["number"]
            if isinstance(number, int):
                sealed[str(content["trail"]), number] = (index, content["hash"])
        found = self._trails.hashes(sealed)
        for (trail, number), (index, hash_) in sealed.items():
            told = f"entry {number} of the audit trail {trail}"
            if (trail, number) not in found:
                self._report.add("MISSING", f"{told} is not there any more", index)
            elif found[trail, number] != hash_:
                self._report.add("ALTERED", f"{told} is another", index)

    def _look_at_strange(self, event: Event, young: str) -> None:
        """Look at an item that the log does not have: it is new, was never sealed, or was put there by hand."""
        leaf = event.leaf
        if LeafKey(leaf.pk, leaf.sk) in self._left:
            return
        self._report.waiting += 1
        try:
            content = parsed(leaf.sealed)
            mine = key_of(content) == (leaf.pk, leaf.sk) and id_of(content) == leaf.id
            # How old it is says what was sealed with it.
            mine = mine and leaf.minute == str(content.get("recordedAt"))[:MINUTE]
        except (BadProofError, KeyError):
            mine, content = False, {}
        if not mine or not self._mac_holds(leaf, content):
            self._report.add("MAC_WRONG", f"{leaf.pk} {leaf.sk}")
            return
        self._note_custody(event, content, None)
        if leaf.minute < young:
            self._report.add("UNSEALED", f"{leaf.pk} {leaf.sk}")

    def _mac_holds(self, leaf: Leaf, content: Mapping[str, JsonValue]) -> bool:
        """Return whether a keyed hash is this stack's; what cannot be looked at is one finding, and no more."""
        if self._keys_refused:
            return True
        try:
            expected = mac_of(leaf.sealed, str(content.get("recordedAt")), self._keys)
        except CustodyRefusedError as error:
            self._keys_refused = True
            self._report.add("MAC_UNCHECKED", f"no keyed hash was looked at: {error}")
            return True
        # Both stand in this process alone: nobody learns from the time that it takes.
        return expected == leaf.mac


def _ways(
    event: Event, content: Mapping[str, JsonValue], own: KnownPlace, known: Sequence[KnownPlace | None]
) -> Iterator[Way]:
    """Yield by what else an event's history is found, as far as its files have names and items have to say it."""
    subject, states = event.leaf.pk, event.states
    if sha256 := states[0].sha256:
        yield Way(subject, sha256)
    if len(states) > 1:
        recorded_at = str(content.get("recordedAt"))
        for state, copy in zip(states[1:], known[1:], strict=True):
            if copy and copy.subject.pk != subject and (way := way_of_copy(own, state.place, copy, recorded_at)):
                yield way


def _name(*parts: str) -> bytes:
    return blake2b(" ".join(parts).encode(errors="surrogatepass"), digest_size=16).digest()
