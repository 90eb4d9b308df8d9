"""S3 with one object of any size, inside the process of a function: botocore's hook answers instead of the network.

The requests are built and signed and the answers parsed as ever, so that a function uses the memory that it would use;
only the bytes of the object do not exist, and no handler asks for them.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any
from urllib.parse import parse_qs, urlsplit

import botocore.handlers
from botocore.awsrequest import AWSPreparedRequest, AWSResponse

_E_TAG = '"9bb58f26192e4ba00f01e2e7b136bbd8"'
_CHECKSUM = "AAAAAAAAAAA="
_WRITTEN = "Sun, 01 Nov 2026 00:00:00 GMT"
_PAGE = 1000
_XML = "<?xml version='1.0' encoding='UTF-8'?>"


@dataclass
class FakeS3:
    """Every object of every bucket has `size` bytes and one checksum; uploads have parts of `part_size` bytes.

    `finished` parts are there already when the process starts.
    """

    size: int
    part_size: int
    region: str
    finished: set[int] = field(default_factory=set)

    def answer(self, request: AWSPreparedRequest, event_name: str, **_: Any) -> AWSResponse:
        """Answer a request that is about to be sent."""
        operation = event_name.rpartition(".")[2]
        query = {name: values[0] for name, values in parse_qs(urlsplit(request.url).query).items()}
        body = getattr(self, f"_{operation}", _empty)(query)
        return _response(request, body, headers=self._headers(operation))

    def _headers(self, operation: str) -> dict[str, str]:
        if operation != "HeadObject":
            return {}
        return {
            "Content-Length": str(self.size),
            "ETag": _E_TAG,
            "Last-Modified": _WRITTEN,
            "x-amz-checksum-crc64nvme": _CHECKSUM,
            "x-amz-checksum-type": "FULL_OBJECT",
            "x-amz-meta-department": "records",
        }

    def _GetBucketLocation(self, _: dict[str, str]) -> str:  # noqa: N802 - named as the operation
        return f"{_XML}<LocationConstraint>{self.region}</LocationConstraint>"

    def _CopyObject(self, _: dict[str, str]) -> str:  # noqa: N802
        checksum = f"<ChecksumCRC64NVME>{_CHECKSUM}</ChecksumCRC64NVME><ChecksumType>FULL_OBJECT</ChecksumType>"
        return f"{_XML}<CopyObjectResult><ETag>{_E_TAG}</ETag>{checksum}</CopyObjectResult>"

    def _CreateMultipartUpload(self, _: dict[str, str]) -> str:  # noqa: N802
        upload = "<UploadId>VXBsb2FkIElEIGZvciBhIGxhcmdlIG9iamVjdA</UploadId>"
        return f"{_XML}<InitiateMultipartUploadResult>{upload}</InitiateMultipartUploadResult>"

    def _UploadPartCopy(self, query: dict[str, str]) -> str:  # noqa: N802
        self.finished.add(int(query["partNumber"]))
        return f"{_XML}<CopyPartResult><ETag>{_E_TAG}</ETag></CopyPartResult>"

    def _ListParts(self, query: dict[str, str]) -> str:  # noqa: N802
        after = int(query.get("part-number-marker", 0))
        listed = sorted(number for number in self.finished if number > after)
        page, more = listed[:_PAGE], len(listed) > _PAGE
        marker = f"<NextPartNumberMarker>{page[-1]}</NextPartNumberMarker>" if more else ""
        parts = "".join(map(self._part, page))
        truncated = f"<IsTruncated>{str(more).lower()}</IsTruncated>"
        return f"{_XML}<ListPartsResult>{truncated}{marker}{parts}</ListPartsResult>"

    def _part(self, number: int) -> str:
        size = min(self.part_size, self.size - (number - 1) * self.part_size)
        numbers = f"<PartNumber>{number}</PartNumber><Size>{size}</Size>"
        written = "<LastModified>2026-11-01T00:00:00.000Z</LastModified>"
        checksum = f"<ChecksumCRC64NVME>{_CHECKSUM}</ChecksumCRC64NVME>"
        return f"<Part>{numbers}{written}<ETag>{_E_TAG}</ETag>{checksum}</Part>"

    def _CompleteMultipartUpload(self, _: dict[str, str]) -> str:  # noqa: N802
        return f"{_XML}<CompleteMultipartUploadResult><ETag>{_E_TAG}</ETag></CompleteMultipartUploadResult>"


def _empty(_: dict[str, str]) -> str:
    return ""


def _response(
    request: AWSPreparedRequest, body: str, *, status: int = 200, headers: Mapping[str, str] | None = None
) -> AWSResponse:
    raw: Any = _Raw(body.encode())
    answered: Any = dict(headers or {})
    return AWSResponse(request.url, status, answered, raw)


class _Raw(BytesIO):
    """A body as botocore reads it."""

    def stream(self, **_: Any) -> Iterator[bytes]:
        yield self.read()


def _started(request: AWSPreparedRequest, event_name: str, **_: Any) -> AWSResponse:
    """Start nothing: what runs are started is not what is measured here."""
    if event_name.endswith(".DescribeExecution"):
        document = {"__type": "ExecutionDoesNotExist", "message": "Execution Does Not Exist"}
        return _response(request, json.dumps(document), status=400)
    arn = "arn:aws:states:eu-west-1:000000000000:execution:waybill-replication:one"
    return _response(request, json.dumps({"executionArn": arn, "startDate": 1.0}))


def install(*, size: int, part_size: int, region: str, finished_parts: int) -> None:
    """Answer every request to S3 and to Step Functions that this process is going to send."""
    fake = FakeS3(size, part_size, region, set(range(1, finished_parts + 1)))
    botocore.handlers.BUILTIN_HANDLERS += [("before-send.s3", fake.answer), ("before-send.sfn", _started)]
