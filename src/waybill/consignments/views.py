"""What the routes and commands of the consignment checks answer."""

from typing import TYPE_CHECKING

from pydantic import ConfigDict, Field, SerializerFunctionWrapHandler, model_serializer

from waybill.consignments.domain.explanations import explained_remarks, explanation
from waybill.consignments.domain.waivers import accepted_with, shown_waivers
from waybill.consignments.models import CHECKS, ConsignmentStatus
from waybill.core.views import View, optional

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from waybill.consignments.domain.corrections import CorrectedConsignment
    from waybill.consignments.domain.file_records import FileRow
    from waybill.consignments.domain.ports import Reader, Register
    from waybill.consignments.domain.registration import Registration, UploadPlace
    from waybill.consignments.domain.tables import Tables
    from waybill.consignments.models import Consignment
    from waybill.core.executions import StartedExecution

_CONSIGNMENT, _FILE = "0b7e6f0a-5f0c-4f7e-9d55-3c1f6a1f7c11", "6f3d6c39-3a0e-5c55-9c0a-4f2d8b2a1d7e"
_PATH, _RUN_NAME = "minutes/2026-01.pdf", "0b7e6f0a-1"
_RUN = f"arn:aws:states:eu-west-1:123456789012:execution:waybill-checks:{_RUN_NAME}"
_SHA256 = "2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae"
_DOCUMENTS_PAGE = 200
_ENDED = frozenset({ConsignmentStatus.COMPLETED, ConsignmentStatus.COMPLETED_WITH_ISSUES})


class SignedUploadView(View):
    """A request that uploads exactly this file: S3 refuses any other size and any other SHA-256."""

    method: str = Field(description="Always `PUT`", examples=["PUT"])
    url: str = Field(description="The signed address", examples=["https://uploads.s3.eu-west-1.amazonaws.com/alice/…"])
    headers: dict[str, str] = Field(
        description="The headers to send, all of them; browsers send Content-Length by themselves",
        examples=[{"Content-Length": "48213"}],
    )
    expires_at: str = Field(description="Until when it is taken, ISO 8601", examples=["2026-11-02T10:15:00.000Z"])


class UploadPlaceView(View):
    """Where one file is to be uploaded to."""

    file_id: str = Field(description="The id of the file in this consignment", examples=[_FILE])
    path: str = Field(description="Its path, as it was registered", examples=[_PATH])
    upload_key: str = Field(description="The key in the upload bucket", examples=[f"alice/{_CONSIGNMENT}/{_FILE}"])
    upload: SignedUploadView | None = optional(
        "How to upload it with nothing but this; absent for a file above 5 GiB or without a checksum, and where the "
        "answer would be too long: POST /consignments/{consignmentId}/uploads gives it then"
    )


class RegistrationView(View):
    """A registered page."""

    consignment_id: str = Field(description="The id that further pages name", examples=[_CONSIGNMENT])
    files: list[UploadPlaceView] = Field(description="The files of this page")


class UploadsView(View):
    """Where files are to be uploaded to."""

    uploads: list[UploadPlaceView] = Field(description="The files that were asked for")


class CorrectionsView(View):
    """What was corrected."""

    consignment_id: str = Field(description="The id of the consignment", examples=[_CONSIGNMENT])
    files: list[UploadPlaceView] = Field(description="Where the files that were replaced are to be uploaded to")
    left_out: list[str] = Field(description="The ids of files that are no part of it any more", examples=[[_FILE]])


class CheckStartView(View):
    """A run that exists now."""

    execution_arn: str = Field(description="The execution of the workflow", examples=[_RUN])
    already_running: bool = Field(description="Whether an earlier request had started it")


class ProgressView(View):
    """How many files there are, and how many of them each check has come to."""

    files: int = Field(description="How many files there are", ge=0, examples=[7])
    antivirus: int = Field(description="How many were scanned for malware", ge=0, examples=[7])
    checksum: int = Field(description="Of how many the checksum was computed", ge=0, examples=[7])
    file_format: int = Field(description="Of how many the format was identified", ge=0, examples=[7])


class RunFailureView(View):
    """What the newest run broke of."""

    step: str = Field(description="The state that failed, or `Workflow`", examples=["Antivirus"])
    execution_name: str | None = Field(description="The run; null where it is unknown", examples=[_RUN_NAME])
    error: str = Field(description="The name of the error", examples=["UploadMismatchError"])
    cause: str = Field(description="What it says", examples=["1 file is missing"])


