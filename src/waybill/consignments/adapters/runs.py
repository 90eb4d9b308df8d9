"""The documents of runs on S3: JSON Lines in UTF-8, below `<consignment>/<execution>/`."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from tempfile import SpooledTemporaryFile
from typing import Any

from waybill.consignments.errors import DocumentMissingError, RunBucketRefusedError, RunBucketUnavailableError
from waybill.core.aws.s3_faults import ObjectMissingError, translated

_IN_MEMORY_BYTES = 16_000_000
# JSON lets these stand as they are, in the name of a file too; readers that know Unicode end a line at each of them.
_LINE_ENDS = {ord(end): f"\\u{ord(end):04x}" for end in "\x85\u2028\u2029"}


class _Lines:
    """`LineWriter` on a temporary file."""

    def __init__(self, file: Any) -> None:
        self._file = file

    def add(self, line: Mapping[str, Any]) -> None:
        """Append one line."""
        text = json.dumps(line, ensure_ascii=False, separators=(",", ":")).translate(_LINE_ENDS)
        self._file.write(text.encode() + b"\n")


class S3RunDocuments:
    """`RunDocuments` of one run; a step that is repeated writes the same objects again."""

    def __init__(self, client: Any, bucket: str, prefix: str) -> None:
        self._client = client
        self.bucket = bucket
        self.prefix = prefix

    @contextmanager
    def writing(self, name: str) -> Iterator[_Lines]:
        """Write a document; it is there, whole, when the block has ended without an error."""
        with SpooledTemporaryFile(max_size=_IN_MEMORY_BYTES) as file:
            yield _Lines(file)
            file.seek(0)
            with translated(RunBucketUnavailableError, RunBucketRefusedError, f"{self.prefix}{name}"):
                self._client.upload_fileobj(file, self.bucket, self.prefix + name)

    def reading(self, name: str, *, required: bool = True) -> Iterator[dict[str, Any]]:
        """Yield the lines of a document; raises `DocumentMissingError` when there is none, unless it may be missing."""
        about = f"{self.prefix}{name}"
        try:
            with translated(RunBucketUnavailableError, RunBucketRefusedError, about):
                body = self._client.get_object(Bucket=self.bucket, Key=about)["Body"]
                for line in body.iter_lines(chunk_size=1 << 20):
                    if line:
                        yield json.loads(line)
        except ObjectMissingError as error:
            # A run without its results must never look like one without files.
            if required:
                raise DocumentMissingError(f"there is no {about}") from error
