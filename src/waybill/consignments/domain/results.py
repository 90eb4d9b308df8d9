"""The results of all groups as one document, every file of the consignment in it once."""

from collections.abc import Mapping
from typing import Any

from waybill.consignments.domain.intake import GROUPS, result_name
from waybill.consignments.domain.ports import RunDocuments
from waybill.consignments.models import CHECKS

RESULTS = "results.jsonl"
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
                for line in documents.reading(result_name(group["group"]), required=False)
                if "fileId" in line
            }
            for record in group["files"]:
                line = merged(record, found.get(record["fileId"]))
                lines.add(line)
                _count(counts, line)
    return counts


def merged(record: Mapping[str, Any], result: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return the record with what its checks have found; who the file is stays as it was registered."""
    if result is None:
        return {**record, "failures": dict.fromkeys(CHECKS, _LOST)}
    results = result.get("fileCheckResults") or {}
    checked = {check: list(results.get(check) or [])[:1] for check in CHECKS}
    return {**result, **record, "fileCheckResults": checked}


def _count(counts: dict[str, int], line: Mapping[str, Any]) -> None:
    counts["files"] += 1
    given = [check for check in CHECKS if line["fileCheckResults"][check]]
    for check in given:
        counts[check] += 1
    counts["incomplete"] += len(given) < len(CHECKS)
