"""The collaborators of the consignment checks: what a handler, a route and a command build them from.

Each is built when it is first needed, and what it is made of is imported then: only CheckFiles has the layer with the
parsers.
"""

import tempfile
import time
import uuid
from contextlib import closing
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from waybill.consignments import WORKFLOW
from waybill.consignments.settings import (
    CheckSettings,
    ConsignmentCopySettings,
    ConsignmentTableSettings,
    ConsignmentUploadSettings,
    ConsignmentWorkflowSettings,
    CopyTargetSettings,
    InterpreterSettings,
    RunDocumentSettings,
    RunMapSettings,
)
from waybill.core.clock import now
from waybill.core.settings import NotificationSettings, ObservabilitySettings, load

if TYPE_CHECKING:
    from collections.abc import Callable

    from waybill.consignments.adapters.copy_targets import S3CopyTargets
    from waybill.consignments.adapters.prepared_scanners import PreparedScanners
    from waybill.consignments.adapters.result_files import S3ResultFiles
    from waybill.consignments.adapters.rule_publications import RulePublications
    from waybill.consignments.adapters.rule_sets import S3RuleSets
    from waybill.consignments.adapters.runs import S3RunDocuments
    from waybill.consignments.adapters.scanner_process import ScannerProcess
    from waybill.consignments.adapters.signature_sets import S3SignatureSets
    from waybill.consignments.adapters.table import ConsignmentsTable
    from waybill.consignments.domain.checks.checker import FileChecker
    from waybill.consignments.domain.checks.ports import Antivirus
    from waybill.consignments.domain.checks.rule_set import RuleSet
    from waybill.consignments.domain.checks.signature_set import SignatureSet
    from waybill.consignments.domain.corrections import Corrector
    from waybill.consignments.domain.failed_run import RunFailureRecorder
    from waybill.consignments.domain.intake import FileFetcher
    from waybill.consignments.domain.lookup import OwnExecutions
    from waybill.consignments.domain.ports import UploadSigner
    from waybill.consignments.domain.registration import Registrar
    from waybill.consignments.domain.starter import CheckStarter
    from waybill.consignments.domain.states import ClaimedRun, NamedRun
    from waybill.consignments.domain.waivers import Waivers
    from waybill.consignments.models import Consignment
    from waybill.core.aws.sns import SnsNotifier
    from waybill.core.aws.step_functions import StepFunctions
    from waybill.core.invocations import InvocationContext

# What is left of an invocation's time must be enough to store the results.
_RESERVE_SECONDS = 20.0
_TAG_SECONDS = 300.0
LAST_ATTEMPT = 3


@cache
def table() -> "ConsignmentsTable":
    """Return the consignments table."""
    from waybill.consignments.adapters.table import ConsignmentsTable
    from waybill.core.aws.clients import client

    return ConsignmentsTable(client("dynamodb"), load(ConsignmentTableSettings).consignments_table)


def registrar() -> "Registrar":
    """Return what takes registrations in."""
    from waybill.consignments.domain.registration import Registrar

    return Registrar(table(), now, lambda: str(uuid.uuid4()), _upload_signer())


def _upload_signer() -> "UploadSigner":
    from waybill.consignments.adapters.upload_signing import S3UploadSigner
    from waybill.core.aws.clients import presigner

    return S3UploadSigner(presigner(), load(ConsignmentUploadSettings).consignment_upload_bucket, now)


@cache
def executions() -> "StepFunctions":
    """Return Step Functions."""
    from waybill.core.aws.clients import client
    from waybill.core.aws.step_functions import StepFunctions

    return StepFunctions(client("stepfunctions"))


@cache
def execution_states() -> "OwnExecutions":
    """Return what knows how this stack's executions stand."""
    from waybill.consignments.domain.lookup import OwnExecutions

    return OwnExecutions(executions(), load(ConsignmentWorkflowSettings).consignment_checks_workflow_arn)


@cache
def starter() -> "CheckStarter":
    """Return what starts the checks."""
    from waybill.consignments.domain.starter import CheckStarter

    return CheckStarter(table(), executions(), load(ConsignmentWorkflowSettings).consignment_checks_workflow_arn)


def fetcher() -> "FileFetcher":
    """Return what gets the files of a consignment ready."""
    from waybill.consignments.adapters.uploads import S3Uploads
    from waybill.consignments.domain.intake import FileFetcher
    from waybill.core.aws.clients import client

    bucket = load(ConsignmentUploadSettings).consignment_upload_bucket
    return FileFetcher(table(), table(), table(), S3Uploads(client("s3"), bucket), bucket, now)


