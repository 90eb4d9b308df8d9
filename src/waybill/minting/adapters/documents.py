"""Works as JSON documents in S3: upstream and downstream are prefixes of one bucket."""

import hashlib
from collections.abc import Iterator
from contextlib import AbstractContextManager
from datetime import datetime
from typing import TYPE_CHECKING

from waybill.core.aws.s3_faults import ObjectMissingError, translated
from waybill.minting.errors import DocumentsRefusedError, DocumentsUnavailableError, InvalidIdentifierError
from waybill.minting.models import StoredDocument

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

# The functions may read and write below these alone.
_UPSTREAM, _DOWNSTREAM = "upstream/", "downstream/"
_SUFFIX = ".json"
# S3 takes keys of 1,024 bytes of UTF-8.
_KEY_LIMIT_BYTES = 1024


class S3Documents:
    """Reads `upstream/<request string>.json`, writes `downstream/<canonical ID>.json`."""

    def __init__(self, client: "S3Client", bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def read(self, source: str) -> bytes | None:
        """Return the document that a request names, None when there is none.

        Raises
        ------
        InvalidIdentifierError
            The name is too long for an object key.
        DocumentsUnavailableError
            S3 throttles, fails or cannot be reached.
        DocumentsRefusedError
            The bucket is missing, or refuses this role.
        """
        key = f"{_UPSTREAM}{source}{_SUFFIX}"
        if len(key.encode(errors="replace")) > _KEY_LIMIT_BYTES:
            raise InvalidIdentifierError(f"the document's key is over {_KEY_LIMIT_BYTES} bytes of UTF-8")
        try:
            with self._errors():
                return bytes(self._client.get_object(Bucket=self._bucket, Key=key)["Body"].read())
        except ObjectMissingError:
            return None

    def names(self) -> Iterator[tuple[str, datetime]]:
        """Yield every document upstream with the time at which it was last written. Raises as `read`."""
        with self._errors():
            pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=_UPSTREAM)
            for page in pages:
                for each in page.get("Contents", []):
                    name = each["Key"].removeprefix(_UPSTREAM)
                    if name.endswith(_SUFFIX):
                        yield name.removesuffix(_SUFFIX), each["LastModified"]

    def write(self, canonical_id: str, document: bytes) -> StoredDocument:
        """Store a document; the same one again is the same object. Raises as `read`."""
        key = f"{_DOWNSTREAM}{canonical_id}{_SUFFIX}"
        with self._errors():
            told = self._client.put_object(Bucket=self._bucket, Key=key, Body=document, ContentType="application/json")
        sha256 = hashlib.sha256(document).hexdigest()
        return StoredDocument(canonical_id, self._bucket, key, sha256, len(document), told.get("VersionId"))

    def _errors(self) -> AbstractContextManager[None]:
        return translated(DocumentsUnavailableError, DocumentsRefusedError, self._bucket)
