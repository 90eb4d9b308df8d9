"""S3 Inventory as the source of a job's objects (Amazon S3 User Guide, "Amazon S3 Inventory").

A manifest names CSV files, gzipped, with the MD5 of each; `manifest.checksum` beside it holds the manifest's own. Keys
are URL-encoded. Positions are `<file>:<row>`, of fixed width, so that they sort as the rows do. No page reaches over
the end of a file, and ranges are cut between files.
"""

import csv
import gzip
import hashlib
import io
import json
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any, Protocol
from urllib.parse import unquote_plus

from waybill.core.errors import FieldError, InvalidInputError
from waybill.scanning.errors import InventoryBrokenError
from waybill.scanning.keys import KeyRange
from waybill.scanning.models import READ_AT_ONCE, Entry
from waybill.scanning.request_models import ScanRequest

_NEEDED = frozenset({"Bucket", "Key", "Size", "ETag"})
_BLOCK = 1 << 20


class Stream(Protocol):
    """An object that is being read."""

    @property
    def etag(self) -> str:
        """The state that is read."""
        ...

    def read(self, count: int) -> bytes:
        """Return up to `count` bytes; none at the end."""
        ...

    def close(self) -> None:
        """Give the connection back."""
        ...


class InventoryFiles(Protocol):
    """The bucket that inventories are delivered to."""

    def open_file(self, bucket: str, key: str, etag: str | None = None) -> Stream:
        """Open an object, in the state `etag` where one is given; raises when it cannot be read."""
        ...


@dataclass(frozen=True)
class Manifest:
    """The files of an inventory: keys and MD5 in the order of the manifest, and the names of their columns."""

    bucket: str
    files: tuple[tuple[str, str], ...]
    columns: tuple[str, ...]