def documents(consignment_id: str, execution_name: str) -> "S3RunDocuments":
    """Return the documents of a run."""
    from waybill.consignments.domain.intake import documents_prefix

    return _documents_below(documents_prefix(consignment_id, execution_name))


def documents_of(event: "NamedRun") -> "S3RunDocuments":
    """Return the documents of the run that a state's event names."""
    return documents(event["consignmentId"], event["executionName"])


def group_results() -> "S3RunDocuments":
    """Return where the results of groups go, each under the whole key that its group has."""
    return _documents_below("")


def _documents_below(prefix: str) -> "S3RunDocuments":
    from waybill.consignments.adapters.runs import S3RunDocuments
    from waybill.core.aws.clients import client

    return S3RunDocuments(client("s3"), load(RunDocumentSettings).consignment_results_bucket, prefix)


def result_files() -> "S3ResultFiles":
    """Return where reports and exports are kept."""
    from waybill.consignments.adapters.result_files import S3ResultFiles
    from waybill.core.aws.clients import client, presigner

    return S3ResultFiles(client("s3"), presigner(), load(RunDocumentSettings).consignment_results_bucket)


def waivers() -> "Waivers":
    """Return what makes exceptions."""
    from waybill.consignments.domain.waivers import Waivers

    return Waivers(table(), table(), now)


def corrector() -> "Corrector":
    """Return what takes corrections in."""
    from waybill.consignments.domain.corrections import Corrector

    return Corrector(table(), table(), now, _upload_signer())


def consignment_of(event: "ClaimedRun") -> "Consignment":
    """Return the consignment of a state's event; raises `RunSupersededError` where a later run has taken it over."""
    from waybill.consignments.domain.results_write import newest_run

    return newest_run(table(), event["consignmentId"], event["executionId"])


@cache
def copy_targets() -> "S3CopyTargets":
    """Return the clean bucket and the quarantine bucket."""
    from waybill.consignments.adapters.copy_targets import S3CopyTargets
    from waybill.core.aws.clients import client

    settings: CopyTargetSettings = load(CopyTargetSettings)
    return S3CopyTargets(client("s3"), settings.consignment_clean_bucket, settings.consignment_quarantine_bucket)


def copies_wanted() -> bool:
    """Return whether checked files are copied."""
    settings: ConsignmentCopySettings = load(ConsignmentCopySettings)
    return settings.copy_checked_files


def concurrency() -> int:
    """Return how many groups of a consignment are checked at a time."""
    settings: RunMapSettings = load(RunMapSettings)
    return settings.consignment_concurrency


@cache
def notifier() -> "SnsNotifier":
    """Return the failure topic."""
    from waybill.core.aws.clients import client
    from waybill.core.aws.sns import SnsNotifier

    return SnsNotifier(client("sns"), load(NotificationSettings).failure_topic_arn)


def stage() -> str:
    """Return the name of the stage, which notifications call the environment."""
    settings: ObservabilitySettings = load(ObservabilitySettings)
    return settings.stage


def failure_recorder() -> "RunFailureRecorder":
    """Return what records a run that broke."""
    from waybill.consignments.domain.failed_run import RunFailureRecorder
    from waybill.core.observability import logger

    return RunFailureRecorder(table(), notifier(), stage(), lambda what: logger(WORKFLOW).exception(what))


def checker(context: "InvocationContext", attempt: int) -> "FileChecker":
    """Return what checks the files of one group, `attempt` being the number of tries before."""
    from waybill.consignments.adapters.source_objects import S3Objects
    from waybill.consignments.domain.checks.checker import FileChecker, FileTimeLimits
    from waybill.consignments.domain.checks.contents import ContentFetcher
    from waybill.consignments.domain.checks.spool import Workspace
    from waybill.core.aws.clients import client

    def left() -> float:
        return context.get_remaining_time_in_millis() / 1000 - _RESERVE_SECONDS

    settings, scanners = load(CheckSettings), prepared_scanners()
    rules = _rules() if "yara" in settings.engines else None
    process = scanners.prepare(rules, _signatures())
    workspace = Workspace(scanners.folder / "files")
    workspace.clear()
    fetcher = ContentFetcher(S3Objects(client("s3")), workspace, settings.consignment_large_file_bytes, left)
    antivirus, limits, last = _antivirus(settings, rules, left), FileTimeLimits(), attempt >= LAST_ATTEMPT
    return FileChecker(fetcher, process, antivirus, limits, left, _now_ms, last_attempt=last)


