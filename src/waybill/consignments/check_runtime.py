"""The collaborators of the file checks: apart from the others', since only they need the parsers and their layer."""

import tempfile
import time
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from waybill.consignments.adapters.rule_publications import RulePublications
from waybill.consignments.adapters.rule_sets import S3RuleSets, shipped
from waybill.consignments.adapters.runs import S3RunDocuments
from waybill.consignments.adapters.source_objects import S3Objects, S3Tags
from waybill.consignments.domain.checks.checker import FileChecker, FileTimeLimits
from waybill.consignments.domain.checks.contents import ContentFetcher
from waybill.consignments.domain.checks.engines import TagEngine, YaraEngine
from waybill.consignments.domain.checks.errors import ChecksUnavailableError, RuleSetInvalidError
from waybill.consignments.domain.checks.rule_set import RuleSet
from waybill.consignments.domain.checks.scanner_process import ScannerProcess
from waybill.consignments.domain.checks.spool import Workspace
from waybill.consignments.settings import (
    CheckSettings,
    ConsignmentTableSettings,
    InterpreterSettings,
    RunDocumentSettings,
)
from waybill.core.aws.clients import client
from waybill.core.aws.table import Table
from waybill.core.settings import load

if TYPE_CHECKING:
    from waybill.consignments.domain.checks.ports import Antivirus

# What is left of an invocation's time must be enough to store the results.
_RESERVE_SECONDS = 20.0
_TAG_SECONDS = 300.0
LAST_ATTEMPT = 3


def checker(context: Any, attempt: int) -> FileChecker:
    """Return what checks the files of one group, `attempt` being the number of tries before."""
    settings, scanning = load(CheckSettings), _scanning()
    antivirus: Antivirus

    def left() -> float:
        return float(context.get_remaining_time_in_millis()) / 1000 - _RESERVE_SECONDS

    if settings.consignment_antivirus == "yara":
        rules = _rules()
        scanners = scanning.prepare(rules)
        antivirus = YaraEngine(rules.yara, rules.version, demonstration=rules == shipped())
    else:
        scanners = scanning.prepare(None)
        deadline = time.monotonic() + _TAG_SECONDS
        antivirus = TagEngine(
            S3Tags(client("s3")), lambda: min(deadline - time.monotonic(), left()), time.sleep, _now_ms
        )
    workspace = Workspace(scanning.folder / "files")
    workspace.clear()
    return FileChecker(
        ContentFetcher(S3Objects(client("s3")), workspace, settings.consignment_large_file_bytes, left),
        scanners,
        antivirus,
        FileTimeLimits(),
        left,
        _now_ms,
        last_attempt=attempt >= LAST_ATTEMPT,
    )


def results() -> S3RunDocuments:
    """Return where the results of groups go, each under the key that the group has."""
    return S3RunDocuments(client("s3"), load(RunDocumentSettings).consignment_results_bucket, "")


class _Scanning:
    """The scanners' process of this function, with the rules that are in use when a group begins."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="checks-"))
        self.rules: RuleSet | None = None
        self.process: ScannerProcess | None = None

    def prepare(self, rules: RuleSet | None) -> ScannerProcess:
        """Return the process with `rules`, a new one if there was one with others."""
        if self.process is not None and rules == self.rules:
            return self.process
        if self.process is not None:
            self.process.close()
        compiled = None
        if rules is not None:
            compiled = self.folder / "rules.yarc"
            compiled.write_bytes(rules.compiled)
        self.process = ScannerProcess(compiled, rules.excluded if rules else (), _environment())
        self.rules = rules
        return self.process


@cache
def _scanning() -> _Scanning:
    return _Scanning()


def _rules() -> RuleSet:
    """Return the rules in use: those that were published last, or where none ever were the project's own.

    Raises
    ------
    RuleSetInvalidError
        Rules were published once, and are gone: nothing is scanned by the demonstration instead.
    """
    settings = load(CheckSettings)
    published = S3RuleSets(client("s3"), settings.consignment_rules_bucket).current(_scanning().rules)
    if published is not None:
        return published
    table = Table(client("dynamodb"), load(ConsignmentTableSettings).consignments_table, ChecksUnavailableError)
    if (version := RulePublications(table).newest()) is not None:
        raise RuleSetInvalidError(
            f"rules were published (version {version}), and {settings.consignment_rules_bucket} holds none any more; "
            "build the rules again"
        )
    return shipped()


def _environment() -> dict[str, str]:
    # The interpreter needs this one. Nothing else of ours is for parsers, credentials least of all.
    path = load(InterpreterSettings).ld_library_path
    return {"LD_LIBRARY_PATH": path} if path else {}


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
