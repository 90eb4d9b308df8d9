"""The package: the copy of the report for the person, and every attachment that is not in it, as it came.

What has something taken out of it is not in the package: the bytes that came would disclose it.
"""

import hashlib
import re
import unicodedata
import zipfile
from collections.abc import Iterable, Sequence
from csv import writer
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Final

# The first day that a package of this kind can name: the same files give the same bytes.
_DAY: Final = (1980, 1, 1, 0, 0, 0)
_LONGEST: Final = 80
_ODD = re.compile(r"[^\w\-. ]+")
_ENDING = re.compile(r"\.[A-Za-z0-9]{1,8}")


@dataclass(frozen=True)
class Packed:
    """A file of the package: its path there, and where its bytes are; without, why it is not in it."""

    path: str
    name: str
    source: Path | None
    reason: str


def path_of(service: str, number: int, name: str, file_name: str) -> str:
    """Return the path of an attachment in the package: no name leads anywhere else, and no two are the same."""
    plain = unicodedata.normalize("NFC", name)
    safe = _ODD.sub("_", plain).strip(". _")[:_LONGEST].strip(". _")
    ending = Path(file_name).suffix if _ENDING.fullmatch(Path(file_name).suffix) else ""
    if ending and safe.lower().endswith(ending.lower()):
        safe = safe[: -len(ending)]
    return f"attachments/{service}/{number:05}{'-' if safe else ''}{safe}{ending}"


def pack(report: Path, attachments: Iterable[Packed], destination: Path) -> None:
    """Write the package; it ends with a list of what is in it, with SHA-256, and of what is not.

    Each attachment is asked for when the one before is in the package: they may lie in the same file.
    """
    rows = [("report.pdf", "", *_facts(report), "")]
    with zipfile.ZipFile(destination, "w", zipfile.ZIP_STORED) as package:
        _add(package, "report.pdf", report)
        for one in attachments:
            if one.source is None:
                rows.append(("", one.name, "", "", one.reason))
                continue
            _add(package, one.path, one.source)
            rows.append((one.path, one.name, *_facts(one.source), one.reason))
        package.writestr(zipfile.ZipInfo("contents.csv", _DAY), _table(rows))


def _add(package: zipfile.ZipFile, path: str, source: Path) -> None:
    with source.open("rb") as file, package.open(zipfile.ZipInfo(path, _DAY), "w", force_zip64=True) as entry:
        while piece := file.read(1 << 20):
            entry.write(piece)


def _facts(file: Path) -> tuple[str, str]:
    with file.open("rb") as stream:
        return str(file.stat().st_size), hashlib.file_digest(stream, "sha256").hexdigest()


def _table(rows: Iterable[Sequence[str]]) -> bytes:
    made = StringIO(newline="")
    table = writer(made)
    table.writerow(("path", "name", "bytes", "sha256", "why it is not in the report"))
    # A name that begins like a formula is text to every program that opens tables (OWASP, "CSV injection").
    table.writerows([[f"'{cell}" if cell[:1] in "=+-@\t\r" and cell else cell for cell in row] for row in rows])
    return made.getvalue().encode("utf-8-sig")
