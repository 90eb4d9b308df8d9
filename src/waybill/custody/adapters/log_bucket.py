"""The log's bucket on S3: written once, and read as it was first written."""

from collections.abc import Sequence
from contextlib import suppress
from functools import cached_property
from typing import TYPE_CHECKING, override

from botocore.exceptions import ClientError

from waybill.core.aws.faults import code_of
from waybill.core.aws.s3_faults import ObjectChangedError, ObjectMissingError, translated
from waybill.custody.domain.log_files import HEADS, Log
from waybill.custody.domain.verifying import StoredLog
from waybill.custody.errors import CustodyRefusedError, CustodyUnavailableError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_ROOT = "log/"


class S3Log(Log):
    """`Log` on S3."""

    def __init__(self, client: "S3Client", bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    @override
    def read(self, path: str) -> bytes | None:
        with suppress(ObjectMissingError), translated(CustodyUnavailableError, CustodyRefusedError, path):
            return self._client.get_object(Bucket=self._bucket, Key=_ROOT + path)["Body"].read()
        return None

    @override
    def read_oldest(self, path: str) -> bytes | None:
        with suppress(ObjectMissingError), translated(CustodyUnavailableError, CustodyRefusedError, path):
            if (oldest := self._oldest_version(_ROOT + path)) is not None:
                answer = self._client.get_object(Bucket=self._bucket, Key=_ROOT + path, VersionId=oldest)
                return answer["Body"].read()
        return None

    def _oldest_version(self, key: str) -> str | None:
        """Versions of a key are listed newest first, and before those of keys that begin with it."""
        oldest = None
        pages = self._client.get_paginator("list_object_versions").paginate(Bucket=self._bucket, Prefix=key)
        for page in pages:
            versions = page.get("Versions", [])
            own = [version["VersionId"] for version in versions if version["Key"] == key]
            oldest = own[-1] if own else oldest
            if len(own) < len(versions):
                break
        return oldest

    @override
    def write_once(self, path: str, content: bytes) -> bytes | None:
        try:
            with translated(CustodyUnavailableError, CustodyRefusedError, path):
                # A checksum is what a bucket with Object Lock asks for; boto3 sends one by default.
                self._client.put_object(Bucket=self._bucket, Key=_ROOT + path, Body=content, IfNoneMatch="*")
        except ObjectChangedError:
            return self.read(path)
        return None

    @override
    def replace(self, path: str, content: bytes) -> None:
        with translated(CustodyUnavailableError, CustodyRefusedError, path):
            self._client.put_object(Bucket=self._bucket, Key=_ROOT + path, Body=content)


class S3StoredLog(StoredLog):
    """`StoredLog` on S3. The first version of a file is under its lock, and no later version or marker hides it."""

    def __init__(self, client: "S3Client", bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    @override
    def read_oldest(self, path: str) -> bytes | None:
        version = self._oldest.get(path)
        if version is None:
            return None
        with suppress(ObjectMissingError), translated(CustodyUnavailableError, CustodyRefusedError, path):
            answer = self._client.get_object(Bucket=self._bucket, Key=_ROOT + path, VersionId=version)
            return answer["Body"].read()
        return None

    @override
    def head_sizes(self) -> Sequence[int]:
        sizes = (path.removeprefix(HEADS) for path in self._oldest if path.startswith(HEADS))
        return sorted(int(size) for size in sizes if size.isascii() and size.isdecimal())

    @override
    def is_locked(self) -> bool:
        try:
            with translated(CustodyUnavailableError, CustodyRefusedError, "the bucket of the log"):
                answer = self._client.get_object_lock_configuration(Bucket=self._bucket)
        except (ObjectMissingError, CustodyRefusedError) as error:
            cause = error.__cause__
            if isinstance(cause, ClientError) and code_of(cause) == "ObjectLockConfigurationNotFoundError":
                return False
            raise
        rule = answer["ObjectLockConfiguration"].get("Rule", {}).get("DefaultRetention", {})
        return bool(rule.get("Days") or rule.get("Years"))

    @cached_property
    def _oldest(self) -> dict[str, str]:
        """The first version of every file; versions of a key are listed newest first."""
        found: dict[str, str] = {}
        with translated(CustodyUnavailableError, CustodyRefusedError, "the bucket of the log"):
            pages = self._client.get_paginator("list_object_versions").paginate(Bucket=self._bucket, Prefix=_ROOT)
            for page in pages:
                for each in page.get("Versions", []):
                    found[each["Key"].removeprefix(_ROOT)] = each["VersionId"]
        return found
