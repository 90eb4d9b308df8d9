"""What the routes and commands of the consignment checks answer."""

from typing import TYPE_CHECKING, Any

from pydantic import ConfigDict, Field, SerializerFunctionWrapHandler, model_serializer

from waybill.consignments.domain.explanations import explanation
from waybill.consignments.models import CHECKS, ConsignmentStatus
from waybill.core.views import View, optional

if TYPE_CHECKING:
    from waybill.consignments.domain.file_records import FileRow
    from waybill.consignments.domain.ports import Reader, Register
    from waybill.consignments.domain.registration import Registration
    from waybill.consignments.domain.tables import Tables
    from waybill.consignments.models import Consignment
    from waybill.core.executions import StartedExecution

_ENDED = frozenset({ConsignmentStatus.COMPLETED, ConsignmentStatus.COMPLETED_WITH_ISSUES})


class UploadPlaceView(View):
    """Where one file is to be uploaded to."""

    file_id: str = Field(description="The id of the file in this consignment")
    path: str = Field(description="As registered")
    upload_key: str = Field(description="The key in the upload bucket")


class RegistrationView(View):
    """A registered page."""

    consignment_id: str = Field(description="The id that further pages name")
    files: list[UploadPlaceView] = Field(description="The files of this page")


class CheckStartView(View):
    """A run that exists now."""

    execution_arn: str = Field(description="The execution of the workflow")
    already_running: bool = Field(description="Whether an earlier request had started it")


class ProgressView(View):
    """How many files there are, and how many of them each check has come to."""

    files: int
    antivirus: int
    checksum: int
    file_format: int


class RunFailureView(View):
    """What the newest run broke of."""

    step: str = Field(description="The state that failed, or `Workflow`")
    execution_name: str | None
    error: str = Field(description="The name of the error")
    cause: str = Field(description="What it says")


class MissingFileView(View):
    """A registered file that was not uploaded."""

    file_id: str
    path: str


class MissingFilesView(View):
    """Registered files that were not uploaded."""

    count: int
    first: list[MissingFileView] = Field(description="The first 20 of them")


class ExtraObjectsView(View):
    """Uploaded objects that nobody has registered."""

    count: int
    first: list[str] = Field(description="The names of the first 20 of them")


class DifferencesView(View):
    """How uploads and register differ."""

    missing: MissingFilesView
    extra: ExtraObjectsView


class ConsignmentView(View):
    """A consignment as it stands."""

    consignment_id: str
    type: str = Field(description="`standard` or `judgment`")
    reference: str
    transferring_body: str
    status: str = Field(description="The worst of its statuses, or where it is on its way there")
    statuses: dict[str, str] = Field(description="The statuses of the consignment by name")
    progress: ProgressView
    execution_arn: str | None = Field(description="The execution that was started last, null before the first")
    created_at: str
    runs: int = Field(description="How many executions have taken it over")
    failure: RunFailureView | None = optional("What the newest run broke of")
    differences: DifferencesView | None = optional("How uploads and register differ")


class MatchView(View):
    """One format that a file may be of; what an older run has not stored is left out, what is null was not found."""

    model_config = ConfigDict(extra="allow", json_schema_serialization_defaults_required=False)

    extension: str | None = None
    identification_basis: str | None = None
    puid: str | None = None
    file_extension_mismatch: bool | None = None
    format_name: str | None = None
    extension_only: bool | None = None
    basis: str | None = None
    format_class: str | None = None

    @model_serializer(mode="wrap")
    def _as_stored(self, serialize: SerializerFunctionWrapHandler) -> Any:
        absent = {
            name
            for field, described in type(self).model_fields.items()
            if field not in self.model_fields_set
            for name in (field, described.alias)
        }
        return {name: value for name, value in serialize(self).items() if name not in absent}


class UnexaminableView(View):
    """Why a parser fails on these bytes each time."""

    reason: str
    sentence: str


class CheckResultView(View):
    """The result of one check as it is stored; what it has not is left out, what else it has is there."""

    model_config = ConfigDict(extra="allow")

    software: str | None = optional("What has checked")
    software_version: str | None = optional("Its version")
    partial: bool | None = optional("Whether the file was too large to be looked at as a whole")
    unexaminable: UnexaminableView | None = optional("Why a parser fails on the file each time")


class HitView(View):
    """A rule that matches inside of the file."""

    rule: str
    path: str = Field(description="The member that it matches in")


class UnscannedView(View):
    """A member that was not scanned, or not to its end."""

    path: str
    reason: str


class AntivirusView(CheckResultView):
    """What the scan for malware has found."""

    database_version: str | None = optional("The version of the rules")
    result: str | None = optional("The rules that match, one per line, or the scanner's word; empty is clean")
    datetime: int | None = optional("When, in milliseconds since 1970")
    engine: str | None = optional("`yara` or `guardduty`")
    rules_version: str | None = optional("The version of the rules")
    demonstration_rules: bool | None = optional("True where the project's own rules were used, which are no protection")
    places: list[HitView] | None = optional("Where rules match inside of the file")
    not_scanned: list[UnscannedView] | None = optional("The first members that were not scanned")
    not_scanned_count: int | None = optional("How many members were not scanned")


