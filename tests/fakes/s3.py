"""S3 in memory, as far as replication asks for it: versions, ETags, conditions, multipart uploads, attributes.

Contents are descriptions, not bytes, so that an object of any size costs nothing, and a mixture of two is seen.
"""

import hashlib
import itertools
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from tests.fakes.clock import Clock
from waybill.core.clock import iso
from waybill.replication.errors import NoSuchBucketError, S3RefusedError, UploadGoneError
from waybill.replication.models import MAX_PARTS, MIN_PART_SIZE, Checksum, DestinationOptions, ObjectFacts


@dataclass(frozen=True)
class Content:
    """Bytes `first` to `end` (not included) of something called `label`, one such span after the other."""

    spans: tuple[tuple[str, int, int], ...]

    @classmethod
    def of(cls, label: str, size: int) -> "Content":
        return cls(((label, 0, size),) if size else ())

    @classmethod
    def joined(cls, contents: Iterable["Content"]) -> "Content":
        spans: list[tuple[str, int, int]] = []
        for label, first, end in itertools.chain.from_iterable(content.spans for content in contents):
            follows = spans and (spans[-1][0], spans[-1][2]) == (label, first)
            spans.append((label, spans.pop()[1] if follows else first, end))
        return cls(tuple(spans))

    @property
    def size(self) -> int:
        return sum(end - first for _, first, end in self.spans)

    @property
    def labels(self) -> set[str]:
        return {label for label, _, _ in self.spans}

    @property
    def digest(self) -> str:
        return hashlib.md5(repr(self.spans).encode(), usedforsecurity=False).hexdigest()

    def cut(self, first: int, last: int) -> "Content":
        """Bytes `first` to `last`, both included, of an object that was uploaded whole."""
        ((label, start, _),) = self.spans
        return Content(((label, start + first, start + last + 1),))


@dataclass(frozen=True)
class Attributes:
    """Everything of an object besides its content."""

    metadata: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    storage_class: str = "STANDARD"
    website_redirect: str | None = None


@dataclass(frozen=True)
class Stored:
    """One object, or one version of it; `order` decides which version is the current one."""

    content: Content
    attributes: Attributes
    e_tag: str
    written: datetime
    order: int
    version_id: str | None = None
    checksum: Checksum | None = None
    encryption: str | None = "AES256"


@dataclass
class Upload:
    """A multipart upload; `checksum` is the algorithm."""

    key: str
    attributes: Attributes
    checksum: str
    initiated: datetime
    order: int
    parts: dict[int, tuple[Content, str]] = field(default_factory=dict)


@dataclass
class Bucket:
    """A bucket; `checksum` is the algorithm that it adds to uploads by itself, None for objects of old."""

    name: str
    versioned: bool = False
    encryption: str | None = "AES256"
    checksum: str | None = "CRC64NVME"
    versions: dict[str, list[Stored]] = field(default_factory=dict)
    uploads: dict[str, Upload] = field(default_factory=dict)
    corrupts: bool = False
    watched: bool = False
    marked: set[str] = field(default_factory=set)
    # Versions and the numbers of delete markers by key, as they were written.
    written: dict[str, list[Stored | int]] = field(default_factory=dict)

    def current(self, key: str) -> Stored | None:
        return max(self.versions.get(key, []), key=lambda stored: stored.order, default=None)


