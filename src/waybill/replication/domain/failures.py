"""What has failed, as a list of objects to go through again."""

import json
from collections.abc import Sequence
from typing import Protocol

from waybill.replication.domain.backfill_job import Entry
from waybill.replication.domain.reconciler import ABANDONED
from waybill.replication.domain.records import FileRunRecords, NewestRecords, RecordItem, RecordStatus
from waybill.replication.models import FileId


class FailedRecords(NewestRecords, FileRunRecords, Protocol):
    """Reads the records of files that have failed."""


def failed_buckets(record: RecordItem) -> list[str]:
    """Return the destinations where the last attempt has failed."""
    found: list[str] = json.loads(record.get("failedBuckets", "[]")) if record["status"] == RecordStatus.FAILED else []
    return found


def failures_below(
    records: FailedRecords, source_bucket: str, prefix: str, *, to: Sequence[str] = (), cause: str | None = None
) -> list[Entry]:
    """Return the files below a prefix that have failed, by key, each with the destinations where it has.

    `to` leaves only these destinations, `cause` only those that failed with this code. A failure that was dismissed is
    none.
    """
    found: dict[str, Entry] = {}
    for record in records.newest([RecordStatus.FAILED]):
        key = record["fileKey"]
        if record["sourceBucket"] != source_bucket or not key.startswith(prefix):
            continue
        # A run that died has left no item of its own: then the record alone tells of the failure.
        items = records.destinations(FileId(source_bucket, key)) if cause else []
        codes = {item["destinationBucket"]: item.get("code") for item in items if item["status"] == RecordStatus.FAILED}
        buckets = [
            bucket
            for bucket in failed_buckets(record)
            if (not to or bucket in to) and (cause is None or codes.get(bucket, ABANDONED) == cause)
        ]
        if buckets:
            found[key] = Entry(key=key, destination_buckets=tuple(buckets))
    return [found[key] for key in sorted(found)]
