"""The consignments table: the one module that knows its items.

The hash key `pk` is the consignment's id; the range key `sk` says what the item is:

    CONSIGNMENT                 the consignment; `run` numbers the executions that have taken it over, `runOrder` says
                                when the newest of them was started
    FILE#<file id>              a file: how it was registered, and what the newest run has found
    PROGRESS#<run>#<group>      how many files each check of a group has come to, written by the state machine

Every write of a run has the condition that no run that was started later has claimed the consignment.
"""

import itertools
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

from waybill.consignments.adapters.items import (
    CONSIGNMENT,
    FILE,
    consignment_of,
    identity,
    item_of,
    key,
    progress_prefix,
    row_of,
)
from waybill.consignments.errors import (
    ConsignmentNotFoundError,
    ConsignmentsUnavailableError,
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
    RegisteredFile,
    StatusName,
)
from waybill.core.aws.dynamodb import ConditionFailedError, Item, Update, from_item, to_item, translated

# DynamoDB API Reference, TransactWriteItems: 100 actions, 4 MB.
_TRANSACTION = 100
_TRANSACTION_BYTES = 3_000_000
_OWN = "executionArn = :me"
# What a run that has failed leaves, and the next one takes away.
_NO_FAILURE: Mapping[str, Any] = {"failure": None, "differences": None}
_OLDER = "attribute_exists(pk) AND (attribute_not_exists(runOrder) OR runOrder < :order)"
_UNCHANGED = "attribute_not_exists(pk) OR (#path = :path AND #size = :size AND sha256 = :sha256)"