class S3:
    """All buckets, and what has been done to them by whom."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.buckets: dict[str, Bucket] = {}
        self.landings: list[tuple[str, str, Stored]] = []
        self.part_copies: list[tuple[str, int]] = []
        self.answers_checksums = True
        self.options: dict[str, DestinationOptions] = {}
        self._numbers = itertools.count(1)

    def create_bucket(self, name: str, **options: Any) -> Bucket:
        self.buckets[name] = Bucket(name, **options)
        return self.buckets[name]

    def bucket(self, name: str) -> Bucket:
        if name not in self.buckets:
            raise NoSuchBucketError(f"s3:ListBucket on {name}: NoSuchBucket")
        return self.buckets[name]

    def number(self) -> int:
        """A number that is greater than all before."""
        return next(self._numbers)

    def put(
        self, bucket: str, key: str, content: Content, attributes: Attributes | None = None, **changes: Any
    ) -> Stored:
        """Upload, as others than replication do; `changes` go to what is stored."""
        target = self.bucket(bucket)
        checksum = Checksum(algorithm=target.checksum, value=content.digest) if target.checksum else None
        stored = self.land(bucket, key, content, attributes or Attributes(), checksum=checksum)
        changed = replace(stored, **changes)
        for versions in (target.versions[key], target.written.get(key, [])):
            if stored in versions:
                versions[versions.index(stored)] = changed  # type: ignore[call-overload]
        return changed

    def land(
        self,
        bucket: str,
        key: str,
        content: Content,
        attributes: Attributes,
        *,
        checksum: Checksum | None,
        e_tag: str | None = None,
        order: int | None = None,
    ) -> Stored:
        """Make an object, as the last step of every write."""
        target, number = self.bucket(bucket), self.number()
        opaque = target.encryption == "aws:kms"
        stored = Stored(
            content,
            attributes,
            e_tag=e_tag or (hashlib.sha256(f"{number}".encode()).hexdigest()[:32] if opaque else content.digest),
            written=self.clock.now(),
            # S3 user guide, "Multipart upload": the upload that was started last makes the current version.
            order=order if order and target.versioned else number,
            version_id=f"version-{number}" if target.versioned else None,
            checksum=checksum,
            encryption=target.encryption,
        )
        earlier = target.versions.get(key, []) if target.versioned else []
        target.versions[key] = [*earlier, stored]
        if target.versioned:
            target.written.setdefault(key, []).append(stored)
        self.landings.append((bucket, key, stored))
        return stored

    def tag(self, bucket: str, key: str, tags: Mapping[str, str]) -> None:
        """Change nothing but the tags of the current object."""
        self.change(bucket, key, tags=dict(tags))

    def change(self, bucket: str, key: str, **attributes: Any) -> None:
        """Change attributes of the current object in place, which S3 itself does only with tags."""
        current, versions = self.get(bucket, key), self.bucket(bucket).versions[key]
        changed = replace(current, attributes=replace(current.attributes, **attributes))
        versions[versions.index(current)] = changed

    def delete(self, bucket: str, key: str) -> None:
        self.bucket(bucket).versions.pop(key, None)
        if self.bucket(bucket).versioned:
            self.bucket(bucket).marked.add(key)
            self.bucket(bucket).written.setdefault(key, []).append(self.number())

    def forget(self, bucket: str, key: str, version_id: str | None) -> None:
        """Delete one version for good."""
        target = self.bucket(bucket)
        target.written[key] = [one for one in target.written[key] if getattr(one, "version_id", "") != version_id]
        target.versions[key] = [one for one in target.versions[key] if one.version_id != version_id]

    def get(self, bucket: str, key: str) -> Stored:
        """The current object; tests that ask for it expect one."""
        stored = self.bucket(bucket).current(key)
        assert stored is not None, f"{bucket}/{key} is not there"
        return stored

    def open_uploads(self) -> list[str]:
        """The ids of all uploads that are neither completed nor aborted."""
        return [upload_id for bucket in self.buckets.values() for upload_id in bucket.uploads]

    def upload(self, bucket: str, upload_id: str) -> Upload:
        found = self.bucket(bucket).uploads.get(upload_id)
        if found is None:
            raise UploadGoneError(f"s3:PutObject on {bucket}: NoSuchUpload")
        return found

    def complete(self, bucket: str, upload_id: str, e_tags: Mapping[int, str]) -> Stored:
        """Make the object of an upload from the parts with these ETags."""
        upload, numbers = self.upload(bucket, upload_id), sorted(e_tags)
        if not numbers or numbers[-1] > MAX_PARTS or {n: upload.parts[n][1] for n in numbers} != dict(e_tags):
            raise S3RefusedError(f"s3:PutObject on {bucket}: InvalidPart")
        if any(upload.parts[number][0].size < MIN_PART_SIZE for number in numbers[:-1]):
            raise S3RefusedError(f"s3:PutObject on {bucket}: EntityTooSmall")
        content = Content.joined(upload.parts[number][0] for number in numbers)
        if self.bucket(bucket).corrupts:
            content = Content.of("corrupted", content.size)
        digest = hashlib.md5("".join(e_tags[n] for n in numbers).encode(), usedforsecurity=False).hexdigest()
        stored = self.land(
            bucket,
            upload.key,
            content,
            upload.attributes,
            checksum=Checksum(algorithm=upload.checksum, value=content.digest),
            e_tag=f"{digest}-{len(numbers)}",
            order=upload.order,
        )
        del self.bucket(bucket).uploads[upload_id]
        return stored


def facts_of(bucket: str, key: str, stored: Stored) -> ObjectFacts:
    """What HeadObject says; times are in whole seconds there."""
    return ObjectFacts(
        bucket=bucket,
        key=key,
        size=stored.content.size,
        e_tag=stored.e_tag,
        version_id=stored.version_id,
        last_modified=iso(stored.written.replace(microsecond=0)),
        storage_class=stored.attributes.storage_class,
        encryption=stored.encryption,
        checksum=stored.checksum,
        tag_count=len(stored.attributes.tags),
        website_redirect=stored.attributes.website_redirect,
        properties=properties_of(stored.attributes),
        archived=stored.attributes.storage_class in {"GLACIER", "DEEP_ARCHIVE"},
    )


def properties_of(attributes: Attributes) -> dict[str, str]:
    """What is handed out with the object; the real ones are digests."""
    found = {"Content-Type": "binary/octet-stream", **attributes.headers}
    if attributes.website_redirect:
        found["redirect"] = attributes.website_redirect
    if attributes.metadata:
        found["metadata"] = json.dumps(dict(attributes.metadata), sort_keys=True)
    return found
