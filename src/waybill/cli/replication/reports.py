"""Where the report of a job goes: a file, or an object in S3."""

import os
import tempfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import typer

from waybill.cli.errors import CommandError
from waybill.cli.replication.addresses import file_of, is_uri
from waybill.cli.replication.runtime import Replication
from waybill.core.aws.faults import AWS_FAULTS
from waybill.core.spreadsheets import TextFile
from waybill.core.text import escaped
from waybill.replication.domain.backfill_job import BackfillJob
from waybill.replication.domain.backfill_report import write_report

type Fill = Callable[[TextFile], object]


class ReportPlace(Protocol):
    """A place that has been tried: the report can be written there."""

    def write(self, fill: Fill) -> None:
        """Write a report, which `fill` has, in place of what was there."""
        ...


def report_place(replication: Replication, where: str) -> ReportPlace:
    """Return where the report goes.

    Raises
    ------
    BadParameter, CommandError
        It cannot be written there, on this machine or in S3; said before any work begins.
    """
    if is_uri(where):
        return _ObjectPlace(replication, where)
    return _FilePlace(replication, Path(where))


def lasting(where: str | None) -> str | None:
    """Return `where` if it is the same place on every machine, for whoever resumes the job."""
    return where if where and is_uri(where) else None


def backfill_report(replication: Replication, job: BackfillJob) -> Fill:
    """Return the report of `job` as it stands now."""
    return lambda file: write_report(job, replication.backfills.all_lines(job), file)


def _write(fill: Fill, file: Path) -> None:
    with file.open("w", encoding="utf-8", errors="backslashreplace", newline="") as opened:
        fill(opened)


@dataclass(frozen=True)
class _FilePlace:
    replication: Replication
    path: Path

    def __post_init__(self) -> None:
        if self.path.is_dir():
            raise typer.BadParameter(f"the report {escaped(str(self.path))} cannot be written: it is a folder")
        try:
            if self._is_stream:
                self._require_writable()
            else:
                self._discard(self._begin())
        except CommandError as refusal:
            raise typer.BadParameter(str(refusal)) from refusal

    def write(self, fill: Fill) -> None:
        """Write beside the file first: a report that is there is whole. A device or a pipe is written to as it is."""
        if self._is_stream:
            try:
                _write(fill, self.path)
            except OSError as error:
                raise self._refusal(error) from error
            return
        made = self._begin()
        try:
            _write(fill, made)
            made.replace(self._target)
        except OSError as error:
            raise self._refusal(error) from error
        finally:
            self._discard(made)

    @property
    def _target(self) -> Path:
        return self.path.resolve()

    @property
    def _is_stream(self) -> bool:
        # `/dev/stdout` may be a file, and is still where this command writes to.
        return self.path.exists() and (not self.path.is_file() or self.path.is_relative_to("/dev"))

    def _require_writable(self) -> None:
        if not os.access(self.path, os.W_OK):
            raise self._refusal(PermissionError("it may not be written to"))

    def _begin(self) -> Path:
        if self._target.exists():
            self._require_writable()
        try:
            handle, name = tempfile.mkstemp(prefix=".waybill-", suffix=".csv", dir=self._target.parent)
            os.close(handle)
        except OSError as error:
            raise self._refusal(error) from error
        return Path(name)

    def _refusal(self, error: OSError) -> CommandError:
        return CommandError(f"the report {escaped(str(self.path))} cannot be written: {error.strerror or error}")

    @staticmethod
    def _discard(made: Path) -> None:
        with suppress(OSError):
            made.unlink(missing_ok=True)


@dataclass(frozen=True)
class _ObjectPlace:
    replication: Replication
    where: str

    def __post_init__(self) -> None:
        place = file_of(self.where)
        client = self.replication.cli.client("s3")
        # A multipart upload that is begun and given up tries the permission, and leaves what is there as it is.
        try:
            upload = client.create_multipart_upload(Bucket=place.source_bucket, Key=place.source_key)
            client.abort_multipart_upload(Bucket=place.source_bucket, Key=place.source_key, UploadId=upload["UploadId"])
        except AWS_FAULTS as error:
            raise self._refusal(error) from error

    def write(self, fill: Fill) -> None:
        """Write the report to a file of this machine, and that to S3."""
        place = file_of(self.where)
        with tempfile.TemporaryDirectory() as folder:
            made = Path(folder) / "report.csv"
            _write(fill, made)
            client, told = self.replication.cli.client("s3"), {"ContentType": "text/csv"}
            try:
                # `upload_file` has an error of its own for what S3 refuses; this one leaves S3's as it is.
                with made.open("rb") as file:
                    client.upload_fileobj(file, place.source_bucket, place.source_key, ExtraArgs=told)
            except AWS_FAULTS as error:
                raise self._refusal(error) from error

    def _refusal(self, error: Exception) -> CommandError:
        return CommandError(f"the report {escaped(self.where)} cannot be written: {error}")
