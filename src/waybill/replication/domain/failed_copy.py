"""What is done about a destination whose copy has failed for good."""

from waybill.replication.domain.buckets import Buckets
from waybill.replication.domain.outcome import failed_result
from waybill.replication.domain.records import Tracking
from waybill.replication.models import CopyCode, DestinationResult, FailedCopy, ObjectPlace


def record_failure(failed: FailedCopy, buckets: Buckets, tracking: Tracking, timestamp: str) -> DestinationResult:
    """Abort the upload that the run has open to the destination, record the failure there, and return the result.

    A superseded copy is no failure: the run of the newer event records that destination.
    """
    run, bucket = failed.run, failed.destination_bucket
    record = tracking.destination(run.file, bucket)
    place = ObjectPlace(bucket, run.destination_key)
    if record and record.upload_id and record.execution_id == run.execution_id:
        buckets.abort_upload(place, record.upload_id)
    result = failed_result(run, bucket, failed.failure, failed.attempt, timestamp)
    if result.code != CopyCode.SUPERSEDED and (lost := tracking.record_destination(run, result, None)):
        buckets.abort_upload(place, lost)
    return result
