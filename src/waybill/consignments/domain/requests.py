"""What may be asked for: registering a consignment, and naming one."""

import re
import uuid
from collections import Counter
from collections.abc import Mapping
from typing import Annotated, Self

from pydantic import Field, StringConstraints, field_validator, model_validator

from waybill.consignments.models import ConsignmentType, RegisteredFile
from waybill.core.clock import moment_of
from waybill.core.errors import FieldError, InvalidInputError
from waybill.core.wire import WireModel

FILES_PER_PAGE = 1000
FILES_LIMIT = 1_000_000
UPLOADS_PER_REQUEST = 500
LEFT_OUT_PER_REQUEST = 100
_PATH_BYTES = 4096
# The largest number that every reader of JSON keeps (RFC 8259, section 6); no object is as large.
_LARGEST_SIZE = 2**53 - 1
_MOMENT_LENGTH = 40
_REASON_LENGTH = 1000
_SOURCES = ("s3SourceBucket", "s3SourceBucketPrefix")
_SHA256 = re.compile(r"[0-9a-f]{64}")
# Gives the ids of files: the same consignment and path, the same id.
_FILE_NAMESPACE = uuid.UUID("6f3d6c39-3a0e-5c55-9c0a-4f2d8b2a1d7e")

type Text = Annotated[str, StringConstraints(min_length=1, max_length=200)]


def _text_of_a_path(path: str | None) -> str | None:
    if path is None:
        return None
    try:
        encoded = path.encode()
    except UnicodeEncodeError:
        raise ValueError("is not text: it holds half of a surrogate pair") from None
    if len(encoded) > _PATH_BYTES:
        raise ValueError(f"is over {_PATH_BYTES} bytes of UTF-8")
    return path


class LeftOutRequest(WireModel):
    """Something that its sender found beside the files and does not send."""

    path: str = Field(
        description="Its path in the consignment, at most 4,096 bytes of UTF-8",
        examples=["minutes/Thumbs.db"],
        json_schema_extra={"maxLength": _PATH_BYTES},
    )
    kind: Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Z0-9_]{0,39}$")] = Field(
        description="Why it is not sent, for programs", examples=["EXCLUDED"]
    )
    reason: Annotated[str, StringConstraints(min_length=1, max_length=_REASON_LENGTH)] = Field(
        description="Why it is not sent, for people", examples=["its name is excluded by the entry `Thumbs.db`"]
    )

    _path_is_text = field_validator("path")(_text_of_a_path)


class FileRequest(WireModel):
    """One file; a path or a checksum that is empty is reported by the checks."""

    path: str = Field(
        description="Its path in the consignment, at most 4,096 bytes of UTF-8",
        examples=["minutes/2026-01.pdf"],
        json_schema_extra={"maxLength": _PATH_BYTES},
    )
    size: Annotated[int, Field(ge=0, le=_LARGEST_SIZE, strict=True)] = Field(
        description="Its size in bytes", examples=[48213]
    )
    sha256: str = Field(
        description="Its SHA-256: 64 hexadecimal digits, or empty",
        examples=["2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae"],
        json_schema_extra={"pattern": "^([0-9A-Fa-f]{64})?$"},
    )

    last_modified: Annotated[str, StringConstraints(max_length=_MOMENT_LENGTH)] | None = Field(
        default=None,
        description="When its content was changed last, ISO 8601; without a zone where its sender knows none",
        examples=["2011-03-04T05:06:07Z"],
    )

    _path_is_text = field_validator("path")(_text_of_a_path)

    @field_validator("last_modified")
    @classmethod
    def _names_a_time(cls, moment: str | None) -> str | None:
        if moment is not None and moment_of(moment) is None:
            raise ValueError("must be a time of ISO 8601")
        return moment

    @field_validator("sha256")
    @classmethod
    def _hash_in_lower_case(cls, sha256: str) -> str:
        folded = sha256.lower()
        if folded and not _SHA256.fullmatch(folded):
            raise ValueError("must be a SHA-256 of 64 hexadecimal digits, or empty")
        return folded


class ReplacedFileRequest(FileRequest):
    """A file of the consignment as it is from now on."""

    file_id: uuid.UUID = Field(description="The id of the file", examples=["6f3d6c39-3a0e-5c55-9c0a-4f2d8b2a1d7e"])
    path: str | None = Field(  # type: ignore[assignment]
        default=None,
        description="Its path from now on, at most 4,096 bytes of UTF-8; without it, as it was",
        examples=["minutes/2026-01.pdf"],
        json_schema_extra={"maxLength": _PATH_BYTES},
    )


class CorrectionsRequest(WireModel):
    """What becomes of some files of a consignment; at least one."""

    replace: Annotated[list[ReplacedFileRequest], Field(max_length=UPLOADS_PER_REQUEST)] = Field(
        default=[], description="Files that have another content or path from now on, or are uploaded again"
    )
    leave_out: Annotated[list[uuid.UUID], Field(max_length=LEFT_OUT_PER_REQUEST)] = Field(
        default=[],
        description="The ids of files that are no part of the consignment any more; none that is accepted",
        examples=[["6f3d6c39-3a0e-5c55-9c0a-4f2d8b2a1d7e"]],
    )

    @model_validator(mode="after")
    def _names_each_file_once(self) -> Self:
        ids = [*(each.file_id for each in self.replace), *self.leave_out]
        if not ids:
            raise ValueError("must name a file")
        if len(ids) != len(set(ids)):
            raise ValueError("names a file twice")
        return self


