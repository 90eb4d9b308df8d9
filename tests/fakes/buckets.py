"""The port `Buckets` on the S3 in memory."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from tests.fakes.probe import Probe
from tests.fakes.s3 import S3, Attributes, Content, Stored, Upload, facts_of
from waybill.core.clock import iso
from waybill.replication.errors import (
    DestinationNotVersionedError,
    DestinationUnsettledError,
    S3RefusedError,
    SourceArchivedError,
    SourceNotFoundError,
    SseCUnsupportedError,
    SupersededError,
)
from waybill.replication.models import (
    SINGLE_COPY_LIMIT,
    Checksum,
    CopiedPart,
    DestinationOptions,
    Expected,
    ObjectFacts,
    ObjectHeaders,
    ObjectPlace,
    SourceVersion,
)

_FULL_OBJECT_CHECKSUMS = frozenset({"CRC64NVME", "CRC32C", "CRC32"})


class FakeBuckets:
    """What one function sees of S3; every call goes through its `probe`."""

    def __init__(self, s3: S3, probe: Probe) -> None:
        self.s3 = s3
        self.probe = probe

    def describe_source(self, bucket: str, key: str, *, version_id: str | None, e_tag: str | None) -> ObjectFacts:
        with self.probe.call("describe_source"):
            stored = self._pinned(bucket, key, version_id, e_tag)
            if stored.encryption == "SSE-C":
                raise SseCUnsupportedError(f"{bucket}/{key} is encrypted with a customer-provided key")
            return facts_of(bucket, key, stored)

    def find(self, place: ObjectPlace) -> ObjectFacts | None:
        with self.probe.call("find"):
            stored = self.s3.bucket(place.bucket).current(place.key)
            return facts_of(place.bucket, place.key, stored) if stored else None

    def sends_events(self, bucket: str) -> bool:
        return self.s3.bucket(bucket).watched

    def keeps_versions(self, bucket: str) -> bool:
        return self.s3.bucket(bucket).versioned

    def versions(self, bucket: str, key: str) -> Iterator[SourceVersion]:
        with self.probe.call("versions"):
            written = list(self.s3.bucket(bucket).written.get(key, []))
        for one in reversed(written):
            if isinstance(one, int):
                yield SourceVersion(f"marker-{one}", "", removed=True)
            else:
                yield SourceVersion(one.version_id or "", iso(one.written))

    def is_hidden(self, place: ObjectPlace) -> bool:
        with self.probe.call("is_hidden"):
            bucket = self.s3.bucket(place.bucket)
            return place.key in bucket.marked and bucket.current(place.key) is None

    def copy(self, source: ObjectFacts, place: ObjectPlace, expected: Expected | None = None) -> ObjectFacts:
        with self.probe.call("copy"):
            stored = self._read(source)
            if stored.attributes.storage_class in {"GLACIER", "DEEP_ARCHIVE"}:
                raise SourceArchivedError(f"{source.bucket}/{source.key} is archived")
            if stored.content.size > SINGLE_COPY_LIMIT:
                raise S3RefusedError("the specified copy source is larger than the maximum allowable size")
            # Between reading the source and standing at the destination lie seconds to minutes.
            self.probe.pause("copy lands")
            self._require(place, expected)
            target = self.s3.bucket(place.bucket)
            content = Content.of("corrupted", source.size) if target.corrupts else stored.content
            algorithm = stored.checksum.algorithm if stored.checksum else "CRC64NVME"
            attributes = replace(stored.attributes, storage_class=source.storage_class)
            checksum = Checksum(algorithm=algorithm, value=content.digest)
            copied = facts_of(
                place.bucket, place.key, self.s3.land(*_address(place), content, attributes, checksum=checksum)
            )
            told = {"properties": None} if self.s3.answers_checksums else {"properties": None, "checksum": None}
            return copied.model_copy(update=told)

    def tags(self, place: ObjectPlace, *, version_id: str | None = None) -> dict[str, str]:
        with self.probe.call("tags"):
            return dict(self._pinned(place.bucket, place.key, version_id, None).attributes.tags)

    def put_tags(self, place: ObjectPlace, tags: Mapping[str, str]) -> None:
        with self.probe.call("put_tags"):
            self.s3.tag(place.bucket, place.key, tags)

    def remove(self, place: ObjectPlace) -> None:
        with self.probe.call("remove"):
            if not self.s3.bucket(place.bucket).versioned:
                raise DestinationNotVersionedError(f"{place.bucket} keeps no versions")
            self.probe.pause("removal lands")
            self.s3.delete(place.bucket, place.key)

    def options(self, bucket: str) -> DestinationOptions:
        return self.s3.options.get(bucket, DestinationOptions())

    def headers(self, source: ObjectFacts) -> ObjectHeaders:
        with self.probe.call("headers"):
            attributes = self._read(source).attributes
            return ObjectHeaders(headers=dict(attributes.headers), metadata=dict(attributes.metadata))

    def create_upload(self, source: ObjectFacts, headers: ObjectHeaders, place: ObjectPlace) -> str:
        with self.probe.call("create_upload"):
            target, number = self.s3.bucket(place.bucket), self.s3.number()
            algorithm = source.checksum.algorithm if source.checksum else "CRC64NVME"
            tagged = self._pinned(source.bucket, source.key, source.version_id, None) if source.tag_count else None
            attributes = Attributes(
                metadata=headers.metadata,
                headers=headers.headers,
                tags=tagged.attributes.tags if tagged else {},
                storage_class=source.storage_class,
                website_redirect=source.website_redirect,
            )
            upload_id = f"upload-{number}"
            target.uploads[upload_id] = Upload(
                place.key,
                attributes,
                algorithm if algorithm in _FULL_OBJECT_CHECKSUMS else "CRC64NVME",
                initiated=self.s3.clock.now(),
                order=number,
            )
            return upload_id

    def copy_part(
        self, source: ObjectFacts, place: ObjectPlace, upload_id: str, number: int, span: tuple[int, int]
    ) -> None:
        with self.probe.call("copy_part"):
            upload = self.s3.upload(place.bucket, upload_id)
            stored = self._read(source)
            if not 0 <= span[0] <= span[1] < stored.content.size:
                raise S3RefusedError("the range is not valid for the source")
            content = stored.content.cut(*span)
            upload.parts[number] = content, content.digest
            self.s3.part_copies.append((f"{place.bucket}/{place.key}", number))

    def parts(self, place: ObjectPlace, upload_id: str) -> dict[int, CopiedPart]:
        with self.probe.call("parts"):
            upload = self.s3.upload(place.bucket, upload_id)
            return {
                number: CopiedPart(number, content.size, e_tag, {f"Checksum{upload.checksum}": content.digest})
                for number, (content, e_tag) in upload.parts.items()
            }

    def complete_upload(
        self,
        place: ObjectPlace,
        upload_id: str,
        parts: Mapping[int, CopiedPart],
        expected: Expected | None = None,
    ) -> None:
        with self.probe.call("complete_upload"):
            self._require(place, expected)
            self.s3.complete(place.bucket, upload_id, {number: part.e_tag for number, part in parts.items()})

    def abort_upload(self, place: ObjectPlace, upload_id: str) -> None:
        with self.probe.call("abort_upload"):
            self.s3.bucket(place.bucket).uploads.pop(upload_id, None)

    def open_uploads(self, place: ObjectPlace, *, since: str) -> list[str]:
        with self.probe.call("open_uploads"):
            return [
                upload_id
                for upload_id, upload in self.s3.bucket(place.bucket).uploads.items()
                if upload.key == place.key and iso(upload.initiated)[:19] >= since[:19]
            ]

    def _require(self, place: ObjectPlace, expected: Expected | None) -> None:
        stored = self.s3.bucket(place.bucket).current(place.key)
        if expected and expected.e_tag != (stored and stored.e_tag):
            raise DestinationUnsettledError(f"{place.bucket}/{place.key}: PreconditionFailed")

    def _read(self, source: ObjectFacts) -> Stored:
        return self._pinned(source.bucket, source.key, source.version_id, source.e_tag)

    def _pinned(self, bucket: str, key: str, version_id: str | None, e_tag: str | None) -> Stored:
        target = self.s3.bucket(bucket)
        stored = target.current(key)
        if version_id:
            kept = [one for one in target.written.get(key, []) if not isinstance(one, int)]
            versions = [*target.versions.get(key, []), *kept]
            stored = next((version for version in versions if version.version_id == version_id), None)
        if stored is None:
            raise SourceNotFoundError(f"{bucket}/{key}")
        if not version_id and e_tag and stored.e_tag != e_tag:
            raise SupersededError(f"s3:GetObject on {bucket}/{key}: PreconditionFailed")
        return stored


def _address(place: ObjectPlace) -> tuple[str, str]:
    return place.bucket, place.key
