"""The table of the scanner: the one module that knows its keys.

pk                 sk                                        item
JOBS               <created>#<job>                           a job in the list of jobs
JOB#<job>          META                                      the job, its totals and its checkpoint
JOB#<job>          PAGE#<number>                             a page of the listing, its objects compressed
JOB#<job>          OBJ#<sha1 of key>                         the outcome of an object
JOB#<job>          CNT#<shard>                               sums over outcomes: one item takes 1,000 writes a second
JOB#<job>          F#<sha1 of key>#<etag>#<offset>#<detector>  a finding
OBJCACHE#<bucket>  <sha1 of key>#<etag>#<rules>              what was found in this state, until `expires`
"""

import random
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import batched
from typing import Any

from waybill.core.clock import iso
from waybill.core.dynamodb import ConditionFailedError, Item, Update, from_item, to_item, translated
from waybill.scanning.detection.models import Finding
from waybill.scanning.errors import ScanStoreUnavailableError
from waybill.scanning.items import (
    finding_attributes,
    finding_sort_key,
    findings_prefix,
    increments,
    job_attributes,
    job_of,
    outcome_attributes,
    outcome_of,
    page_attributes,
    page_of,
    tally_of,
)
from waybill.scanning.models import ENDED, Entry, Job, ObjectOutcome, Page, Status, Tally, key_hash

SHARDS = 32
_RECORD_ATTEMPTS = 5
_CACHE_SECONDS = 30 * 86_400
# How many pages of 1 MB a filtered list of findings reads before it answers with what it has.
_PAGES_PER_ANSWER = 8


