"""Jobs and the list of them in the scanner's table; see `table.py` for the items' keys."""

from collections.abc import Mapping
from contextlib import suppress

from waybill.core.aws.dynamodb import ConditionFailedError, Item, Update
from waybill.core.aws.table import Read
from waybill.core.clock import iso
from waybill.scanning.adapters.item_table import ItemTable, key_of
from waybill.scanning.adapters.items import job_attributes, job_of
from waybill.scanning.adapters.range_table import new_range
from waybill.scanning.models import Job, ListingRange, Status


class JobTable:
    """What of the scanner's table is about whole jobs."""

    def __init__(self, items: ItemTable) -> None:
        self._items = items

    def create(self, job: Job) -> Job:
        """Store a new job; return the one that has the id, this or an earlier one."""
        meta = key_of(job.job_id, "META") | job_attributes(job)
        listed = _listed_key(job) | {"job_id": job.job_id}
        try:
            self._items.table.transact(
                [
                    self._items.put_new(meta),
                    self._items.table.put_action(listed),
                    self._items.put_new(new_range(job.job_id, ListingRange(0, updated_at=job.created_at))),
                ]
            )
        except ConditionFailedError:
            return self.get(job.job_id) or job
        return job

    def get(self, job_id: str) -> Job | None:
        """Return a job, as of now."""
        item = self._items.table.get(key_of(job_id, "META"))
        return job_of(item) if item else None

    def set_execution(self, job_id: str, execution_arn: str) -> None:
        """Record the execution that lists."""
        self._items.update(job_id, {"execution_arn": execution_arn}, "attribute_exists(sk)")

    def end_listing(self, job_id: str, total: int, total_bytes: int, *, truncated: bool) -> None:
        """Freeze the totals."""
        changes = {"listing_done": True, "truncated": truncated, "status": Status.PROCESSING.value}
        changes |= {"total": total, "total_bytes": total_bytes}
        self._items.update(job_id, changes, "#status = :listing", listing=Status.LISTING.value)

    def end(self, job_id: str, status: Status, error: str = "") -> bool:
        """End a job that has not ended; False when it had."""
        open_statuses = {"listing": Status.LISTING.value, "processing": Status.PROCESSING.value}
        changes = {"status": status.value, "error": error, "ended_at": iso(self._items.now())}
        return self._items.update(job_id, changes, "#status IN (:listing, :processing)", added=None, **open_statuses)

    def resume(self, job: Job) -> bool:
        """Open a job that has failed again, as it was before; False when it is not as it was read.

        Its end is taken back: it will have another, which is told under another id.
        """
        status = Status.PROCESSING if job.listing_done else Status.LISTING
        opened: Item = {
            "status": status.value,
            "resumed": job.resumed + 1,
            "updated_at": iso(self._items.now()),
        }
        opened |= {"error": "", "announced": False, "webhook": {}, "exported": {}}
        listed = Update.of({"updated_at": iso(self._items.now())}, removed=("announced",))
        writes = [
            self._items.table.update_action(
                key_of(job.job_id, "META"),
                Update.of(opened),
                "#status = :failed AND resumed = :seen",
                {":failed": "failed", ":seen": job.resumed},
                {"#status": "status"},
            ),
            self._items.table.update_action(_listed_key(job), listed, "attribute_exists(sk)"),
        ]
        try:
            self._items.count_with(writes, job.job_id, {})
        except ConditionFailedError:
            return False
        return True

    def touch(self, job: Job) -> bool:
        """Mark a job that has not changed for a while as looked after; False when it has changed since it was read."""
        return self._items.update(job.job_id, {}, "updated_at = :seen", seen=job.updated_at)

    def mark_announced(self, job: Job) -> None:
        """Record that the end of a job has been announced, on the job and in the list of jobs, at once.

        Of a job that has been resumed since, nothing: the end that was announced is not its last.
        """
        announced = Update.of({"announced": True, "updated_at": iso(self._items.now())})
        meta, seen = key_of(job.job_id, "META"), {":seen": job.resumed}
        writes = [
            self._items.table.update_action(meta, announced, "resumed = :seen", seen),
            self._items.table.update_action(_listed_key(job), announced, "attribute_exists(sk)"),
        ]
        with suppress(ConditionFailedError):
            self._items.count_with(writes, job.job_id, {})

    def save_webhook(self, job_id: str, delivery: Mapping[str, object]) -> None:
        """Record how the last delivery to the webhook ended."""
        self._items.update(job_id, {"webhook": dict(delivery)}, "attribute_exists(sk)")

    def save_export(self, job_id: str, export: Mapping[str, object]) -> None:
        """Record where the findings are exported to, and how far that is."""
        self._items.update(job_id, {"exported": dict(export)}, "attribute_exists(sk)")

    def newest(self, limit: int, before: str | None) -> tuple[list[Job], str | None]:
        """Return jobs, newest first, and the position to go on from."""
        condition = "pk = :pk AND sk < :before" if before else "pk = :pk"
        values = {":pk": "JOBS", **({":before": before} if before else {})}
        rows = self._items.table.page(condition, values, Read(newest_first=True, page_size=limit + 1)).items
        jobs = [job for row in rows[:limit] if (job := self.get(row["job_id"]))]
        return jobs, rows[limit - 1]["sk"] if len(rows) > limit else None

    def unannounced(self) -> list[Job]:
        """Return all jobs that have not ended, or whose end has not been told, newest first.

        However many came after it, a job is among them until its end has been told.
        """
        those = Read(filtered="attribute_not_exists(announced)", newest_first=True)
        rows = list(self._items.table.query("pk = :pk", {":pk": "JOBS"}, those))
        jobs = (self.get(row["job_id"]) for row in rows)
        return [job for job in jobs if job is not None and not (job.ended and job.announced)]


def _listed_key(job: Job) -> Item:
    return {"pk": "JOBS", "sk": f"{job.created_at}#{job.job_id}"}
