"""Files of this machine, scanned with the engine that scans buckets."""

import os
import secrets
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from waybill.core.errors import FieldError, InvalidInputError
from waybill.scanning.domain.detection.engine import Engine
from waybill.scanning.domain.detection.scanner import ObjectScanner, Outcome

_EMPTY = ((), "", False)


def files_under(paths: Iterable[Path]) -> Iterator[Path]:
    """Yield the regular files that `paths` name or contain, in order, each once.

    Raises
    ------
    InvalidInputError
        A path does not exist.
    """
    paths = list(paths)
    missing = [FieldError("PATH", f"{path} does not exist") for path in paths if not path.exists()]
    if missing:
        raise InvalidInputError(*missing)
    seen: set[Path] = set()
    for path in paths:
        for file in _files_of(path):
            if file not in seen:
                seen.add(file)
                yield file


def _files_of(path: Path) -> Iterator[Path]:
    if path.is_file():
        yield path
    elif path.is_dir():
        for folder, folders, names in os.walk(path):
            folders.sort()
            yield from (file for name in sorted(names) if (file := Path(folder, name)).is_file())


def scan_files(files: Iterable[Path], engine: Engine, only: frozenset[str] | None = None) -> dict[str, Any]:
    """Return `{findings, coverage}` of `files`; fingerprints hold within one call."""
    scanner = ObjectScanner(engine, secrets.token_bytes(32), only=only)
    found: list[dict[str, Any]] = []
    outcomes: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    detectors: Counter[str] = Counter()
    total = scanned = 0
    truncated = False
    for file in files:
        try:
            size = file.stat().st_size
            with file.open("rb") as stream:
                report = scanner.scan(stream.read)
        except OSError as error:
            outcomes[Outcome.SKIPPED] += 1
            reasons["ACCESS_DENIED" if isinstance(error, PermissionError) else "UNREADABLE"] += 1
            continue
        total += size
        scanned += report.bytes_scanned
        truncated = truncated or report.truncated
        outcomes[report.outcome] += 1
        reasons.update(report.reasons)
        detectors.update(report.counts)
        for finding in report.findings:
            shown = {name: value for name, value in asdict(finding).items() if value not in _EMPTY}
            found.append({"file": str(file), **shown})
    return {
        "findings": found,
        "coverage": {
            "files": outcomes.total(),
            "bytes_total": total,
            "bytes_scanned": scanned,
            "outcomes": {outcome.value: outcomes[outcome] for outcome in Outcome},
            "reasons": dict(sorted(reasons.items())),
            "detectors": dict(sorted(detectors.items())),
            "truncated_findings": truncated,
        },
    }
