"""The items of the tracking table: their keys, and what they hold.

Hash key `fileKey` (the object's key), range key `sourceBucket`. Bucket names cannot contain `#`, so the further items
of a file stand beside its record without being in the way of its readers:

    <bucket>                            the record: the latest run, counts, results
    <bucket>#dest#<destination>         the file at one destination
    <bucket>#put-back#<destination>     what an overtaken run has done there last, to put right what had landed late
    <bucket>#exec#<start>#<execution>   one ended run, kept for the days of history; the first run of a file that went
                                        well has none before there is another run: its record tells of it

The index `ByStatus` (hash `statusPartition`, range `startTime`) holds the records alone. IN_PROGRESS, FAILED and
DISMISSED are one partition each; the others, which every file ends in, are spread over shards, so that none gets hot.
"""

import hashlib
import json
from datetime import datetime

from waybill.core.aws.dynamodb import Item
from waybill.replication.domain.records import RecordStatus
from waybill.replication.domain.standing import Standing
from waybill.replication.models import FileId, ObjectFacts, RunOutcome, RunTotals

SHARDS = 8
_IN_ONE_PARTITION = frozenset({RecordStatus.IN_PROGRESS, RecordStatus.FAILED, RecordStatus.DISMISSED})
# DynamoDB items hold 400 KB; 1,000 destination names of 63 characters take 66 KB per list, and a record has three
# lists.
_RESULTS_LIMIT_BYTES = 120_000
_CAUSE_LIMIT = 2_000
_SECONDS_PER_DAY = 86_400

# The condition that `history_of` a record is None, and what is bound in it.
IS_NO_HISTORY = "(attribute_not_exists(outcome) OR outcome <> :success OR generation <> :first)"
IS_NO_HISTORY_VALUES = {":success": RunOutcome.SUCCESS.value, ":first": 1}

# What the end of a run adds to the record, and the next claim removes.
FINAL_ATTRIBUTES = (
    "completedAt",
    "outcome",
    "totalBuckets",
    "successfulCopies",
    "failedCopies",
    "supersededCopies",
    "dismissedCopies",
    "successfulBuckets",
    "failedBuckets",
    "copyResults",
    "copyResultsCut",
)

# Up to which start files that are overdue have been told of; its sort key is no bucket's name.
OVERDUE_KEY = {"fileKey": "#overdue", "sourceBucket": "#overdue"}

type Key = dict[str, str]


def record_key(file: FileId) -> Key:
    """Return the key of the file's record."""
    return {"fileKey": file.source_key, "sourceBucket": file.source_bucket}


def destination_prefix(file: FileId) -> str:
    """Return how the range keys of the file's destinations begin."""
    return f"{file.source_bucket}#dest#"


def destination_key(file: FileId, bucket: str) -> Key:
    """Return the key of the file at the destination `bucket`."""
    return {"fileKey": file.source_key, "sourceBucket": f"{destination_prefix(file)}{bucket}"}


def put_back_key(file: FileId, bucket: str) -> Key:
    """Return the key of what was put right at the destination `bucket` last."""
    return {"fileKey": file.source_key, "sourceBucket": f"{file.source_bucket}#put-back#{bucket}"}


def history_prefix(file: FileId) -> str:
    """Return how the range keys of the file's ended runs begin; after it, they order by their start."""
    return f"{file.source_bucket}#exec#"


def history_key(file: FileId, start_time: str, execution_id: str) -> Key:
    """Return the key of one ended run."""
    range_key = f"{history_prefix(file)}{start_time}#{execution_id}"
    return {"fileKey": file.source_key, "sourceBucket": range_key}


def history_of(record: Item, history_days: int) -> Item | None:
    """Return the history item of the run that owns `record`, where the record is all that tells of it.

    That is the first run of a file, if every destination got it: most files have no other run, and need no other item.
    """
    if record.get("generation") != 1 or record.get("outcome") != RunOutcome.SUCCESS:
        return None
    buckets = json.loads(record["destinationBuckets"])
    totals = {"totalBuckets": len(buckets), "successfulCopies": len(buckets), "failedCopies": 0, "supersededCopies": 0}
    return {
        **history_key(FileId(record["sourceBucket"], record["fileKey"]), record["startTime"], record["executionId"]),
        **{name: record[name] for name in ("executionId", "startTime", "destinationBuckets", "completedAt", "outcome")},
        **totals,
        "status": RecordStatus.COMPLETED.value,
        "successfulBuckets": record["destinationBuckets"],
        "failedBuckets": json_text([]),
        "expiresAt": expiry(datetime.fromisoformat(record["completedAt"]), history_days),
    }


