"""The documents of runs on S3: JSON Lines in UTF-8, below `<consignment>/<execution>/`."""

import json
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from tempfile import SpooledTemporaryFile
from typing import IO, TYPE_CHECKING, override

from waybill.consignments.domain.ports import Document, LineWriter, RunDocuments
from waybill.consignments.errors import DocumentMissingError, RunBucketRefusedError, RunBucketUnavailableError
from waybill.core.aws.s3 import S3Reader
from waybill.core.aws.s3_faults import ObjectChangedError, ObjectMissingError, translated

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_IN_MEMORY_BYTES = 16_000_000
# JSON lets these stand as they are, in the name of a file too; readers that know Unicode end a line at each of them.
_LINE_ENDS = {ord(end): f"\\u{ord(end):04x}" for end in "\x85\u2028\u2029"}


class _Lines[T](LineWriter[T]):
    """`LineWriter` on a temporary file."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    @override
    def add(self, line: T) -> None:
        text = json.dumps(line, ensure_ascii=False, separators=(",", ":")).translate(_LINE_ENDS)
        self._file.write(text.encode() + b"\n")


class S3RunDocuments(RunDocuments):
    """`RunDocuments` of one run; a step that is repeated writes the same objects again."""

    def __init__(self, client: "S3Client", bucket: str, prefix: str) -> None:
        self._client = client
        self._reader = S3Reader(client)
        self.bucket = bucket
        self._prefix = prefix

    def key[T](self, document: Document[T]) -> str:
        """Return the key of a document."""
        return f"{self._prefix}{document.name}"

    @override
    @contextmanager
    def writing[T](self, document: Document[T]) -> Iterator[LineWriter[T]]:
        key = self.key(document)
        with SpooledTemporaryFile(max_size=_IN_MEMORY_BYTES) as file:
            yield _Lines(file)
            file.seek(0)
            with _errors(key):
                self._client.upload_fileobj(file, self.bucket, key)

    @override
    def reading[T](self, document: Document[T], *, required: bool = True) -> Iterator[T]:
        key = self.key(document)
        try:
            with _errors(key), self._reader.open(self.bucket, key) as stored:
                yield from map(json.loads, stored.lines())
        except ObjectMissingError as error:
            # A run without its results must never look like one without files.
            if required:
                raise DocumentMissingError(f"there is no {key}") from error
        except ObjectChangedError as error:
            # A step that is repeated has written it again, while this one read it.
            raise RunBucketUnavailableError(f"{key} was replaced while it was read") from error


def _errors(key: str) -> AbstractContextManager[None]:
    return translated(RunBucketUnavailableError, RunBucketRefusedError, key)