@cache
def prepared_scanners() -> "PreparedScanners":
    """Return the scanners of this function, which stay from one group to the next."""
    from waybill.consignments.adapters.prepared_scanners import PreparedScanners

    # The interpreter needs this one. Nothing else of ours is for parsers, credentials least of all.
    path = load(InterpreterSettings).ld_library_path
    return PreparedScanners(Path(tempfile.mkdtemp(prefix="checks-")), {"LD_LIBRARY_PATH": path} if path else {})


def _antivirus(settings: CheckSettings, rules: "RuleSet | None", left: "Callable[[], float]") -> "Antivirus":
    """Return what judges: one of the engines, or all of several."""
    from waybill.consignments.domain.checks.engines import AllEngines

    made = {
        "yara": lambda: _rule_engine(rules),
        "guardduty": lambda: _tag_engine(left),
        "clamav": lambda: _clam_engine(settings.consignment_clamd_address, left),
    }
    engines = [made[name]() for name in settings.engines]
    return engines[0] if len(engines) == 1 else AllEngines(engines)


def _rule_engine(rules: "RuleSet | None") -> "Antivirus":
    from waybill.consignments.adapters.rule_sets import shipped
    from waybill.consignments.domain.checks.engines import YaraEngine

    if rules is None:
        raise LookupError("no rules")
    demonstration = rules.version == shipped().version
    return YaraEngine(rules.yara, rules.version, files=rules.files, built=rules.built, demonstration=demonstration)


def _tag_engine(left: "Callable[[], float]") -> "Antivirus":
    from waybill.consignments.adapters.source_objects import S3Objects
    from waybill.consignments.domain.checks.engines import TagEngine
    from waybill.core.aws.clients import client

    deadline = time.monotonic() + _TAG_SECONDS
    return TagEngine(S3Objects(client("s3")), lambda: min(deadline - time.monotonic(), left()), _now_ms)


def _clam_engine(address: str, left: "Callable[[], float]") -> "Antivirus":
    from waybill.consignments.adapters.clamd import Clamd
    from waybill.consignments.domain.checks.engines import ClamEngine

    return ClamEngine(Clamd(address), left)


def _signatures() -> "SignatureSet | None":
    """Return the signatures in use; None for those that the identifying program brings."""
    return signature_sets().current(prepared_scanners().signatures)


def signature_sets() -> "S3SignatureSets":
    """Return where signatures of formats are published."""
    from waybill.consignments.adapters.signature_sets import S3SignatureSets
    from waybill.core.aws.clients import client

    return S3SignatureSets(client("s3"), load(CheckSettings).consignment_rules_bucket)


def proven_signatures(file: Path) -> "SignatureSet":
    """Return the signatures in a file, tried in a process of their own; raises `RuleSetInvalidError`."""
    from waybill.consignments.domain.checks.signature_set import SignatureSet

    with tempfile.TemporaryDirectory() as samples, _scanners_with(file) as scanners:
        return SignatureSet.proven(file.read_bytes(), scanners, Path(samples))


def shipped_signatures() -> dict[str, str]:
    """Return what the identifying program says of the signatures that it brings."""
    with _scanners_with(None) as scanners:
        return scanners.versions()


def _scanners_with(signatures: Path | None) -> "closing[ScannerProcess]":
    from waybill.consignments.adapters.scanner_process import ScannerProcess

    return closing(ScannerProcess(None, (), {}, signatures=signatures))


def _rules() -> "RuleSet":
    """Return the rules in use; see `rules_in_use`."""
    from waybill.consignments.adapters.rule_sets import rules_in_use

    return rules_in_use(rule_sets(), rule_publications(), prepared_scanners().rules)


def rule_sets() -> "S3RuleSets":
    """Return where rules are published."""
    from waybill.consignments.adapters.rule_sets import S3RuleSets
    from waybill.core.aws.clients import client

    return S3RuleSets(client("s3"), load(CheckSettings).consignment_rules_bucket)


def rule_publications() -> "RulePublications":
    """Return what remembers which rules were published."""
    from waybill.consignments.adapters.rule_publications import RulePublications
    from waybill.consignments.domain.checks.errors import ChecksUnavailableError
    from waybill.core.aws.clients import client
    from waybill.core.aws.table import Table

    name = load(ConsignmentTableSettings).consignments_table
    return RulePublications(Table(client("dynamodb"), name, ChecksUnavailableError))


def shipped_rules() -> "RuleSet":
    """Return the rules that come with the project."""
    from waybill.consignments.adapters.rule_sets import shipped

    return shipped()


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
