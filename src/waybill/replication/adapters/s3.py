"""`Buckets` on Amazon S3: every request that replication makes of it, each to the Region of its bucket."""

import hashlib
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, cast, override

from botocore.exceptions import BotoCoreError, ClientError

from waybill.core.aws.faults import header_of, status_of
from waybill.core.clock import iso
from waybill.replication.adapters.s3_arguments import (
    Owner,
    Pin,
    Version,
    attributes,
    only_on,
    owned,
    pin,
    pinned,
    quoted,
    upload_checksum,
    upload_headers,
)
from waybill.replication.adapters.s3_errors import translate
from waybill.replication.adapters.s3_facts import facts_of, part_size_of
from waybill.replication.adapters.s3_headers import headers_of, send_expires_as_text
from waybill.replication.adapters.s3_versions import in_order
from waybill.replication.domain.verification import VerificationBuckets
from waybill.replication.errors import (
    AccessDeniedError,
    DestinationNotVersionedError,
    DestinationUnsettledError,
    NoSuchBucketError,
    ReadUnfinishedError,
    S3UnavailableError,
    SourceNotFoundError,
    SseCUnsupportedError,
    SupersededError,
    UploadGoneError,
)
from waybill.replication.models import (
    MIB,
    CopiedPart,
    DestinationOptions,
    Expected,
    ListedObject,
    ObjectFacts,
    ObjectHeaders,
    ObjectPlace,
    SourceVersion,
)

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import (
        CompletedPartTypeDef,
        HeadObjectOutputTypeDef,
        ListObjectsV2OutputTypeDef,
        TagTypeDef,
    )

_NO_OPTIONS = DestinationOptions()
# Seconds: a bucket that raises no events may come to raise some, one without versions to keep them.
_ASKED_AGAIN_AFTER = 900.0


