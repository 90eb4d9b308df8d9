"""`Objects` and `Tags` on S3: one GetObject per file, of exactly the state that the register holds."""

from collections.abc import Callable
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from waybill.consignments.domain.checks.errors import ChecksUnavailableError, FileRefusedError
from waybill.consignments.domain.checks.models import Failure, FileRecord, Reason
from waybill.core.aws.faults import reason_of
from waybill.core.aws.s3_faults import PASSING, S3Fault, s3_fault

# How often a connection that broke in the middle is taken up again, behind what has been read.
_RESUMPTIONS = 4
_REFUSALS = {
    S3Fault.OBJECT_MISSING: Failure(Reason.OBJECT_MISSING, "The uploaded file, or the version of it, is not there."),
    S3Fault.CHANGED: Failure(Reason.OBJECT_REPLACED, "The file was replaced after the checks had begun."),
    S3Fault.DENIED: Failure(Reason.ACCESS_DENIED, "S3 does not let the checks read the file."),
    S3Fault.KMS_DENIED: Failure(Reason.ACCESS_DENIED, "The file's key does not let the checks read it."),
}


class UploadedObject:
    """An object that is being read; what breaks off is taken up where it broke, in the same state."""

    def __init__(self, get: Callable[[int, str], Any]) -> None:
        self._get = get
        answer = get(0, "")
        self._body = answer["Body"]
        self._e_tag = str(answer["ETag"])
        self._read = 0
        self._resumptions = 0
        self.size = int(answer["ContentLength"])
        self.version_id: str | None = answer.get("VersionId")
        self.e_tag = self._e_tag.strip('"')

    def read(self, count: int) -> bytes:
        """Read up to `count` bytes; none at the end only.

        Raises
        ------
        ChecksUnavailableError
            The connection breaks again and again.
        FileRefusedError
            The object was replaced meanwhile.
        """
        while self._read < self.size:
            try:
                chunk = bytes(self._body.read(count))
            except (BotoCoreError, OSError) as error:
                chunk = b""
                reason = type(error).__name__
            else:
                reason = "a short answer"
            if chunk:
                self._read += len(chunk)
                return chunk
            self._resume(reason)
        return b""

    def close(self) -> None:
        """Give the connection back."""
        self._body.close()

    def _resume(self, reason: str) -> None:
        self._resumptions += 1
        if self._resumptions > _RESUMPTIONS:
            raise ChecksUnavailableError(f"S3 broke off {self._resumptions} times: {reason}")
        self._body.close()
        self._body = self._get(self._read, self._e_tag)["Body"]


class S3Objects:
    """Reads the uploaded objects."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def open(self, record: FileRecord) -> UploadedObject:
        """Open exactly the object that `record` names, in the state that it names.

        Raises
        ------
        FileRefusedError
            It is missing, was replaced, or may not be read.
        ChecksUnavailableError
            S3 fails or asks to slow down.
        """

        def get(offset: int, e_tag: str) -> Any:
            state = {"VersionId": record.version_id} if record.version_id else {}
            match = {"IfMatch": e_tag or record.e_tag} if e_tag or record.e_tag else {}
            part = {"Range": f"bytes={offset}-"} if offset else {}
            try:
                return self._client.get_object(Bucket=record.bucket, Key=record.key, **state, **match, **part)
            except (ClientError, BotoCoreError) as error:
                raise _translated(error) from error

        return UploadedObject(get)


class S3Tags:
    """Reads the tags of the uploaded objects."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def read(self, record: FileRecord, version_id: str | None) -> dict[str, str]:
        """Return the tags of the object, of the version that was read; raises as `S3Objects.open`."""
        version = {"VersionId": version_id} if version_id and version_id != "null" else {}
        try:
            answer = self._client.get_object_tagging(Bucket=record.bucket, Key=record.key, **version)
        except (ClientError, BotoCoreError) as error:
            raise _translated(error) from error
        return {tag["Key"]: tag["Value"] for tag in answer["TagSet"]}


def _translated(error: ClientError | BotoCoreError) -> Exception:
    fault = s3_fault(error)
    if fault in PASSING:
        return ChecksUnavailableError(f"{reason_of(error)} from S3")
    refused = Failure(Reason.OBJECT_REFUSED, f"S3 refuses the file ({reason_of(error)}).")
    return FileRefusedError(_REFUSALS.get(fault, refused))
