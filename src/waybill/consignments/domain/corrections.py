"""Corrections of a consignment that was checked: other contents or paths of some files, and files that are left out.

The next run checks these files alone; what was found of the others is carried over, with the run that it is from.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypedDict

from waybill.consignments.domain.file_records import FileRow
from waybill.consignments.domain.ports import Document, Reader, Register, UploadSigner
from waybill.consignments.domain.registration import UploadPlace, upload_place
from waybill.consignments.domain.requests import CorrectionsRequest
from waybill.consignments.domain.statuses import FAILED, TIMED_OUT
from waybill.consignments.domain.waivers import accepted_with
from waybill.consignments.errors import (
    AcceptedFileError,
    FileNotFoundInConsignmentError,
    RegistrationConflictError,
)
from waybill.consignments.models import (
    Consignment,
    CopyPlace,
    Corrections,
    LeftOutFile,
    RegisteredFile,
    StatusName,
    StoredObject,
)
from waybill.core.clock import iso

LEFT_OUT_KIND = "LEFT_OUT_LATER"
_PAGE = 200


class CorrectedConsignment(TypedDict):
    """Where the corrected files are to be uploaded to, and what is left out."""

    consignmentId: str
    files: list[UploadPlace]
    leftOut: list[str]


@dataclass(frozen=True)
class Corrector:
    """Takes corrections in."""

    register: Register
    reader: Reader
    now: Callable[[], datetime]
    signer: UploadSigner | None = None

    def take(
        self, consignment: Consignment, request: CorrectionsRequest, because: tuple[str, str] | None = None
    ) -> CorrectedConsignment:
        """Note the corrections, and forget what was found of these files; the same again changes nothing more.

        `because` is why files are left out, for programs and for people, where their sender did not ask for it.

        Raises
        ------
        FileNotFoundInConsignmentError
            There is no such file.
        AcceptedFileError
            A file that is to be left out is accepted.
        RegistrationConflictError
            Another file has the path already.
        RegistrationClosedError
            The checks are under way.
        """
        replaced = self._replaced(consignment, request)
        leaving = [str(file_id) for file_id in request.leave_out]
        left_out = self._left_out(consignment, leaving, because)
        again = self._judged_again(consignment, replaced, {str(each.file_id) for each in left_out})
        self.register.correct(consignment, Corrections([new for _, new in replaced], left_out, again))
        places = [upload_place(consignment, new, self.signer) for _, new in replaced]
        return {"consignmentId": consignment.consignment_id, "files": places, "leftOut": leaving}

    def _replaced(
        self, consignment: Consignment, request: CorrectionsRequest
    ) -> list[tuple[RegisteredFile, RegisteredFile]]:
        """Return each file as it was and as it is from now on."""
        ids = [str(each.file_id) for each in request.replace]
        known = {file.file_id: file for file in self.register.named_files(consignment.consignment_id, ids)}
        pairs = []
        for file_id, asked in zip(ids, request.replace, strict=True):
            if file_id not in known:
                raise FileNotFoundInConsignmentError(f"there is no file {file_id} in the consignment")
            path = known[file_id].path if asked.path is None else asked.path
            new = RegisteredFile(file_id, path, asked.size, asked.sha256, asked.last_modified)
            pairs.append((known[file_id], new))
        return pairs

    def _left_out(
        self, consignment: Consignment, file_ids: Sequence[str], because: tuple[str, str] | None
    ) -> list[LeftOutFile]:
        gone = {each.file_id for each in self.reader.left_out(consignment.consignment_id)} if file_ids else set()
        found = []
        for file_id in file_ids:
            row = self.reader.file_row(consignment.consignment_id, file_id)
            if row is None and file_id in gone:
                continue
            if row is None:
                raise FileNotFoundInConsignmentError(f"there is no file {file_id} in the consignment")
            if accepted_with(row) or row["copied"] == CopyPlace.CLEAN:
                # It is a record then, and may be in the clean bucket: what becomes of it is for the archive to say.
                raise AcceptedFileError(f"file {file_id} is accepted: its sender cannot leave it out any more")
            reason = f"its sender left it out on {iso(self.now())[:10]}, after run {consignment.run} of the checks"
            found.append(LeftOutFile(row["path"], *(because or (LEFT_OUT_KIND, reason)), file_id))
        return found

    def _judged_again(
        self,
        consignment: Consignment,
        replaced: Sequence[tuple[RegisteredFile, RegisteredFile]],
        leaving: set[str],
    ) -> list[str]:
        """Return the redacted files, where a path has changed or gone; checks that no path is there twice."""
        moved = [new for old, new in replaced if old.path != new.path]
        if not moved and not leaving:
            return []
        changed = {new.file_id: new.path for _, new in replaced}
        rows = [row for row in all_rows(self.reader, consignment.consignment_id) if row["fileId"] not in leaving]
        paths = [path for row in rows if (path := changed.get(row["fileId"], row["path"]))]
        if len(paths) != len(set(paths)):
            raise RegistrationConflictError("two files of the consignment would have the same path")
        return [
            row["fileId"] for row in rows if StatusName.REDACTION in row["statuses"] and row["fileId"] not in changed
        ]


def all_rows(reader: Reader, consignment_id: str) -> Iterator[FileRow]:
    """Yield every file of a consignment with what was found of it, as it is at this moment."""
    after: str | None = None
    while True:
        rows, after = reader.file_rows(consignment_id, _PAGE, after, consistent=True)
        yield from rows
        if after is None:
            return


CARRIED: Document[FileRow] = Document("carried.jsonl")


def is_carried(row: FileRow, stored: StoredObject | None) -> bool:
    """Return whether what was found of a file still is about what lies there, and nothing of ours failed on it."""
    if row["run"] is None or stored is None:
        return False
    results = row["results"]
    same = (results.get("versionId"), results.get("eTag")) == (stored.version_id, stored.e_tag)
    return same and not {FAILED, TIMED_OUT} & set(row["statuses"].values())
