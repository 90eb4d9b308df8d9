"""One process that checks one object of any size, whose bytes do not exist: S3 answers inside the process.

Run as `python -m benchmarks.consignments.large_object SIZE`. Writes what the handler answers, the result, and the most
memory that its process and those of the scanners have had.
"""

import json
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import botocore.handlers
from botocore.awsrequest import AWSPreparedRequest, AWSResponse

_HEAD = b"%PDF-1.7\n1 0 obj <</Type/Catalog>> endobj\n"
_TAIL = b"\ntrailer <</Root 1 0 R>>\n%%EOF\n"


class _Sparse:
    """The body of the object: a head, zeros, and a tail."""

    def __init__(self, size: int) -> None:
        self._left = size
        self._size = size
        self._zeros = bytes(1 << 20)

    def read(self, amount: int | None = None, **_: Any) -> bytes:
        count = min(self._left, len(self._zeros), amount or self._left)
        if self._left == self._size:
            part = _HEAD + self._zeros[: count - len(_HEAD)]
        elif count == self._left:
            part = self._zeros[: count - len(_TAIL)] + _TAIL
        else:
            part = self._zeros[:count]
        self._left -= count
        return part

    def stream(self, *_: Any, **__: Any) -> Iterator[bytes]:
        while part := self.read(1 << 20):
            yield part

    def close(self) -> None:
        """Nothing is open."""


class _Text(_Sparse):
    def __init__(self, text: bytes) -> None:
        super().__init__(0)
        self._text = text

    def read(self, amount: int | None = None, **_: Any) -> bytes:
        part, self._text = self._text[:amount], self._text[amount:] if amount else b""
        return part


class _FakeS3:
    def __init__(self, size: int) -> None:
        self._size = size
        self.stored = b""
        self.read = 0

    def answer(self, request: AWSPreparedRequest, event_name: str, **_: Any) -> AWSResponse:
        if event_name.endswith("PutObject"):
            body: Any = request.body
            self.stored = body if isinstance(body, bytes) else body.read()
            return self._response(request, 200, {"ETag": '"stored"'}, _Text(b""))
        if event_name.endswith("ListObjectsV2"):
            return self._response(
                request, 200, {}, _Text(b"<ListBucketResult><KeyCount>0</KeyCount></ListBucketResult>")
            )
        if "rules" in request.url:
            return self._response(request, 404, {}, _Text(b"<Error><Code>NoSuchKey</Code></Error>"))
        headers = {"ETag": '"large"', "Content-Length": str(self._size), "x-amz-version-id": "v1"}
        return self._response(request, 200, headers, _Sparse(self._size))

    def no_item(self, request: AWSPreparedRequest, **_: Any) -> AWSResponse:
        """Answer for the table, which knows of no rules that were ever built."""
        return self._response(request, 200, {"Content-Type": "application/x-amz-json-1.0"}, _Text(b"{}"))

    def _response(self, request: AWSPreparedRequest, status: int, headers: Any, raw: Any) -> AWSResponse:
        return AWSResponse(request.url, status, headers, raw)


def main() -> None:
    size = int(sys.argv[1])
    fake = _FakeS3(size)
    botocore.handlers.BUILTIN_HANDLERS += [("before-send.s3", fake.answer), ("before-send.dynamodb", fake.no_item)]
    os.environ.update(
        CONSIGNMENTS_TABLE="consignments",
        CONSIGNMENT_RESULTS_BUCKET="results",
        CONSIGNMENT_RULES_BUCKET="rules",
        AWS_ACCESS_KEY_ID="none",
        AWS_SECRET_ACCESS_KEY="none",
        AWS_DEFAULT_REGION="eu-west-1",
        POWERTOOLS_TRACE_DISABLED="true",
    )
    from waybill.consignments import runtime
    from waybill.consignments.handlers.check_files import lambda_handler

    record = {"fileId": "1", "originalPath": "a.pdf", "s3SourceBucket": "uploads", "s3SourceBucketKey": "u/c/1"}
    context = SimpleNamespace(
        function_name="check",
        memory_limit_in_mb=2048,
        invoked_function_arn="arn:aws:lambda:eu-west-1:000000000000:function:check",
        aws_request_id="1",
        get_remaining_time_in_millis=lambda: 900_000,
    )
    started = time.perf_counter()
    answer = lambda_handler({"resultKey": "runs/c/e/checks/0.jsonl", "files": [record | {"objectSize": size}]}, context)
    seconds = time.perf_counter() - started
    process = runtime.prepared_scanners().process
    scanners = sum(_peak_mb(str(pid)) for pid in process.pids) if process else 0.0
    peaks = {"function": _peak_mb("self"), "scanners": scanners}
    # The body is sent in signed chunks.
    line = json.loads(fake.stored[fake.stored.index(b"{") : fake.stored.rindex(b"}") + 1])
    json.dump({"answer": answer, "line": line, "peaks": peaks, "seconds": seconds}, sys.stdout)


def _peak_mb(process: str) -> float:
    for line in Path(f"/proc/{process}/status").read_text("ascii").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    raise LookupError("this system does not tell the peak of a process")


if __name__ == "__main__":
    main()
