"""Objects as they are typed and shown: `s3://BUCKET/KEY`."""

import typer

from waybill.replication.models import FileId

_SCHEME = "s3://"


def parse_uri(text: str) -> FileId:
    """Return bucket and key of `s3://BUCKET/KEY`; the key is everything after the bucket's slash, and may be empty."""
    bucket, _, key = text.removeprefix(_SCHEME).partition("/")
    if not is_uri(text) or not bucket:
        raise typer.BadParameter(f"{text} is not of the form s3://BUCKET/KEY")
    return FileId(bucket, key)


def is_uri(text: str) -> bool:
    """Return whether `text` is an address in S3, and no path of this machine."""
    return text.startswith(_SCHEME)


def file_of(text: str) -> FileId:
    """Return the file at `s3://BUCKET/KEY`."""
    file = parse_uri(text)
    if not file.source_key:
        raise typer.BadParameter(f"{text} names no object: the form is s3://BUCKET/KEY")
    return file


def uri_of(file: FileId) -> str:
    """Return the address of a file."""
    return f"{_SCHEME}{file.source_bucket}/{file.source_key}"