class MissingFileView(View):
    """A registered file that was not uploaded."""

    file_id: str = Field(description="The id of the file", examples=[_FILE])
    path: str = Field(description="Its path, as it was registered", examples=[_PATH])


class MissingFilesView(View):
    """Registered files that were not uploaded."""

    count: int = Field(description="How many files", ge=0, examples=[1])
    first: list[MissingFileView] = Field(description="The first 20 of them")


class ExtraObjectsView(View):
    """Uploaded objects that nobody has registered."""

    count: int = Field(description="How many objects", ge=0, examples=[0])
    first: list[str] = Field(description="The names of the first 20 of them", examples=[[]])


class DifferencesView(View):
    """How uploads and register differ."""

    missing: MissingFilesView = Field(description="What was registered and not uploaded")
    extra: ExtraObjectsView = Field(description="What was uploaded and not registered")


class ConsignmentView(View):
    """A consignment as it stands."""

    consignment_id: str = Field(description="The id of the consignment", examples=[_CONSIGNMENT])
    type: str = Field(description="`standard` or `judgment`", examples=["standard"])
    reference: str = Field(description="What its sender calls it", examples=["TDR-2026-A"])
    transferring_body: str = Field(description="Who sends it; may be empty", examples=["Town Hall"])
    status: str = Field(
        description="The worst of its statuses, or where it is on its way there: `Registered`, `InProgress`, "
        "`Completed`, `CompletedWithIssues` or `Failed`",
        examples=["Completed"],
    )
    statuses: dict[str, str] = Field(
        description="The statuses of the consignment by name", examples=[{"ServerFFID": "Completed"}]
    )
    progress: ProgressView = Field(description="How far the checks are")
    execution_arn: str | None = Field(
        description="The execution that was started last, null before the first", examples=[_RUN]
    )
    created_at: str = Field(description="When it was registered, ISO 8601", examples=["2026-11-02T09:15:00.000Z"])
    runs: int = Field(description="How many executions have taken it over")
    failure: RunFailureView | None = optional("What the newest run broke of")
    differences: DifferencesView | None = optional("How uploads and register differ")


class ConsignmentSummaryView(View):
    """A consignment in a list."""

    consignment_id: str = Field(description="The id of the consignment", examples=[_CONSIGNMENT])
    type: str = Field(description="`standard` or `judgment`", examples=["standard"])
    reference: str = Field(description="What its sender calls it", examples=["TDR-2026-A"])
    transferring_body: str = Field(description="Who sends it; may be empty", examples=["Town Hall"])
    status: str = Field(description="Where it stands at this moment", examples=["Completed"])
    statuses: dict[str, str] = Field(
        description="The statuses of the consignment by name", examples=[{"ServerFFID": "Completed"}]
    )
    files: int = Field(description="How many files it has, or was announced with", ge=0, examples=[7])
    created_at: str = Field(description="When it was registered, ISO 8601", examples=["2026-11-02T09:15:00.000Z"])
    execution_arn: str | None = Field(
        description="The execution that was started last, null before the first", examples=[_RUN]
    )


class ConsignmentListView(View):
    """Consignments, newest first."""

    consignments: list[ConsignmentSummaryView] = Field(description="Some consignments")
    cursor: str | None = Field(
        description="For the next page, as `cursor` of the next request; null at the end",
        examples=["eyJhZnRlciI6IjIwMjYifQ"],
    )


class MatchView(View):
    """One format that a file may be of; what an older run has not stored is left out, what is null was not found."""

    model_config = ConfigDict(extra="allow", json_schema_serialization_defaults_required=False)

    extension: str | None = Field(default=None, description="The extension of the file's name", examples=["pdf"])
    identification_basis: str | None = Field(default=None, description="What tells the format", examples=["Signature"])
    puid: str | None = Field(
        default=None, description="The format, as PRONOM names it; null: none was found", examples=["fmt/276"]
    )
    file_extension_mismatch: bool | None = Field(
        default=None, description="Whether the name has another extension", examples=[False]
    )
    format_name: str | None = Field(
        default=None, description="The name of the format", examples=["Acrobat PDF 1.7 - Portable Document Format"]
    )
    extension_only: bool | None = Field(
        default=None, description="Whether the name alone tells the format", examples=[False]
    )
    basis: str | None = Field(
        default=None, description="What tells the format, in full", examples=["byte match at 0, 8"]
    )
    format_class: str | None = Field(default=None, description="The class of the format", examples=["Page Description"])
    format_version: str | None = Field(default=None, description="The version of the format", examples=["1.7"])
    mime_type: str | None = Field(default=None, description="Its media types", examples=["application/pdf"])

    @model_serializer(mode="wrap")
    def _as_stored(self, serialize: SerializerFunctionWrapHandler) -> object:
        absent = {
            name
            for field, described in type(self).model_fields.items()
            if field not in self.model_fields_set
            for name in (field, described.alias)
        }
        return {name: value for name, value in serialize(self).items() if name not in absent}


