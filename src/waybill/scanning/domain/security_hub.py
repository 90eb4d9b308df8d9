"""Findings in the format of AWS Security Hub: one for each object and detector.

AWS Security Hub user guide, "AWS Security Finding Format (ASFF)"; the lengths are those of its attributes.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any, Protocol

from waybill.scanning.domain.detection.validators.national_checks import CHECKS
from waybill.scanning.keys import key_hash
from waybill.scanning.models import Job, ObjectOutcome, ObjectStatus

_OCCURRENCES = 15
_MONEY = frozenset({"CREDIT_CARD", "IBAN", "US_ROUTING_NUMBER"})
_PEOPLE = (
    frozenset({"US_SSN", "EMAIL", "PHONE", "UK_NINO", "UK_NHS", "IP"}) | {name.upper() for name in CHECKS} - _MONEY
)
# "Types taxonomy for ASFF": a namespace, and what of it where that is known.
_NAMESPACE = "Sensitive Data Identifications"
_TYPES = {"FINANCIAL_INFORMATION": "Financial", "PERSONAL_INFORMATION": "PII", "CREDENTIALS": "Passwords"}
_LEVELS = ("LOW", "MEDIUM", "HIGH")
_WORKFLOW = {"accepted": "SUPPRESSED", "false_positive": "SUPPRESSED", "resolved": "RESOLVED"}


class Outcomes(Protocol):
    """How the objects of a job ended."""

    def get(self, job_id: str, keys: Sequence[str]) -> Mapping[str, ObjectOutcome]:
        """Return the outcomes of those of `keys` that have one."""
        ...


def security_hub_findings(
    findings: Iterable[Mapping[str, Any]],
    job: Job,
    descriptions: Mapping[str, str],
    own: frozenset[str],
    outcomes: Mapping[str, ObjectOutcome],
) -> Iterator[dict[str, Any]]:
    """Yield findings of a job, which are masked as they are elsewhere, as `BatchImportFindings` takes them.

    The execution that has listed the job says in which account and Region this is. `own` are the ids of the stack's own
    detectors; `outcomes`, by key, say how much of an object was looked at, and how much is in it beyond what is stored.
    """
    ordered = sorted(findings, key=lambda finding: (str(finding["key"]), str(finding["detector"])))
    for (key, detector), group in groupby(ordered, key=lambda each: (str(each["key"]), str(each["detector"]))):
        found = list(group)
        finding = _finding(job, key, detector, found, descriptions.get(detector, detector), own=detector in own)
        outcome = outcomes.get(key)
        total = max(len(found), outcome.counts.get(detector, 0) if outcome else 0)
        finding["Resources"][0]["DataClassification"] = {
            "Result": {
                "Status": {"Code": "PARTIAL" if outcome and outcome.status == ObjectStatus.PARTIAL else "COMPLETE"},
                "AdditionalOccurrences": total > _OCCURRENCES,
                **_detected(detector, found, total, own=detector in own),
            }
        }
        yield finding


def _category(detector: str) -> str:
    if detector in _MONEY:
        return "FINANCIAL_INFORMATION"
    return "PERSONAL_INFORMATION" if detector in _PEOPLE else "CREDENTIALS"


def _detected(detector: str, found: Sequence[Mapping[str, Any]], total: int, *, own: bool) -> dict[str, Any]:
    seen = {"Count": total, "Occurrences": _occurrences(found)}
    if own:
        return {"CustomDataIdentifiers": {"TotalCount": total, "Detections": [{"Name": detector[:128], **seen}]}}
    kinds = {"Category": _category(detector), "TotalCount": total, "Detections": [{"Type": detector, **seen}]}
    return {"SensitiveData": [kinds]}


def _finding(
    job: Job, key: str, detector: str, found: Sequence[Mapping[str, Any]], description: str, *, own: bool
) -> dict[str, Any]:
    _, partition, _, region, account, *_ = [*job.execution_arn.split(":"), *("",) * 5]
    bucket = job.request.bucket
    level = max((str(each["confidence"]) for each in found), key=_LEVELS.index)
    states = {str(each.get("state", "open")) for each in found}
    times = sorted(str(each["created_at"]) for each in found)
    return {
        "SchemaVersion": "2018-10-08",
        "Id": f"waybill/{bucket}/{key_hash(key)}/{detector}",
        "ProductArn": f"arn:{partition}:securityhub:{region}:{account}:product/{account}/default",
        "GeneratorId": f"waybill/{detector}",
        "AwsAccountId": account,
        "Types": [_NAMESPACE if own else f"{_NAMESPACE}/{_TYPES[_category(detector)]}"],
        "CreatedAt": times[0],
        # The time of the job, however old what it knows is: what is not updated for 90 days is removed there.
        "UpdatedAt": max(times[-1], job.updated_at),
        "Severity": {"Label": level},
        "Title": f"{description} in s3://{bucket}/{key}"[:256],
        "Description": f"Found by job {job.job_id} of Waybill: {found[0]['masked_match']}"[:1024],
        "ProductFields": {"waybill/job": job.job_id, "waybill/fingerprint": str(found[0]["fingerprint"])},
        "Resources": [
            {
                "Type": "AwsS3Object",
                "Id": f"arn:{partition}:s3:::{bucket}/{key}"[:512],
                "Partition": partition,
                "Region": region,
            }
        ],
        "Workflow": {"Status": _WORKFLOW.get(states.pop(), "NEW") if len(states) == 1 else "NEW"},
        "RecordState": "ACTIVE",
    }


def _occurrences(found: Sequence[Mapping[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """Return where values are: cells of tables, else lines; at most so many as Macie tells of."""
    occurrences: dict[str, list[dict[str, Any]]] = {}
    for each in found[:_OCCURRENCES]:
        if each.get("cell"):
            occurrences.setdefault("Cells", []).append({"CellReference": str(each["cell"])})
        else:
            line = {"Start": int(each["line"]), "End": int(each["line"]), "StartColumn": int(each["column"])}
            occurrences.setdefault("LineRanges", []).append(line)
    return occurrences
