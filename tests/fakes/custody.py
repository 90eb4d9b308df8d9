"""The custody table, its log and its keys in memory, with a hook before every write."""

import hmac
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from waybill.custody.domain.comparing import Report
from waybill.custody.domain.erasing import Eraser, Marker
from waybill.custody.domain.identity import IDENTIFIER
from waybill.custody.domain.key_pattern import KeyPattern
from waybill.custody.domain.linking import Linker
from waybill.custody.domain.log_files import HEADS, LogFiles
from waybill.custody.domain.log_index import PlacedIds
from waybill.custody.domain.recording import EventRecorder, LeafKey
from waybill.custody.domain.restoring import Restored, Restorer
from waybill.custody.domain.sealing import LogPosition, Placed, Sealer, Slip
from waybill.custody.domain.signed_heads import Checkpoint, VerifierKey
from waybill.custody.domain.tracing import Links, Opening, Tracer
from waybill.custody.domain.verifying import Verifier
from waybill.custody.models import Event, Happening, KnownPlace, Leaf, Subject, Way

NOON = datetime(2026, 11, 29, 12, tzinfo=UTC)


class LocalKeys:
    """Keys from one secret that is known to the tests."""

    def __init__(self, secret: bytes = b"secret") -> None:
        self._secret = secret
        self._known: dict[str, bytes] = {}

    def key(self, purpose: str) -> bytes:
        # As those of KMS, each is made once.
        if purpose not in self._known:
            self._known[purpose] = hmac.digest(self._secret, purpose.encode(), "sha256")
        return self._known[purpose]


class LocalSigner:
    """An Ed25519 key that is known to the tests."""

    def __init__(self, seed: int = 1, name: str = "waybill/log") -> None:
        self._private = Ed25519PrivateKey.from_private_bytes(bytes([seed]) * 32)
        self._name = name

    def key(self) -> VerifierKey:
        return VerifierKey(self._name, self._private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw))

    def sign(self, message: bytes) -> bytes:
        return self._private.sign(message)


@dataclass
class MemoryLog:
    """Files by path, every version of each, oldest first; as a bucket under lock holds them."""

    before_write: Callable[[], None] = lambda: None
    files: dict[str, list[bytes]] = field(default_factory=dict)
    hidden: set[str] = field(default_factory=set)
    locked: bool = True

    def read(self, path: str) -> bytes | None:
        return None if path in self.hidden or path not in self.files else self.files[path][-1]

    def write_once(self, path: str, content: bytes) -> bytes | None:
        self.before_write()
        if path in self.files:
            return self.files[path][-1]
        self.files[path] = [content]
        return None

    def replace(self, path: str, content: bytes) -> None:
        self.before_write()
        self.files.setdefault(path, []).append(content)

    def read_oldest(self, path: str) -> bytes | None:
        return self.files[path][0] if path in self.files else None

    def head_sizes(self) -> Sequence[int]:
        return sorted(int(path.removeprefix(HEADS)) for path in self.files if path.startswith(HEADS))

    def is_locked(self) -> bool:
        return self.locked


