"""Tags of S3 objects, what copies of them land on, and what EventBridge is told of them.

HeadObject tells how many tags there are, and CreateMultipartUpload takes them (Amazon S3 API Reference, both pages).
MiniStack leaves the one to GetObject and forgets the other. CopyObject has the conditions on its destination that
PutObject has (the same, CopyObject: `If-Match`, `If-None-Match`); MiniStack does not look at them there.

Events of EventBridge name the version that they are about, and only those of what was created or deleted have a
sequencer (Amazon S3 user guide, "EventBridge event message structure"). MiniStack leaves the version out, and has "0"
for what it does not know.
"""

import json
import re
from contextvars import ContextVar
from typing import Any
from urllib.parse import parse_qsl

from ministack.services import eventbridge, s3

_VERSION: ContextVar[str | None] = ContextVar("version", default=None)
_UPLOAD_ID = re.compile(rb"<UploadId>([^<]+)</UploadId>")


def mend() -> None:
    """Patch what HeadObject and multipart uploads do about tags, and what CopyObject does about conditions."""
    head, create, complete = s3._head_object, s3._create_multipart_upload, s3._complete_multipart_upload
    copy = s3._copy_object

    def head_and_count(bucket: str, key: str, *args: Any, **kwargs: Any) -> Any:
        status, headers, body = head(bucket, key, *args, **kwargs)
        if status == 200:
            headers = headers | s3._object_tagging_count_header(bucket, key, headers.get("x-amz-version-id"))
        return status, headers, body

    def create_with_tags(bucket: str, key: str, headers: dict[str, str]) -> Any:
        answer = create(bucket, key, headers)
        if created := _UPLOAD_ID.search(answer[2] or b""):
            s3._multipart_uploads[created[1].decode()]["tagging"] = headers.get("x-amz-tagging")
        return answer

    def complete_with_tags(bucket: str, key: str, body: bytes, query: Any, headers: Any = None) -> Any:
        upload = s3._multipart_uploads.get(s3._qp(query, "uploadId"))
        answer = complete(bucket, key, body, query, headers)
        if answer[0] == 200 and upload and upload.get("tagging"):
            version = s3._ensure_bucket(bucket)["objects"][key].get("version_id")
            s3._object_tags[bucket, key, version] = dict(parse_qsl(upload["tagging"], keep_blank_values=True))
        return answer

    def copy_on_conditions(bucket: str, key: str, headers: dict[str, str]) -> Any:
        target = s3._ensure_bucket(bucket)
        refused = target and s3._check_put_preconditions(headers, target["objects"].get(key))
        return refused or copy(bucket, key, headers)

    _tell_versions()
    s3._copy_object = copy_on_conditions
    s3._head_object = head_and_count
    s3._create_multipart_upload = create_with_tags
    s3._complete_multipart_upload = complete_with_tags


def _tell_versions() -> None:
    """Let EventBridge know which version an event of an object is about."""
    fire, dispatch = s3._fire_s3_event, eventbridge._dispatch_event

    def fire_with_version(*args: Any, version_id: str | None = None, **kwargs: Any) -> None:
        token = _VERSION.set(version_id)
        try:
            fire(*args, version_id=version_id, **kwargs)
        finally:
            _VERSION.reset(token)

    def dispatch_with_version(event: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        if event.get("Source") == "aws.s3":
            detail = json.loads(event["Detail"])
            if version := _VERSION.get():
                detail["object"]["version-id"] = version
            if detail["object"].get("sequencer") == "0":
                del detail["object"]["sequencer"]
            event = event | {"Detail": json.dumps(detail)}
        return dispatch(event, *args, **kwargs)

    s3._fire_s3_event, eventbridge._dispatch_event = fire_with_version, dispatch_with_version
