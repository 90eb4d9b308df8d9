"""Redactions and statuses of a run, from document to document."""

from collections.abc import Iterator
from itertools import groupby
from typing import TypedDict, final

from waybill.consignments.domain.corrections import CARRIED
from waybill.consignments.domain.file_records import CheckedRecord
from waybill.consignments.domain.ports import Document, RunDocuments
from waybill.consignments.domain.redactions import NamedFile, RedactionPair, match_redactions
from waybill.consignments.domain.results import RESULTS
from waybill.consignments.domain.states import JudgedConsignment, RedactionCounts
from waybill.consignments.domain.statuses import (
    SUCCESS,
    ConsignmentStatuses,
    StatusRow,
    file_verdicts,
    overall,
    status_row,
)
from waybill.consignments.domain.tables import Tables
from waybill.consignments.models import CheckedFile, FileVerdict


@final
class PairLine(TypedDict):
    """A redacted file with its original."""

    originalFileId: str
    originalFilePath: str
    redactedFileId: str
    redactedFilePath: str


@final
class UnpairedLine(TypedDict):
    """A redacted file without one, and why."""

    fileId: str
    cause: str


REDACTIONS: Document[PairLine | UnpairedLine] = Document("redactions.jsonl")
STATUSES: Document[StatusRow] = Document("statuses.jsonl")


def pair_redactions(documents: RunDocuments) -> RedactionCounts:
    """Write the outcome of every redacted file; return how many have an original, and how many have none."""
    files = [NamedFile(line["fileId"], line["originalPath"]) for line in documents.reading(RESULTS)]
    carried = {row["fileId"]: row["path"] for row in documents.reading(CARRIED, required=False)}
    files += [NamedFile(file_id, path) for file_id, path in carried.items()]
    counts: RedactionCounts = {"redactedFiles": 0, "errors": 0}
    with documents.writing(REDACTIONS) as lines:
        for outcome in match_redactions(files):
            if outcome.redacted.file_id in carried:
                continue
            if isinstance(outcome, RedactionPair):
                counts["redactedFiles"] += 1
                lines.add(
                    {
                        "originalFileId": outcome.original.file_id,
                        "originalFilePath": outcome.original.path,
                        "redactedFileId": outcome.redacted.file_id,
                        "redactedFilePath": outcome.redacted.path,
                    }
                )
            else:
                counts["errors"] += 1
                lines.add({"fileId": outcome.redacted.file_id, "cause": outcome.cause})
    return counts


def redaction_outcomes(documents: RunDocuments) -> dict[str, tuple[str, str | None]]:
    """Return by file id the value of the status and, for a pair, the path of the original."""
    found: dict[str, tuple[str, str | None]] = {}
    for line in documents.reading(REDACTIONS):
        if "cause" in line:
            found[line["fileId"]] = line["cause"], None
        else:
            found[line["redactedFileId"]] = SUCCESS, line["originalFilePath"]
    return found


def generate_statuses(consignment_id: str, documents: RunDocuments, tables: Tables) -> JudgedConsignment:
    """Write a line per status; return what they say of the consignment.

    A consignment without files has no statuses.
    """
    redactions = redaction_outcomes(documents)
    consignment = ConsignmentStatuses(tables)
    with documents.writing(STATUSES) as lines:
        for line in documents.reading(RESULTS):
            file = CheckedFile(line)
            verdicts = file_verdicts(file, redactions.get(file.file_id, (None, None))[0], tables)
            consignment.add(file, verdicts)
            for verdict in verdicts:
                lines.add(_file_row(file.file_id, verdict))
        for row in documents.reading(CARRIED, required=False):
            consignment.carry(row["statuses"])
        statuses = consignment.result()
        for name, value in statuses.items():
            lines.add(status_row(consignment_id, "Consignment", name, value, overwrite=True))
    return {
        "statuses": statuses,
        "status": overall(statuses),
        "accepted": consignment.accepted,
        "problems": consignment.problems(),
        "tableVersion": tables.puids.version,
    }


def _file_row(file_id: str, verdict: FileVerdict) -> StatusRow:
    row = status_row(file_id, "File", verdict.name, verdict.value, overwrite=False)
    row["rule"] = verdict.rule
    if verdict.detail:
        row["detail"] = verdict.detail
    if verdict.table_version:
        row["tableVersion"] = verdict.table_version
    return row


def judged_files(documents: RunDocuments) -> Iterator[tuple[CheckedRecord, list[StatusRow]]]:
    """Yield each file's line of the results with its status rows; both documents have the files in the same order."""
    rows = (row for row in documents.reading(STATUSES) if row["statusType"] == "File")
    for line, (file_id, own) in zip(documents.reading(RESULTS), groupby(rows, key=lambda row: row["id"]), strict=True):
        if line["fileId"] != file_id:
            raise ValueError("results and statuses of a run are not about the same files")
        yield line, list(own)
