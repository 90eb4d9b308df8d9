"""`CopyTargets` on S3."""

from collections.abc import Mapping
from typing import Any

from waybill.consignments.copying import Place
from waybill.consignments.errors import BucketRefusedError, BucketUnavailableError
from waybill.core.s3_faults import ObjectChangedError, ObjectMissingError, translated

# CopyObject takes objects of at most 5 GiB (Amazon S3 API Reference); larger ones are copied in parts.
_SINGLE_COPY_BYTES = 5 * 1024**3


class S3CopyTargets:
    """The clean bucket and the quarantine bucket; `client` is a boto3 `s3` client."""

    def __init__(self, client: Any, clean: str, quarantine: str) -> None:
        self._client = client
        self._buckets = {Place.CLEAN: clean, Place.QUARANTINE: quarantine}

    def place(self, copy: Mapping[str, Any]) -> bool:
        """Put the copy of one object where it belongs, and take it away from where an earlier run had put it."""
        place = Place(copy["place"])
        # First away, so that at no time a file is clean that its newest verdict does not call so.
        for other, bucket in self._buckets.items():
            if other is not place:
                with translated(BucketUnavailableError, BucketRefusedError, bucket):
                    self._client.delete_object(Bucket=bucket, Key=copy["to"])
        return place is Place.NOWHERE or self._copied(copy, self._buckets[place])

    def _copied(self, copy: Mapping[str, Any], bucket: str) -> bool:
        source = {"Bucket": copy["bucket"], "Key": copy["key"]}
        if "versionId" in copy:
            source["VersionId"] = copy["versionId"]
        # Tags stay behind: they may be a scanner's verdict on the upload, and copying them takes rights of its own
        # (Amazon S3 API Reference, CopyObject).
        options = {"CopySourceIfMatch": copy["eTag"], "TaggingDirective": "REPLACE"}
        try:
            with translated(BucketUnavailableError, BucketRefusedError, f"{bucket}/{copy['to']}"):
                if copy["size"] > _SINGLE_COPY_BYTES:
                    self._client.copy(source, bucket, copy["to"], ExtraArgs=options)
                else:
                    self._client.copy_object(CopySource=source, Bucket=bucket, Key=copy["to"], **options)
        except (ObjectMissingError, ObjectChangedError):
            return False
        return True
