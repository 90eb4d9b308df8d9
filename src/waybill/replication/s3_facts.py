"""What S3's answers say about an object."""

from collections.abc import Mapping
from typing import Any

from waybill.core.clock import iso
from waybill.replication.models import Checksum, ObjectFacts, ObjectHeaders

_CHECKSUMS = ("CRC64NVME", "CRC32C", "CRC32", "SHA256", "SHA1")
_ARCHIVES = frozenset({"GLACIER", "DEEP_ARCHIVE"})
_HEADERS = (
    "CacheControl",
    "ContentDisposition",
    "ContentEncoding",
    "ContentLanguage",
    "ContentType",
)


def facts_of(bucket: str, key: str, answer: Mapping[str, Any]) -> ObjectFacts:
    """Return the facts in `answer`: boto3's to a HeadObject, or what a CopyObject tells in the same fields."""
    version = answer.get("VersionId")
    modified, lock_until = answer.get("LastModified"), answer.get("ObjectLockRetainUntilDate")
    return ObjectFacts(
        bucket=bucket,
        key=key,
        size=answer["ContentLength"],
        e_tag=str(answer.get("ETag", "")).strip('"'),
        version_id=None if version == "null" else version,
        last_modified=iso(modified) if modified else None,
        storage_class=answer.get("StorageClass", "STANDARD"),
        encryption="SSE-C" if answer.get("SSECustomerAlgorithm") else answer.get("ServerSideEncryption"),
        checksum=_checksum(answer),
        tag_count=answer.get("TagCount", 0),
        website_redirect=answer.get("WebsiteRedirectLocation"),
        lock_mode=answer.get("ObjectLockMode"),
        lock_until=iso(lock_until) if lock_until else None,
        legal_hold=answer.get("ObjectLockLegalHoldStatus"),
    )


def headers_of(answer: Mapping[str, Any]) -> ObjectHeaders:
    """Return the metadata and content headers in boto3's `answer` to a HeadObject.

    `Expires` is free text in HTTP, which S3 keeps as it was sent, and boto3 hands out as ExpiresString.
    """
    found = {name: answer.get(name) for name in _HEADERS} | {"Expires": answer.get("ExpiresString")}
    return ObjectHeaders(
        headers={name: _as_sent(str(value)) for name, value in found.items() if value},
        metadata=answer.get("Metadata", {}),
    )


def is_archived(answer: Mapping[str, Any]) -> bool:
    """Return whether the object must be restored before anybody can read it."""
    # HeadObject, x-amz-restore: a restored copy is readable when no request for it is ongoing.
    restored = 'ongoing-request="false"' in answer.get("Restore", "")
    return (answer.get("StorageClass") in _ARCHIVES or bool(answer.get("ArchiveStatus"))) and not restored


def _checksum(answer: Mapping[str, Any]) -> Checksum | None:
    for algorithm in _CHECKSUMS:
        if value := answer.get(f"Checksum{algorithm}"):
            # Composite values end in the number of parts; ChecksumType says so where S3 sends it.
            composite = answer.get("ChecksumType") == "COMPOSITE" or "-" in value
            return Checksum(algorithm=algorithm, value=value, composite=composite)
    return None


def _as_sent(header: str) -> str:
    """Return a header's text: http.client reads its bytes as Latin-1, while botocore sends text as UTF-8."""
    try:
        return header.encode("latin-1").decode()
    except UnicodeError:
        return header
