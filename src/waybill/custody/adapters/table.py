"""The custody table: the one module that knows its items.

    P#<place>            NAME                     a place by a keyed hash: bucket, key, subject, salt
                         ERASED                   when and why its names were erased
    F#<subject>          R#<digest>               why somebody has said something: what the digest in an event opens to
                         A#C#<subject>#<place>    a copy whose history goes on where this one's was
                         A#O#<subject>            where this one's was before
                         E#<time>#<event>         an event of the file
    I#<canonical id>     E#<time>#<event>         an event of the identifier
    H#<sha256>           <subject pk>             whose digest it is
    C#<consignment>      <file id>                whose file it is
    T#<trail>            <number>                 the hash of an entry of the subject access trail
    Q                    <minute>#<batch>         a slip: the leaves that a batch has told of
    LOG                  HEAD                     how far the log is
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
from waybill.custody.domain.erasing import ErasedLedger, ErasedPlace, Marker
from waybill.custody.domain.linking import LinkedLedger
from waybill.custody.domain.merkle import Edge
from waybill.custody.domain.recording import LeafKey, Ledger
from waybill.custody.domain.sealing import Head, Placed, SealingLedger, Slip
from waybill.custody.domain.tracing import Links, TracedLedger
from waybill.custody.domain.verifying import VerifiedLedger
from waybill.custody.errors import CustodyUnavailableError
from waybill.custody.models import Event, KnownPlace, Leaf, Place, StateReference, Subject

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
_HEAD_KEY: Item = {"pk": _LOG, "sk": _HEAD}


class CustodyTable(Ledger, SealingLedger, VerifiedLedger, TracedLedger, ErasedLedger, LinkedLedger):
    """`Ledger` and what else is asked of the table, on DynamoDB."""

    def __init__(self, client: "DynamoDBClient", name: str) -> None:
        self._table = Table(client, name, CustodyUnavailableError)

    @override
    def places(self, hashes: Iterable[str]) -> Mapping[str, KnownPlace]:
        keys = [{"pk": f"P#{hash_}", "sk": _NAME} for hash_ in hashes]
        return {item["pk"].removeprefix("P#"): _known_place(item) for item in self._table.batch_get(keys)}

    @override
    def erased(self, hashes: Iterable[str]) -> Mapping[str, str]:
        keys = [{"pk": f"P#{hash_}", "sk": _ERASED} for hash_ in hashes]
        return {item["pk"].removeprefix("P#"): item["at"] for item in self._table.batch_get(keys)}

    @override
    def add_place(self, hash_: str, known: KnownPlace) -> KnownPlace:
        item = {
            "pk": f"P#{hash_}",
            "sk": _NAME,
            "bucket": known.place.bucket,
            "key": known.place.key,
            "subject": known.subject.pk,
            "salt": known.subject.salt,
        }
        if known.since:
            item["since"] = known.since
        try:
            self._table.put(item, _NEW)
        except ConditionFailedError as failed:
            return _known_place(failed.item)
        return known

    @override
    def link(self, origin: Subject, copy: Subject, copy_place: str) -> None:
        if origin.pk != copy.pk:
            self._add({"pk": copy.pk, "sk": f"{_ORIGIN}{origin.pk}"})
            self._add({"pk": origin.pk, "sk": f"{_COPY}{copy.pk}#{copy_place}"})

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
        return page.items[0]["mac"] if page.items else None

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
        named = [f"{leaf.pk} {leaf.sk}" for leaf in leaves]
        self._table.put({"pk": _SLIPS, "sk": f"{minute}#{name}", "leaves": named, "expires": expires})

    @override
    def head(self) -> Head:
        item = self._table.get(_HEAD_KEY)
        if item is None or "version" not in item:
            return Head()
        hashes = tuple(bytes.fromhex(text) for text in item["edge"])
        return Head(
            Edge(item["size"], hashes),
            item["cursor"],
            item["version"],
            item["sealedAt"],
            item.get("verifiedSize", 0),
            item.get("verifiedAt", ""),
        )

    @override
    def slips(self, after: str, before: str) -> Iterator[Slip]:
        # Conditions on a key are one range; both ends are in it. A slip is never named by a minute alone.
        if after < before:
            found = {":pk": _SLIPS, ":after": after or "0", ":before": before}
            for item in self._table.query("pk = :pk AND sk BETWEEN :after AND :before", found, Read(consistent=True)):
                if item["sk"] != after:
                    yield Slip(item["sk"], tuple(LeafKey(*named.split(" ", 1)) for named in item["leaves"]))

    @override
    def leaves(self, keys: Sequence[LeafKey]) -> Mapping[LeafKey, Leaf]:
        return {key: event.leaf for key, event in self.events(keys).items()}

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
    def advance(self, seen: Head, head: Head, placed: Sequence[Placed]) -> bool:
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
    def all_leaves(self) -> Iterator[Leaf]:
        for item in self._table.scan({}, Read(filtered="attribute_exists(sealed)", consistent=True)):
            yield _leaf(item)

    @override
    def note_verified(self, size: int, at: str) -> None:
        update = Update.of({"verifiedSize": size, "verifiedAt": at})
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
        names = [item["sk"] for item in page.items]
        copies = [name.removeprefix(_COPY).rsplit("#", 1) for name in names if name.startswith(_COPY)]
        origins = [name.removeprefix(_ORIGIN) for name in names if name.startswith(_ORIGIN)]
        return Links(tuple(origins), tuple((pk, place) for pk, place in copies), cut=page.last_key is not None)

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
    def begun_erasure(self, hash_: str) -> Marker | None:
        item = self._table.get({"pk": f"P#{hash_}", "sk": _ERASED})
        if item is None or not item["begun"]:
            return None
        # Ids of consignments and their files, as far as the places are such; neither holds a blank.
        plan = [each.split(" ") for each in item["plan"]]
        files = [(each[2], each[3]) if len(each) == _WITH_FILE else None for each in plan]
        places = tuple(ErasedPlace(each[0], each[1], file) for each, file in zip(plan, files, strict=True))
        return Marker(item["at"], item["by"], item["reason"], places)

    @override
    def mark_erased(self, hash_: str, marker: Marker, *, begun: bool) -> None:
        plan = [" ".join((each.hash_, each.subject, *(each.consignment_file or ()))) for each in marker.plan]
        item = {"pk": f"P#{hash_}", "sk": _ERASED, "at": marker.at, "by": marker.by, "reason": marker.reason}
        self._table.put({**item, "begun": begun, "plan": plan})

    @override
    def blank(self, event: Event) -> None:
        states = [_without_none(state) for state in event.states]
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


def _known_place(item: Item) -> KnownPlace:
    place, subject = Place(item["bucket"], item["key"]), Subject(item["subject"], item["salt"])
    return KnownPlace(place, subject, item.get("since", ""))


def _event_item(event: Event) -> Item:
    leaf = event.leaf
    item: Item = {
        "pk": leaf.pk,
        "sk": leaf.sk,
        "id": leaf.id,
        "sealed": leaf.sealed,
        "mac": leaf.mac,
        "minute": leaf.minute,
    }
    if event.states:
        item["states"] = [_without_none(state) for state in event.states]
    return item


def _without_none(state: StateReference) -> Item:
    said = {
        "place": state.place,
        "commitment": state.commitment,
        "versionId": state.version_id,
        "sha256": state.sha256,
        "size": state.size,
    }
    return {name: value for name, value in said.items() if value is not None}


def _leaf(item: Item) -> Leaf:
    return Leaf(*(str(item.get(name, "")) for name in ("pk", "sk", "id", "sealed", "mac", "minute")))


def _event(item: Item) -> Event:
    states = tuple(
        StateReference(
            state["place"], state["commitment"], state.get("versionId"), state.get("sha256"), state.get("size")
        )
        for state in item.get("states", [])
    )
    return Event(_leaf(item), states)
