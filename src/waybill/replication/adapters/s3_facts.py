"""What S3's answers say about an object."""

import hashlib
import json
from datetime import datetime
from typing import TYPE_CHECKING

from waybill.core.clock import iso
from waybill.replication.models import MAX_PART_SIZE, MIN_PART_SIZE, Checksum, ObjectFacts

if TYPE_CHECKING:
    from mypy_boto3_s3.type_defs import HeadObjectOutputTypeDef

_CHECKSUMS = ("CRC64NVME", "CRC32C", "CRC32", "SHA256", "SHA1")
# What S3 replicates besides content, tags and metadata (S3 user guide, "What does Amazon S3 replicate?").
_PROPERTIES = {
    "Cache-Control": "CacheControl",
    "Content-Disposition": "ContentDisposition",
    "Content-Encoding": "ContentEncoding",
    "Content-Language": "ContentLanguage",
    "Content-Type": "ContentType",
    "Expires": "ExpiresString",
    "x-amz-website-redirect-location": "WebsiteRedirectLocation",
}
_ARCHIVES = frozenset({"GLACIER", "DEEP_ARCHIVE"})


def facts_of(bucket: str, key: str, answer: "HeadObjectOutputTypeDef", *, whole: bool = True) -> ObjectFacts:
    """Return the facts in `answer`: boto3's to a HeadObject, or (not `whole`) what a CopyObject tells in its fields."""
    version = answer.get("VersionId")
    return ObjectFacts(
        bucket=bucket,
        key=key,
        size=answer["ContentLength"],
        e_tag=str(answer.get("ETag", "")).strip('"'),
        version_id=None if version == "null" else version,
        last_modified=_moment(answer.get("LastModified")),
        storage_class=answer.get("StorageClass", "STANDARD"),
        encryption="SSE-C" if answer.get("SSECustomerAlgorithm") else answer.get("ServerSideEncryption"),
        checksum=_checksum(answer),
        tag_count=answer.get("TagCount", 0),
        website_redirect=answer.get("WebsiteRedirectLocation"),
        lock_mode=answer.get("ObjectLockMode"),
        lock_until=_moment(answer.get("ObjectLockRetainUntilDate")),
        legal_hold=answer.get("ObjectLockLegalHoldStatus"),
        properties=_properties(answer) if whole else None,
        archived=_is_archived(answer),
    )


def _moment(found: datetime | None) -> str | None:
    return iso(found) if found else None


def part_size_of(facts: ObjectFacts, first_part: "HeadObjectOutputTypeDef") -> int | None:
    """Return the size of the object's parts by boto3's answer to a HeadObject of the first; None if it has others."""
    length, count = first_part["ContentLength"], first_part.get("PartsCount", 0)
    of_one_size = length > 0 and -(-facts.size // length) == count
    return length if of_one_size and (count == 1 or MIN_PART_SIZE <= length <= MAX_PART_SIZE) else None


def _is_archived(answer: "HeadObjectOutputTypeDef") -> bool:
    """Return whether the object must be restored before anybody can read it."""
    # HeadObject, x-amz-restore: a restored copy is readable when no request for it is ongoing.
    restored = 'ongoing-request="false"' in answer.get("Restore", "")
    return (answer.get("StorageClass") in _ARCHIVES or bool(answer.get("ArchiveStatus"))) and not restored


def _properties(answer: "HeadObjectOutputTypeDef") -> dict[str, str]:
    """Return what S3 hands out with the object besides its content, as digests by name.

    Digests, since they travel through states and records, where other people's metadata has no business.
    """
    found = {name: answer.get(field) for name, field in _PROPERTIES.items()}
    # Amazon S3 API Reference, PutObject: an upload without a Content-Type gets this one.
    found["Content-Type"] = found["Content-Type"] or "binary/octet-stream"
    metadata = {name.lower(): value for name, value in answer.get("Metadata", {}).items()}
    if metadata:
        found["metadata"] = json.dumps(metadata, sort_keys=True)
    return {name: _digest(str(value)) for name, value in found.items() if value is not None}


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()[:16]


def _checksum(answer: "HeadObjectOutputTypeDef") -> Checksum | None:
    for algorithm in _CHECKSUMS:
        value = answer.get(f"Checksum{algorithm}")
        if value and isinstance(value, str):
            # Composite values end in the number of parts; ChecksumType says so where S3 sends it.
            composite = answer.get("ChecksumType") == "COMPOSITE" or "-" in value
            return Checksum(algorithm=algorithm, value=value, composite=composite)
    return None
