"""Arguments that several requests of S3 take, named as boto3 names them, and typed as it types them."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Required, TypedDict, cast
from urllib.parse import urlencode

from waybill.core.clock import iso, now
from waybill.replication.models import DestinationOptions, Expected, ObjectFacts, ObjectHeaders

if TYPE_CHECKING:
    from mypy_boto3_s3.literals import (
        ChecksumAlgorithmType,
        ChecksumTypeType,
        ObjectCannedACLType,
        ObjectLockLegalHoldStatusType,
        ObjectLockModeType,
        ServerSideEncryptionType,
        StorageClassType,
    )
    from mypy_boto3_s3.type_defs import CopySourceTypeDef

# S3 keeps a checksum over the whole of a multipart object only for these (S3 user guide, "Checking object integrity").
_FULL_OBJECT_CHECKSUMS: "dict[str, ChecksumAlgorithmType]" = {
    "CRC64NVME": "CRC64NVME",
    "CRC32C": "CRC32C",
    "CRC32": "CRC32",
}


class Version(TypedDict, total=False):
    """A version of an object."""

    VersionId: str


class Pin(Version, total=False):
    """One state of an object: a version, or an entity tag where there are none."""

    IfMatch: str


class PinnedSource(TypedDict, total=False):
    """The object to copy, in one state."""

    CopySource: "Required[CopySourceTypeDef]"
    CopySourceIfMatch: str


class Condition(TypedDict, total=False):
    """What has to be at the destination (S3 API, CopyObject and CompleteMultipartUpload)."""

    IfMatch: str
    IfNoneMatch: str


class Owner(TypedDict, total=False):
    """The account that has to own the bucket."""

    ExpectedBucketOwner: str


class Attributes(TypedDict, total=False):
    """What S3 sets by request alone."""

    StorageClass: "StorageClassType"
    WebsiteRedirectLocation: str
    ACL: "ObjectCannedACLType"
    ServerSideEncryption: "ServerSideEncryptionType"
    SSEKMSKeyId: str
    BucketKeyEnabled: bool
    ObjectLockMode: "ObjectLockModeType"
    ObjectLockRetainUntilDate: str
    ObjectLockLegalHoldStatus: "ObjectLockLegalHoldStatusType"


class UploadChecksum(TypedDict):
    """Which checksum an upload gets, over its whole or over each part."""

    ChecksumAlgorithm: "ChecksumAlgorithmType"
    ChecksumType: "ChecksumTypeType"


class UploadHeaders(TypedDict, total=False):
    """What S3 takes from nowhere but the beginning of an upload."""

    Metadata: dict[str, str]
    CacheControl: str
    ContentDisposition: str
    ContentEncoding: str
    ContentLanguage: str
    ContentType: str
    Expires: str
    Tagging: str


def pin(version_id: str | None, e_tag: str | None) -> Pin:
    """Return the arguments that name one state of an object; none where neither is known."""
    if version_id:
        return {"VersionId": version_id}
    return {"IfMatch": quoted(e_tag)} if e_tag else {}


def pinned(source: ObjectFacts) -> PinnedSource:
    """Return the arguments that copy `source` in exactly this state; boto3 encodes the dict form of CopySource."""
    if source.version_id:
        return {"CopySource": {"Bucket": source.bucket, "Key": source.key, "VersionId": source.version_id}}
    return {"CopySource": {"Bucket": source.bucket, "Key": source.key}, "CopySourceIfMatch": quoted(source.e_tag)}


def only_on(expected: Expected | None) -> Condition:
    """Return the condition on what is at the destination."""
    if expected is None:
        return {}
    return {"IfMatch": quoted(expected.e_tag)} if expected.e_tag else {"IfNoneMatch": "*"}


def upload_checksum(source: ObjectFacts) -> UploadChecksum:
    """Return which checksum the copy gets: the source's, where it can be compared."""
    algorithm = source.checksum.algorithm if source.checksum else ""
    if source.part_size:
        # In the same parts, the checksums over them are equal or the contents differ.
        return {"ChecksumAlgorithm": cast("ChecksumAlgorithmType", algorithm), "ChecksumType": "COMPOSITE"}
    return {"ChecksumAlgorithm": _FULL_OBJECT_CHECKSUMS.get(algorithm, "CRC64NVME"), "ChecksumType": "FULL_OBJECT"}


def upload_headers(headers: ObjectHeaders, tags: Mapping[str, str]) -> UploadHeaders:
    """Return the metadata, content headers and tags of an upload."""
    carried: UploadHeaders = {"Metadata": headers.metadata, **cast("UploadHeaders", headers.headers)}
    if tags:
        carried["Tagging"] = urlencode(tags)
    return carried


def owned(options: DestinationOptions) -> Owner:
    """Return the condition on whose the bucket is, if one is named."""
    return {"ExpectedBucketOwner": options.owner} if options.owner else {}


def attributes(source: ObjectFacts, options: DestinationOptions) -> Attributes:
    """Return what S3 sets by request alone, never from the source, whichever way the bytes go."""
    # Which values there are, S3 says, not the stubs: those of a newer S3 are copied as they are.
    given: Attributes = {"StorageClass": cast("StorageClassType", options.storage_class or source.storage_class)}
    if source.website_redirect:
        given["WebsiteRedirectLocation"] = source.website_redirect
    if options.acl:
        given["ACL"] = cast("ObjectCannedACLType", options.acl)
    if options.kms_key_id:
        given["ServerSideEncryption"] = "aws:kms"
        given["SSEKMSKeyId"] = options.kms_key_id
        given["BucketKeyEnabled"] = True
    # S3 keeps showing a retention that has ended, and refuses to set one.
    if options.object_lock and source.lock_mode and (until := source.lock_until) and until > iso(now()):
        given["ObjectLockMode"] = cast("ObjectLockModeType", source.lock_mode)
        given["ObjectLockRetainUntilDate"] = until
    if options.object_lock and source.legal_hold:
        given["ObjectLockLegalHoldStatus"] = cast("ObjectLockLegalHoldStatusType", source.legal_hold)
    return given


def quoted(e_tag: str) -> str:
    """Return an entity tag as HTTP has it in a condition (RFC 9110, section 8.8.3)."""
    return f'"{e_tag}"'