def expiry(ended: datetime, history_days: int) -> int:
    """Return when a run that `ended` then is forgotten, in seconds since 1970."""
    return int(ended.timestamp()) + history_days * _SECONDS_PER_DAY


def partitions_of(status: RecordStatus) -> list[str]:
    """Return the index partitions that hold the records of `status`."""
    return [status.value] if status in _IN_ONE_PARTITION else [f"{status.value}#{shard}" for shard in range(SHARDS)]


def status_partition(status: RecordStatus, file: FileId) -> str:
    """Return the index partition of the record of `file`."""
    partitions = partitions_of(status)
    digest = hashlib.sha256(f"{file.source_bucket}/{file.source_key}".encode(errors="surrogatepass")).digest()
    return partitions[digest[0] % len(partitions)]


def status_of(outcome: RunOutcome) -> RecordStatus:
    """Return the status of a run that ended so."""
    match outcome:
        case RunOutcome.SUCCESS:
            return RecordStatus.COMPLETED
        case RunOutcome.SUPERSEDED:
            return RecordStatus.SUPERSEDED
        case RunOutcome.PARTIAL_FAILURE | RunOutcome.FAILED:
            return RecordStatus.FAILED


def summary_of(totals: RunTotals, outcome: RunOutcome) -> Item:
    """Return what the history holds of an ended run."""
    return {
        "status": status_of(outcome).value,
        "outcome": outcome.value,
        "totalBuckets": totals.total_buckets,
        "successfulCopies": totals.successful_copies,
        "failedCopies": totals.failed_copies,
        "supersededCopies": totals.superseded_copies,
        "successfulBuckets": json_text(totals.buckets(success=True)),
        "failedBuckets": json_text(totals.buckets(success=False)),
    }


def standing_attributes(standing: Standing, file: FileId) -> Item:
    """Return what the record holds of how its file stands."""
    return {
        "status": standing.status.value,
        "statusPartition": status_partition(standing.status, file),
        "totalBuckets": standing.total,
        "successfulCopies": len(standing.successful),
        "failedCopies": len(standing.failed),
        "supersededCopies": len(standing.superseded),
        "dismissedCopies": len(standing.dismissed) or None,
        "successfulBuckets": json_text(standing.successful),
        "failedBuckets": json_text(standing.failed),
    }


def capped_results(totals: RunTotals) -> Item:
    """Return the results; where they do not all fit, failures first (each destination has its own item anyway)."""
    results = [shortened(result) for result in totals.results]
    whole = json_text(results)
    if len(whole.encode()) <= _RESULTS_LIMIT_BYTES:
        return {"copyResults": whole, "copyResultsCut": None}
    kept: list[Item] = []
    room = _RESULTS_LIMIT_BYTES
    for result in sorted(results, key=lambda result: bool(result["success"])):
        room -= len(json_text(result).encode()) + 1
        if room < 0:
            break
        kept.append(result)
    return {"copyResults": json_text(kept), "copyResultsCut": len(results) - len(kept)}


def shortened(result: Item) -> Item:
    """Return `result` with a cause that fits an item."""
    return {**result, "cause": result["cause"][:_CAUSE_LIMIT]} if result.get("cause") else dict(result)


def checksum_attributes(source: ObjectFacts | None) -> Item:
    """Return what an item of a destination holds of the source's checksum; one over parts says nothing of the bytes."""
    checksum = source.checksum if source else None
    if checksum is None or checksum.composite:
        return {}
    return {"sourceChecksumAlgorithm": checksum.algorithm, "sourceChecksum": checksum.value}


def json_text(value: object) -> str:
    """Return a list as the table keeps it: JSON, as documented."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
