"""The metadata and content headers of an object, read so that they can be sent again as they were."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from waybill.replication.models import ObjectHeaders

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import HeadObjectOutputTypeDef

_HEADERS = (
    "CacheControl",
    "ContentDisposition",
    "ContentEncoding",
    "ContentLanguage",
    "ContentType",
)


def headers_of(answer: "HeadObjectOutputTypeDef") -> ObjectHeaders:
    """Return the metadata and content headers in boto3's `answer` to a HeadObject.

    `Expires` is free text in HTTP, which S3 keeps as it was sent, and boto3 hands out as ExpiresString.
    """
    found = {name: answer.get(name) for name in _HEADERS} | {"Expires": answer.get("ExpiresString")}
    return ObjectHeaders(
        headers={name: _as_sent(str(value)) for name, value in found.items() if value},
        metadata=answer.get("Metadata", {}),
    )


def send_expires_as_text(client: "S3Client") -> "S3Client":
    """Make `client` start uploads with `Expires` as free text, as S3 keeps it; boto3 takes nothing but a date there."""
    events, operation = client.meta.events, "s3.CreateMultipartUpload"
    events.register(f"before-parameter-build.{operation}", _set_expires_aside, unique_id="waybill-expires-aside")
    events.register(f"before-call.{operation}", _send_expires, unique_id="waybill-expires-sent")
    return client


def _set_expires_aside(params: dict[str, object], context: dict[str, object], **_: object) -> None:
    if "Expires" in params:
        context["waybill_expires"] = params.pop("Expires")


def _send_expires(params: Mapping[str, dict[str, object]], context: Mapping[str, object], **_: object) -> None:
    if "waybill_expires" in context:
        params["headers"]["Expires"] = context["waybill_expires"]


def _as_sent(header: str) -> str:
    """Return a header's text: http.client reads its bytes as Latin-1, while botocore sends text as UTF-8."""
    try:
        return header.encode("latin-1").decode()
    except UnicodeError:
        return header
