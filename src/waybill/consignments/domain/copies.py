"""Copies of checked files: accepted ones to the clean bucket, suspicious ones to quarantine, after all verdicts.

A file with other problems stays where it was uploaded until its sender has put them right.
"""

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from itertools import batched
from typing import NotRequired, Protocol, TypedDict

from waybill.consignments.domain.file_records import RemovedCopy, WrittenCopy
from waybill.consignments.domain.intake import GONE, groups
from waybill.consignments.domain.judgement import judged_files
from waybill.consignments.domain.ports import Document, RunDocuments
from waybill.consignments.domain.states import PlacedCopies, StateEvent
from waybill.consignments.domain.statuses import SUCCESS, is_accepted
from waybill.consignments.models import CopyPlace, StatusName

# What one function copies has to be done within its fifteen minutes.
_COPY_BYTES = 200 * 1000**3
_THREADS = 16
_WITHDRAWN = 1000


class PlannedCopy(TypedDict):
    """What becomes of the copy of one object: `place` is a `CopyPlace`, `to` the key there.

    `had` is the `CopyPlace` where the newest run that recorded one has left a copy.
    """

    place: str
    bucket: str
    key: str
    eTag: str
    versionId: NotRequired[str]
    objectSize: int
    to: str
    had: NotRequired[str]


class PlacedCopy(TypedDict):
    """What was done about the copy of one file: what was written, and what was taken away from elsewhere."""

    fileId: str
    copy: NotRequired[WrittenCopy]
    removed: NotRequired[RemovedCopy]


class CopyTargets(Protocol):
    """The clean bucket and the quarantine bucket; raises `RunBucketUnavailableError` and `RunBucketRefusedError`."""

    def place(self, copy: PlannedCopy) -> PlacedCopy | None:
        """Put the copy of one object where it belongs, and take it away from where it does not; return what was done.

        None when the object that was checked is not there any more, so that nothing was copied.
        """
        ...

    def withdraw(self, key: str) -> None:
        """Take the copy of a file that was left out away from the clean bucket; what is in quarantine stays."""
        ...


class CopyLine(TypedDict):
    """What one function copies, and keys of copies whose files were left out; what it has done is in `placed(line)`.

    Plans from before that document name no line, and a deployment may meet one on its way.
    """

    consignmentId: str
    executionName: str
    executionId: str
    line: NotRequired[int]
    copies: list[PlannedCopy]
    withdrawn: NotRequired[list[str]]


COPIES: Document[CopyLine] = Document("copies.jsonl")


def placed(line: int) -> Document[PlacedCopy]:
    """Return the document of what was done about one line of the plan, in the order of its files."""
    return Document(f"copies/{line:08}.jsonl")


def place_of(values: Mapping[str, str]) -> CopyPlace:
    """Return where a file of these statuses belongs. What no scanner has called clean is never taken for clean."""
    if values.get(StatusName.ANTIVIRUS) != SUCCESS:
        return CopyPlace.QUARANTINE
    return CopyPlace.CLEAN if is_accepted(values) else CopyPlace.NOWHERE


def plan_copies(documents: RunDocuments, run: StateEvent) -> int:
    """Write a line for every so many files that says where their copies belong; return the number of lines."""
    count = 0
    own: CopyLine = {
        "consignmentId": run["consignmentId"],
        "executionName": run["executionName"],
        "executionId": run["executionId"],
        "line": 0,
        "copies": [],
    }
    with documents.writing(COPIES) as lines:
        for some in groups(_copies(documents), _COPY_BYTES):
            lines.add({**own, "line": count, "copies": some})
            count += 1
        # A run may have broken between its copies and the write that says where they are.
        gone = (f"{run['consignmentId']}/{line['fileId']}" for line in documents.reading(GONE, required=False))
        for keys in batched(gone, _WITHDRAWN, strict=False):
            lines.add({**own, "line": count, "withdrawn": list(keys)})
            count += 1
    return count


def _copies(documents: RunDocuments) -> Iterator[PlannedCopy]:
    for line, rows in judged_files(documents):
        values = {row["statusName"]: row["statusValue"] for row in rows}
        copy: PlannedCopy = {
            "place": place_of(values).value,
            "bucket": line["s3SourceBucket"],
            "key": line["s3SourceBucketKey"],
            "eTag": line["eTag"],
            "objectSize": line["objectSize"],
            "to": f"{line['consignmentId']}/{line['fileId']}",
        }
        if line.get("versionId") is not None:
            copy["versionId"] = line["versionId"]
        if "copied" in line:
            copy["had"] = line["copied"]
        yield copy


def copy_files(line: CopyLine, targets: CopyTargets, documents: RunDocuments | None) -> PlacedCopies:
    """Put the copies of one line where they belong, and write down what was done about each; return how many."""
    with ThreadPoolExecutor(_THREADS) as threads:
        list(threads.map(targets.withdraw, line.get("withdrawn", ())))
        done = [each for each in threads.map(targets.place, line["copies"]) if each is not None]
    if done and documents is not None:
        with documents.writing(placed(line["line"])) as lines:
            for each in done:
                lines.add(each)
    return {"placed": len(done), "gone": len(line["copies"]) - len(done)}
