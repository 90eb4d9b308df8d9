"""Environment variables of the functions of the consignment checks; each gets those that its handler reads."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from waybill.core.settings import WaybillSettings

_ENGINES = r"^(yara|guardduty|clamav)(,(yara|guardduty|clamav)){0,2}$"
_CLAMD = r"^((tcp|tls)://[A-Za-z0-9._-]{1,253}:[0-9]{1,5})?$"


class ConsignmentTableSettings(WaybillSettings):
    """The table of consignments."""

    consignments_table: str


class ConsignmentUploadSettings(WaybillSettings):
    """The bucket that submitters upload to."""

    consignment_upload_bucket: str


class RunDocumentSettings(WaybillSettings):
    """The bucket that holds the documents of runs."""

    consignment_results_bucket: str


class RunMapSettings(WaybillSettings):
    """How many groups of files are checked at a time."""

    consignment_concurrency: Annotated[int, Field(ge=1, le=1000)] = 5


class ConsignmentCopySettings(WaybillSettings):
    """Whether checked files are copied."""

    copy_checked_files: bool = True


class CopyTargetSettings(WaybillSettings):
    """Where accepted files and suspicious ones are copied to."""

    consignment_clean_bucket: str
    consignment_quarantine_bucket: str


class ConsignmentWorkflowSettings(WaybillSettings):
    """The workflow that checks consignments."""

    consignment_checks_workflow_arn: str


class CheckSettings(WaybillSettings):
    """Where the rules are, which engine judges, and what fits on the function's disk."""

    consignment_rules_bucket: str
    # One or several, all of which a file has to pass.
    consignment_antivirus: Annotated[str, Field(pattern=_ENGINES)] = "yara"
    # Where there is a clamd: `tcp://host:port` or `tls://host:port`.
    consignment_clamd_address: Annotated[str, Field(pattern=_CLAMD)] = ""
    consignment_large_file_bytes: Annotated[int, Field(ge=1)] = 3_000_000_000

    @property
    def engines(self) -> tuple[str, ...]:
        """The engines, each once."""
        return tuple(dict.fromkeys(self.consignment_antivirus.split(",")))

    @model_validator(mode="after")
    def _clamd_has_an_address(self) -> Self:
        if "clamav" in self.engines and not self.consignment_clamd_address:
            raise ValueError("clamav needs the address of a clamd")
        return self


class InterpreterSettings(WaybillSettings):
    """How Lambda's interpreter finds its own library; Lambda sets it."""

    ld_library_path: str = ""
