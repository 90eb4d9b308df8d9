"""What may be asked for: registering a consignment, and naming one."""

import re
import uuid
from collections.abc import Mapping
from typing import Annotated

from pydantic import Field, StringConstraints, field_validator

from waybill.consignments.models import ConsignmentType, RegisteredFile
from waybill.core.errors import FieldError, InvalidInputError
from waybill.core.wire import WireModel

FILES_PER_PAGE = 1000
FILES_LIMIT = 1_000_000
_PATH_BYTES = 4096
# The largest number that every reader of JSON keeps (RFC 8259, section 6); no object is as large.
_LARGEST_SIZE = 2**53 - 1
_SOURCES = ("s3SourceBucket", "s3SourceBucketPrefix")
_SHA256 = re.compile(r"[0-9a-f]{64}")
# Gives the ids of files: the same consignment and path, the same id.
_FILE_NAMESPACE = uuid.UUID("6f3d6c39-3a0e-5c55-9c0a-4f2d8b2a1d7e")

type Text = Annotated[str, StringConstraints(min_length=1, max_length=200)]


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

    @field_validator("path")
    @classmethod
    def _path_is_text(cls, path: str) -> str:
        try:
            encoded = path.encode()
        except UnicodeEncodeError:
            raise ValueError("is not text: it holds half of a surrogate pair") from None
        if len(encoded) > _PATH_BYTES:
            raise ValueError(f"is over {_PATH_BYTES} bytes of UTF-8")
        return path

    @field_validator("sha256")
    @classmethod
    def _hash_in_lower_case(cls, sha256: str) -> str:
        folded = sha256.lower()
        if folded and not _SHA256.fullmatch(folded):
            raise ValueError("must be a SHA-256 of 64 hexadecimal digits, or empty")
        return folded


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
    consignment_id: uuid.UUID | None = Field(
        default=None,
        description="The consignment that this page belongs to; without it, a new one",
        examples=["0b7e6f0a-5f0c-4f7e-9d55-3c1f6a1f7c11"],
    )
    total_files: Annotated[int, Field(ge=0, le=FILES_LIMIT)] | None = Field(
        default=None, description="How many files there will be in the end, where one page is not all", examples=[1]
    )
    files: Annotated[list[FileRequest], Field(max_length=FILES_PER_PAGE)] = Field(
        description="The files of this page, each path once"
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
            if (first := seen.setdefault(file.path, number)) != number:
                raise ValueError(f"the path of file {number} is that of file {first} too")
        return files


def file_id_of(consignment_id: str, path: str) -> str:
    """Return the id of the file at `path`."""
    return str(uuid.uuid5(_FILE_NAMESPACE, f"{consignment_id}/{path}"))


def registered_files(consignment_id: str, files: list[FileRequest]) -> list[RegisteredFile]:
    """Return the files of a page, with their ids."""
    return [RegisteredFile(file_id_of(consignment_id, file.path), file.path, file.size, file.sha256) for file in files]


def check_sources(payload: object) -> None:
    """Make sure that the workflow's input asks for the uploads of the consignment and for nothing else.

    The loads from drives of the reference (section 1) name objects by what the register does not hold, in buckets that
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