class UnexaminableView(View):
    """Why a parser fails on these bytes each time."""

    reason: str = Field(description="For programs", examples=["CRASHED"])
    sentence: str = Field(description="For people", examples=["The program that reads the file crashed."])


class CheckResultView(View):
    """The result of one check as it is stored; what it has not is left out, what else it has is there."""

    model_config = ConfigDict(extra="allow")

    software: str | None = optional("What has checked", examples=["siegfried"])
    software_version: str | None = optional("Its version", examples=["1.11.2"])
    partial: bool | None = optional("Whether the file was too large to be looked at as a whole")
    unexaminable: UnexaminableView | None = optional("Why a parser fails on the file each time")


class HitView(View):
    """A rule that matches inside of the file."""

    rule: str = Field(description="The rule that matches", examples=["EICAR_Test_File"])
    path: str = Field(description="The member that it matches in", examples=["attachments/virus.com"])


class UnscannedView(View):
    """A member that was not scanned, or not to its end."""

    path: str = Field(
        description="Where it is in the file; empty for the file itself", examples=["attachments/secret.zip"]
    )
    reason: str = Field(description="Why not, for programs", examples=["ENCRYPTED"])
    kind: str | None = optional("What it is, where nobody here opens its kind", examples=["Outlook folders"])


class AntivirusView(CheckResultView):
    """What the scan for malware has found."""

    database_version: str | None = optional("The version of the rules", examples=["2026-11-01"])
    result: str | None = optional(
        "The rules that match, one per line, or the scanner's word; empty is clean", examples=[""]
    )
    datetime: int | None = optional("When, in milliseconds since 1970", examples=[1793610900000])
    engine: str | None = optional("`yara` or `guardduty`", examples=["yara"])
    rules_version: str | None = optional("The version of the rules", examples=["2026-11-01"])
    rules_files: int | None = optional("How many files of rules there are", examples=[12])
    rules_built: str | None = optional("When the rules were built and published", examples=["2026-11-01T09:00:00Z"])
    demonstration_rules: bool | None = optional("True where the project's own rules were used, which are no protection")
    places: list[HitView] | None = optional("Where rules match inside of the file", examples=[[]])
    not_scanned: list[UnscannedView] | None = optional("The first members that were not scanned", examples=[[]])
    not_scanned_count: int | None = optional("How many members were not scanned", examples=[0])


class ArchiveMemberView(View):
    """A file in an archive, which is accepted as nothing."""

    path: str = Field(description="Its path in the archive, through archives in it", examples=["minutes/2026-01.pdf"])
    size: int = Field(description="Its size in bytes", examples=[48213])
    puid: str | None = optional("The format, as PRONOM names it; absent where none was found", examples=["fmt/276"])
    format_name: str | None = optional("The name of the format", examples=["Acrobat PDF 1.7"])


class ArchiveMembersView(View):
    """What an archive holds, of a consignment that was registered with `inside`."""

    count: int = Field(description="How many files", examples=[1])
    listed: list[ArchiveMemberView] = Field(description="The first of them")
    not_listed: list[UnscannedView] = Field(description="The first that could not be opened", examples=[[]])