class S3Buckets(VerificationBuckets):
    """S3 through boto3; `client_of` returns the client for a Region (None: the function's own)."""

    def __init__(
        self,
        client_of: Callable[[str | None], "S3Client"],
        regions: dict[str, str],
        options: Mapping[str, DestinationOptions],
        time_is_up: Callable[[], bool] = lambda: False,
    ) -> None:
        self._client_of = client_of
        self._time_is_up = time_is_up
        self._regions = regions
        self._options = options
        self._watched: dict[str, tuple[bool, float]] = {}
        self._versioned: dict[str, tuple[bool, float]] = {}

    @override
    def describe_source(self, bucket: str, key: str, *, version_id: str | None, e_tag: str | None) -> ObjectFacts:
        state = pin(version_id, e_tag)
        client = self._client(bucket)
        try:
            answer = client.head_object(Bucket=bucket, Key=key, ChecksumMode="ENABLED", **state)
        except ClientError as error:
            raise self._explained(client, bucket, key, state, error) from error
        except BotoCoreError as error:
            raise translate(error, "GetObject", f"{bucket}/{key}") from error
        if answer.get("SSECustomerAlgorithm"):
            raise SseCUnsupportedError(f"{bucket}/{key} is encrypted with a customer-provided key")
        facts = facts_of(bucket, key, answer)
        if facts.size and facts.checksum and facts.checksum.composite:
            return facts.model_copy(update={"part_size": self._part_size(facts)})
        return facts

    def _part_size(self, facts: ObjectFacts) -> int | None:
        state = pin(facts.version_id, facts.e_tag)
        with self._errors("GetObject", ObjectPlace(facts.bucket, facts.key)):
            answer = self._client(facts.bucket).head_object(Bucket=facts.bucket, Key=facts.key, PartNumber=1, **state)
        return part_size_of(facts, answer)

    @override
    def sha256(self, facts: ObjectFacts) -> str:
        place, digest = ObjectPlace(facts.bucket, facts.key), hashlib.sha256()
        with self._errors("GetObject", place):
            answer = self._client(place.bucket).get_object(
                Bucket=place.bucket, Key=place.key, IfMatch=quoted(facts.e_tag), **self._owner(place)
            )
            with closing(answer["Body"]) as body:
                for chunk in body.iter_chunks(MIB):
                    digest.update(chunk)
                    if self._time_is_up():
                        raise ReadUnfinishedError(f"there is no time to read {place.bucket}/{place.key} to its end")
        return digest.hexdigest()

    @override
    def find(self, place: ObjectPlace) -> ObjectFacts | None:
        found = self._head(place)
        return None if isinstance(found, ClientError) else facts_of(place.bucket, place.key, found)

    @override
    def sends_events(self, bucket: str) -> bool:
        return _remembered(self._watched, bucket, self._is_watched)

    def _is_watched(self, bucket: str) -> bool:
        place = ObjectPlace(bucket, "")
        try:
            with self._errors("GetBucketNotification", place):
                found = self._client(bucket).get_bucket_notification_configuration(Bucket=bucket, **self._owner(place))
        except AccessDeniedError:
            return False
        return any(field.endswith(("Configuration", "Configurations")) for field in found)

    @override
    def keeps_versions(self, bucket: str) -> bool:
        return _remembered(self._versioned, bucket, self._has_versioning)

    def _has_versioning(self, bucket: str) -> bool:
        place = ObjectPlace(bucket, "")
        with self._errors("GetBucketVersioning", place):
            found = self._client(bucket).get_bucket_versioning(Bucket=bucket, **self._owner(place))
        return found.get("Status") == "Enabled"

    @override
    def versions(self, bucket: str, key: str) -> Iterator[SourceVersion]:
        pages = self._client(bucket).get_paginator("list_object_versions")
        answers = iter(pages.paginate(Bucket=bucket, Prefix=key))
        while True:
            with self._errors("ListBucketVersions", ObjectPlace(bucket, "")):
                page = next(answers, None)
            if page is None:
                return
            yield from in_order(page, key, lambda version_id: self._versions_below(bucket, key, version_id))
            if page.get("NextKeyMarker") != key:
                # Keys that begin alike come after all versions of this one.
                return

    def _versions_below(self, bucket: str, key: str, version_id: str) -> set[str]:
        with self._errors("ListBucketVersions", ObjectPlace(bucket, "")):
            page = self._client(bucket).list_object_versions(
                Bucket=bucket, Prefix=key, KeyMarker=key, VersionIdMarker=version_id
            )
        return {found["VersionId"] for found in page.get("Versions", []) if found["Key"] == key}

    @override
    def is_hidden(self, place: ObjectPlace) -> bool:
        found = self._head(place)
        # S3 API, HeadObject: of a current version that is a delete marker it says so beside its 404.
        return isinstance(found, ClientError) and header_of(found, "x-amz-delete-marker") == "true"

    def _head(self, place: ObjectPlace) -> "HeadObjectOutputTypeDef | ClientError":
        """Return what S3 says of an object, or its answer that there is none."""
        try:
            return self._client(place.bucket).head_object(
                Bucket=place.bucket, Key=place.key, ChecksumMode="ENABLED", **self._owner(place)
            )
        except ClientError as error:
            if status_of(error) == 404:
                return error
            raise translate(error, "GetObject", f"{place.bucket}/{place.key}") from error
        except BotoCoreError as error:
            raise translate(error, "GetObject", f"{place.bucket}/{place.key}") from error

    @override
    def copy(self, source: ObjectFacts, place: ObjectPlace, expected: Expected | None = None) -> ObjectFacts:
        with self._refused_there(place, expected, source), self._errors("PutObject", place, source):
            answer = self._client(place.bucket).copy_object(
                Bucket=place.bucket,
                Key=place.key,
                MetadataDirective="COPY",
                TaggingDirective="COPY" if self._option(place).tags else "REPLACE",
                **pinned(source),
                **only_on(expected),
                **attributes(source, self._option(place)),
                **self._owner(place),
            )
        result = answer.get("CopyObjectResult")
        told = {**answer, **(result or {}), "ContentLength": source.size}
        # Its fields are some of those that a HeadObject answers with, under the same names.
        return facts_of(place.bucket, place.key, cast("HeadObjectOutputTypeDef", told), whole=False)

    @override
    def headers(self, source: ObjectFacts) -> ObjectHeaders:
        state = pin(source.version_id, source.e_tag)
        with self._errors("GetObject", ObjectPlace(source.bucket, source.key)):
            answer = self._client(source.bucket).head_object(Bucket=source.bucket, Key=source.key, **state)
        return headers_of(answer)

    @override
    def create_upload(self, source: ObjectFacts, headers: ObjectHeaders, place: ObjectPlace) -> str:
        tagged = source.tag_count and self._option(place).tags
        tags = self.tags(ObjectPlace(source.bucket, source.key), version_id=source.version_id) if tagged else {}
        with self._errors("PutObject", place):
            answer = send_expires_as_text(self._client(place.bucket)).create_multipart_upload(
                Bucket=place.bucket,
                Key=place.key,
                **upload_checksum(source),
                **upload_headers(headers, tags),
                **attributes(source, self._option(place)),
                **self._owner(place),
            )
        return str(answer["UploadId"])

    @override
    def copy_part(
        self, source: ObjectFacts, place: ObjectPlace, upload_id: str, number: int, span: tuple[int, int]
    ) -> None:
        with self._errors("PutObject", place, source):
            self._client(place.bucket).upload_part_copy(
                Bucket=place.bucket,
                Key=place.key,
                UploadId=upload_id,
                PartNumber=number,
                CopySourceRange=f"bytes={span[0]}-{span[1]}",
                **pinned(source),
                **self._owner(place),
            )

    @override
    def parts(self, place: ObjectPlace, upload_id: str) -> dict[int, CopiedPart]:
        found: dict[int, CopiedPart] = {}
        with self._errors("ListMultipartUploadParts", place):
            pages = self._client(place.bucket).get_paginator("list_parts")
            for page in pages.paginate(Bucket=place.bucket, Key=place.key, UploadId=upload_id, **self._owner(place)):
                for part in page.get("Parts", []):
                    checksums = {name: str(value) for name, value in part.items() if name.startswith("Checksum")}
                    number = part["PartNumber"]
                    found[number] = CopiedPart(number, part["Size"], part["ETag"], checksums)
        return found

    @override
    def complete_upload(
        self,
        place: ObjectPlace,
        upload_id: str,
        parts: Mapping[int, CopiedPart],
        expected: Expected | None = None,
    ) -> None:
        listed = [
            cast("CompletedPartTypeDef", {"PartNumber": part.number, "ETag": part.e_tag, **part.checksums})
            for part in sorted(parts.values(), key=lambda part: part.number)
        ]
        with self._refused_there(place, expected), self._errors("PutObject", place):
            self._client(place.bucket).complete_multipart_upload(
                Bucket=place.bucket,
                Key=place.key,
                UploadId=upload_id,
                MultipartUpload={"Parts": listed},
                **only_on(expected),
                **self._owner(place),
            )

    @override
    def abort_upload(self, place: ObjectPlace, upload_id: str) -> None:
        try:
            with self._errors("AbortMultipartUpload", place):
                self._client(place.bucket).abort_multipart_upload(
                    Bucket=place.bucket, Key=place.key, UploadId=upload_id, **self._owner(place)
                )
        except (UploadGoneError, NoSuchBucketError):
            return

    @override
    def open_uploads(self, place: ObjectPlace, *, since: str) -> list[str]:
        with self._errors("ListBucketMultipartUploads", place):
            pages = self._client(place.bucket).get_paginator("list_multipart_uploads")
            return [
                upload["UploadId"]
                for page in pages.paginate(Bucket=place.bucket, Prefix=place.key, **self._owner(place))
                for upload in page.get("Uploads", [])
                # S3 gives whole seconds here.
                if upload["Key"] == place.key and iso(upload["Initiated"])[:19] >= since[:19]
            ]

    def list_objects(self, bucket: str, prefix: str, *, start_after: str = "") -> Iterator[list[ListedObject]]:
        """Return one list per answer of `ListObjectsV2`, whose keys S3 sorts by their UTF-8 bytes."""
        pages = self._client(bucket).get_paginator("list_objects_v2")
        return self._listed(bucket, iter(pages.paginate(Bucket=bucket, Prefix=prefix, StartAfter=start_after)))

    def listed(self, bucket: str, prefix: str, start_after: str) -> Iterator[ListedObject]:
        """Yield the objects of a listing; see `list_objects`."""
        for page in self.list_objects(bucket, prefix, start_after=start_after):
            yield from page

    def _listed(self, bucket: str, pages: Iterator["ListObjectsV2OutputTypeDef"]) -> Iterator[list[ListedObject]]:
        while True:
            with self._errors("ListBucket", ObjectPlace(bucket, "")):
                page = next(pages, None)
            if page is None:
                return
            yield [
                ListedObject(item["Key"], item["Size"], item["ETag"].strip('"')) for item in page.get("Contents", [])
            ]

    @override
    def tags(self, place: ObjectPlace, *, version_id: str | None = None) -> dict[str, str]:
        version: Version = {"VersionId": version_id} if version_id else {}
        with self._errors("GetObjectTagging", place):
            answer = self._client(place.bucket).get_object_tagging(
                Bucket=place.bucket, Key=place.key, **version, **self._owner(place)
            )
        return {tag["Key"]: tag["Value"] for tag in answer["TagSet"]}

    @override
    def put_tags(self, place: ObjectPlace, tags: Mapping[str, str]) -> None:
        listed: list[TagTypeDef] = [{"Key": name, "Value": value} for name, value in tags.items()]
        with self._errors("PutObjectTagging", place):
            self._client(place.bucket).put_object_tagging(
                Bucket=place.bucket, Key=place.key, Tagging={"TagSet": listed}, **self._owner(place)
            )

    @override
    def remove(self, place: ObjectPlace) -> None:
        client, owner = self._client(place.bucket), self._owner(place)
        if not self._has_versioning(place.bucket):
            raise DestinationNotVersionedError(f"{place.bucket} keeps no versions: {place.key} would be lost there")
        with self._errors("DeleteObject", place):
            client.delete_object(Bucket=place.bucket, Key=place.key, **owner)

    @override
    def options(self, bucket: str) -> DestinationOptions:
        return self._options.get(bucket, _NO_OPTIONS)

    def _option(self, place: ObjectPlace) -> DestinationOptions:
        return self.options(place.bucket)

    def _owner(self, place: ObjectPlace) -> Owner:
        return owned(self._option(place))

    def _client(self, bucket: str) -> "S3Client":
        """Return the client for the Region of `bucket`, looked up once per process."""
        if bucket not in self._regions:
            self._regions[bucket] = self._region(bucket)
        return self._client_of(self._regions[bucket] or None)

    def _region(self, bucket: str) -> str:
        try:
            answer = self._client_of(None).get_bucket_location(Bucket=bucket)
        except ClientError as error:
            # Not allowed to ask: another account's bucket. The copy itself tells, and botocore follows redirects.
            if status_of(error) == 403:
                return ""
            raise translate(error, "GetBucketLocation", bucket) from error
        except BotoCoreError as error:
            raise translate(error, "GetBucketLocation", bucket) from error
        # Amazon S3 API Reference, GetBucketLocation: null is us-east-1, "EU" is eu-west-1.
        named: str | None = answer.get("LocationConstraint")
        location = named or "us-east-1"
        return "eu-west-1" if location == "EU" else location

    def _explained(self, client: "S3Client", bucket: str, key: str, state: Pin, error: ClientError) -> Exception:
        """Return what a failed HEAD means: its answer has no body, so a GET of no more than a byte is asked why."""
        where = f"{bucket}/{key}"
        if status_of(error) not in {400, 403, 404}:
            return translate(error, "GetObject", where)
        try:
            client.get_object(Bucket=bucket, Key=key, Range="bytes=0-0", **state)["Body"].close()
        except ClientError as told:
            if told.response["Error"]["Code"] != "InvalidRange":
                return translate(told, "GetObject", where)
        except BotoCoreError as told:
            return translate(told, "GetObject", where)
        # Between the two calls it became readable: nothing is known to be wrong, the next attempt will see.
        return S3UnavailableError(f"s3:GetObject on {where}: HEAD and GET do not agree")

    @contextmanager
    def _refused_there(
        self, place: ObjectPlace, expected: Expected | None, source: ObjectFacts | None = None
    ) -> Iterator[None]:
        """Tell a destination that is not as `expected` from a source that is no longer there, or no longer the same.

        S3 refuses both alike (user guide, "Conditional write behavior": 412, or 404 where nothing is there any more).
        """
        try:
            yield
        except (SupersededError, SourceNotFoundError) as error:
            if expected is None:
                raise
            if source:
                self.describe_source(source.bucket, source.key, version_id=source.version_id, e_tag=source.e_tag)
            raise DestinationUnsettledError(f"{place.bucket}/{place.key} was written meanwhile: {error}") from error

    @contextmanager
    def _errors(self, action: str, place: ObjectPlace, source: ObjectFacts | None = None) -> Iterator[None]:
        where = f"{place.bucket}/{place.key}"
        if source:
            where = f"{where} from {source.bucket}/{source.key}"
        try:
            yield
        except (ClientError, BotoCoreError) as error:
            raise translate(error, action, where) from error


def _remembered(known: dict[str, tuple[bool, float]], bucket: str, ask: Callable[[str], bool]) -> bool:
    """Return what is true of a bucket, asked again once in a while until it is."""
    found, since = known.get(bucket, (False, -_ASKED_AGAIN_AFTER))
    if found or time.monotonic() - since < _ASKED_AGAIN_AFTER:
        return found
    known[bucket] = found, _ = ask(bucket), time.monotonic()
    return found
