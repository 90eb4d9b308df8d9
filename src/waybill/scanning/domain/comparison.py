"""Two jobs beside each other: which values are new in an object, which are gone, which stay, which nobody can tell."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from waybill.scanning.domain.absence import Outcomes, why_not_known
from waybill.scanning.domain.finding_documents import FindingDocument
from waybill.scanning.models import Job


@dataclass(frozen=True)
class Side:
    """One of the two jobs, and what it has found."""

    job: Job
    findings: Iterable[FindingDocument]


def compared(earlier: Side, later: Side, outcomes: Outcomes) -> dict[str, Any]:
    """Return `{new, gone, same, unknown}`: findings of the later job, of the earlier one, a number, findings of both.

    A value is the same in an object wherever it has moved to; how often it is in it does not matter. It is new, or
    gone, where the other job has looked at all of the object for such values, or has seen that there was no such
    object. Where that job has not, it is `unknown`, with `found_by` (`earlier` or `later`) and the `reason`.
    """
    before, after = _by_value(earlier.findings), _by_value(later.findings)
    own = {*earlier.job.own, *later.job.own}
    added = Side(later.job, [after[value] for value in sorted(after.keys() - before.keys())])
    removed = Side(earlier.job, [before[value] for value in sorted(before.keys() - after.keys())])
    new, new_unknown = _judged(added, earlier.job, outcomes, own)
    gone, gone_unknown = _judged(removed, later.job, outcomes, own)
    return {
        "new": new,
        "gone": gone,
        "same": len(before.keys() & after.keys()),
        "unknown": [
            *({**finding, "found_by": "later", "reason": reason} for finding, reason in new_unknown),
            *({**finding, "found_by": "earlier", "reason": reason} for finding, reason in gone_unknown),
        ],
    }


def _judged(
    side: Side, other: Job, outcomes: Outcomes, own: set[str]
) -> tuple[list[FindingDocument], list[tuple[FindingDocument, str]]]:
    """Return the findings that the other job has not for want of them, and those of which it cannot say, and why."""
    findings, regions = list(side.findings), side.job.request.regions
    seen = outcomes.get(other.job_id, sorted({str(each["key"]) for each in findings}))
    certain, unknown = list[FindingDocument](), list[tuple[FindingDocument, str]]()
    for each in findings:
        key = str(each["key"])
        if reason := why_not_known(other, key, seen.get(key), str(each["detector"]), own, regions):
            unknown.append((each, reason))
        else:
            certain.append(each)
    return certain, unknown


def _by_value(findings: Iterable[FindingDocument]) -> dict[tuple[str, str], FindingDocument]:
    found: dict[tuple[str, str], FindingDocument] = {}
    for finding in findings:
        found.setdefault((str(finding["key"]), str(finding["fingerprint"])), finding)
    return found