class Inventory:
    """`Source` on an inventory; keeps a file open between pages that follow each other."""

    def __init__(self, files: InventoryFiles) -> None:
        self._files = files
        self._manifests: dict[str, Manifest] = {}
        self._open: tuple[str, Iterator[tuple[int, Entry | None]]] | None = None

    def check(self, request: ScanRequest) -> None:
        """Read the manifest.

        Raises
        ------
        InvalidInputError
            It is not whole, not one of this bucket, or not one that can be read; names `manifest`.
        NotFoundError, BucketNotFoundError, BucketDeniedError
            It does not exist, or may not be read.
        """
        self._manifest(request)

    def page(self, request: ScanRequest, bounds: KeyRange, limit: int) -> tuple[list[Entry], str, bool]:
        """Return up to `limit` objects, the position behind them, and whether there is nothing behind it in `bounds`.

        Raises
        ------
        InventoryBrokenError
            A file does not have the MD5 that the manifest tells, or is no CSV.
        """
        manifest = self._manifest(request)
        file, row = _parsed(bounds.after)
        end = _parsed(bounds.upto)[0] if bounds.upto else len(manifest.files)
        if file >= end:
            return [], bounds.after, True
        if self._open is None or self._open[0] != f"{request.manifest} {_position(file, row)}":
            self._open = "", self._rows(manifest, file, row, request)
        _, rows = self._open
        found: dict[str, Entry] = {}
        read = row
        for number, entry in islice(rows, limit):
            read = number
            if entry is not None:
                found[entry.key] = entry
        if read - row < limit:
            position, self._open = _position(file + 1, 0), None
            return list(found.values()), position, file + 1 >= end
        position = _position(file, read)
        self._open = f"{request.manifest} {position}", rows
        return list(found.values()), position, False

    def cuts(self, request: ScanRequest, bounds: KeyRange, pieces: int, page_keys: int) -> list[str]:
        """Return up to `pieces - 1` beginnings of files; none before the file that is read next."""
        manifest = self._manifest(request)
        first = _parsed(bounds.after)[0] + 1
        end = _parsed(bounds.upto)[0] if bounds.upto else len(manifest.files)
        step = max(1.0, (end - first + 1) / pieces)
        starts = sorted({first + round(number * step) - 1 for number in range(1, pieces)})
        return [_position(start, 0) for start in starts if first <= start < end]

    def _manifest(self, request: ScanRequest) -> Manifest:
        address = request.manifest or ""
        if address not in self._manifests:
            self._manifests[address] = self._read_manifest(address, request.bucket)
        return self._manifests[address]

    def _read_manifest(self, address: str, scanned: str) -> Manifest:
        bucket, _, key = address.removeprefix("s3://").partition("/")
        content = self._content(bucket, key)
        checksum = self._content(bucket, f"{key.removesuffix('.json')}.checksum").decode("ascii", "replace").strip()
        if hashlib.md5(content, usedforsecurity=False).hexdigest() != checksum:
            raise InvalidInputError(FieldError("manifest", "does not have the MD5 that manifest.checksum tells"))
        try:
            manifest = json.loads(content)
            files = tuple((str(file["key"]), str(file["MD5checksum"])) for file in manifest["files"])
            columns = tuple(name.strip() for name in manifest["fileSchema"].split(","))
            source, form = manifest["sourceBucket"], manifest["fileFormat"]
        except (ValueError, KeyError, TypeError, AttributeError):
            raise InvalidInputError(FieldError("manifest", "is not the manifest of an inventory")) from None
        if source != scanned:
            raise InvalidInputError(FieldError("manifest", f"is an inventory of {source}"))
        if form != "CSV":
            raise InvalidInputError(FieldError("manifest", f"has files of format {form}: only CSV is read"))
        missing = sorted(_NEEDED - set(columns))
        if missing:
            raise InvalidInputError(FieldError("manifest", f"lacks the fields {', '.join(missing)}"))
        return Manifest(bucket, files, columns)

    def _content(self, bucket: str, key: str) -> bytes:
        stream = self._files.open_file(bucket, key)
        try:
            return b"".join(iter(lambda: stream.read(_BLOCK), b""))
        finally:
            stream.close()

    def _rows(
        self, manifest: Manifest, file: int, row: int, request: ScanRequest
    ) -> Iterator[tuple[int, Entry | None]]:
        """Yield the rows of a file behind `row`, each with its number and the object that it tells of, if any."""
        key, md5 = manifest.files[file]
        etag = self._verified(manifest.bucket, key, md5)
        stream = self._files.open_file(manifest.bucket, key, etag)
        try:
            unpacked = gzip.GzipFile(fileobj=_Readable(stream))
            rows = csv.reader(io.TextIOWrapper(unpacked, encoding="utf-8", newline=""))
            for number, values in enumerate(islice(rows, row, None), row + 1):
                yield number, _entry(dict(zip(manifest.columns, values, strict=True)), request)
        except (OSError, EOFError, zlib.error, csv.Error, ValueError) as error:
            raise InventoryBrokenError(f"file {file + 1} of the manifest: {type(error).__name__}") from error
        finally:
            stream.close()

    def _verified(self, bucket: str, key: str, md5: str) -> str:
        """Return the state of a file that has the manifest's MD5: no row of another is taken."""
        stream = self._files.open_file(bucket, key)
        digest = hashlib.md5(usedforsecurity=False)
        try:
            while block := stream.read(_BLOCK):
                digest.update(block)
        finally:
            stream.close()
        if digest.hexdigest() != md5.lower():
            raise InventoryBrokenError("a file does not have the MD5 that the manifest tells")
        return stream.etag


class _Readable(io.RawIOBase):
    """What the standard library reads from."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        block = self._stream.read(len(buffer))
        buffer[: len(block)] = block
        return len(block)


def _entry(row: Mapping[str, str], request: ScanRequest) -> Entry | None:
    """Return the object of a row; None for what is not the latest version, is deleted, or lies outside the prefix."""
    if row.get("IsLatest", "true").lower() != "true" or row.get("IsDeleteMarker", "false").lower() == "true":
        return None
    key = unquote_plus(row["Key"], errors="strict")
    if not key.startswith(request.prefix):
        return None
    storage_class = row.get("StorageClass") or "STANDARD"
    return Entry(
        key,
        int(row["Size"] or 0),
        row["ETag"].strip('"'),
        "" if storage_class in READ_AT_ONCE else storage_class,
    )


def _position(file: int, row: int) -> str:
    return f"{file:06}:{row:010}"


def _parsed(position: str) -> tuple[int, int]:
    file, _, row = position.partition(":")
    return int(file or 0), int(row or 0)
