"""Ways to name a file: by place, by content, by canonical ID, by consignment."""

import re

import typer

from waybill.custody.domain.tracing import Asked, ByConsignment, ByDigest, ByIdentifier, ByPlace
from waybill.custody.models import Place

_SCHEME, _DIGEST = "s3://", "sha256:"
_SHA256 = re.compile(r"[0-9A-Fa-f]{64}")
_CANONICAL_ID = re.compile(r"[A-Za-z0-9]{8,9}")


def prefix_of(text: str) -> tuple[str, str]:
    """Return bucket and prefix of `s3://BUCKET/PREFIX`; the prefix may be empty.

    Raises
    ------
    BadParameter
        It has another form.
    """
    bucket, _, prefix = text.removeprefix(_SCHEME).partition("/")
    if not text.startswith(_SCHEME) or not bucket:
        raise typer.BadParameter(f"{text} is not of the form s3://BUCKET/PREFIX")
    return bucket, prefix


def place_of(text: str) -> Place:
    """Return the place that `s3://BUCKET/KEY` names.

    Raises
    ------
    BadParameter
        It has another form.
    """
    bucket, _, key = text.removeprefix(_SCHEME).partition("/")
    if not text.startswith(_SCHEME) or not bucket or not key:
        raise typer.BadParameter(f"{text} names no object: the form is s3://BUCKET/KEY")
    return Place(bucket, key)


def asked_of(text: str, version_id: str | None) -> Asked:
    """Return what `text` names.

    Raises
    ------
    BadParameter
        It names nothing.
    """
    if text.startswith(_SCHEME):
        return ByPlace(place_of(text), version_id)
    if version_id:
        raise typer.BadParameter("--version-id goes with s3://BUCKET/KEY")
    if text.startswith(_DIGEST):
        sha256 = text.removeprefix(_DIGEST)
        if not _SHA256.fullmatch(sha256):
            raise typer.BadParameter("a SHA-256 has 64 hexadecimal digits")
        return ByDigest(sha256.lower())
    consignment_id, slash, file_id = text.partition("/")
    if slash and consignment_id and file_id:
        return ByConsignment(consignment_id, file_id)
    if _CANONICAL_ID.fullmatch(text):
        return ByIdentifier(text.lower())
    told = "name a file as s3://BUCKET/KEY, sha256:HEX, CONSIGNMENT_ID/FILE_ID, or a canonical ID"
    raise typer.BadParameter(told)
