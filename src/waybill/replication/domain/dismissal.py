"""Failures that nobody will mend: a person says so, with the reason, and they are no longer listed as failures."""

import json
from collections.abc import Callable
from datetime import datetime

from waybill.core.clock import iso
from waybill.core.errors import FieldError, InvalidInputError, NotFoundError
from waybill.replication.domain.records import Dismissal, DismissalRecords, RecordStatus
from waybill.replication.models import FileId

_REASON_LIMIT = 500


def dismiss(
    records: DismissalRecords, file: FileId, bucket: str | None, *, by: str, reason: str, now: Callable[[], datetime]
) -> tuple[str, ...]:
    """Dismiss the failure of `file` at `bucket`, or at every destination; return where.

    No copy is touched. When the file fails there again it is a failure again.

    Raises
    ------
    InvalidInputError
        The reason is blank or too long.
    NotFoundError
        The file has no record, or has not failed there.
    """
    reason = reason.strip()
    if not 0 < len(reason) <= _REASON_LIMIT:
        raise InvalidInputError(FieldError("reason", f"must have 1 to {_REASON_LIMIT} characters"))
    address = f"s3://{file.source_bucket}/{file.source_key}"
    record = records.record(file)
    if record is None:
        raise NotFoundError(f"there is no record of {address}")
    items = records.destinations(file)
    recorded = {item["destinationBucket"] for item in items}
    failed = {item["destinationBucket"] for item in items if item["status"] == RecordStatus.FAILED}
    failed |= set(json.loads(record.get("failedBuckets", "[]"))) - recorded
    buckets = tuple(sorted(failed if bucket is None else failed & {bucket}))
    if not buckets:
        raise NotFoundError(f"{address} has no failure {f'at {bucket}' if bucket else 'at any destination'}")
    records.dismiss(file, buckets, Dismissal(by, reason, iso(now())))
    return buckets
