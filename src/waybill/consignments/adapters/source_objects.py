"""The uploaded objects on S3: one GetObject per file, of exactly the state that the register holds."""

from typing import TYPE_CHECKING, override

from waybill.consignments.domain.checks.errors import ChecksUnavailableError, FileRefusedError
from waybill.consignments.domain.checks.models import Failure, FileRecord, Reason
from waybill.consignments.domain.checks.ports import ObjectTags, OpenObject, UploadedObjects
from waybill.core.aws.s3 import S3Reader, S3ReadError
from waybill.core.aws.s3_faults import S3Fault

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

    from waybill.core.retry import Retry

_REFUSALS = {
    S3Fault.OBJECT_MISSING: Failure(Reason.OBJECT_MISSING, "The uploaded file, or the version of it, is not there."),
    S3Fault.CHANGED: Failure(Reason.OBJECT_REPLACED, "The file was replaced after the checks had begun."),
    S3Fault.DENIED: Failure(Reason.ACCESS_DENIED, "S3 does not let the checks read the file."),
    S3Fault.KMS_DENIED: Failure(Reason.ACCESS_DENIED, "The file's key does not let the checks read it."),
}
# What S3 calls the version of an object that was stored while the bucket kept none.
_NO_VERSION = "null"


class S3Objects(UploadedObjects, ObjectTags):
    """`UploadedObjects` and `ObjectTags` on S3; `retry` says how often a connection that broke is opened again."""

    def __init__(self, client: "S3Client", retry: "Retry | None" = None) -> None:
        options = {} if retry is None else {"retry": retry}
        self._reader = S3Reader(client, translate=_in_our_words, **options)

    @override
    def open(self, record: FileRecord) -> OpenObject:
        return self._reader.open(record.bucket, record.key, version_id=record.version_id, e_tag=record.e_tag)

    @override
    def tags(self, record: FileRecord, version_id: str | None) -> dict[str, str]:
        version = None if version_id == _NO_VERSION else version_id
        return self._reader.tags(record.bucket, record.key, version_id=version)


def _in_our_words(error: S3ReadError) -> Exception:
    if error.is_transient:
        return ChecksUnavailableError(f"{error.reason} from S3")
    refused = Failure(Reason.OBJECT_REFUSED, f"S3 refuses the file ({error.reason}).")
    return FileRefusedError(_REFUSALS.get(error.fault, refused))
