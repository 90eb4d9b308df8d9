"""What a run keeps in S3: manifest, results of its chunks, report; and the failures of queued requests."""

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from tempfile import SpooledTemporaryFile
from typing import IO, TYPE_CHECKING

from waybill.core.aws.s3_faults import ObjectMissingError, translated
from waybill.minting.errors import DocumentsRefusedError, DocumentsUnavailableError, InvalidRequestError
from waybill.minting.models import Chunk, ChunkManifest, MintResponse

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_PREFIX = "minting/"
_IN_MEMORY_BYTES = 16_000_000


class S3Runs:
    """Everything of a run under `minting/<run>/`; a repeated step writes the same objects again."""

    def __init__(self, client: "S3Client", bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def lines(self, uri: str) -> Iterator[str]:
        """Yield the lines of an object of this bucket, `s3://bucket/key`.

        Raises
        ------
        InvalidRequestError
            It is in another bucket, is not there, or is not text.
        """
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        if not uri.startswith("s3://") or not key:
            raise InvalidRequestError("identifiersUri must be s3://BUCKET/KEY")
        if bucket != self._bucket:
            raise InvalidRequestError(f"identifiersUri must be in the bucket {self._bucket}")
        with _errors(key):
            for line in self._client.get_object(Bucket=bucket, Key=key)["Body"].iter_lines():
                try:
                    yield line.decode()
                except UnicodeDecodeError:
                    raise InvalidRequestError("identifiersUri names an object that is not UTF-8 text") from None

    def write_manifest(self, run: str, chunks: Iterable[Chunk]) -> ChunkManifest:
        """Write a line per chunk; return `{bucket, key, chunkCount}`."""
        key, count = f"{_PREFIX}{run}/manifest.jsonl", 0
        with SpooledTemporaryFile(max_size=_IN_MEMORY_BYTES) as manifest:
            for chunk in chunks:
                manifest.write(json.dumps(chunk, separators=(",", ":")).encode() + b"\n")
                count += 1
            manifest.seek(0)
            self._upload(key, manifest)
        return {"bucket": self._bucket, "key": key, "chunkCount": count}

    def write_result(self, run: str, index: int, response: MintResponse) -> None:
        """Keep the response of one chunk."""
        self._put(self._result(run, index), response)

    def result(self, run: str, index: int) -> MintResponse | None:
        """Return what one chunk has left so far; None when it has left nothing."""
        key = self._result(run, index)
        try:
            with _errors(key):
                found: MintResponse = json.loads(self._client.get_object(Bucket=self._bucket, Key=key)["Body"].read())
        except InvalidRequestError:
            return None
        return found

    def results(self, run: str) -> Iterator[MintResponse]:
        """Yield the responses of the chunks, in the order of the request."""
        with _errors(run):
            pages = self._client.get_paginator("list_objects_v2").paginate(
                Bucket=self._bucket, Prefix=self._results(run)
            )
            for page in pages:
                for each in page.get("Contents", []):
                    yield json.loads(self._client.get_object(Bucket=self._bucket, Key=each["Key"])["Body"].read())

    def write_report(self, run: str, report: IO[bytes]) -> str:
        """Store the report; return its address, `s3://bucket/key`."""
        key = f"{_PREFIX}{run}/report.json"
        self._upload(key, report)
        return f"s3://{self._bucket}/{key}"

    def record_failure(self, message_id: str, record: MintResponse) -> str:
        """Keep what a queued request failed of for good; return the address, `s3://bucket/key`."""
        key = f"{_PREFIX}failures/{message_id}.json"
        self._put(key, record)
        return f"s3://{self._bucket}/{key}"

    def _results(self, run: str) -> str:
        return f"{_PREFIX}{run}/results/"

    def _result(self, run: str, index: int) -> str:
        return f"{self._results(run)}{index:08}.json"

    def _put(self, key: str, document: MintResponse) -> None:
        body = json.dumps(document, separators=(",", ":")).encode()
        with _errors(key):
            self._client.put_object(Bucket=self._bucket, Key=key, Body=body, ContentType="application/json")

    def _upload(self, key: str, content: IO[bytes]) -> None:
        with _errors(key):
            self._client.upload_fileobj(content, self._bucket, key)


@contextmanager
def _errors(about: str) -> Iterator[None]:
    try:
        with translated(DocumentsUnavailableError, DocumentsRefusedError, about):
            yield
    except ObjectMissingError as error:
        raise InvalidRequestError(f"there is no object {about}") from error
