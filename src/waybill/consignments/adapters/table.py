"""The consignments table: the one module that knows its items.

The hash key `pk` is the consignment's id; the range key `sk` says what the item is:

    CONSIGNMENT                 the consignment; `run` numbers the executions that have taken it over, `runOrder` says
                                when the newest of them was started
    FILE#<file id>              a file: how it was registered, and what the newest run has found
    NOTSENT#<id of a path>      what its sender found and did not send, with the reason
    PROGRESS#<run>#<group>      how many files each check of a group has come to, written by the state machine

The hash keys `LIST#<owner>` and `LIST` are lists of consignments, by `<registered at>#<consignment's id>`.

Every write of a run has the condition that no run that was started later has claimed the consignment.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import batched
from typing import TYPE_CHECKING, override

from waybill.consignments.adapters.items import (
    CONSIGNMENT,
    FILE,
    LEFT_OUT,
    consignment_of,
    identity,
    item_of,
    key,
    left_out_item,
    list_items,
    list_key,
    listed_id,
    progress_prefix,
    registered_item,
    registered_of,
    row_of,
)
from waybill.consignments.domain.file_records import FileOutcome, FileRow, StoredWaiver
from waybill.consignments.domain.ports import Reader, Register, RunRecords
from waybill.consignments.errors import (
    ConsignmentNotFoundError,
    ConsignmentsUnavailableError,
    NotWaivableError,
    RegistrationClosedError,
    RegistrationConflictError,
    RunSupersededError,
)
from waybill.consignments.models import (
    CHECKS,
    IN_PROGRESS,
    Consignment,
    ConsignmentRun,
    ConsignmentStatus,
    Corrections,
    Differences,
    LeftOutFile,
    RegisteredFile,
    RunFailure,
    StatusName,
)
from waybill.core.aws.dynamodb import ConditionFailedError, Item, Update
from waybill.core.aws.table import TRANSACTION_LIMIT, Read, Table

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import TransactWriteItemTypeDef

# DynamoDB API Reference, TransactWriteItems: 4 MB. One action of each transaction is the condition on the consignment.
_TRANSACTION_BYTES = 3_000_000
_ROWS = TRANSACTION_LIMIT - 1
_OWN = "executionArn = :me"
_CHECKED = frozenset({ConsignmentStatus.COMPLETED, ConsignmentStatus.COMPLETED_WITH_ISSUES})
# What a run that has failed leaves, and the next one takes away.
_NO_FAILURE: Mapping[str, None] = {"failure": None, "differences": None}
_OLDER = "attribute_exists(pk) AND (attribute_not_exists(runOrder) OR runOrder < :order)"
_UNCHANGED = "attribute_not_exists(pk) OR (#path = :path AND #size = :size AND sha256 = :sha256)"
_RESERVED = {"#path": "path", "#size": "size"}
_BELOW = "pk = :pk AND begins_with(sk, :prefix)"
# Without what an earlier run has found, which is most of a row.
_REGISTERED = Read(projection="sk, #path, #size, sha256, copied", names=_RESERVED, consistent=True)


class ConsignmentsTable(Register, RunRecords, Reader):
    """`Register`, `RunRecords` and `Reader` on DynamoDB."""

    def __init__(self, client: "DynamoDBClient", table_name: str) -> None:
        self._table = Table(client, table_name, ConsignmentsUnavailableError)

    @override
    def create(self, consignment: Consignment) -> Consignment:
        earlier = self.find(consignment.consignment_id)
        if earlier is None:
            new = self._table.put_action(item_of(consignment), "attribute_not_exists(pk)")
            try:
                self._table.transact([new, *map(self._table.put_action, list_items(consignment))])
            except ConditionFailedError:
                earlier = self.find(consignment.consignment_id)
            else:
                return consignment
        if earlier is None or identity(earlier) != identity(consignment):
            raise RegistrationConflictError(
                f"consignment {consignment.consignment_id} is registered with another owner, type or name"
            )
        return earlier

    @override
    def add_files(
        self, consignment_id: str, files: Sequence[RegisteredFile], left_out: Sequence[LeftOutFile] = ()
    ) -> None:
        open_still = self._table.check_action(
            key(consignment_id, CONSIGNMENT), "attribute_exists(pk) AND #run = :zero", {":zero": 0}, {"#run": "run"}
        )
        actions = [self._registration(consignment_id, file) for file in files]
        actions += [self._table.put_action(item) for item in self._left_out(consignment_id, left_out)]
        for some in batched(actions, _ROWS, strict=False):
            try:
                self._table.transact([open_still, *some])
            except ConditionFailedError:
                raise self._refused(consignment_id) from None

    @override
    def correct(self, consignment: Consignment, corrections: Corrections) -> None:
        consignment_key = key(consignment.consignment_id, CONSIGNMENT)
        at_rest = (
            "#count = :count AND announced = :announced AND attribute_not_exists(startedArn) AND #standing <> :busy"
            " AND (attribute_not_exists(corrected) OR corrected = :corrected)"
        )
        values: dict[str, object] = {":count": consignment.run, ":busy": ConsignmentStatus.IN_PROGRESS}
        names = {"#count": "run", "#standing": "status"}
        announced, corrected = consignment.announced, consignment.corrected
        # What goes takes two actions.
        for some in batched(self._corrections(consignment, corrections), _ROWS // 2, strict=False):
            left = announced - sum(len(actions) > 1 for actions in some)
            # Whoever looks between here and the next run finds no verdict on what is not there any more.
            standing: dict[str, object] = {
                "status": ConsignmentStatus.REGISTERED,
                "statuses": {},
                "announced": left,
                "corrected": corrected + 1,
                **_NO_FAILURE,
            }
            # After a run that broke there is nothing to be carried over with confidence.
            standing["correcting"] = True if consignment.correcting or consignment.status in _CHECKED else None
            opened = self._table.update_action(
                consignment_key,
                Update.of(standing),
                at_rest,
                {**values, ":announced": announced, ":corrected": corrected},
                names,
            )
            try:
                self._table.transact([opened, *(action for actions in some for action in actions)])
            except ConditionFailedError:
                raise RegistrationClosedError(
                    f"the checks of consignment {consignment.consignment_id} are under way, or it was corrected"
                ) from None
            announced, corrected = left, corrected + 1

    @override
    def find(self, consignment_id: str) -> Consignment | None:
        item = self._table.get(key(consignment_id, CONSIGNMENT))
        return None if item is None else consignment_of(item)

    @override
    def files(self, consignment_id: str) -> Iterator[RegisteredFile]:
        for row in self._table.query(_BELOW, {":pk": consignment_id, ":prefix": FILE}, _REGISTERED):
            yield registered_of(row)

    @override
    def named_files(self, consignment_id: str, file_ids: Sequence[str]) -> Iterator[RegisteredFile]:
        keys = [key(consignment_id, f"{FILE}{file_id}") for file_id in file_ids]
        yield from map(registered_of, self._table.batch_get(keys))

    @override
    def count_files(self, consignment_id: str) -> int:
        return self._table.count(_BELOW, {":pk": consignment_id, ":prefix": FILE}, Read(consistent=True))

    @override
    def claim(self, consignment_id: str, run: ConsignmentRun) -> Consignment:
        self._take_over(consignment_id, run, {"statuses": {}, "status": ConsignmentStatus.IN_PROGRESS, **_NO_FAILURE})
        consignment = self.find(consignment_id)
        if consignment is None:
            raise ConsignmentNotFoundError(f"there is no consignment {consignment_id}")
        if consignment.execution_arn != run.arn:
            raise _superseded(consignment_id)
        return consignment

    @override
    def note_start(self, consignment: Consignment, execution_arn: str) -> None:
        with suppress(ConditionFailedError):
            self._table.update(
                key(consignment.consignment_id, CONSIGNMENT),
                Update.of({"startedArn": execution_arn}),
                "#count = :count",
                {":count": consignment.run},
                {"#count": "run"},
            )

    @override
    def differ(self, consignment: Consignment, differences: Differences) -> None:
        self._update_own(consignment, {"differences": differences})

    @override
    def expect(self, consignment: Consignment, file_count: int, carried: int = 0) -> None:
        standing: Mapping[str, object] = {"status": ConsignmentStatus.REGISTERED}
        if file_count:
            statuses = dict.fromkeys(IN_PROGRESS, ConsignmentStatus.IN_PROGRESS)
            standing = {"status": ConsignmentStatus.IN_PROGRESS, "statuses": statuses}
        self._update_own(consignment, {"fileCount": file_count, "carried": carried, "differences": None, **standing})

    @override
    def progress_key(self, consignment: Consignment, group: int) -> str:
        return f"{progress_prefix(consignment.run)}{group:08}"

    @override
    def write_files(self, consignment: Consignment, rows: Iterable[FileOutcome]) -> None:
        actions: list[TransactWriteItemTypeDef] = []
        size = 0
        for row in rows:
            document = json.dumps(row["results"], ensure_ascii=False, separators=(",", ":"))
            length = len(document.encode())
            if actions and (len(actions) == _ROWS or size + length > _TRANSACTION_BYTES):
                self._write(consignment, actions)
                actions, size = [], 0
            actions.append(self._outcome(consignment, row, document))
            size += length
        if actions:
            self._write(consignment, actions)

    @override
    def finish(self, consignment: Consignment, statuses: Mapping[str, str], status: str) -> None:
        ended = {"statuses": dict(statuses), "status": status, "failure": None, "correcting": None}
        self._update_own(consignment, ended)

    @override
    def fail(self, consignment_id: str, run: ConsignmentRun, failure: RunFailure) -> bool:
        broken = {"status": ConsignmentStatus.FAILED, "failure": failure}
        update = Update.of(broken)
        update = replace(update, expression=f"{update.expression}, #statuses.#clientChecks = :failed")
        names = {"#statuses": "statuses", "#clientChecks": StatusName.CLIENT_CHECKS}
        values = {":me": run.arn, ":failed": ConsignmentStatus.FAILED}
        try:
            self._table.update(key(consignment_id, CONSIGNMENT), update, _OWN, values, names)
        except ConditionFailedError:
            # It may have failed before it could claim: what an earlier run has found must not stand beside that.
            statuses = {StatusName.CLIENT_CHECKS: ConsignmentStatus.FAILED}
            return self._take_over(consignment_id, run, {**_NO_FAILURE, **broken, "statuses": statuses})
        return True

    @override
    def progress(self, consignment: Consignment) -> Mapping[str, int]:
        counts = dict.fromkeys(CHECKS, 0)
        for row in self._groups(consignment):
            for check in CHECKS:
                counts[check] += row[check]
        return counts

    @override
    def group_errors(self, consignment: Consignment) -> list[str]:
        return [row["error"] for row in self._groups(consignment) if row.get("error")]

    @override
    def listed(self, owner: str | None, limit: int, after: str | None) -> tuple[list[Consignment], str | None]:
        start = {"pk": list_key(owner), "sk": after} if after else None
        read = Read(page_size=limit, newest_first=True, consistent=True)
        page = self._table.page("pk = :pk", {":pk": list_key(owner)}, read, start=start)
        keys = [key(listed_id(entry), CONSIGNMENT) for entry in page.items]
        found = {item["pk"]: consignment_of(item) for item in self._table.batch_get(keys)} if keys else {}
        ordered = [found[each["pk"]] for each in keys if each["pk"] in found]
        return ordered, str(page.last_key["sk"]) if page.last_key else None

    @override
    def left_out(self, consignment_id: str) -> Iterator[LeftOutFile]:
        rows = self._table.query(_BELOW, {":pk": consignment_id, ":prefix": LEFT_OUT}, Read(consistent=True))
        found = [LeftOutFile(row["path"], row["kind"], row["reason"], row.get("fileId")) for row in rows]
        yield from sorted(found, key=lambda each: each.path)

    @override
    def file_row(self, consignment_id: str, file_id: str) -> FileRow | None:
        item = self._table.get(key(consignment_id, f"{FILE}{file_id}"))
        return None if item is None else row_of(item)

    @override
    def add_waiver(self, consignment_id: str, row: FileRow, waiver: StoredWaiver) -> None:
        file_key = key(consignment_id, f"{FILE}{row['fileId']}")
        names = {"#run": "run", "#statuses": "statuses", "#name": waiver["statusName"]}
        judged: dict[str, object] = {":run": row["run"], ":value": waiver["value"]}
        earlier = (self._table.get(file_key) or {}).get("waivers")
        waivers = {**(earlier or {}), waiver["statusName"]: waiver}
        alone = "attribute_not_exists(waivers)" if earlier is None else "waivers = :earlier"
        condition = f"#run = :run AND #statuses.#name = :value AND {alone}"
        judged |= {} if earlier is None else {":earlier": earlier}
        try:
            self._table.update(file_key, Update.of({"waivers": waivers}), condition, judged, names)
        except ConditionFailedError:
            raise NotWaivableError("the file was judged anew meanwhile, or another exception was made") from None

    @override
    def file_rows(
        self, consignment_id: str, limit: int, after: str | None, *, consistent: bool = False
    ) -> tuple[list[FileRow], str | None]:
        start = key(consignment_id, f"{FILE}{after}") if after else None
        found = {":pk": consignment_id, ":prefix": FILE}
        page = self._table.page(_BELOW, found, Read(page_size=limit, consistent=consistent), start=start)
        last = page.last_key and str(page.last_key["sk"]).removeprefix(FILE)
        return [row_of(item) for item in page.items], last or None

    def _groups(self, consignment: Consignment) -> Iterator[Item]:
        prefix = progress_prefix(consignment.run)
        return self._table.query(_BELOW, {":pk": consignment.consignment_id, ":prefix": prefix})

    @staticmethod
    def _left_out(consignment_id: str, left_out: Sequence[LeftOutFile]) -> list[Item]:
        # No transaction may name an item twice.
        return list({item["sk"]: item for item in (left_out_item(consignment_id, each) for each in left_out)}.values())

    def _registration(self, consignment_id: str, file: RegisteredFile) -> "TransactWriteItemTypeDef":
        values = {":path": file.path, ":size": file.size, ":sha256": file.sha256}
        return self._table.put_action(registered_item(consignment_id, file), _UNCHANGED, values, _RESERVED)

    def _corrections(
        self, consignment: Consignment, corrections: Corrections
    ) -> "Iterator[list[TransactWriteItemTypeDef]]":
        """Yield the writes for each file.

        What is to be judged again comes first: who repeats a correction that has ended on its way finds what was moved
        where it is now, and no reason to judge others anew.
        """
        consignment_id, there = consignment.consignment_id, "attribute_exists(pk)"
        found = dict.fromkeys(("statuses", "results", "run"))
        for file_id in corrections.judged_again:
            yield [self._table.update_action(key(consignment_id, f"{FILE}{file_id}"), Update.of(found), there)]
        for file in corrections.replaced:
            item = registered_item(consignment_id, file)
            file_key = {name: item.pop(name) for name in ("pk", "sk")}
            changed = {**item, "lastModified": file.last_modified, **found, "waivers": None}
            yield [self._table.update_action(file_key, Update.of(changed), there)]
        for left in corrections.left_out:
            gone = self._table.delete_action(key(consignment_id, f"{FILE}{left.file_id}"), there)
            yield [gone, self._table.put_action(left_out_item(consignment_id, left))]

    def _refused(self, consignment_id: str) -> Exception:
        consignment = self.find(consignment_id)
        if consignment is not None and consignment.started:
            return RegistrationClosedError(f"the checks of consignment {consignment_id} were started")
        return RegistrationConflictError(
            f"a file of consignment {consignment_id} is registered with another size or checksum"
        )

    def _outcome(self, consignment: Consignment, row: FileOutcome, document: str) -> "TransactWriteItemTypeDef":
        found = {"run": consignment.run, "runStartedAt": consignment.run_started_at}
        copied = {"copied": row["results"].get("copiedTo")}
        update = Update.of({**found, **copied, "statuses": row["statuses"], "results": document})
        file_key = key(consignment.consignment_id, f"{FILE}{row['fileId']}")
        return self._table.update_action(file_key, update, "attribute_exists(pk)")

    def _write(self, consignment: Consignment, actions: "Sequence[TransactWriteItemTypeDef]") -> None:
        # A run that was overtaken may not write among the files of the run that has overtaken it.
        newest_still = self._table.check_action(
            key(consignment.consignment_id, CONSIGNMENT), _OWN, {":me": consignment.execution_arn}
        )
        try:
            self._table.transact([newest_still, *actions])
        except ConditionFailedError:
            raise _superseded(consignment.consignment_id) from None

    def _take_over(self, consignment_id: str, run: ConsignmentRun, assigned: Mapping[str, object]) -> bool:
        """Make `run` the newest of the consignment; False when it is that already, or older, or there is none."""
        owner = {"executionArn": run.arn, "executionName": run.name, "runOrder": run.order, "startedArn": None}
        update = Update.of({**owner, **assigned}, counted=("run",))
        try:
            self._table.update(key(consignment_id, CONSIGNMENT), update, _OLDER, {":order": run.order})
        except ConditionFailedError:
            return False
        return True

    def _update_own(self, consignment: Consignment, assigned: Mapping[str, object]) -> None:
        own = {":me": consignment.execution_arn}
        try:
            self._table.update(key(consignment.consignment_id, CONSIGNMENT), Update.of(assigned), _OWN, own)
        except ConditionFailedError:
            raise _superseded(consignment.consignment_id) from None


def _superseded(consignment_id: str) -> RunSupersededError:
    return RunSupersededError(f"a newer run checks consignment {consignment_id}")
