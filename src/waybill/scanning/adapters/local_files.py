"""Files of this machine, scanned with the engine that scans buckets."""

import os
import secrets
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import cast

from waybill.core.errors import FieldError, InvalidInputError
from waybill.core.user_folders import user_folder
from waybill.scanning.adapters.child_process import ChildProcess
from waybill.scanning.domain.detection.engine import Engine
from waybill.scanning.domain.detection.models import Finding
from waybill.scanning.domain.detection.scanner import ObjectScanner, Outcome
from waybill.scanning.domain.finding_documents import FindingDocument
from waybill.scanning.domain.local_report import FilesReport, LocalFileOutcome

_LEFT_OUT_IF_EMPTY = ("sample", "decoded_from", "member", "cell")


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


def fingerprint_key() -> bytes:
    """Return the key of this user's fingerprints, made once: a value has the same one in every call on this machine.

    Raises
    ------
    InvalidInputError
        The folder of the user's configuration cannot be written.
    """
    folder = user_folder("CONFIG")
    file = folder / "fingerprints.key"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with suppress(FileExistsError):
            # Written as a whole before it has its name: another call may make it at the same time.
            new = folder / f".{secrets.token_hex(8)}"
            new.touch(mode=0o600)
            new.write_bytes(secrets.token_bytes(32))
            try:
                os.link(new, file)
            finally:
                new.unlink()
        return file.read_bytes()
    except OSError as error:
        raise InvalidInputError(FieldError("XDG_CONFIG_HOME", f"cannot be used: {type(error).__name__}")) from None


def scan_files(
    files: Iterable[Path], engine: Engine, only: frozenset[str] | None = None, *, key: bytes | None = None
) -> FilesReport:
    """Return what was found in `files` and what was not read; without a `key`, fingerprints hold within one call."""
    scanner = ObjectScanner(engine, key or secrets.token_bytes(32), only=only, isolation=ChildProcess())
    objects: list[LocalFileOutcome] = []
    found: list[FindingDocument] = []
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
            reason = "ACCESS_DENIED" if isinstance(error, PermissionError) else "UNREADABLE"
            outcomes[Outcome.SKIPPED] += 1
            reasons[reason] += 1
            objects.append({"file": str(file), "outcome": "SKIPPED", "not_read": [{"member": "", "reason": reason}]})
            continue
        total += size
        scanned += report.bytes_scanned
        truncated = truncated or report.truncated
        outcomes[report.outcome] += 1
        reasons.update(report.reasons)
        detectors.update(report.counts)
        not_read = [{"member": each.member, "reason": each.reason} for each in report.unread]
        objects.append({"file": str(file), "outcome": report.outcome.value, "not_read": not_read})
        found += [_document(file, finding) for finding in report.findings]
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
        "objects": objects,
    }


def _document(file: Path, finding: Finding) -> FindingDocument:
    fields = finding._asdict().items()
    shown = {name: value for name, value in fields if value or name not in _LEFT_OUT_IF_EMPTY}
    return cast("FindingDocument", {"file": str(file), **shown})
