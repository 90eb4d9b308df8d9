"""What S3 tells of the parts of an object.

HeadObject of a part tells its size and how many there are (Amazon S3 API Reference, HeadObject: `partNumber`).
MiniStack tells of the whole.

A part has the checksum that its upload asks for, however it comes (the same, UploadPartCopy, `ChecksumCRC32C` and so on
of its answer). MiniStack gives it to parts that are uploaded, and none to those that are copied.
"""

import re
from typing import Any

from ministack.services import s3

_UPLOAD_ID = re.compile(rb"<UploadId>([^<]+)</UploadId>")


def mend() -> None:
    """Patch what HeadObject says of parts, and what is kept of those that are copied."""
    head, create, copy_part = s3._head_object, s3._create_multipart_upload, s3._upload_part_copy

    def head_of_part(bucket: str, key: str, headers: Any = None, query: Any = None) -> Any:
        status, answered, body = head(bucket, key, headers, query)
        if status == 200:
            version, number = (s3._qp(query or {}, name, "") for name in ("versionId", "partNumber"))
            answered = answered | _of_part(bucket, key, version, number)
        return status, answered, body

    def create_with_type(bucket: str, key: str, headers: dict[str, str]) -> Any:
        answer = create(bucket, key, headers)
        if created := _UPLOAD_ID.search(answer[2] or b""):
            composite = headers.get("x-amz-checksum-type") == "COMPOSITE"
            s3._multipart_uploads[created[1].decode()]["composite"] = composite
        return answer

    def copy_part_with_checksum(bucket: str, key: str, query: Any, headers: dict[str, str]) -> Any:
        answer = copy_part(bucket, key, query, headers)
        upload = s3._multipart_uploads.get(s3._qp(query, "uploadId"))
        # One over the whole object it does not keep, and takes long to compute.
        if answer[0] == 200 and upload and upload.get("composite"):
            part = upload["parts"][int(s3._qp(query, "partNumber", "1"))]
            algorithm = upload["checksum_algorithm"]
            part["checksums"] = {algorithm: s3._compute_s3_checksum(algorithm, part["body"])}
        return answer

    s3._head_object = head_of_part
    s3._create_multipart_upload = create_with_type
    s3._upload_part_copy = copy_part_with_checksum


def _of_part(bucket: str, key: str, version: str, number: str) -> dict[str, str]:
    """Return the headers that tell of a part of an object that has come in parts."""
    versions = s3._object_versions.get((bucket, key), [])
    current = s3._ensure_bucket(bucket)["objects"].get(key, {})
    record = next((one for one in versions if one["version_id"] == version), current) if version else current
    sizes = {str(part["PartNumber"]): part["Size"] for part in record.get("parts") or []}
    if number not in sizes:
        return {}
    return {"Content-Length": str(sizes[number]), "x-amz-mp-parts-count": str(len(sizes))}