class ScansTable:
    """`Store` on DynamoDB; `client` is a boto3 `dynamodb` client."""

    def __init__(self, client: Any, table: str, *, now: Callable[[], datetime]) -> None:
        self._client = client
        self._table = table
        self._now = now

    def create(self, job: Job) -> Job:
        """Store a new job; return the one that has the id, this or an earlier one."""
        meta = _key(job.job_id, "META") | to_item(job_attributes(job))
        listed = to_item({"pk": "JOBS", "sk": f"{job.created_at}#{job.job_id}", "job_id": job.job_id})
        new = {"TableName": self._table, "Item": meta, "ConditionExpression": "attribute_not_exists(sk)"}
        try:
            with translated(ScanStoreUnavailableError):
                self._client.transact_write_items(
                    TransactItems=[{"Put": new}, {"Put": {"TableName": self._table, "Item": listed}}]
                )
        except ConditionFailedError:
            return self.job(job.job_id) or job
        return job

    def job(self, job_id: str) -> Job | None:
        """Return a job, as of now."""
        item = self._get(_key(job_id, "META"))
        return job_of(item) if item else None

    def started(self, job_id: str, execution_arn: str) -> None:
        """Remember the execution that lists."""
        self._update(job_id, {"execution_arn": execution_arn}, "attribute_exists(sk)")

    def keep_page(self, job_id: str, page: Page) -> Page:
        """Store a page unless it is stored already; return what is stored."""
        item = _key(job_id, _page_key(page.number)) | to_item(page_attributes(page))
        try:
            with translated(ScanStoreUnavailableError):
                self._client.put_item(TableName=self._table, Item=item, ConditionExpression="attribute_not_exists(sk)")
        except ConditionFailedError:
            return self.stored_page(job_id, page.number) or page
        return page

    def stored_page(self, job_id: str, number: int) -> Page | None:
        """Return a page that an earlier attempt has stored."""
        item = self._get(_key(job_id, _page_key(number)))
        return page_of(number, item) if item else None

    def advance(self, job_id: str, page: Page) -> None:
        """Count a page whose messages are sent, and move the checkpoint behind it, once."""
        changes = {"start_after": page.last_key, "next_page": page.number + 1}
        added = {"total": len(page.entries), "total_bytes": page.size}
        self._update(job_id, changes, "next_page = :number", added=added, number=page.number)

    def end_listing(self, job_id: str, *, truncated: bool) -> None:
        """Freeze the totals."""
        changes = {"listing_done": True, "truncated": truncated, "status": Status.PROCESSING.value}
        self._update(job_id, changes, "#status = :listing", listing=Status.LISTING.value)

    def outcomes(self, job_id: str, keys: Sequence[str]) -> set[str]:
        """Return those of `keys` that have an outcome."""
        found = {item["sk"] for item in self._get_many([_key(job_id, _object_key(key)) for key in keys])}
        return {key for key in keys if _object_key(key) in found}

    def record(self, job_id: str, bucket: str, outcome: ObjectOutcome, cache_name: str | None) -> ObjectOutcome | None:
        """Store an outcome and count it in one transaction; return the earlier one when there is one."""
        attributes = to_item(outcome_attributes(outcome) | {"recorded_at": iso(self._now())})
        item = _key(job_id, _object_key(outcome.key)) | attributes
        put = {"TableName": self._table, "Item": item, "ConditionExpression": "attribute_not_exists(sk)"}
        writes: list[dict[str, Any]] = [{"Put": put}]
        if cache_name is not None:
            cached = _cache_key(bucket, outcome.key, outcome.etag, cache_name) | {"job_id": job_id}
            expires = int(self._now().timestamp()) + _CACHE_SECONDS
            item = to_item(outcome_attributes(outcome) | cached | {"expires": expires})
            writes.append({"Put": {"TableName": self._table, "Item": item}})
        for attempt in range(_RECORD_ATTEMPTS):
            # Another counter each time: two transactions at once on one item disturb each other.
            count = {"Update": self._counting(job_id, increments(outcome))}
            try:
                with translated(ScanStoreUnavailableError):
                    self._client.transact_write_items(TransactItems=[*writes, count])
            except ConditionFailedError:
                stored = self._get(_key(job_id, _object_key(outcome.key)))
                return outcome_of(stored) if stored else outcome
            except ScanStoreUnavailableError:
                if attempt + 1 == _RECORD_ATTEMPTS:
                    raise
            else:
                return None
        raise AssertionError("the loop returns or raises")

    def keep_findings(self, job_id: str, key: str, etag: str, findings: Iterable[Finding]) -> None:
        """Store findings; the same ones again change nothing."""
        items = {
            (sort_key := finding_sort_key(key, etag, finding)): _key(job_id, sort_key)
            | to_item(finding_attributes(key, etag, finding) | {"created_at": iso(self._now())})
            for finding in findings
        }
        self._write_many([{"PutRequest": {"Item": item}} for item in items.values()])

    def forget_findings(self, job_id: str, key: str, etag: str) -> None:
        """Remove the findings of one state of an object."""
        found = self._query(job_id, findings_prefix(key, etag))
        self._write_many([{"DeleteRequest": {"Key": _key(job_id, item["sk"])}} for item in found])

    def copy_findings(self, source_job: str, job_id: str, key: str, etag: str) -> None:
        """Give a job the findings of another one about an object."""
        found = self._query(source_job, findings_prefix(key, etag))
        self._write_many([{"PutRequest": {"Item": to_item(item | {"pk": f"JOB#{job_id}"})}} for item in found])

    def cached(self, bucket: str, entries: Sequence[Entry], cache_name: str) -> dict[str, tuple[str, ObjectOutcome]]:
        """Return by key what an earlier job (its id) found in the same state of an object."""
        keys = [to_item(_cache_key(bucket, entry.key, entry.etag, cache_name)) for entry in entries]
        now = int(self._now().timestamp())
        return {
            item["key"]: (item["job_id"], outcome_of(item, from_cache=True))
            for item in self._get_many(keys)
            if item["expires"] > now
        }

    def tally(self, job_id: str) -> Tally:
        """Return the sums over all counters, as of now."""
        return tally_of(self._query(job_id, "CNT#"))

    def end(self, job_id: str, status: Status, error: str = "") -> bool:
        """End a job that has not ended; False when it had."""
        open_statuses = {"listing": Status.LISTING.value, "processing": Status.PROCESSING.value}
        changes = {"status": status.value, "error": error, "ended_at": iso(self._now())}
        return self._update(job_id, changes, "#status IN (:listing, :processing)", added=None, **open_statuses)

    def announced(self, job_id: str) -> None:
        """Remember that the end of a job has been told."""
        self._update(job_id, {"announced": True}, "attribute_exists(sk)")

    def newest(self, limit: int, before: str | None) -> tuple[list[Job], str | None]:
        """Return jobs, newest first, and the position to go on from."""
        condition = "pk = :pk AND sk < :before" if before else "pk = :pk"
        values = {":pk": "JOBS", **({":before": before} if before else {})}
        with translated(ScanStoreUnavailableError):
            answer = self._client.query(
                TableName=self._table,
                KeyConditionExpression=condition,
                ExpressionAttributeValues=to_item(values),
                ScanIndexForward=False,
                Limit=limit + 1,
            )
        rows = [from_item(item) for item in answer["Items"]]
        jobs = [job for row in rows[:limit] if (job := self.job(row["job_id"]))]
        return jobs, rows[limit - 1]["sk"] if len(rows) > limit else None

    def unannounced(self, limit: int) -> list[Job]:
        """Return the newest jobs that have not ended, or whose end has not been told."""
        jobs, _ = self.newest(limit, None)
        return [job for job in jobs if job.status not in ENDED or not job.announced]

    def findings(
        self, job_id: str, limit: int, after: str | None, wanted: Mapping[str, Any]
    ) -> tuple[list[Item], str | None]:
        """Return findings in a stable order, and the position to go on from.

        `wanted` filters by `key` (how it begins), `detector` and `certainty` (at least). A filtered answer may have
        fewer findings than `limit` though there are more.
        """
        found: list[Item] = []
        position = after or "F#"
        for _ in range(_PAGES_PER_ANSWER):
            with translated(ScanStoreUnavailableError):
                answer = self._client.query(
                    TableName=self._table,
                    **_findings_after(job_id, position, wanted),
                    Limit=1000 if wanted else limit + 1 - len(found),
                )
            found += [from_item(item) for item in answer["Items"]]
            if len(found) > limit:
                return found[:limit], found[limit - 1]["sk"]
            if "LastEvaluatedKey" not in answer:
                return found, None
            position = from_item(answer["LastEvaluatedKey"])["sk"]
        return found, position

    def _counting(self, job_id: str, added: Mapping[str, int]) -> dict[str, Any]:
        names = {f"#n{index}": name for index, name in enumerate(added)}
        values = to_item({f":n{index}": value for index, value in enumerate(added.values())})
        return {
            "TableName": self._table,
            "Key": _key(job_id, f"CNT#{random.randrange(SHARDS):02}"),  # noqa: S311 (spread)
            "UpdateExpression": "ADD " + ", ".join(f"{name} :{name[1:]}" for name in names),
            "ExpressionAttributeNames": names,
            "ExpressionAttributeValues": values,
        }

    def _update(
        self,
        job_id: str,
        changes: Mapping[str, Any],
        condition: str,
        *,
        added: Mapping[str, int] | None = None,
        **bound: Any,
    ) -> bool:
        update = Update.of({**changes, "updated_at": iso(self._now())})
        arguments = update.arguments(condition, **bound)
        if added:
            arguments["UpdateExpression"] += " ADD " + ", ".join(f"#a_{name} :a_{name}" for name in added)
            arguments["ExpressionAttributeNames"] |= {f"#a_{name}": name for name in added}
            arguments["ExpressionAttributeValues"] |= to_item({f":a_{name}": value for name, value in added.items()})
        if "#status" in condition:
            arguments["ExpressionAttributeNames"]["#status"] = "status"
        try:
            with translated(ScanStoreUnavailableError):
                self._client.update_item(TableName=self._table, Key=_key(job_id, "META"), **arguments)
        except ConditionFailedError:
            return False
        return True

    def _get(self, key: Item) -> Item | None:
        with translated(ScanStoreUnavailableError):
            answer = self._client.get_item(TableName=self._table, Key=key, ConsistentRead=True)
        return from_item(answer["Item"]) if answer.get("Item") else None

    def _get_many(self, keys: Sequence[Item]) -> Iterator[Item]:
        for batch in batched(keys, 100, strict=False):
            waiting: Any = {self._table: {"Keys": list(batch), "ConsistentRead": True}}
            while waiting:
                with translated(ScanStoreUnavailableError):
                    answer = self._client.batch_get_item(RequestItems=waiting)
                yield from map(from_item, answer["Responses"].get(self._table, []))
                waiting = answer.get("UnprocessedKeys")

    def _write_many(self, requests: Sequence[dict[str, Any]]) -> None:
        for batch in batched(requests, 25, strict=False):
            waiting: Any = {self._table: list(batch)}
            while waiting:
                with translated(ScanStoreUnavailableError):
                    waiting = self._client.batch_write_item(RequestItems=waiting).get("UnprocessedItems")

    def _query(self, job_id: str, prefix: str) -> list[Item]:
        pages = self._client.get_paginator("query").paginate(
            TableName=self._table,
            KeyConditionExpression="pk = :pk AND begins_with(sk, :prefix)",
            ExpressionAttributeValues=to_item({":pk": f"JOB#{job_id}", ":prefix": prefix}),
            ConsistentRead=True,
        )
        with translated(ScanStoreUnavailableError):
            return [from_item(item) for page in pages for item in page["Items"]]