class FileFormatView(CheckResultView):
    """What the identification of the format has found."""

    matches: list[MatchView] | None = optional("The formats that fit")
    extension_candidates: list[str] | None = optional("PUIDs that the name would allow", examples=[["fmt/276"]])
    warnings: list[str] | None = optional("What is wrong with the file", examples=[["CORRUPT_CONTAINER"]])
    text: bool | None = optional("Whether the file reads as text at both ends", examples=[False])
    office_package: bool | None = optional("True for a ZIP file that begins as an Office or EPUB document does")
    message: bool | None = optional("True for what reads as an e-mail message, whatever its format is found to be")
    container: str | None = optional("Of an archive or image that need not have a PUID, its kind", examples=["zstd"])
    members: ArchiveMembersView | None = optional("What the archive holds, where its sender wanted to know")
    timed_out: bool | None = optional("Whether there was no result in time")
    encrypted: bool | None = optional("Whether the file is encrypted")
    encryption: str | None = optional("How, such as `pdf`, `office` or `openPgp`", examples=["pdf"])
    opens_without_password: bool | None = optional("Of an encrypted PDF, where it is known")
    method: str | None = optional("`pronom`", examples=["pronom"])
    signatures_created: str | None = optional("When the signatures were built, ISO 8601", examples=["2026-09-27"])
    signature_age_days: int | None = optional("How many days old they were when they were used", examples=[64])
    binary_signature_file_version: str | None = optional("The version of PRONOM's signatures", examples=["V120"])
    container_signature_file_version: str | None = optional(
        "The version of PRONOM's container signatures", examples=["20240715"]
    )


class ExplanationView(View):
    """A verdict on a file, with what it means to whoever has sent the file."""

    status_name: str = Field(description="What the verdict is about", examples=["Antivirus"])
    value: str = Field(description="The verdict", examples=["Success"])
    rule: str | None = optional("The rule that has decided", examples=["antivirus.noMatch"])
    detail: str | None = optional("What it saw", examples=["yara-x 1.23.0"])
    table_version: str | None = optional("The version of the table that it went by", examples=["2026-10"])
    sentence: str = Field(description="What it means", examples=["No rule for malware matches."])
    action: str | None = Field(description="Who can put it right, null where nothing is wrong", examples=[None])


class RemarkView(View):
    """Something to know about a file, whether it is accepted or not."""

    rule: str = Field(description="What it is about, for programs", examples=["waybill.extensionMismatch"])
    detail: str | None = optional("What was seen in this file", examples=[".csv stands for x-fmt/18"])
    sentence: str = Field(
        description="What it means",
        examples=[
            "The content of this file is of another format than its name says: its content is JPEG File Interchange "
            "Format (fmt/43), its name ends in .pdf."
        ],
    )
    action: str | None = Field(
        description="Who can put it right, null where nothing is wrong", examples=["Fix yourself"]
    )


class WaiverView(View):
    """An exception for one verdict."""

    status_name: str = Field(description="What the verdict is about", examples=["FFID"])
    value: str = Field(description="The verdict that passes", examples=["Zip"])
    reason: str = Field(description="Why it passes", examples=["A fixed format of a program that the archive keeps"])
    by: str = Field(description="Who has decided: the subject of a token", examples=["bob"])
    at: str = Field(description="When, ISO 8601", examples=["2026-11-02T09:15:00.000Z"])
    checksum: str = Field(description="The SHA-256 of the content that it is about", examples=[_SHA256])
    holds: bool = Field(description="Whether the verdict and the content are still those", examples=[True])


class FileView(View):
    """A file with what was found of it; what is not known yet is left out."""

    file_id: str = Field(description="The id of the file", examples=[_FILE])
    path: str = Field(description="Its path, as it was registered", examples=[_PATH])
    size: int = Field(description="As registered, in bytes", examples=[48213])
    client_checksum: str = Field(description="The SHA-256 that was registered", examples=[_SHA256])
    last_modified: str | None = optional(
        "When its content was changed last, as its sender says", examples=["2011-03-04T05:06:07Z"]
    )
    statuses: dict[str, str] = Field(
        description="The statuses of the file by name",
        examples=[{"Antivirus": "Success", "ChecksumMatch": "Success", "FFID": "Success"}],
    )
    accepted: bool | None = optional("Whether the file may be accepted", examples=[True])
    checksum: str | None = optional("The SHA-256 that was computed here", examples=[_SHA256])
    antivirus: AntivirusView | None = optional("What the scan for malware has found")
    file_format: FileFormatView | None = optional("What the identification of the format has found")
    version_id: str | None = optional("The version of the object that was checked", examples=["3HL4kqtJlcpXroDTDmJ"])
    e_tag: str | None = optional("The ETag of the object that was checked", examples=["9b2cf535f27731c974343645"])
    object_size: int | None = optional("Bytes of the object that was checked", examples=[48213])
    original_filepath: str | None = optional("The original of a redacted file", examples=["minutes/2026-01.docx"])
    copied_to: str | None = optional("`clean` or `quarantine`", examples=["clean"])
    run: int | None = optional(
        "The number of the run that has found this: lower than `runs` while a later one goes on",
        examples=[1],
    )
    explanations: list[ExplanationView] = Field(description="Each verdict, explained")
    remarks: list[RemarkView] = Field(description="What else is to be known of the file, most serious first")
    waivers: list[WaiverView] | None = optional("Exceptions that were made for the file", examples=[[]])


