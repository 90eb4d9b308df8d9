"""The table of the scanner: the one module that knows its keys.

pk                 sk                                        item
JOBS               <created>#<job>                           a job in the list of jobs, and whether its end was told
JOB#<job>          META                                      the job, its totals once they are final
JOB#<job>          RANGE#<number>                            a range of its keys, how far it is listed, its totals
JOB#<job>          TAKEN#<page>#<sha1 of first key>          that the objects of a slice are counted as begun
JOB#<job>#<range>  PAGE#<number>                             a page of the listing, its objects compressed
JOB#<job>          OBJ#<sha1 of key>                         the outcome of an object
JOB#<job>          OBJ#<sha1 of key>#<page>                  that an inventory tells of the object once more
JOB#<job>          CNT#<shard>                               sums over outcomes: one item takes 1,000 writes a second
JOB#<job>          F#<sha1 of key>#<etag>#<offset>#<detector>  a finding; of a member, and a hash of its name
OBJCACHE#<bucket>  <sha1 of key>#<etag>#<rules>              what was found in this state, until `expires`
"""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from waybill.core.aws.dynamodb import ConditionFailedError, Item, Update, from_item, to_item, translated
from waybill.core.clock import iso
from waybill.scanning.adapters.item_table import key_of
from waybill.scanning.adapters.items import job_attributes, job_of, tally_of
from waybill.scanning.adapters.listing_table import ListingStore
from waybill.scanning.adapters.outcome_table import OutcomeStore
from waybill.scanning.errors import ScanStoreUnavailableError
from waybill.scanning.models import Job, ListingRange, Status, Tally

# How many pages of 1 MB a filtered list of findings reads before it answers with what it has.
_PAGES_PER_ANSWER = 8


class ScansTable(ListingStore, OutcomeStore):
    """`Store` on DynamoDB; `client` is a boto3 `dynamodb` client."""

    def create(self, job: Job) -> Job:
        """Store a new job; return the one that has the id, this or an earlier one."""
        meta = key_of(job.job_id, "META") | to_item(job_attributes(job))
        listed = _listed_key(job) | to_item({"job_id": job.job_id})
        new = {"TableName": self._table, "Item": meta, "ConditionExpression": "attribute_not_exists(sk)"}
        try:
            with translated(ScanStoreUnavailableError):
                self._client.transact_write_items(
                    TransactItems=[
                        {"Put": new},
                        {"Put": {"TableName": self._table, "Item": listed}},
                        {"Put": self.new_range_put(job.job_id, ListingRange(0, updated_at=job.created_at))},
                    ]
                )
        except ConditionFailedError:
            return self.job(job.job_id) or job
        return job

    def job(self, job_id: str) -> Job | None:
        """Return a job, as of now."""
        item = self._get(key_of(job_id, "META"))
        return job_of(item) if item else None

    def tally(self, job_id: str) -> Tally:
        """Return the sums over all counters, as of now."""
        return tally_of(self._query(job_id, "CNT#"))

    def end(self, job_id: str, status: Status, error: str = "") -> bool:
        """End a job that has not ended; False when it had."""
        open_statuses = {"listing": Status.LISTING.value, "processing": Status.PROCESSING.value}
        changes = {"status": status.value, "error": error, "ended_at": iso(self._now())}
        return self._update(job_id, changes, "#status IN (:listing, :processing)", added=None, **open_statuses)

    def resume(self, job: Job) -> bool:
        """Open a job that has failed again, as it was before; False when it is not as it was read.

        Its end is taken back: it will have another, which is told under another id.
        """
        status = Status.PROCESSING if job.listing_done else Status.LISTING
        opened: dict[str, Any] = {"status": status.value, "resumed": job.resumed + 1, "updated_at": iso(self._now())}
        opened |= {"error": "", "announced": False, "webhook": {}, "exported": {}}
        meta = Update.of(opened).arguments("#status = :failed AND resumed = :seen", failed="failed", seen=job.resumed)
        meta["ExpressionAttributeNames"] = meta["ExpressionAttributeNames"] | {"#status": "status"}
        listed = Update.of({"updated_at": iso(self._now())}, removed=("announced",)).arguments("attribute_exists(sk)")
        writes = [
            {"Update": {"TableName": self._table, "Key": key} | arguments}
            for key, arguments in ((key_of(job.job_id, "META"), meta), (_listed_key(job), listed))
        ]
        try:
            self._count_with(writes, job.job_id, {})
        except ConditionFailedError:
            return False
        return True

    def take_up(self, job: Job) -> bool:
        """Mark a job that lies still as looked after; False when it has changed since it was read."""
        return self._update(job.job_id, {}, "updated_at = :seen", seen=job.updated_at)

    def announced(self, job: Job) -> None:
        """Remember that the end of a job has been told, on the job and in the list of jobs, at once.

        Of a job that has been resumed since, nothing: the end that was told is not its last.
        """
        told = Update.of({"announced": True, "updated_at": iso(self._now())})
        meta = told.arguments("resumed = :seen", seen=job.resumed)
        listed = told.arguments("attribute_exists(sk)")
        writes = [
            {"Update": {"TableName": self._table, "Key": key} | arguments}
            for key, arguments in ((key_of(job.job_id, "META"), meta), (_listed_key(job), listed))
        ]
        with suppress(ConditionFailedError):
            self._count_with(writes, job.job_id, {})

    def webhook(self, job_id: str, told: Mapping[str, Any]) -> None:
        """Remember how the last attempt to tell the webhook ended."""
        self._update(job_id, {"webhook": dict(told)}, "attribute_exists(sk)")

    def exported(self, job_id: str, export: Mapping[str, Any]) -> None:
        """Remember where the findings are exported to, and how far that is."""
        self._update(job_id, {"exported": dict(export)}, "attribute_exists(sk)")

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

    def unannounced(self) -> list[Job]:
        """Return all jobs that have not ended, or whose end has not been told, newest first.

        However many came after it, a job is among them until its end has been told.
        """
        pages = self._client.get_paginator("query").paginate(
            TableName=self._table,
            KeyConditionExpression="pk = :pk",
            FilterExpression="attribute_not_exists(announced)",
            ExpressionAttributeValues=to_item({":pk": "JOBS"}),
            ScanIndexForward=False,
        )
        with translated(ScanStoreUnavailableError):
            rows = [from_item(item) for page in pages for item in page["Items"]]
        jobs = (self.job(row["job_id"]) for row in rows)
        return [job for job in jobs if job is not None and not (job.ended and job.announced)]

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


def _listed_key(job: Job) -> Item:
    return to_item({"pk": "JOBS", "sk": f"{job.created_at}#{job.job_id}"})


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