def _findings_after(job_id: str, position: str, wanted: Mapping[str, Any]) -> dict[str, Any]:
    # "F$" is the first text behind every "F#…".
    query: dict[str, Any] = {"KeyConditionExpression": "pk = :pk AND sk BETWEEN :after AND :last"}
    values = {":pk": f"JOB#{job_id}", ":after": f"{position}\0" if position != "F#" else position, ":last": "F$"}
    if wanted:
        tests = {"key": "begins_with(#key, :key)", "detector": "#detector = :detector"}
        tests["certainty"] = "#certainty >= :certainty"
        query["FilterExpression"] = " AND ".join(tests[name] for name in wanted)
        query["ExpressionAttributeNames"] = {f"#{name}": name for name in wanted}
        values |= {f":{name}": value for name, value in wanted.items()}
    return query | {"ExpressionAttributeValues": to_item(values)}


def _key(job_id: str, sort_key: str) -> Item:
    return to_item({"pk": f"JOB#{job_id}", "sk": sort_key})


def _page_key(number: int) -> str:
    return f"PAGE#{number:09}"


def _object_key(key: str) -> str:
    return f"OBJ#{key_hash(key)}"


def _cache_key(bucket: str, key: str, etag: str, cache_name: str) -> dict[str, str]:
    return {"pk": f"OBJCACHE#{bucket}", "sk": f"{key_hash(key)}#{etag}#{cache_name}"}
