"""The collaborators of the consignment functions, built from settings when a handler first needs them."""

import uuid
from functools import cache
from typing import Any

from waybill.consignments import WORKFLOW
from waybill.consignments.adapters.copy_targets import S3CopyTargets
from waybill.consignments.adapters.runs import S3RunDocuments
from waybill.consignments.adapters.table import ConsignmentsTable
from waybill.consignments.adapters.uploads import S3Uploads
from waybill.consignments.domain.failed_run import FailureRecorder
from waybill.consignments.domain.intake import FileFetcher, documents_prefix
from waybill.consignments.domain.record import newest_run
from waybill.consignments.domain.registration import Registrar
from waybill.consignments.domain.starter import CheckStarter
from waybill.consignments.models import Consignment
from waybill.consignments.settings import (
    ConsignmentCopySettings,
    ConsignmentTableSettings,
    ConsignmentUploadSettings,
    ConsignmentWorkflowSettings,
    CopyTargetSettings,
    RunDocumentSettings,
    RunMapSettings,
)
from waybill.core.aws.clients import client
from waybill.core.aws.sns import SnsNotifier
from waybill.core.aws.states import StepFunctions
from waybill.core.clock import now
from waybill.core.observability import logger
from waybill.core.settings import NotificationSettings, ObservabilitySettings, load


@cache
def table() -> ConsignmentsTable:
    """Return the consignments table."""
    return ConsignmentsTable(client("dynamodb"), load(ConsignmentTableSettings).consignments_table)


def registrar() -> Registrar:
    """Return what takes registrations in."""
    return Registrar(table(), now, lambda: str(uuid.uuid4()))


@cache
def executions() -> StepFunctions:
    """Return Step Functions."""
    return StepFunctions(client("stepfunctions"))


@cache
def starter() -> CheckStarter:
    """Return what starts the checks."""
    return CheckStarter(table(), executions(), load(ConsignmentWorkflowSettings).consignment_checks_workflow_arn)


def fetcher() -> FileFetcher:
    """Return what gets the files of a consignment ready."""
    bucket = load(ConsignmentUploadSettings).consignment_upload_bucket
    return FileFetcher(table(), table(), S3Uploads(client("s3"), bucket), bucket, now)


def documents(consignment_id: str, execution_name: str) -> S3RunDocuments:
    """Return the documents of a run."""
    bucket = load(RunDocumentSettings).consignment_results_bucket
    return S3RunDocuments(client("s3"), bucket, documents_prefix(consignment_id, execution_name))


def documents_of(event: dict[str, Any]) -> S3RunDocuments:
    """Return the documents of the run that a state's event names."""
    return documents(event["consignmentId"], event["executionName"])


def consignment_of(event: dict[str, Any]) -> Consignment:
    """Return the consignment of a state's event; raises `RunSupersededError` where a later run has taken it over."""
    return newest_run(table(), event["consignmentId"], event["executionId"])


@cache
def copy_targets() -> S3CopyTargets:
    """Return the clean bucket and the quarantine bucket."""
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
def notifier() -> SnsNotifier:
    """Return the failure topic."""
    return SnsNotifier(client("sns"), load(NotificationSettings).failure_topic_arn)


def stage() -> str:
    """Return the name of the stage, which notifications call the environment."""
    settings: ObservabilitySettings = load(ObservabilitySettings)
    return settings.stage


def failure_recorder() -> FailureRecorder:
    """Return what records a run that broke."""
    return FailureRecorder(table(), notifier(), stage(), lambda what: logger(WORKFLOW).exception(what))
