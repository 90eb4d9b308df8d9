"""The first step of a run: what was registered, compared with what was uploaded, and cut into groups."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypedDict

from waybill.consignments.domain.corrections import CARRIED, all_rows, is_carried
from waybill.consignments.domain.file_records import GroupResult, RegisteredRecord
from waybill.consignments.domain.ports import Document, Reader, Register, RunDocuments, RunRecords, Uploads
from waybill.consignments.domain.registration import upload_prefix
from waybill.consignments.domain.states import IntakeCounts
from waybill.consignments.errors import RegistrationIncompleteError, UploadMismatchError
from waybill.consignments.models import (
    CHECKS,
    Consignment,
    ConsignmentRun,
    MissingFile,
    RegisteredFile,
    StoredObject,
)

GROUP_FILES = 100
GROUP_OBJECT_BYTES = 64_000_000
# A group travels through the state of its child execution; without any state over 100 KB.
GROUP_STATE_BYTES = 90_000
_PROGRESS_KEPT = timedelta(days=90)
_DIFFERENCES_SHOWN = 20


def documents_prefix(consignment_id: str, execution_name: str) -> str:
    """Return what the keys of a run's documents begin with, slash included."""
    return f"runs/{consignment_id}/{execution_name}/"


class GroupLine(TypedDict):
    """What the check of one group is given; its results go under `resultKey`, its progress under `progressKey`."""

    consignmentId: str
    executionName: str
    executionId: str
    group: int
    resultKey: str
    progressKey: str
    expires: int
    files: list[RegisteredRecord]


class MissingLine(TypedDict):
    """A registered file that was not uploaded."""

    missing: str
    path: str


class ExtraLine(TypedDict):
    """An object that nobody has registered."""

    extra: str


GROUPS: Document[GroupLine] = Document("groups.jsonl")


class GoneLine(TypedDict):
    """A file that was left out later."""

    fileId: str


GONE: Document[GoneLine] = Document("left-out.jsonl")
COMPARISON: Document[MissingLine | ExtraLine] = Document("comparison.jsonl")


def group_result(group: int) -> Document[GroupResult]:
    """Return the document that the check of a group writes."""
    return Document(f"checks/{group:08}.jsonl")


@dataclass(frozen=True)
class FileFetcher:
    """Gets the files of a consignment ready to be checked."""

    register: Register
    records: RunRecords
    reader: Reader
    uploads: Uploads
    upload_bucket: str
    now: Callable[[], datetime]

    def fetch(self, consignment_id: str, run: ConsignmentRun, documents: RunDocuments) -> IntakeCounts:
        """Claim the consignment, compare, write the groups; return what the next states need.

        Raises
        ------
        ConsignmentNotFoundError
            There is no such consignment.
        RunSupersededError
            A later run has taken it over.
        RegistrationIncompleteError
            Fewer files are registered than were announced.
        UploadMismatchError
            Names of objects differ from those expected; the first of them are kept with the consignment.
        """
        consignment = self.records.claim(consignment_id, run)
        registered = {file.file_id: file for file in self.register.files(consignment_id)}
        if len(registered) < consignment.announced:
            raise RegistrationIncompleteError(
                f"{len(registered)} of {consignment.announced} files of consignment {consignment_id} are registered"
            )
        prefix = upload_prefix(consignment.user_id, consignment_id)
        gone = {left.file_id for left in self.reader.left_out(consignment_id) if left.file_id}
        if gone:
            with documents.writing(GONE) as lines:
                for file_id in sorted(gone):
                    lines.add({"fileId": file_id})
        stored = {each.name: each for each in self.uploads.objects(prefix) if each.name not in gone}
        self._compare(consignment, registered, stored, documents)
        carried = self._carry(consignment, stored, documents)
        # In the order of the paths, so that results read as the sender's folders do.
        checked = [file for file in registered.values() if file.file_id not in carried]
        files = sorted(checked, key=lambda file: (file.path, file.file_id))
        records = [record_of(consignment, file, stored[file.file_id], self.upload_bucket, prefix) for file in files]
        expires = int((self.now() + _PROGRESS_KEPT).timestamp())
        count = 0
        with documents.writing(GROUPS) as lines:
            for count, group in enumerate(groups(records), start=1):
                progress_key = self.records.progress_key(consignment, count - 1)
                lines.add(_group_line(consignment, run, count - 1, group, progress_key, expires))
        self.records.expect(consignment, len(registered), len(carried))
        return {"run": consignment.run, "files": len(registered), "groups": count}

    def _carry(self, consignment: Consignment, stored: Mapping[str, StoredObject], documents: RunDocuments) -> set[str]:
        """Write what an earlier run has found of the files that were not corrected; return their ids."""
        carried: set[str] = set()
        if consignment.correcting:
            with documents.writing(CARRIED) as lines:
                for row in all_rows(self.reader, consignment.consignment_id):
                    if is_carried(row, stored.get(row["fileId"])):
                        lines.add(row)
                        carried.add(row["fileId"])
        return carried

    def _compare(
        self,
        consignment: Consignment,
        registered: Mapping[str, RegisteredFile],
        stored: Mapping[str, StoredObject],
        documents: RunDocuments,
    ) -> None:
        """Check that the objects are exactly the registered files; keep what differs, all of it in a document."""
        missing, extra = sorted(registered.keys() - stored.keys()), sorted(stored.keys() - registered.keys())
        if not missing and not extra:
            return
        lacking: list[MissingLine] = [{"missing": file_id, "path": registered[file_id].path} for file_id in missing]
        with documents.writing(COMPARISON) as lines:
            for line in lacking:
                lines.add(line)
            for name in extra:
                lines.add({"extra": name})
        shown: list[MissingFile] = [
            {"fileId": line["missing"], "path": line["path"]} for line in lacking[:_DIFFERENCES_SHOWN]
        ]
        self.records.differ(
            consignment,
            {
                "missing": {"count": len(missing), "first": shown},
                "extra": {"count": len(extra), "first": extra[:_DIFFERENCES_SHOWN]},
            },
        )
        raise UploadMismatchError(consignment.consignment_id, missing, extra)


