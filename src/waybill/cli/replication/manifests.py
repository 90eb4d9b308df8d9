"""Where a manifest is read from: a file, or an object in S3; what is in S3 is read as a copy of the moment."""

import gzip
import hashlib
import io
import shutil
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import typer

from waybill.cli.errors import CommandError
from waybill.cli.replication.addresses import file_of, is_uri, uri_of
from waybill.cli.replication.runtime import Replication
from waybill.core.aws.faults import AWS_FAULTS
from waybill.core.text import escaped
from waybill.replication.domain.backfill_job import Entry
from waybill.replication.domain.manifest import entries_of, inventory_of
from waybill.replication.models import FileId

_GZIP = b"\x1f\x8b"


@dataclass(frozen=True)
class ManifestFiles:
    """Files on this machine with the lines of a manifest; `columns` where they are those of an inventory."""

    files: tuple[Path, ...]
    columns: tuple[str, ...]

    def entries(self, source_bucket: str) -> Iterator[Entry]:
        """Yield what the lines name; raises `InvalidInputError` for those of another bucket."""
        for path in self.files:
            with _text(path) as lines:
                yield from entries_of(lines, source_bucket, self.columns)


@contextmanager
def opened(replication: Replication, where: str, source_bucket: str) -> Iterator[ManifestFiles]:
    """Yield the manifest at `where`, as it is while the block runs."""
    with TemporaryDirectory() as folder:
        path = _fetched(replication, where, Path(folder) / "manifest")
        if not where.endswith(".json"):
            yield ManifestFiles((path,), ())
            return
        inventory = inventory_of(path.read_text(encoding="utf-8", errors="replace"), source_bucket)
        files = []
        for number, (key, digest) in enumerate(inventory.files):
            place = uri_of(FileId(inventory.bucket, key))
            file = _fetched(replication, place, Path(folder) / f"{number:06}")
            with file.open("rb") as read:
                if hashlib.file_digest(read, lambda: hashlib.md5(usedforsecurity=False)).hexdigest() != digest:
                    raise CommandError(f"{escaped(place)} is not the file that the inventory names: its MD5 differs")
            files.append(file)
        yield ManifestFiles(tuple(files), inventory.columns)


def _fetched(replication: Replication, where: str, copy: Path) -> Path:
    try:
        if is_uri(where):
            place = file_of(where)
            client = replication.cli.client("s3")
            with copy.open("wb") as file:
                client.download_fileobj(place.source_bucket, place.source_key, file)
        else:
            shutil.copyfile(where, copy)
    except OSError as error:
        raise typer.BadParameter(f"--manifest {escaped(where)}: {error.strerror or error}") from error
    except AWS_FAULTS as error:
        raise CommandError(f"{escaped(where)} cannot be read: {error}") from error
    return copy


@contextmanager
def _text(path: Path) -> Iterator[Iterator[str]]:
    """Yield the lines of a file, gzipped or not; bytes that are no UTF-8 are left to the line that they are in."""
    with path.open("rb") as raw:
        packed = raw.read(2) == _GZIP
        raw.seek(0)
        binary = gzip.GzipFile(fileobj=raw) if packed else raw
        try:
            yield iter(io.TextIOWrapper(io.BufferedReader(binary), "utf-8", "surrogateescape", newline="\n"))
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise CommandError(f"the manifest is no whole gzip file: {error}") from error