class FileFormatView(CheckResultView):
    """What the identification of the format has found."""

    matches: list[MatchView] | None = optional("The formats that fit")
    extension_candidates: list[str] | None = optional("PUIDs that the name would allow")
    warnings: list[str] | None = optional("What is wrong with the file")
    timed_out: bool | None = optional("Whether there was no result in time")
    encrypted: bool | None = optional("Whether the file is encrypted")
    encryption: str | None = optional("How, such as `pdf`, `office` or `openPgp`")
    opens_without_password: bool | None = optional("Of an encrypted PDF, where it is known")
    method: str | None = optional("`pronom`")
    binary_signature_file_version: str | None = optional("The version of PRONOM's signatures")
    container_signature_file_version: str | None = optional("The version of PRONOM's container signatures")


class ExplanationView(View):
    """A verdict on a file, with what it means to whoever has sent the file."""

    status_name: str
    value: str
    rule: str | None = optional("The rule that has decided")
    detail: str | None = optional("What it saw")
    table_version: str | None = optional("The version of the table that it went by")
    sentence: str = Field(description="What it means")
    action: str | None = Field(description="Who can put it right, null where nothing is wrong")


class FileView(View):
    """A file with what was found of it; what is not known yet is left out.

    `run` is the number of the run that found this: lower than the consignment's `runs` as long as a later one has not
    come to its end.
    """

    file_id: str
    path: str
    size: int = Field(description="As registered, in bytes")
    client_checksum: str = Field(description="The SHA-256 that was registered")
    statuses: dict[str, str] = Field(description="The statuses of the file by name")
    accepted: bool | None = optional("Whether the file may be accepted")
    checksum: str | None = optional("The SHA-256 that was computed here")
    antivirus: AntivirusView | None = optional("What the scan for malware has found")
    file_format: FileFormatView | None = optional("What the identification of the format has found")
    version_id: str | None = optional("The version of the object that was checked")
    e_tag: str | None = optional("The ETag of the object that was checked")
    object_size: int | None = optional("Bytes of the object that was checked")
    original_filepath: str | None = optional("The original of a redacted file")
    copied_to: str | None = optional("`clean` or `quarantine`")
    run: int | None = optional("The number of the run that has found this")
    explanations: list[ExplanationView] = Field(description="Each verdict, explained")


class FileListView(View):
    """Files with their results."""

    files: list[FileView]
    cursor: str | None = Field(description="Asks for the next page, null at the end")


def registration_view(registration: "Registration") -> RegistrationView:
    """Return the answer to a registered page."""
    return RegistrationView.of(registration)


def check_start_view(started: "StartedExecution") -> CheckStartView:
    """Return the answer to the start of the checks."""
    return CheckStartView(execution_arn=started.execution_arn, already_running=started.already_running)


def consignment_view(consignment: "Consignment", reader: "Reader", register: "Register") -> ConsignmentView:
    """Return a consignment with its progress."""
    return ConsignmentView.of(
        {
            "consignmentId": consignment.consignment_id,
            "type": consignment.type.value,
            "reference": consignment.reference,
            "transferringBody": consignment.transferring_body,
            "status": consignment.status,
            "statuses": dict(consignment.statuses),
            "progress": _progress(consignment, reader, register),
            "executionArn": consignment.execution_arn,
            "createdAt": consignment.created_at,
            "runs": consignment.run,
            "failure": consignment.failure,
            "differences": consignment.differences,
        }
    )


def _progress(consignment: "Consignment", reader: "Reader", register: "Register") -> dict[str, int]:
    files = consignment.file_count
    if files is None:
        # No run has counted them; while pages come in, those that are there count.
        files = consignment.announced if consignment.started else register.count_files(consignment.consignment_id)
    if consignment.status in _ENDED:
        return {"files": files, **dict.fromkeys(CHECKS, files)}
    checked = reader.progress(consignment) if consignment.started else dict.fromkeys(CHECKS, 0)
    return {"files": files, **checked}


def file_page(
    consignment: "Consignment", reader: "Reader", tables: "Tables", limit: int, after: str | None
) -> tuple[list[FileView], str | None]:
    """Return a page of files with the explanation of each verdict, and the id after which the next page begins."""
    rows, last = reader.file_rows(consignment.consignment_id, limit, after)
    return [file_view(row, tables) for row in rows], last


def file_view(row: "FileRow", tables: "Tables") -> FileView:
    """Return one file with the explanation of each verdict."""
    found = row["results"]
    return FileView.of(
        {
            "fileId": row["fileId"],
            "path": row["path"],
            "size": row["size"],
            "clientChecksum": row["sha256"],
            "statuses": row["statuses"],
            **{name: value for name, value in found.items() if name != "verdicts"},
            "run": row["run"],
            "explanations": [explanation(verdict, tables) for verdict in found.get("verdicts", [])],
        }
    )