class FileListView(View):
    """Files with their results."""

    files: list[FileView] = Field(description="Some files")
    cursor: str | None = Field(
        description="For the next page, as `cursor` of the next request; null at the end",
        examples=["eyJhZnRlciI6IjZmM2Q2YzM5In0"],
    )


def registration_view(registration: "Registration") -> RegistrationView:
    """Return the answer to a registered page."""
    return RegistrationView.of(registration)


def uploads_view(places: "Sequence[UploadPlace]") -> UploadsView:
    """Return the answer to a renewal."""
    return UploadsView.of({"uploads": places})


def corrections_view(corrected: "CorrectedConsignment") -> CorrectionsView:
    """Return the answer to corrections."""
    return CorrectionsView.of(corrected)


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


def consignment_list_view(consignments: "Sequence[Consignment]", cursor: str | None) -> ConsignmentListView:
    """Return a page of a list."""
    shown = [
        ConsignmentSummaryView(
            consignment_id=each.consignment_id,
            type=each.type.value,
            reference=each.reference,
            transferring_body=each.transferring_body,
            status=each.status,
            statuses=dict(each.statuses),
            files=each.announced if each.file_count is None else each.file_count,
            created_at=each.created_at,
            execution_arn=each.execution_arn,
        )
        for each in consignments
    ]
    return ConsignmentListView(consignments=shown, cursor=cursor)


def file_documents(consignment: "Consignment", reader: "Reader", tables: "Tables") -> "Iterator[dict[str, object]]":
    """Yield all files as the API shows them."""
    after = None
    while True:
        page, after = file_page(consignment, reader, tables, _DOCUMENTS_PAGE, after)
        yield from (file.wire() for file in page)
        if after is None:
            return


def _progress(consignment: "Consignment", reader: "Reader", register: "Register") -> dict[str, int]:
    files = consignment.file_count
    if files is None:
        # No run has counted them; while pages come in, those that are there count.
        files = consignment.announced if consignment.started else register.count_files(consignment.consignment_id)
    if consignment.status in _ENDED:
        return {"files": files, **dict.fromkeys(CHECKS, files)}
    checked = reader.progress(consignment) if consignment.started else dict.fromkeys(CHECKS, 0)
    return {"files": files, **{check: number + consignment.carried for check, number in checked.items()}}


# What a row keeps of a file that its answers do not say: verdicts have explanations, and copies are custody's.
_UNSHOWN = frozenset({"verdicts", "copy", "removed"})


def file_page(
    consignment: "Consignment", reader: "Reader", tables: "Tables", limit: int, after: str | None
) -> tuple[list[FileView], str | None]:
    """Return a page of files with the explanation of each verdict, and the id after which the next page begins."""
    rows, last = reader.file_rows(consignment.consignment_id, limit, after)
    return [file_view(row, tables) for row in rows], last


def file_view(row: "FileRow", tables: "Tables") -> FileView:
    """Return one file with the explanation of each verdict."""
    found = row["results"]
    accepted = {"accepted": accepted_with(row), "waivers": shown_waivers(row)} if row["waivers"] else {}
    return FileView.of(
        {
            "fileId": row["fileId"],
            "path": row["path"],
            "size": row["size"],
            "clientChecksum": row["sha256"],
            "lastModified": row["lastModified"],
            "statuses": row["statuses"],
            **{name: value for name, value in found.items() if name not in _UNSHOWN},
            **accepted,
            "run": row["run"],
            "explanations": [explanation(verdict, tables) for verdict in found.get("verdicts", [])],
            "remarks": explained_remarks(row["path"], found.get("fileFormat") or {}, tables),
        }
    )
