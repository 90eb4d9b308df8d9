"""Findings in the format of AWS Security Hub: one for each object and detector.

AWS Security Hub user guide, "AWS Security Finding Format (ASFF)"; the lengths are those of its attributes.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

from waybill.scanning.models import Job, key_hash

_OCCURRENCES = 15
_MONEY, _PEOPLE = frozenset({"CREDIT_CARD", "IBAN"}), frozenset({"US_SSN", "EMAIL", "PHONE", "UK_NINO", "UK_NHS", "IP"})
_LEVELS = ("LOW", "MEDIUM", "HIGH")
_WORKFLOW = {"accepted": "SUPPRESSED", "false_positive": "SUPPRESSED", "resolved": "RESOLVED"}


def security_hub_findings(
    findings: Iterable[Mapping[str, Any]], job: Job, descriptions: Mapping[str, str]
) -> Iterator[dict[str, Any]]:
    """Yield findings of a job, which are masked as they are elsewhere, as `BatchImportFindings` takes them.

    The execution that has listed the job says in which account and Region this is.
    """
    ordered = sorted(findings, key=lambda finding: (str(finding["key"]), str(finding["detector"])))
    for (key, detector), group in groupby(ordered, key=lambda each: (str(each["key"]), str(each["detector"]))):
        yield _finding(job, key, detector, list(group), descriptions.get(detector, detector))


def _finding(job: Job, key: str, detector: str, found: Sequence[Mapping[str, Any]], description: str) -> dict[str, Any]:
    _, partition, _, region, account, *_ = [*job.execution_arn.split(":"), *("",) * 5]
    bucket = job.request.bucket
    level = max((str(each["confidence"]) for each in found), key=_LEVELS.index)
    category = "FINANCIAL_INFORMATION" if detector in _MONEY else "PERSONAL_INFORMATION"
    category = category if detector in _MONEY | _PEOPLE else "CREDENTIALS"
    states = {str(each.get("state", "open")) for each in found}
    times = sorted(str(each["created_at"]) for each in found)
    return {
        "SchemaVersion": "2018-10-08",
        "Id": f"waybill/{bucket}/{key_hash(key)}/{detector}",
        "ProductArn": f"arn:{partition}:securityhub:{region}:{account}:product/{account}/default",
        "GeneratorId": f"waybill/{detector}",
        "AwsAccountId": account,
        "Types": [f"Sensitive Data Identifications/{'Passwords' if category == 'CREDENTIALS' else 'PII'}"],
        "CreatedAt": times[0],
        "UpdatedAt": times[-1],
        "Severity": {"Label": level},
        "Title": f"{description} in s3://{bucket}/{key}"[:256],
        "Description": f"{len(found)} found by job {job.job_id} of Waybill: {found[0]['masked_match']}"[:1024],
        "ProductFields": {"waybill/job": job.job_id, "waybill/fingerprint": str(found[0]["fingerprint"])},
        "Resources": [
            {
                "Type": "AwsS3Object",
                "Id": f"arn:{partition}:s3:::{bucket}/{key}"[:512],
                "Partition": partition,
                "Region": region,
                "DataClassification": {
                    "Result": {
                        "Status": {"Code": "COMPLETE"},
                        "AdditionalOccurrences": len(found) > _OCCURRENCES,
                        "SensitiveData": [
                            {
                                "Category": category,
                                "TotalCount": len(found),
                                "Detections": [
                                    {"Type": detector, "Count": len(found), "Occurrences": _occurrences(found)}
                                ],
                            }
                        ],
                    }
                },
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
