"""Findings in the format of AWS Security Hub: one for each object and detector.

AWS Security Hub user guide, "AWS Security Finding Format (ASFF)"; the lengths are those of its attributes. A text of it
is one line with something in it (`NonEmptyString`).
"""

import base64
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any
from urllib.parse import quote

from waybill.scanning.domain.absence import Outcomes, why_not_known
from waybill.scanning.domain.detection.validators.national_checks import CHECKS
from waybill.scanning.domain.finding_documents import FindingDocument
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
# What of a finding says what it is, and is sent again when it is archived.
_KEPT = ("SchemaVersion", "Id", "ProductArn", "GeneratorId", "AwsAccountId", "CreatedAt", "Title", "Description")
_ID_LENGTH, _FIELD_JOB, _FIELD_KEY = 512, "waybill/job", "waybill/key"
_FIELD_REGIONS = "waybill/regions"
_WORKFLOW = {"accepted": "SUPPRESSED", "false_positive": "SUPPRESSED", "resolved": "RESOLVED"}


def security_hub_findings(
    findings: Iterable[FindingDocument],
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


def archived(
    findings: Sequence[Mapping[str, Any]], job: Job, outcomes: Outcomes, shipped: Container[str]
) -> list[dict[str, Any]]:
    """Return those of Security Hub's findings that are gone, as it is told so; a job later than `job` says it itself.

    One is gone where the job has looked at all of the object by the finding's detector and has found nothing, or has
    seen that there is no such object any more. `shipped` are the detectors that Waybill brings.
    """
    ours = [(key, each) for each in findings if (key := _key_of(each)) is not None]
    open_ones = [
        (key, each)
        for key, each in ours
        if each.get("RecordState") != "ARCHIVED" and str(each["UpdatedAt"]) < _moment(job)
    ]
    seen = outcomes.get(job.job_id, sorted({key for key, _ in open_ones}))
    return [_archived(each, job) for key, each in open_ones if _is_gone(each, key, job, seen.get(key), shipped)]


def _is_gone(
    finding: Mapping[str, Any], key: str, job: Job, outcome: ObjectOutcome | None, shipped: Container[str]
) -> bool:
    detector = str(finding["GeneratorId"]).removeprefix("waybill/")
    if outcome is not None and outcome.counts.get(detector):
        return False
    regions = str(finding["ProductFields"].get(_FIELD_REGIONS, "")).split()
    return not why_not_known(job, key, outcome, detector, () if detector in shipped else (detector,), regions)


def _archived(finding: Mapping[str, Any], job: Job) -> dict[str, Any]:
    ours = {name: text for name, text in finding["ProductFields"].items() if name.startswith("waybill/")}
    resources = [{name: each[name] for name in ("Type", "Id", "Partition", "Region")} for each in finding["Resources"]]
    return {
        **{name: finding[name] for name in _KEPT},
        "UpdatedAt": _moment(job),
        "ProductFields": ours | {_FIELD_JOB: job.job_id},
        "Resources": resources,
        "RecordState": "ARCHIVED",
    }


def hub_of(job: Job) -> tuple[str, str]:
    """Return the product that a job's findings are told as, and what the ids of those in its bucket begin with."""
    partition, region, account = _place(job)
    product = f"arn:{partition}:securityhub:{region}:{account}:product/{account}/default"
    return product, f"waybill/{job.request.bucket}/"


def _place(job: Job) -> tuple[str, str, str]:
    """Return the partition, Region and account of the execution that has listed a job."""
    _, partition, _, region, account, *_ = [*job.execution_arn.split(":"), *("",) * 5]
    return partition, region, account


def _moment(job: Job) -> str:
    """Return the time that a job speaks of: its end, and not that of an export or a delivery behind it."""
    return job.ended_at or job.updated_at


def _key_of(finding: Mapping[str, Any]) -> str | None:
    try:
        return base64.b64decode(finding["ProductFields"][_FIELD_KEY], validate=True).decode()
    except (KeyError, ValueError):
        return None


def _line(text: str) -> str:
    """Return a text as one line: what is not shown is percent-encoded."""
    return "".join(sign if sign.isprintable() else quote(sign, safe="", errors="surrogatepass") for sign in text)


def _resource_id(partition: str, bucket: str, key: str) -> str:
    """Return the ARN of an object; one that would be too long, or no line, is told from others by a hash."""
    arn = f"arn:{partition}:s3:::{bucket}/{key}"
    if len(arn) <= _ID_LENGTH and arn == _line(arn):
        return arn
    mark = f"~{key_hash(key)}"
    return _line(arn)[: _ID_LENGTH - len(mark)] + mark


def _category(detector: str) -> str:
    if detector in _MONEY:
        return "FINANCIAL_INFORMATION"
    return "PERSONAL_INFORMATION" if detector in _PEOPLE else "CREDENTIALS"


def _detected(detector: str, found: Sequence[FindingDocument], total: int, *, own: bool) -> dict[str, Any]:
    seen = {"Count": total, "Occurrences": _occurrences(found)}
    if own:
        return {"CustomDataIdentifiers": {"TotalCount": total, "Detections": [{"Name": detector[:128], **seen}]}}
    kinds = {"Category": _category(detector), "TotalCount": total, "Detections": [{"Type": detector, **seen}]}
    return {"SensitiveData": [kinds]}


def _finding(
    job: Job, key: str, detector: str, found: Sequence[FindingDocument], description: str, *, own: bool
) -> dict[str, Any]:
    partition, region, account = _place(job)
    product, ids = hub_of(job)
    bucket = job.request.bucket
    level = max((str(each["confidence"]) for each in found), key=_LEVELS.index)
    states = {str(each.get("state", "open")) for each in found}
    times = sorted(str(each["created_at"]) for each in found)
    return {
        "SchemaVersion": "2018-10-08",
        "Id": f"{ids}{key_hash(key)}/{detector}",
        "ProductArn": product,
        "GeneratorId": f"waybill/{detector}",
        "AwsAccountId": account,
        "CreatedAt": times[0],
        # The time of the job, however old what it knows is: what is not updated for 90 days is removed there.
        "UpdatedAt": max(times[-1], _moment(job)),
        # The API reference of BatchImportFindings: what a provider says of these, and may say otherwise later.
        "FindingProviderFields": {
            "Severity": {"Label": level, "Original": level},
            "Types": [_NAMESPACE if own else f"{_NAMESPACE}/{_TYPES[_category(detector)]}"],
        },
        "Title": _line(f"{description} in s3://{bucket}/{key}")[:256],
        "Description": _line(f"Found by job {job.job_id} of Waybill: {found[0]['masked_match']}")[:1024],
        "ProductFields": {
            _FIELD_JOB: job.job_id,
            "waybill/fingerprint": str(found[0]["fingerprint"]),
            _FIELD_KEY: base64.b64encode(key.encode()).decode("ascii"),
            **({_FIELD_REGIONS: " ".join(job.request.regions)} if job.request.regions else {}),
        },
        "Resources": [
            {
                "Type": "AwsS3Object",
                "Id": _resource_id(partition, bucket, key),
                "Partition": partition,
                "Region": region,
            }
        ],
        "Workflow": {"Status": _WORKFLOW.get(states.pop(), "NEW") if len(states) == 1 else "NEW"},
        "RecordState": "ACTIVE",
    }


def _occurrences(found: Sequence[FindingDocument]) -> dict[str, list[dict[str, Any]]]:
    """Return where values are: cells of tables, else lines; at most so many as Macie tells of."""
    occurrences: dict[str, list[dict[str, Any]]] = {}
    for each in found[:_OCCURRENCES]:
        if each.get("cell"):
            occurrences.setdefault("Cells", []).append({"CellReference": _line(str(each["cell"]))})
        else:
            line = {"Start": int(each["line"]), "End": int(each["line"]), "StartColumn": int(each["column"])}
            occurrences.setdefault("LineRanges", []).append(line)
    return occurrences
