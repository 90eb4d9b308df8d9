"""The results of all groups as one document, every file of the consignment in it once."""

from typing import cast

from waybill.consignments.domain.file_records import CheckedRecord, GroupResult, RegisteredRecord
from waybill.consignments.domain.intake import GROUPS, group_result
from waybill.consignments.domain.ports import Document, RunDocuments
from waybill.consignments.models import CHECKS

RESULTS: Document[CheckedRecord] = Document("results.jsonl")
_LOST = "The check of this file ended without a result."


def gather(documents: RunDocuments) -> dict[str, int]:
    """Write the results document; return how many files have a result of each check, and how many lack one.

    A group whose function failed for good has left nothing: its files have no result of any check, which the statuses
    call Failed. What a result says of files that are not of its group is passed over.
    """
    counts = dict.fromkeys((*CHECKS, "files", "incomplete"), 0)
    with documents.writing(RESULTS) as lines:
        for group in documents.reading(GROUPS):
            found = {
                line["fileId"]: line
                for line in documents.reading(group_result(group["group"]), required=False)
                if "fileId" in line
            }
            for record in group["files"]:
                line = merged(record, found.get(record["fileId"]))
                lines.add(line)
                _count(counts, line)
    return counts


def merged(record: RegisteredRecord, result: GroupResult | None) -> CheckedRecord:
    """Return the record with what its checks have found; who the file is stays as it was registered."""
    if result is None:
        return cast("CheckedRecord", {**record, "failures": dict.fromkeys(CHECKS, _LOST)})
    results = result.get("fileCheckResults") or {}
    checked = {check: list(results.get(check) or [])[:1] for check in CHECKS}
    return cast("CheckedRecord", {**result, **record, "fileCheckResults": checked})


def _count(counts: dict[str, int], line: CheckedRecord) -> None:
    counts["files"] += 1
    given = [check for check in CHECKS if line["fileCheckResults"][check]]
    for check in given:
        counts[check] += 1
    counts["incomplete"] += len(given) < len(CHECKS)