class ConsignmentsTable:
    """`Register`, `RunRecords` and `Reader` on DynamoDB; `client` is a boto3 `dynamodb` client."""

    def __init__(self, client: Any, table_name: str) -> None:
        self._client = client
        self._table = table_name

    def create(self, consignment: Consignment) -> Consignment:
        """Store a new consignment, or find that the same one is there; return what is stored."""
        item = item_of(consignment)
        try:
            with self._errors():
                self._client.put_item(
                    TableName=self._table,
                    Item=to_item(item),
                    ConditionExpression="attribute_not_exists(pk)",
                )
        except ConditionFailedError:
            earlier = self.find(consignment.consignment_id)
            if earlier is None or identity(earlier) != identity(consignment):
                raise RegistrationConflictError(
                    f"consignment {consignment.consignment_id} is registered with another owner, type or name"
                ) from None
            return earlier
        return consignment

    def add_files(self, consignment_id: str, files: Sequence[RegisteredFile]) -> None:
        """Store files of a consignment whose checks were never started."""
        open_still = {
            "ConditionCheck": {
                "TableName": self._table,
                "Key": key(consignment_id, CONSIGNMENT),
                "ConditionExpression": "attribute_exists(pk) AND #run = :zero",
                "ExpressionAttributeNames": {"#run": "run"},
                "ExpressionAttributeValues": to_item({":zero": 0}),
            }
        }
        for some in itertools.batched(files, _TRANSACTION - 1, strict=False):
            try:
                with self._errors():
                    self._client.transact_write_items(
                        TransactItems=[open_still, *(self._registration(consignment_id, file) for file in some)]
                    )
            except ConditionFailedError:
                raise self._refused(consignment_id) from None

    def find(self, consignment_id: str) -> Consignment | None:
        """Return a consignment."""
        with self._errors():
            answer = self._client.get_item(
                TableName=self._table, Key=key(consignment_id, CONSIGNMENT), ConsistentRead=True
            )
        return consignment_of(from_item(answer["Item"])) if "Item" in answer else None

    def files(self, consignment_id: str) -> Iterator[RegisteredFile]:
        """Yield the registered files of a consignment, by their ids."""
        # Without what an earlier run has found, which is most of a row.
        wanted = {
            "ProjectionExpression": "sk, #path, #size, sha256",
            "ExpressionAttributeNames": {"#path": "path", "#size": "size"},
        }
        for page in self._query(consignment_id, FILE, ConsistentRead=True, **wanted):
            for item in page["Items"]:
                row = from_item(item)
                yield RegisteredFile(row["sk"].removeprefix(FILE), row["path"], row["size"], row["sha256"])

    def count_files(self, consignment_id: str) -> int:
        """Return how many files are registered."""
        pages = self._query(consignment_id, FILE, ConsistentRead=True, Select="COUNT")
        return sum(page["Count"] for page in pages)

    def claim(self, consignment_id: str, run: ConsignmentRun) -> Consignment:
        """Make `run` the newest of the consignment, without statuses; repeated, it finds that it is."""
        self._take_over(consignment_id, run, {"statuses": {}, "status": ConsignmentStatus.IN_PROGRESS, **_NO_FAILURE})
        consignment = self.find(consignment_id)
        if consignment is None:
            raise ConsignmentNotFoundError(f"there is no consignment {consignment_id}")
        if consignment.execution_arn != run.arn:
            raise _superseded(consignment_id)
        return consignment

    def note_start(self, consignment: Consignment, execution_arn: str) -> None:
        """Remember the execution that was started for the next run, unless it, or another, has claimed already."""
        update = Update.of({"startedArn": execution_arn})
        arguments = update.arguments("#count = :count", count=consignment.run)
        arguments["ExpressionAttributeNames"] |= {"#count": "run"}
        with suppress(ConditionFailedError), self._errors():
            self._client.update_item(
                TableName=self._table, Key=key(consignment.consignment_id, CONSIGNMENT), **arguments
            )

    def differ(self, consignment: Consignment, differences: Mapping[str, Any]) -> None:
        """Keep how uploads and register differ, until the next run."""
        self._update_own(consignment, {"differences": differences})

    def expect(self, consignment: Consignment, file_count: int) -> None:
        """Note how many files the run checks, whose statuses are in progress; without any, nothing is."""
        standing: Mapping[str, Any] = {"status": ConsignmentStatus.REGISTERED}
        if file_count:
            statuses = dict.fromkeys(IN_PROGRESS, ConsignmentStatus.IN_PROGRESS)
            standing = {"status": ConsignmentStatus.IN_PROGRESS, "statuses": statuses}
        self._update_own(consignment, {"fileCount": file_count, "differences": None, **standing})

    def progress_key(self, consignment: Consignment, group: int) -> str:
        """Return the key under which the state machine writes how far a group has come."""
        return f"{progress_prefix(consignment.run)}{group:08}"

    def write_files(self, consignment: Consignment, rows: Iterable[Mapping[str, Any]]) -> None:
        """Replace what is known of files."""
        actions: list[dict[str, Any]] = []
        size = 0
        for row in rows:
            document = json.dumps(row["results"], ensure_ascii=False, separators=(",", ":"))
            length = len(document.encode())
            if actions and (len(actions) == _TRANSACTION - 1 or size + length > _TRANSACTION_BYTES):
                self._transact(consignment, actions)
                actions, size = [], 0
            actions.append(self._outcome(consignment, row, document))
            size += length
        if actions:
            self._transact(consignment, actions)

    def finish(self, consignment: Consignment, statuses: Mapping[str, str], status: str) -> None:
        """Replace the statuses of the consignment, which ends the run."""
        self._update_own(consignment, {"statuses": dict(statuses), "status": status, "failure": None})

    def fail(self, consignment_id: str, run: ConsignmentRun, failure: Mapping[str, Any]) -> bool:
        """Set `ClientChecks = Failed`; False when a later run has taken over, or there is no such consignment."""
        update = Update.of({"status": ConsignmentStatus.FAILED, "failure": dict(failure)})
        arguments = update.arguments(_OWN, me=run.arn, failed=ConsignmentStatus.FAILED)
        arguments["UpdateExpression"] += ", #statuses.#clientChecks = :failed"
        arguments["ExpressionAttributeNames"] |= {"#statuses": "statuses", "#clientChecks": StatusName.CLIENT_CHECKS}
        try:
            with self._errors():
                self._client.update_item(TableName=self._table, Key=key(consignment_id, CONSIGNMENT), **arguments)
        except ConditionFailedError:
            # It may have failed before it could claim: what an earlier run has found must not stand beside that.
            statuses = {StatusName.CLIENT_CHECKS: ConsignmentStatus.FAILED}
            broken = {**_NO_FAILURE, "status": ConsignmentStatus.FAILED, "statuses": statuses, "failure": dict(failure)}
            return self._take_over(consignment_id, run, broken)
        return True

    def progress(self, consignment: Consignment) -> Mapping[str, int]:
        """Return how many files each check of the newest run has come to."""
        counts = dict.fromkeys(CHECKS, 0)
        for row in self._groups(consignment):
            for check in CHECKS:
                counts[check] += row[check]
        return counts

    def group_errors(self, consignment: Consignment) -> list[str]:
        """Return what the groups of the newest run failed of that failed for good."""
        return [row["error"] for row in self._groups(consignment) if row.get("error")]

    def file_rows(self, consignment_id: str, limit: int, after: str | None) -> tuple[list[dict[str, Any]], str | None]:
        """Return a page of the files with their results, and the id after which the next page begins."""
        start = {"ExclusiveStartKey": key(consignment_id, f"{FILE}{after}")} if after else {}
        with self._errors():
            page = self._client.query(**self._question(consignment_id, FILE), Limit=limit, **start)
        last = from_item(page["LastEvaluatedKey"])["sk"].removeprefix(FILE) if "LastEvaluatedKey" in page else None
        return [row_of(from_item(item)) for item in page["Items"]], last

    def _groups(self, consignment: Consignment) -> Iterator[Item]:
        for page in self._query(consignment.consignment_id, progress_prefix(consignment.run)):
            yield from map(from_item, page["Items"])

    def _registration(self, consignment_id: str, file: RegisteredFile) -> dict[str, Any]:
        values = {":path": file.path, ":size": file.size, ":sha256": file.sha256}
        return {
            "Put": {
                "TableName": self._table,
                "Item": to_item(
                    {
                        "pk": consignment_id,
                        "sk": f"{FILE}{file.file_id}",
                        "path": file.path,
                        "size": file.size,
                        "sha256": file.sha256,
                    }
                ),
                "ConditionExpression": _UNCHANGED,
                "ExpressionAttributeNames": {"#path": "path", "#size": "size"},
                "ExpressionAttributeValues": to_item(values),
            }
        }

    def _refused(self, consignment_id: str) -> Exception:
        consignment = self.find(consignment_id)
        if consignment is not None and consignment.started:
            return RegistrationClosedError(f"the checks of consignment {consignment_id} were started")
        return RegistrationConflictError(
            f"a file of consignment {consignment_id} is registered with another size or checksum"
        )

    def _outcome(self, consignment: Consignment, row: Mapping[str, Any], document: str) -> dict[str, Any]:
        assigned = {"run": consignment.run, "statuses": dict(row["statuses"]), "results": document}
        update = Update.of(assigned)
        return {
            "Update": {
                "TableName": self._table,
                "Key": key(consignment.consignment_id, f"{FILE}{row['fileId']}"),
                **update.arguments("attribute_exists(pk)"),
            }
        }

    def _newest_still(self, consignment: Consignment) -> dict[str, Any]:
        """Return what keeps a run that was overtaken from writing among the files of the run that has overtaken it."""
        return {
            "ConditionCheck": {
                "TableName": self._table,
                "Key": key(consignment.consignment_id, CONSIGNMENT),
                "ConditionExpression": _OWN,
                "ExpressionAttributeValues": to_item({":me": consignment.execution_arn}),
            }
        }

    def _transact(self, consignment: Consignment, actions: Sequence[Mapping[str, Any]]) -> None:
        try:
            with self._errors():
                self._client.transact_write_items(TransactItems=[self._newest_still(consignment), *actions])
        except ConditionFailedError:
            raise _superseded(consignment.consignment_id) from None

    def _take_over(self, consignment_id: str, run: ConsignmentRun, assigned: Mapping[str, Any]) -> bool:
        """Make `run` the newest of the consignment; False when it is that already, or older, or there is none."""
        owner = {"executionArn": run.arn, "executionName": run.name, "runOrder": run.order, "startedArn": None}
        update = Update.of({**owner, **assigned}, counted=("run",))
        try:
            with self._errors():
                self._client.update_item(
                    TableName=self._table,
                    Key=key(consignment_id, CONSIGNMENT),
                    **update.arguments(_OLDER, order=run.order),
                )
        except ConditionFailedError:
            return False
        return True

    def _update_own(self, consignment: Consignment, assigned: Mapping[str, Any]) -> None:
        try:
            with self._errors():
                self._client.update_item(
                    TableName=self._table,
                    Key=key(consignment.consignment_id, CONSIGNMENT),
                    **Update.of(assigned).arguments(_OWN, me=consignment.execution_arn),
                )
        except ConditionFailedError:
            raise _superseded(consignment.consignment_id) from None

    def _query(self, consignment_id: str, prefix: str, **more: Any) -> Iterator[Mapping[str, Any]]:
        with self._errors():
            pages = self._client.get_paginator("query")
            yield from pages.paginate(**self._question(consignment_id, prefix), **more)

    def _question(self, consignment_id: str, prefix: str) -> dict[str, Any]:
        return {
            "TableName": self._table,
            "KeyConditionExpression": "pk = :pk AND begins_with(sk, :prefix)",
            "ExpressionAttributeValues": to_item({":pk": consignment_id, ":prefix": prefix}),
        }

    @staticmethod
    def _errors() -> Any:
        return translated(ConsignmentsUnavailableError)


def _superseded(consignment_id: str) -> RunSupersededError:
    return RunSupersededError(f"a newer run checks consignment {consignment_id}")
