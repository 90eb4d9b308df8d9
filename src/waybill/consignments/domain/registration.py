"""Registering a consignment: page by page, each page any number of times."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NotRequired, TypedDict
from urllib.parse import quote

from waybill.consignments.domain.ports import Register, SignedUpload, UploadSigner
from waybill.consignments.domain.requests import ConsignmentRequest, registered_files
from waybill.consignments.errors import (
    ConsignmentNotFoundError,
    FileNotFoundInConsignmentError,
    NotOwnerError,
    RegistrationConflictError,
)
from waybill.consignments.models import Consignment, ConsignmentStatus, LeftOutFile, RegisteredFile
from waybill.core.clock import iso

_PATH_BYTES = 2_000_000


def upload_prefix(user_id: str, consignment_id: str) -> str:
    """Return what the keys of a consignment's uploads begin with, slash included."""
    # A subject is any text; a slash in it must not make one owner's folder a part of another's.
    return f"{quote(user_id, safe='@:+=,')}/{consignment_id}/"


class UploadPlace(TypedDict):
    """Where one file is to be uploaded to."""

    fileId: str
    path: str
    uploadKey: str
    upload: NotRequired[SignedUpload]


class Registration(TypedDict):
    """A registered page."""

    consignmentId: str
    files: list[UploadPlace]


@dataclass(frozen=True)
class Registrar:
    """Takes pages of a registration in."""

    register: Register
    now: Callable[[], datetime]
    new_id: Callable[[], str]
    signer: UploadSigner | None = None

    def take(self, request: ConsignmentRequest, user_id: str, *, rehearsal: bool = False) -> Registration:
        """Store one page; return where its files are to be uploaded to.

        `rehearsal` is what the caller's token says; the first page decides.

        Raises
        ------
        NotOwnerError
            The consignment is somebody else's.
        RegistrationClosedError
            Its checks were started.
        RegistrationConflictError
            It, or one of the files, is registered with other properties, or another page has another `totalFiles`.
        """
        consignment_id = str(request.consignment_id) if request.consignment_id else self.new_id()
        files = registered_files(consignment_id, request.files)
        announced = request.total_files if request.total_files is not None else len(files)
        consignment = Consignment(
            consignment_id=consignment_id,
            type=request.type,
            reference=request.reference,
            transferring_body=request.transferring_body,
            user_id=user_id,
            announced=announced,
            status=ConsignmentStatus.REGISTERED,
            created_at=iso(self.now()),
            rehearsal=rehearsal,
            inside=request.inside,
        )
        stored = self.register.create(consignment)
        if request.total_files not in {None, stored.announced}:
            raise RegistrationConflictError(
                f"totalFiles is {request.total_files}, and {stored.announced} files are announced "
                f"for consignment {consignment_id}"
            )
        left_out = [LeftOutFile(each.path, each.kind, each.reason) for each in request.not_sent]
        self.register.add_files(consignment_id, files, left_out)
        # An answer has to fit Lambda's 6 MB: where the paths fill it, the addresses are to be asked for apart.
        short = sum(len(file.path.encode()) for file in files) <= _PATH_BYTES
        signer = self.signer if short else None
        return {"consignmentId": consignment_id, "files": [upload_place(stored, file, signer) for file in files]}

    def renew(self, consignment: Consignment, file_ids: Sequence[str]) -> list[UploadPlace]:
        """Return where files of a consignment are to be uploaded to, with fresh addresses.

        Raises `FileNotFoundInConsignmentError` where one of them is not registered.
        """
        found = {file.file_id: file for file in self.register.named_files(consignment.consignment_id, file_ids)}
        if missing := [file_id for file_id in file_ids if file_id not in found]:
            raise FileNotFoundInConsignmentError(f"there is no file {missing[0]} in the consignment")
        return [upload_place(consignment, found[file_id], self.signer) for file_id in dict.fromkeys(file_ids)]


def upload_place(consignment: Consignment, file: RegisteredFile, signer: UploadSigner | None) -> UploadPlace:
    """Return where a file of a consignment is to be uploaded to, with a signed address where there is a signer."""
    key = upload_prefix(consignment.user_id, consignment.consignment_id) + file.file_id
    place: UploadPlace = {"fileId": file.file_id, "path": file.path, "uploadKey": key}
    upload = signer.sign(place["uploadKey"], file.size, file.sha256) if signer else None
    return place if upload is None else {**place, "upload": upload}


def existing(register: Register, consignment_id: str) -> Consignment:
    """Return a consignment that has to be there; raises `ConsignmentNotFoundError`."""
    consignment = register.find(consignment_id)
    if consignment is None:
        raise ConsignmentNotFoundError(f"there is no consignment {consignment_id}")
    return consignment


def owned(register: Register, consignment_id: str, user_id: str, *, service: bool) -> Consignment:
    """Return a consignment that is the caller's, or that a service role may see.

    Raises
    ------
    ConsignmentNotFoundError
        There is none.
    NotOwnerError
        It is somebody else's.
    """
    consignment = existing(register, consignment_id)
    if consignment.user_id != user_id and not service:
        raise NotOwnerError(f"consignment {consignment_id} belongs to somebody else")
    return consignment
