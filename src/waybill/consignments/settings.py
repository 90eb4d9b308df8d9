"""Environment variables of the functions of the consignment checks; each gets those that its handler reads."""

from typing import Annotated

from pydantic import Field

from waybill.core.settings import WaybillSettings


class TableSettings(WaybillSettings):
    """The table of consignments."""

    consignments_table: str


class UploadSettings(WaybillSettings):
    """The bucket that submitters upload to."""

    consignment_upload_bucket: str


class ResultsSettings(WaybillSettings):
    """The bucket that holds the documents of runs."""

    consignment_results_bucket: str


class MapSettings(WaybillSettings):
    """How many groups of files are checked at a time."""

    consignment_concurrency: Annotated[int, Field(ge=1, le=1000)] = 5


class CopySettings(WaybillSettings):
    """Whether checked files are copied."""

    copy_checked_files: bool = True


class CopyTargetSettings(WaybillSettings):
    """Where accepted files and suspicious ones are copied to."""

    consignment_clean_bucket: str
    consignment_quarantine_bucket: str


class WorkflowSettings(WaybillSettings):
    """The workflow that checks consignments."""

    consignment_checks_workflow_arn: str
