"""What a request of a function asks for."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from email.message import Message
from urllib.parse import parse_qs, unquote, urlsplit

# The first rule whose method and query parameter fit names the S3 operation.
_S3_OPERATIONS = (
    ("POST", "uploads", "CreateMultipartUpload"),
    ("POST", "uploadId", "CompleteMultipartUpload"),
    ("POST", "delete", "DeleteObjects"),
    ("DELETE", "uploadId", "AbortMultipartUpload"),
    ("DELETE", None, "DeleteObject"),
    ("PUT", "partNumber", "UploadPartCopy"),
    ("PUT", None, "CopyObject"),
    ("GET", "uploadId", "ListParts"),
    ("GET", "versions", "ListObjectVersions"),
    ("GET", "uploads", "ListMultipartUploads"),
    ("GET", "tagging", "GetObjectTagging"),
    ("GET", "location", "GetBucketLocation"),
    ("GET", "list-type", "ListObjectsV2"),
    ("HEAD", None, "HeadObject"),
    ("GET", None, "GetObject"),
)


@dataclass(frozen=True)
class Call:
    """One request; `operation` is its name in the service's API, `bucket` and `key` are those of S3."""

    service: str
    region: str
    operation: str
    bucket: str
    key: str
    query: Mapping[str, str]
    body: str
    started: float
    ended: float = 0.0

    @classmethod
    def of(cls, method: str, path: str, headers: Message, body: bytes) -> "Call":
        """Read a request that is signed by a header, or by its address."""
        address = urlsplit(path)
        query = {name: values[0] for name, values in parse_qs(address.query, keep_blank_values=True).items()}
        if address.path.startswith("/_aws/execute-api/"):
            # The console asks the API, with a token and no signature.
            return cls("execute-api", "", method, "", address.path, query, "", time.monotonic())
        signed = headers["Authorization"]
        credential = signed.partition("Credential=")[2].partition(",")[0] if signed else query["X-Amz-Credential"]
        region, service = credential.split("/")[2:4]
        text = body.decode(errors="replace")
        bucket = key = ""
        if service == "s3":
            bucket, _, key = unquote(address.path).removeprefix("/").partition("/")
            operation = next(
                name for verb, asked, name in _S3_OPERATIONS if verb == method and (asked is None or asked in query)
            )
        elif "X-Amz-Target" in headers:
            operation = headers["X-Amz-Target"].rpartition(".")[2]
        else:
            operation = parse_qs(text)["Action"][0]
        return cls(service, region, operation, bucket, key, query, text, time.monotonic())

    def about(self, text: str) -> bool:
        """Return whether `text` is in its bucket's name, its key or its body.

        What custody records of it comes at a moment of its own, beside whatever a test counts or disturbs.
        """
        return (text in self.bucket or text in self.key or text in self.body) and "CustodyTable" not in self.body


def most_at_once(calls: list[Call]) -> int:
    """Return how many of `calls` were under way at the same time, at most."""
    changes = sorted([(call.started, 1) for call in calls] + [(call.ended, -1) for call in calls])
    under_way = most = 0
    for _, change in changes:
        under_way += change
        most = max(most, under_way)
    return most
