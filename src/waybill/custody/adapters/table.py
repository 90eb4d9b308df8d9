"""The custody table: the one module that knows its items.

    P#<place>            NAME                     a place by a keyed hash: bucket, key, subject, salt, origin
                         ERASED                   when and why its names were erased
    F#<subject>          R#<digest>               why somebody has said something: what the digest in an event opens to
                         A#C#<subject>#<place>    a copy whose history goes on where this one's was, after its first day
                         A#O#<subject>            where this one's was before, if `NAME` says no other
                         E#<time>#<event>         an event of the file
    I#<canonical ID>     E#<time>#<event>         an event of the identifier
    H#<sha256>           <subject pk>             whose digest it is
    C#<consignment>      <file id>                whose file it is
    T#<trail>            <number>                 the hash of an entry of the subject access trail
    Q                    <minute>#<batch>         a slip: the leaves that a batch has told of
    LOG                  HEAD                     how far the log is
    RECONCILE            AT                       up to where the workflows' tables were looked at
    LOG#<minute>         <first index>            ids of the leaves of that minute, in the order of the log

An event and an entry hold `sealed`, the very text that the log takes. Nothing but `NAME` holds a name; erasure takes
that, the versions, digests and sizes beside events, and the ways by digest and by consignment.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING, override

from waybill.core.aws.dynamodb import ConditionFailedError, Item, Update
from waybill.core.aws.table import Read, Table
from waybill.custody.adapters.packing import (
    packed_bytes,
    packed_hex,
    packed_lines,
    packed_state,
    packed_text,
    unpacked_hex,
    unpacked_lines,
    unpacked_states,
    unpacked_text,
)
from waybill.custody.domain.erasing import ErasedLedger, ErasedPlace, Marker
from waybill.custody.domain.identity import IDENTIFIER
from waybill.custody.domain.interpreting import Workflow
from waybill.custody.domain.linking import LinkedLedger
from waybill.custody.domain.log_index import PlacedIds
from waybill.custody.domain.merkle import Edge
from waybill.custody.domain.reconciling import Position, ReconciledLedger
from waybill.custody.domain.recording import LeafKey, Ledger
from waybill.custody.domain.restoring import RestoredLedger
from waybill.custody.domain.sealing import LogPosition, Placed, SealingLedger, Slip
from waybill.custody.domain.tracing import Links, Opening, TracedLedger
from waybill.custody.domain.verifying import VerifiedLedger
from waybill.custody.errors import BadProofError, CustodyUnavailableError
from waybill.custody.models import Event, KnownPlace, Leaf, Place, Subject, Way

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_NAME, _SLIPS, _LOG, _HEAD = "NAME", "Q", "LOG", "HEAD"
_ERASED = "ERASED"
_WITH_FILE, _REASON = 4, "R#"
_NEW = "attribute_not_exists(pk)"
_COPY, _ORIGIN = "A#C#", "A#O#"
_ID_BYTES = 16
# What slips say is in the log long before; who repairs reads the tables again.
_SLIP_SECONDS = 90 * 86_400
_POSITION_KEY: Item = {"pk": "RECONCILE", "sk": "AT"}
_HEAD_KEY: Item = {"pk": _LOG, "sk": _HEAD}


class CustodyTable(
    Ledger,
    SealingLedger,
    VerifiedLedger,
    TracedLedger,
    ErasedLedger,
    LinkedLedger,
    RestoredLedger,
    ReconciledLedger,
):
    """`Ledger` and what else is asked of the table, on DynamoDB."""

    def __init__(self, client: "DynamoDBClient", name: str) -> None:
        self._table = Table(client, name, CustodyUnavailableError)

    @override
    def places(self, hashes: Iterable[str]) -> Mapping[str, KnownPlace]:
        keys = [{"pk": f"P#{hash_}", "sk": _NAME} for hash_ in hashes]
        return {item["pk"].removeprefix("P#"): _known_place(item) for item in self._table.batch_get(keys)}

    @override
    def names_and_head(self, hashes: Iterable[str]) -> tuple[Mapping[str, KnownPlace], LogPosition]:
        keys = [_HEAD_KEY, *({"pk": f"P#{hash_}", "sk": _NAME} for hash_ in hashes)]
        items = {item["pk"]: item for item in self._table.batch_get(keys)}
        head = _head(items.pop(_LOG, None))
        return {pk.removeprefix("P#"): _known_place(item) for pk, item in items.items()}, head

    @override
    def erased(self, hashes: Iterable[str]) -> Mapping[str, str]:
        keys = [{"pk": f"P#{hash_}", "sk": _ERASED} for hash_ in hashes]
        return {item["pk"].removeprefix("P#"): item["at"] for item in self._table.batch_get(keys)}

    @override
    def add_place(self, hash_: str, known: KnownPlace) -> KnownPlace:
        item: Item = {
            "pk": f"P#{hash_}",
            "sk": _NAME,
            "bucket": known.place.bucket,
            "key": known.place.key,
            "subject": known.subject.pk,
            "salt": known.subject.salt,
        }
        said: Item = {"created": known.created, "since": known.since, "origins": list(known.origins)}
        item |= {name: value for name, value in said.items() if value}
        try:
            self._table.put(item, _NEW)
        except ConditionFailedError as failed:
            return _known_place(failed.item)
        return known

    @override
    def link(self, way: Way) -> None:
        if way.origin != way.subject:
            for pk, sk in _keys_of(way):
                self._add({"pk": pk, "sk": sk})

    @override
    def end_link(self, origin: Subject, copy: Subject, copy_place: str, *, ended: bool) -> None:
        for pk, sk in _keys_of(Way(copy.pk, origin=origin.pk, place=copy_place)):
            update = Update.of({"ended": ended or None})
            with suppress(ConditionFailedError):
                self._table.update({"pk": pk, "sk": sk}, update, "attribute_exists(pk)")

    @override
    def missing_ways(self, ways: Iterable[Way], *, counting: bool = False) -> Iterable[Way]:
        needed = {way: _keys_of(way) for way in ways}
        keys = ({"pk": pk, "sk": sk} for each in needed.values() for pk, sk in each)
        found = self._table.batch_get(keys, projection="pk, sk, ended")
        # A person may take back that an identifier names a file, and nobody that one is a copy of another.
        there = {
            (item["pk"], item["sk"])
            for item in found
            if "ended" not in item or (_is_of_identifier(item) and not counting)
        }
        return [way for way, each in needed.items() if not there.issuperset(each)]

    @override
    def contents_there(self, ways: Iterable[Way]) -> Iterable[Way]:
        # Half the price, since what is missed is only written again, under its condition.
        keys = [{"pk": f"H#{way.sha256}", "sk": way.subject} for way in ways]
        found = self._table.batch_get(keys, consistent=False)
        return [Way(item["sk"], item["pk"].removeprefix("H#")) for item in found]

    @override
    def files_there(self, files: Iterable[tuple[str, str]]) -> Iterable[tuple[str, str]]:
        keys = [{"pk": f"C#{consignment_id}", "sk": file_id} for consignment_id, file_id in files]
        found = self._table.batch_get(keys, consistent=False)
        return [(item["pk"].removeprefix("C#"), item["sk"]) for item in found]

    @override
    def add_ways(self, subject: Subject, *, sha256: str | None, consignment_file: tuple[str, str] | None) -> None:
        if sha256:
            self._add({"pk": f"H#{sha256}", "sk": subject.pk})
        if consignment_file:
            consignment_id, file_id = consignment_file
            self._add({"pk": f"C#{consignment_id}", "sk": file_id, "subject": subject.pk})

    @override
    def newest_mac(self, subject: Subject) -> str | None:
        newest = Read(projection="mac", consistent=True, newest_first=True, page_size=1)
        page = self._table.page("pk = :pk AND begins_with(sk, :event)", {":pk": subject.pk, ":event": "E#"}, newest)
        return unpacked_hex(page.items[0].get("mac", "")) if page.items else None

    @override
    def add(self, event: Event) -> Leaf | None:
        try:
            self._table.put(_event_item(event), _NEW)
        except ConditionFailedError as failed:
            return _leaf(failed.item)
        return None

    @override
    def add_slip(self, minute: str, name: str, leaves: Sequence[LeafKey]) -> None:
        expires = int(datetime.fromisoformat(f"{minute}:00+00:00").timestamp()) + _SLIP_SECONDS
        named = packed_lines(f"{leaf.pk} {leaf.sk}" for leaf in leaves)
        self._table.put({"pk": _SLIPS, "sk": f"{minute}#{name}", "leaves": named, "expires": expires})

    @override
    def head(self) -> LogPosition:
        return _head(self._table.get(_HEAD_KEY))

    @override
    def slips(self, after: str, before: str) -> Iterator[Slip]:
        # Conditions on a key are one range; both ends are in it. A slip is never named by a minute alone.
        if after < before:
            found = {":pk": _SLIPS, ":after": after or "0", ":before": before}
            for item in self._table.query("pk = :pk AND sk BETWEEN :after AND :before", found, Read(consistent=True)):
                if item["sk"] != after:
                    named = unpacked_lines(item["leaves"])
                    yield Slip(item["sk"], tuple(LeafKey(*each.split(" ", 1)) for each in named))

    @override
    def leaves(self, keys: Sequence[LeafKey]) -> Mapping[LeafKey, Leaf]:
        # They are minutes old: half the price, and what a reader lags behind with is asked for once more.
        asked = ({"pk": key.pk, "sk": key.sk} for key in keys)
        items = self._table.batch_get(asked, consistent=False)
        found = {LeafKey(item["pk"], item["sk"]): _leaf(item) for item in items if "sealed" in item}
        missed = self.events([key for key in keys if key not in found])
        return found | {key: event.leaf for key, event in missed.items()}

    @override
    def events(self, keys: Sequence[LeafKey]) -> Mapping[LeafKey, Event]:
        items = self._table.batch_get({"pk": key.pk, "sk": key.sk} for key in keys)
        return {LeafKey(item["pk"], item["sk"]): _event(item) for item in items if "sealed" in item}

    @override
    def placed(self, minute: str) -> Iterator[Placed]:
        for item in self._table.query("pk = :pk", {":pk": f"{_LOG}#{minute}"}, Read(consistent=True)):
            packed = bytes(item["ids"])
            ids = tuple(packed[at : at + _ID_BYTES].hex() for at in range(0, len(packed), _ID_BYTES))
            yield Placed(minute, int(item["sk"]), ids)

    @override
    def advance(self, seen: LogPosition, head: LogPosition, placed: Sequence[Placed]) -> bool:
        changes = {
            "size": head.edge.size,
            "edge": [hash_.hex() for hash_ in head.edge.hashes],
            "cursor": head.cursor,
            "version": head.version,
            "sealedAt": head.sealed_at,
        }
        update = Update.of(changes)
        condition, values = ("version = :seen", {":seen": seen.version}) if seen.version else (_NEW, {})
        actions = [self._table.update_action(_HEAD_KEY, update, condition, values)]
        for each in placed:
            packed = bytes.fromhex("".join(each.ids))
            item = {"pk": f"{_LOG}#{each.minute}", "sk": f"{each.first:020}", "ids": packed}
            actions.append(self._table.put_action(item, _NEW))
        try:
            self._table.transact(actions)
        except ConditionFailedError:
            return False
        return True

    @override
    def all_items(self) -> Iterator[Event | PlacedIds]:
        read = Read(filtered="attribute_exists(sealed) OR attribute_exists(ids)", consistent=True)
        for item in self._table.scan({}, read):
            yield _event(item) if "sealed" in item else _placed_ids(item)

    @override
    def all_placed(self) -> Iterator[PlacedIds]:
        for item in self._table.scan({}, Read(filtered="attribute_exists(ids)", consistent=True)):
            yield _placed_ids(item)

    @override
    def put_place(self, placed: PlacedIds) -> None:
        self._add({"pk": placed.about.pk, "sk": placed.about.sk, "ids": placed.ids})

    @override
    def remove_place_in_log(self, placed: PlacedIds) -> None:
        self._table.delete({"pk": placed.about.pk, "sk": placed.about.sk})

    @override
    def note_verified(self, size: int, at: str, *, full: bool) -> None:
        update = Update.of({"verifiedSize": size, "verifiedAt": at, **({"fullAt": at} if full else {})})
        with suppress(ConditionFailedError):
            self._table.update(
                _HEAD_KEY, update, "attribute_exists(pk) AND #size >= :size", {":size": size}, {"#size": "size"}
            )

    @override
    def subject_of_file(self, consignment_id: str, file_id: str) -> str | None:
        item = self._table.get({"pk": f"C#{consignment_id}", "sk": file_id})
        return item["subject"] if item else None

    @override
    def subjects_of_digest(self, sha256: str, limit: int) -> list[str]:
        page = self._table.page("pk = :pk", {":pk": f"H#{sha256}"}, Read(page_size=limit))
        return [item["sk"] for item in page.items]

    @override
    def links(self, subject: str, limit: int) -> Links:
        values = {":pk": subject, ":links": "A#"}
        page = self._table.page("pk = :pk AND begins_with(sk, :links)", values, Read(page_size=limit))
        return _links(page.items, cut=page.last_key is not None)

    @override
    def opening(self, subject: str) -> Opening:
        # One page of 1 MB, links before events as their keys are ordered: of most histories all there is.
        page = self._table.page("pk = :pk AND sk BETWEEN :from AND :to", {":pk": subject, ":from": "A#", ":to": "E$"})
        rows = [item for item in page.items if not item["sk"].startswith("E#")]
        events = [_event(item) for item in page.items[len(rows) :]]
        return Opening(
            _links(rows, cut=not events and page.last_key is not None), events, more=page.last_key is not None
        )

    @override
    def events_of(self, subject: str, after: str, limit: int) -> list[Event]:
        values = {":pk": subject, ":from": after or "E#", ":to": "E$"}
        page = self._table.page("pk = :pk AND sk BETWEEN :from AND :to", values, Read(page_size=limit + 1))
        return [_event(item) for item in page.items if item["sk"] != after][:limit]

    @override
    def add_reason(self, subject: str, digest: str, reason: str, salt: str) -> None:
        self._add({"pk": subject, "sk": f"{_REASON}{digest}", "reason": reason, "salt": salt})

    @override
    def remove_reasons(self, subject: str) -> None:
        values = {":pk": subject, ":reasons": _REASON}
        for item in self._table.query("pk = :pk AND begins_with(sk, :reasons)", values, Read(consistent=True)):
            self._table.delete({"pk": item["pk"], "sk": item["sk"]})

    @override
    def erasure(self, hash_: str) -> Marker | None:
        item = self._table.get({"pk": f"P#{hash_}", "sk": _ERASED})
        if item is None:
            return None
        # Ids of consignments and their files, as far as the places are such; neither holds a blank.
        plan = [each.split(" ") for each in item["plan"]]
        files = [(each[2], each[3]) if len(each) == _WITH_FILE else None for each in plan]
        places = tuple(ErasedPlace(each[0], each[1], file) for each, file in zip(plan, files, strict=True))
        return Marker(item["at"], item["by"], item["reason"], places, item.get("first", ""))

    @override
    def mark_erased(self, hash_: str, marker: Marker) -> None:
        plan = [" ".join((each.hash_, each.subject, *(each.consignment_file or ()))) for each in marker.plan]
        item = {"pk": f"P#{hash_}", "sk": _ERASED, "at": marker.at, "by": marker.by, "reason": marker.reason}
        self._table.put({**item, "plan": plan, **({"first": marker.first} if marker.first else {})})

    @override
    def reconciled(self) -> Position | None:
        for item in self._table.batch_get([_POSITION_KEY]):
            if item.get("workflow") in set(Workflow) and isinstance(item.get("key"), dict):
                return Position(Workflow(item["workflow"]), item["key"])
        return None

    @override
    def note_reconciled(self, position: Position | None) -> None:
        said = {"workflow": position.workflow.value, "key": dict(position.key)} if position else {}
        self._table.put({**_POSITION_KEY, **said})

    @override
    def put_back(self, event: Event, seen: Event | None) -> bool:
        item = _event_item(event)
        key, states = {name: item.pop(name) for name in ("pk", "sk")}, item.pop("states", None)
        # What is right is not written again: an erasure may be taking it away.
        update = Update.of(item if seen and seen.states == event.states else {**item, "states": states})
        try:
            self._table.update(key, update, "attribute_exists(sealed)" if seen else "attribute_not_exists(sealed)")
        except ConditionFailedError:
            return False
        return True

    @override
    def blank(self, event: Event) -> None:
        states = list(map(packed_state, event.states))
        key = {"pk": event.leaf.pk, "sk": event.leaf.sk}
        self._table.update(key, Update.of({"states": states}), "attribute_exists(pk)")

    @override
    def remove_ways(
        self, subject: str, *, digests: Iterable[str], consignment_files: Iterable[tuple[str, str]]
    ) -> None:
        for sha256 in digests:
            self._table.delete({"pk": f"H#{sha256}", "sk": subject})
        for consignment_id, file_id in consignment_files:
            with suppress(ConditionFailedError):
                key = {"pk": f"C#{consignment_id}", "sk": file_id}
                self._table.delete(key, "subject = :subject", {":subject": subject})

    @override
    def remove_place(self, hash_: str, subject: str) -> None:
        with suppress(ConditionFailedError):
            self._table.delete({"pk": f"P#{hash_}", "sk": _NAME}, "subject = :subject", {":subject": subject})

    def _add(self, item: Item) -> None:
        with suppress(ConditionFailedError):
            self._table.put(item, _NEW)


def _placed_ids(item: Item) -> PlacedIds:
    minute, sk = item["pk"].removeprefix(f"{_LOG}#"), item["sk"]
    # As `advance` writes it, twenty digits and nothing else.
    first = int(sk) if sk.isascii() and sk.isdecimal() and len(sk) == len(f"{0:020}") else None
    return PlacedIds(minute if item["pk"].startswith(f"{_LOG}#") else "", first, packed_bytes(item["ids"]) or b"", sk)


def _head(item: Item | None) -> LogPosition:
    if item is None or "version" not in item:
        return LogPosition()
    try:
        edge = Edge(int(item["size"]), tuple(bytes.fromhex(text) for text in item["edge"]))
        verified = int(item.get("verifiedSize", 0))
        version, times = int(item["version"]), (str(item.get(name, "")) for name in ("verifiedAt", "fullAt"))
        return LogPosition(edge, str(item["cursor"]), version, str(item["sealedAt"]), verified, *times)
    except (KeyError, TypeError, ValueError):
        raise BadProofError("the table's head of the log was written over, and cannot be read") from None


def _is_of_identifier(link: Item) -> bool:
    return str(link["pk"]).startswith(IDENTIFIER) or IDENTIFIER in str(link["sk"])


def _keys_of(way: Way) -> list[tuple[str, str]]:
    """Return `pk` and `sk` of the items that a way is made of."""
    if way.sha256:
        return [(f"H#{way.sha256}", way.subject)]
    up, down = (way.subject, f"{_ORIGIN}{way.origin}"), (way.origin, f"{_COPY}{way.subject}#{way.place}")
    return [*([up] if way.up else []), *([down] if way.down else [])]


def _links(items: Iterable[Item], *, cut: bool) -> Links:
    names = [item["sk"] for item in items if "ended" not in item]
    copies = [name.removeprefix(_COPY).rsplit("#", 1) for name in names if name.startswith(_COPY)]
    origins = [name.removeprefix(_ORIGIN) for name in names if name.startswith(_ORIGIN)]
    return Links(tuple(origins), tuple((pk, place) for pk, place in copies), cut=cut)


def _known_place(item: Item) -> KnownPlace:
    bucket, key, subject, salt, since, created = (
        _text(item.get(name, "")) for name in ("bucket", "key", "subject", "salt", "since", "created")
    )
    origins = item.get("origins", [])
    named = tuple(map(_text, origins)) if isinstance(origins, list) else ()
    return KnownPlace(Place(bucket, key), Subject(subject, salt), since, named, created)


def _text(value: object) -> str:
    """Return a text, or of what somebody has put in its place how it looks."""
    return value if isinstance(value, str) else repr(value)


def _event_item(event: Event) -> Item:
    leaf = event.leaf
    item: Item = {
        "pk": leaf.pk,
        "sk": leaf.sk,
        "id": packed_hex(leaf.id),
        "sealed": packed_text(leaf.sealed),
        "mac": packed_hex(leaf.mac),
        "minute": leaf.minute,
    }
    if event.states:
        item["states"] = list(map(packed_state, event.states))
    return item


def _leaf(item: Item) -> Leaf:
    return Leaf(
        _text(item.get("pk")),
        _text(item.get("sk")),
        unpacked_hex(item.get("id", "")),
        unpacked_text(item.get("sealed", "")),
        unpacked_hex(item.get("mac", "")),
        _text(item.get("minute", "")),
    )


def _event(item: Item) -> Event:
    """Return an event of whatever is there: of what somebody has written over, no more than what can be read."""
    return Event(_leaf(item), unpacked_states(item.get("states", [])))