def record_of(
    consignment: Consignment, file: RegisteredFile, stored: StoredObject, bucket: str, prefix: str
) -> RegisteredRecord:
    """Return the record of a file, pinned to what is stored now."""
    record: RegisteredRecord = {
        "consignmentId": consignment.consignment_id,
        "fileId": file.file_id,
        "userId": consignment.user_id,
        "consignmentType": consignment.type.value,
        "fileSize": str(file.size),
        "clientChecksum": file.sha256,
        "originalPath": file.path,
        "s3SourceBucket": bucket,
        "s3SourceBucketKey": f"{prefix}{stored.name}",
        "objectSize": stored.size,
        "eTag": stored.e_tag,
        "fileCheckResults": {check: [] for check in CHECKS},
    }
    if stored.version_id is not None:
        record["versionId"] = stored.version_id
    if consignment.inside:
        record["inside"] = True
    if file.copied is not None:
        record["copied"] = file.copied
    return record


class Sized(TypedDict):
    """Something about a stored object."""

    objectSize: int


def groups[T: Sized](records: Iterable[T], object_bytes: int = GROUP_OBJECT_BYTES) -> Iterator[list[T]]:
    """Yield the records in groups that one function takes on, each small enough to travel.

    The objects of a group have at most `object_bytes` together; one that is larger is alone.
    """
    held: list[T] = []
    stored = length = 0
    for record in records:
        size, text = record["objectSize"], len(json.dumps(record))
        full = len(held) == GROUP_FILES or stored + size > object_bytes or length + text > GROUP_STATE_BYTES
        if held and full:
            yield held
            held, stored, length = [], 0, 0
        held.append(record)
        stored, length = stored + size, length + text
    if held:
        yield held


def _group_line(
    consignment: Consignment,
    run: ConsignmentRun,
    number: int,
    files: Sequence[RegisteredRecord],
    progress_key: str,
    expires: int,
) -> GroupLine:
    prefix = documents_prefix(consignment.consignment_id, run.name)
    return {
        "consignmentId": consignment.consignment_id,
        "executionName": run.name,
        "executionId": run.arn,
        "group": number,
        "resultKey": prefix + group_result(number).name,
        "progressKey": progress_key,
        "expires": expires,
        "files": list(files),
    }