class UploadsRequest(WireModel):
    """Files whose addresses are to be renewed."""

    file_ids: Annotated[list[uuid.UUID], Field(min_length=1, max_length=UPLOADS_PER_REQUEST)] = Field(
        description="The ids of the files", examples=[["6f3d6c39-3a0e-5c55-9c0a-4f2d8b2a1d7e"]]
    )


class WaiverRequest(WireModel):
    """An exception for one verdict on one file."""

    status: Annotated[str, StringConstraints(pattern=r"^[A-Za-z]{1,60}$")] = Field(
        description="The verdict that is to pass, by its name or its value", examples=["FFID"]
    )
    reason: Annotated[str, StringConstraints(min_length=1, max_length=_REASON_LENGTH)] = Field(
        description="Why it may pass, for everybody who reads of it",
        examples=["A fixed format of a program that the archive keeps"],
    )

    @field_validator("reason")
    @classmethod
    def _says_something(cls, reason: str) -> str:
        if not reason.strip():
            raise ValueError("must say something")
        return reason.strip()


class ConsignmentRequest(WireModel):
    """A page of a registration: at most 1,000 files.

    Pages after the first name the consignment; the same page again changes nothing. `total_files` is how many there
    will be in the end, where one page is not all.
    """

    type: ConsignmentType = Field(
        default=ConsignmentType.STANDARD, description="What is sent: records of any format, or one judgment"
    )
    reference: Text = Field(description="What its sender calls it, in one line", examples=["TDR-2026-A"])
    transferring_body: Annotated[str, StringConstraints(max_length=200)] = Field(
        default="", description="Who sends it, in one line", examples=["Town Hall"]
    )
    inside: Annotated[bool, Field(strict=True)] = Field(
        default=False, description="Whether to list what archives hold, each with its format; the first page decides"
    )
    consignment_id: uuid.UUID | None = Field(
        default=None,
        description="The consignment that this page belongs to; without it, a new one",
        examples=["0b7e6f0a-5f0c-4f7e-9d55-3c1f6a1f7c11"],
    )
    total_files: Annotated[int, Field(ge=0, le=FILES_LIMIT)] | None = Field(
        default=None, description="How many files there will be in the end, where one page is not all", examples=[1]
    )
    files: Annotated[list[FileRequest], Field(max_length=FILES_PER_PAGE)] = Field(
        description="The files of this page, each path once; files without a path may be many"
    )
    not_sent: Annotated[list[LeftOutRequest], Field(max_length=FILES_PER_PAGE)] = Field(
        default=[], description="What the sender found beside them and does not send, for the report"
    )

    @field_validator("reference", "transferring_body")
    @classmethod
    def _one_line(cls, text: str) -> str:
        # Both stand in notifications, whose lines are ours.
        if "".join(text.splitlines()) != text or any(character < " " for character in text):
            raise ValueError("must be one line without control characters")
        return text

    @field_validator("files")
    @classmethod
    def _no_path_twice(cls, files: list[FileRequest]) -> list[FileRequest]:
        seen: dict[str, int] = {}
        for number, file in enumerate(files):
            # Which files have no path is for the checks to say.
            if file.path and (first := seen.setdefault(file.path, number)) != number:
                raise ValueError(f"the path of file {number} is that of file {first} too")
        return files


def file_id_of(consignment_id: str, path: str) -> str:
    """Return the id of the file at `path`."""
    return str(uuid.uuid5(_FILE_NAMESPACE, f"{consignment_id}/{path}"))


def registered_files(consignment_id: str, files: list[FileRequest]) -> list[RegisteredFile]:
    """Return the files of a page, with their ids; those without a path are told apart by their contents and order."""
    pathless: Counter[str] = Counter()
    found = []
    for file in files:
        name = file.path
        if not name:
            content = f"\0{file.sha256}/{file.size}"
            name, pathless[content] = f"{content}/{pathless[content]}", pathless[content] + 1
        found.append(
            RegisteredFile(file_id_of(consignment_id, name), file.path, file.size, file.sha256, file.last_modified)
        )
    return found


def check_sources(payload: object) -> None:
    """Make sure that the workflow's input asks for the uploads of the consignment and for nothing else.

    TDR's loads from drives name objects by what the register does not hold, in buckets that
    the functions may not read: who asks for them must not get a verdict on other files.

    Raises
    ------
    InvalidInputError
        It names another source.
    """
    given = [name for name in _SOURCES if isinstance(payload, Mapping) and name in payload]
    if given:
        raise InvalidInputError(*(FieldError(name, "is not taken: the uploads are checked") for name in given))


def consignment_id_of(text: object, field: str = "consignmentId") -> str:
    """Return a consignment's id as it is stored: lower case, with hyphens.

    Raises
    ------
    InvalidInputError
        It is not a UUID; names `field`.
    """
    try:
        # Without the check, braces, `urn:uuid:` and misplaced hyphens would pass too.
        if isinstance(text, str) and re.fullmatch(r"[0-9A-Fa-f]{8}(-?[0-9A-Fa-f]{4}){3}-?[0-9A-Fa-f]{12}", text):
            return str(uuid.UUID(text))
    except ValueError:
        pass
    raise InvalidInputError(FieldError(field, "must be a UUID"))
