"""The files that minting commands read and write."""

import codecs
import gzip
import sys
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

import typer

from waybill.core.errors import FieldError, InvalidInputError
from waybill.minting.domain.plan import ChunkPlan, plan_lines
from waybill.minting.domain.requests import Mode
from waybill.minting.errors import InvalidRequestError


def plan_of(identifiers: list[str], file: Path | None, mode: Mode, job: str | None) -> ChunkPlan:
    """Return what to mint: the arguments, then the file's lines."""
    options = {"mode": mode.value} | ({} if job is None else {"jobId": job})
    try:
        given = plan_lines(options, _arguments(identifiers), may_be_empty=True)
        listed = plan_lines(options, _text(file), as_json=file.suffix == ".jsonl", may_be_empty=True) if file else given
    except InvalidRequestError as error:
        raise typer.BadParameter(str(error)) from None
    entries = list({entry.text: entry for entry in (*given.entries, *listed.entries)}.values())
    if not entries:
        raise typer.BadParameter("give identifiers, or --file")
    return ChunkPlan(entries, given.mode, given.job_id)


def _arguments(identifiers: list[str]) -> Iterator[str]:
    for number, text in enumerate(identifiers, start=1):
        try:
            text.encode()
        except UnicodeEncodeError:
            raise typer.BadParameter(f"identifier {number} is not UTF-8 text") from None
        yield text


def _text(file: Path) -> list[str]:
    try:
        content = sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
        if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            raise typer.BadParameter(f"--file {file}: it is in UTF-16; save it as UTF-8")
        return content.decode("utf-8-sig").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise typer.BadParameter(f"--file {file}: {_reason(error)}") from None


def _reason(error: Exception) -> str:
    """Return why a file cannot be read or written, without the number and the name that the system adds."""
    return (isinstance(error, OSError) and error.strerror) or str(error)


@contextmanager
def written(file: Path) -> Iterator[IO[str]]:
    """Write a file that is there when it is whole."""
    part = file.with_name(f"{file.name}.part")
    try:
        with part.open("w", encoding="utf-8") as stream:
            yield stream
        part.replace(file)
    except OSError as error:
        raise InvalidInputError(FieldError("FILE", _reason(error))) from None
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)


def _opened(file: Path) -> IO[str]:
    return gzip.open(file, "rt", encoding="utf-8-sig") if file.suffix == ".gz" else file.open(encoding="utf-8-sig")


def lines_of(file: Path, option: str) -> Iterator[str]:
    """Yield the lines of a file, plain or `.gz`; an error names the `option` that named it."""
    try:
        with _opened(file) as stream:
            yield from stream
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
        raise InvalidInputError(FieldError(option, f"{file}: {_reason(error)}")) from None