@dataclass
class MemoryLedger:
    """What `CustodyTable` does, in dictionaries."""

    before_write: Callable[[], None] = lambda: None
    names: dict[str, KnownPlace] = field(default_factory=dict)
    kept: dict[tuple[str, str], Event] = field(default_factory=dict)
    reasons: dict[tuple[str, str], tuple[str, str]] = field(default_factory=dict)
    markers: dict[str, Marker] = field(default_factory=dict)
    ways: dict[tuple[str, str], str] = field(default_factory=dict)
    linked: dict[str, set[tuple[str, str, str]]] = field(default_factory=dict)
    ended: set[tuple[str, tuple[str, str, str]]] = field(default_factory=set)
    queued: dict[str, tuple[LeafKey, ...]] = field(default_factory=dict)
    in_log: dict[str, list[Placed]] = field(default_factory=dict)
    now_head: LogPosition = field(default_factory=LogPosition)
    # Events that one read of a history's beginning gives.
    page: int = 1_000

    def places(self, hashes: Iterable[str]) -> Mapping[str, KnownPlace]:
        return {hash_: self.names[hash_] for hash_ in hashes if hash_ in self.names}

    def erased(self, hashes: Iterable[str]) -> Mapping[str, str]:
        return {hash_: self.markers[hash_].at for hash_ in hashes if hash_ in self.markers}

    def add_reason(self, subject: str, digest: str, reason: str, salt: str) -> None:
        self.before_write()
        self.reasons[subject, digest] = (reason, salt)

    def remove_reasons(self, subject: str) -> None:
        self.before_write()
        self.reasons = {key: told for key, told in self.reasons.items() if key[0] != subject}

    def erasure(self, hash_: str) -> Marker | None:
        return self.markers.get(hash_)

    def mark_erased(self, hash_: str, marker: Marker) -> None:
        self.before_write()
        self.markers[hash_] = marker

    def blank(self, event: Event) -> None:
        self.before_write()
        key = (event.leaf.pk, event.leaf.sk)
        self.kept[key] = replace(self.kept[key], states=event.states)

    def remove_ways(
        self, subject: str, *, digests: Iterable[str], consignment_files: Iterable[tuple[str, str]]
    ) -> None:
        self.before_write()
        for sha256 in digests:
            self.ways.pop((sha256, subject), None)
        for file in consignment_files:
            if self.ways.get(file) == subject:
                del self.ways[file]

    def remove_place(self, hash_: str, subject: str) -> None:
        self.before_write()
        if hash_ in self.names and self.names[hash_].subject.pk == subject:
            del self.names[hash_]

    def add_place(self, hash_: str, known: KnownPlace) -> KnownPlace:
        self.before_write()
        return self.names.setdefault(hash_, known)

    def link(self, way: Way) -> None:
        self.before_write()
        if way.origin != way.subject:
            if way.up:
                self.linked.setdefault(way.subject, set()).add(("origin", way.origin, ""))
            if way.down:
                self.linked.setdefault(way.origin, set()).add(("copy", way.subject, way.place))

    def end_link(self, origin: Subject, copy: Subject, copy_place: str, *, ended: bool) -> None:
        self.before_write()
        change = self.ended.add if ended else self.ended.discard
        change((copy.pk, ("origin", origin.pk, "")))
        change((origin.pk, ("copy", copy.pk, copy_place)))

    def add_ways(self, subject: Subject, *, sha256: str | None, consignment_file: tuple[str, str] | None) -> None:
        self.before_write()
        if sha256:
            self.ways[sha256, subject.pk] = subject.pk
        if consignment_file:
            self.ways.setdefault(consignment_file, subject.pk)

    def contents_there(self, ways: Iterable[Way]) -> Iterable[Way]:
        return [way for way in ways if (way.sha256, way.subject) in self.ways]

    def files_there(self, files: Iterable[tuple[str, str]]) -> Iterable[tuple[str, str]]:
        return [file for file in files if file in self.ways]

    def missing_ways(self, ways: Iterable[Way], *, counting: bool = False) -> Iterable[Way]:
        for way in ways:
            if way.sha256:
                found = (way.sha256, way.subject) in self.ways
            else:
                up, down = ("origin", way.origin, ""), ("copy", way.subject, way.place)
                found = not way.up or up in self.linked.get(way.subject, ())
                found = found and (not way.down or down in self.linked.get(way.origin, ()))
                asked = {(way.subject, up)} if way.up else set()
                ended = (asked | ({(way.origin, down)} if way.down else set())) & self.ended
                found = found and (not ended or (way.origin.startswith(IDENTIFIER) and not counting))
            if not found:
                yield way

    def newest_mac(self, subject: Subject) -> str | None:
        found = sorted(key for key in self.kept if key[0] == subject.pk)
        return self.kept[found[-1]].leaf.mac if found else None

    def add(self, event: Event) -> Leaf | None:
        self.before_write()
        key = (event.leaf.pk, event.leaf.sk)
        if key in self.kept:
            return self.kept[key].leaf
        self.kept[key] = event
        return None

    def put_back(self, event: Event, seen: Event | None) -> bool:
        self.before_write()
        key = (event.leaf.pk, event.leaf.sk)
        if self.kept.get(key) != seen:
            return False
        self.kept[key] = event
        return True

    def add_slip(self, minute: str, name: str, leaves: Sequence[LeafKey]) -> None:
        self.before_write()
        self.queued[f"{minute}#{name}"] = tuple(leaves)

    def head(self) -> LogPosition:
        return self.now_head

    def slips(self, after: str, before: str) -> Iterator[Slip]:
        for name in sorted(self.queued):
            if after < name < before:
                yield Slip(name, self.queued[name])

    def leaves(self, keys: Sequence[LeafKey]) -> Mapping[LeafKey, Leaf]:
        return {key: event.leaf for key, event in self.events(keys).items()}

    def events(self, keys: Sequence[LeafKey]) -> Mapping[LeafKey, Event]:
        return {key: self.kept[key.pk, key.sk] for key in keys if (key.pk, key.sk) in self.kept}

    def placed(self, minute: str) -> Iterator[Placed]:
        yield from self.in_log.get(minute, [])

    def advance(self, seen: LogPosition, head: LogPosition, placed: Sequence[Placed]) -> bool:
        self.before_write()
        if self.now_head.version != seen.version:
            return False
        told = self.now_head
        self.now_head = replace(
            head, verified_size=told.verified_size, verified_at=told.verified_at, full_at=told.full_at
        )
        for each in placed:
            self.in_log.setdefault(each.minute, []).append(each)
        return True

    def all_items(self) -> Iterator[Event | PlacedIds]:
        yield from self.all_placed()
        yield from list(self.kept.values())

    def all_placed(self) -> Iterator[PlacedIds]:
        for found in list(self.in_log.values()):
            for each in list(found):
                yield PlacedIds(each.minute, each.first, bytes.fromhex("".join(each.ids)))

    def put_place(self, placed: PlacedIds) -> None:
        self.before_write()
        ids = tuple(placed.ids[at : at + 16].hex() for at in range(0, len(placed.ids), 16))
        self.in_log.setdefault(placed.minute, []).append(Placed(placed.minute, placed.first or 0, ids))

    def remove_place_in_log(self, placed: PlacedIds) -> None:
        self.before_write()
        found = self.in_log[placed.minute]
        found[:] = [each for each in found if each.first != placed.first]

    def note_verified(self, size: int, at: str, *, full: bool) -> None:
        full_at = at if full else self.now_head.full_at
        self.now_head = replace(self.now_head, verified_size=size, verified_at=at, full_at=full_at)

    def subject_of_file(self, consignment_id: str, file_id: str) -> str | None:
        return self.ways.get((consignment_id, file_id))

    def subjects_of_digest(self, sha256: str, limit: int) -> list[str]:
        return [subject for (way, _), subject in self.ways.items() if way == sha256][:limit]

    def links(self, subject: str, limit: int) -> Links:
        found = sorted(one for one in self.linked.get(subject, set()) if (subject, one) not in self.ended)[:limit]
        return Links(
            tuple(pk for kind, pk, _ in found if kind == "origin"),
            tuple((pk, place) for kind, pk, place in found if kind == "copy"),
        )

    def names_and_head(self, hashes: Iterable[str]) -> tuple[Mapping[str, KnownPlace], LogPosition]:
        return self.places(hashes), self.head()

    def opening(self, subject: str) -> Opening:
        found = self.events_of(subject, "", self.page + 1)
        return Opening(self.links(subject, 1_000), found[: self.page], more=len(found) > self.page)

    def events_of(self, subject: str, after: str, limit: int) -> list[Event]:
        found = sorted(key for key in self.kept if key[0] == subject and key[1] > after)
        return [self.kept[key] for key in found[:limit]]


