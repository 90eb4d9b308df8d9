"""Lists of objects that somebody else has made: the CSV of S3 Batch Operations, and S3 Inventory.

Sources: Amazon S3 user guide, "Specifying a manifest" (`bucket,key[,versionId]`, keys URL-encoded, no header) and
"Amazon S3 Inventory list" (a `manifest.json` that names gzipped CSV files and their columns).
"""

import csv
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import unquote_plus

from waybill.core.errors import FieldError, InvalidInputError
from waybill.core.text import shortened
from waybill.replication.domain.backfill_job import Entry
from waybill.replication.models import KEY_LIMIT_BYTES

_BATCH = ("Bucket", "Key", "VersionId")
_NOT_ENCODED = re.compile("%(?![0-9A-Fa-f]{2})")
_FIELD = "--manifest"


@dataclass(frozen=True)
class InventoryManifest:
    """What a `manifest.json` says: the bucket with the files, their keys and MD5 (hexadecimal), and their columns."""

    bucket: str
    files: tuple[tuple[str, str], ...]
    columns: tuple[str, ...]


def inventory_of(text: str, source_bucket: str) -> InventoryManifest:
    """Return the inventory that a `manifest.json` is about.

    Raises
    ------
    InvalidInputError
        It is none, is of another bucket, or has no CSV files.
    """
    try:
        told = json.loads(text)
        files = tuple((str(file["key"]), str(file["MD5checksum"])) for file in told["files"])
        columns = tuple(name.strip() for name in told["fileSchema"].split(","))
        bucket, kind, of = str(told["destinationBucket"]).rpartition(":")[2], told["fileFormat"], told["sourceBucket"]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InvalidInputError(FieldError(_FIELD, "is no manifest of S3 Inventory")) from error
    if kind != "CSV":
        raise InvalidInputError(FieldError(_FIELD, f"is an inventory in the format {kind}: only CSV is read"))
    if of != source_bucket:
        raise InvalidInputError(FieldError(_FIELD, f"is an inventory of {of}, not of {source_bucket}"))
    return InventoryManifest(bucket, files, columns)


def entries_of(lines: Iterable[str], source_bucket: str, columns: Sequence[str] = ()) -> Iterator[Entry]:
    """Yield the objects that the lines of a CSV name; a line that names nothing is an entry with its problem.

    `columns` are those of an inventory, of which only current versions are taken; without, it is a manifest of S3 Batch
    Operations.

    Raises
    ------
    InvalidInputError
        A line is of another bucket.
    """
    for number, line in enumerate(lines, 1):
        text = line.removeprefix("\ufeff") if number == 1 else line
        text = text.rstrip("\r\n")
        if not text.strip():
            continue
        try:
            row = _row(text, columns)
            key = _key(row["Key"])
        except ValueError as error:
            yield Entry(key=shortened(_readable(text), KEY_LIMIT_BYTES), problem=f"line {number}: {error}")
            continue
        if row["Bucket"] != source_bucket:
            told = f"line {number} is of bucket {_readable(row['Bucket'])}, not of {source_bucket}"
            raise InvalidInputError(FieldError(_FIELD, told))
        if row.get("IsLatest") == "false" or row.get("IsDeleteMarker") == "true":
            continue
        # An inventory is a day old or a week: what is current now is what it is about.
        yield Entry(key=key, version_id=None if columns else row.get("VersionId") or None)


def _row(text: str, columns: Sequence[str]) -> dict[str, str]:
    try:
        ((*fields,),) = csv.reader([text], strict=True)
    except (csv.Error, ValueError):
        raise ValueError("is no line of CSV") from None
    if columns:
        if len(fields) != len(columns):
            raise ValueError(f"has {len(fields)} fields, not {len(columns)}")
        return dict(zip(columns, fields, strict=True))
    if not 2 <= len(fields) <= len(_BATCH):
        raise ValueError(f"has {len(fields)} fields, not bucket,key or bucket,key,versionId")
    return dict(zip(_BATCH, fields, strict=False))


def _key(encoded: str) -> str:
    if not encoded:
        raise ValueError("names no key")
    if _NOT_ENCODED.search(encoded):
        raise ValueError("has a key that is not URL-encoded")
    try:
        key = unquote_plus(encoded, errors="strict")
        size = len(key.encode())
    except UnicodeError:
        raise ValueError("has a key that is not UTF-8") from None
    if size > KEY_LIMIT_BYTES:
        raise ValueError(f"has a key of {size} bytes, which is over {KEY_LIMIT_BYTES}")
    return key


def _readable(text: str) -> str:
    return text.encode(errors="backslashreplace").decode()