@dataclass
class MemoryTrails:
    """Audit trails as their table has them."""

    kept: dict[tuple[str, int], str] = field(default_factory=dict)

    def hashes(self, entries: Iterable[tuple[str, int]]) -> Mapping[tuple[str, int], str]:
        return {entry: self.kept[entry] for entry in entries if entry in self.kept}


class Custody:
    """Recording, sealing, tracing and verifying over one table and one log, on a clock that the test moves."""

    def __init__(self, before_write: Callable[[], None] = lambda: None) -> None:
        self.ledger, self.log = MemoryLedger(before_write), MemoryLog(before_write)
        self.keys, self.signer, self.at = LocalKeys(), LocalSigner(), NOON
        self.trails = MemoryTrails()
        self.pattern: KeyPattern | None = None

    def now(self) -> datetime:
        return self.at

    @property
    def linker(self) -> Linker:
        return Linker(self.ledger, self.recorder, self.keys, self.now)

    @property
    def eraser(self) -> Eraser:
        return Eraser(self.ledger, self.recorder, self.keys, self.now)

    @property
    def recorder(self) -> EventRecorder:
        return EventRecorder(self.ledger, self.keys, self.now, pattern=self.pattern)

    @property
    def sealer(self) -> Sealer:
        return Sealer(self.ledger, self.log, LogFiles(self.log, self.signer), self.keys, self.now)

    @property
    def tracer(self) -> Tracer:
        return Tracer(self.ledger, self.keys)

    def wait(self, **span: float) -> None:
        self.at += timedelta(**span)

    def seal(self) -> int:
        """Seal all that is old enough; return how many entries were added."""
        added, more = 0, True
        while more:
            step = self.sealer.step()
            added, more = added + step.added, step.more
        return added

    def verify(self, kept: Checkpoint | None = None, *, full: bool = False) -> Report:
        return self.verifier.verify(kept, full=full)

    @property
    def verifier(self) -> Verifier:
        return Verifier(self.log, self.ledger, self.trails, self.keys, self.signer.key(), self.now)

    def restore(self, records: Iterable[Happening] = (), *, dry_run: bool = False) -> list[Restored]:
        """Restore, with what the workflows' records still tell."""
        return Restorer(self.verifier, self.ledger, self.keys, lambda _: records).restore(dry_run=dry_run)
