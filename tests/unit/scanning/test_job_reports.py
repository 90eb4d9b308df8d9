"""Two jobs beside each other, and findings as AWS Security Hub takes them."""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import botocore.session
import pytest
from botocore.validate import ParamValidator

from tests.fakes.scanning import AWKWARD_KEYS
from waybill.scanning.domain.absence import why_not_known
from waybill.scanning.domain.comparison import Side, compared
from waybill.scanning.domain.security_hub import archived, security_hub_findings
from waybill.scanning.models import Job, ObjectOutcome, ObjectStatus, Status
from waybill.scanning.request_models import ScanRequest

ARN = "arn:aws:states:eu-west-1:123456789012:execution:waybill-scanning:scan-1"


def finding(key: str, fingerprint: str, detector: str = "EMAIL", **more: Any) -> dict[str, Any]:
    base = {"key": key, "fingerprint": fingerprint, "detector": detector, "line": 3, "column": 7, "confidence": "LOW"}
    return base | {"masked_match": "****@****", "created_at": "2026-11-02T09:21:04.000Z", "state": "open"} | more


ENDED = "2026-11-09T02:00:00.000Z"


def job(**changes: Any) -> Job:
    request = {"bucket": "town-hall"} | changes.pop("request", {})
    base = {"job_id": "j", "request": ScanRequest.model_validate(request), "status": Status.COMPLETED}
    # Its webhook was delivered a day later.
    when = {"created_at": ENDED, "ended_at": ENDED, "updated_at": "2026-11-10T02:00:00.000Z"}
    return Job(**{**base, **when, "execution_arn": ARN, **changes})


class Ended:
    """`Outcomes`: of each job, by its id, the objects that have ended."""

    def __init__(self, **outcomes: list[ObjectOutcome]) -> None:
        self._outcomes = {name: {each.key: each for each in ended} for name, ended in outcomes.items()}

    def get(self, job_id: str, keys: Sequence[str]) -> dict[str, ObjectOutcome]:
        known = self._outcomes.get(job_id, {})
        return {key: known[key] for key in keys if key in known}


def ended(key: str, status: ObjectStatus = ObjectStatus.FINDINGS, reason: str = "", **more: Any) -> ObjectOutcome:
    return ObjectOutcome(key, "e", 9, status, reason, **more)


def sides(earlier: Job, later: Job, *found: list[dict[str, Any]]) -> tuple[Side, Side]:
    return Side(replace(earlier, job_id="earlier"), found[0]), Side(replace(later, job_id="later"), found[1])


def test_what_is_new_and_what_is_gone_is_told_by_value_and_object() -> None:
    earlier = [finding("a", "1"), finding("a", "2"), finding("b", "1"), finding("d", "1")]
    later = [finding("a", "1", line=9), finding("b", "2"), finding("b", "2", line=8), finding("c", "1")]
    # Of what is in both lists, both jobs have read all; `c` was not there before, nor is `d` any more.
    outcomes = Ended(earlier=[ended(key) for key in "abd"], later=[ended(key) for key in "abc"])
    result = compared(*sides(job(), job(), earlier, later), outcomes)
    assert [(each["key"], each["fingerprint"]) for each in result["new"]] == [("b", "2"), ("c", "1")]
    assert [(each["key"], each["fingerprint"]) for each in result["gone"]] == [("a", "2"), ("b", "1"), ("d", "1")]
    assert (result["same"], result["unknown"]) == (1, [])


BADGE = frozenset({"BADGE"})
NOT_SAID: dict[str, tuple[Job, ObjectOutcome | None, str, str]] = {
    "part": (job(), ended("a", ObjectStatus.PARTIAL, "ENCRYPTED"), "EMAIL", "ENCRYPTED"),
    "failed": (job(), ended("a", ObjectStatus.FAILED, "ACCESS_DENIED"), "EMAIL", "ACCESS_DENIED"),
    "left out": (job(), ended("a", ObjectStatus.SKIPPED, "OVERSIZE"), "EMAIL", "OVERSIZE"),
    "too many": (job(), ended("a", truncated=True, counts={"EMAIL": 2000}), "EMAIL", "TRUNCATED"),
    "others asked for": (job(request={"detectors": ["IBAN"]}), ended("a"), "EMAIL", "NOT_ASKED"),
    "own one of another time": (job(), ended("a"), "BADGE", "NOT_ASKED"),
    "cancelled": (job(status=Status.CANCELLED), None, "EMAIL", "NOT_ENDED"),
    "going on": (job(status=Status.PROCESSING), None, "EMAIL", "NOT_ENDED"),
    "cut short": (job(truncated=True), None, "EMAIL", "NOT_ENDED"),
    "another prefix": (job(request={"prefix": "b/"}), None, "EMAIL", "NOT_LISTED"),
    "excluded": (job(request={"exclude": ["a"]}), None, "EMAIL", "NOT_LISTED"),
    "a sample": (job(request={"sample": {"percent": 1}}), None, "EMAIL", "NOT_LISTED"),
}


@pytest.mark.parametrize("case", NOT_SAID)
def test_nothing_is_gone_or_new_where_nobody_has_looked(case: str) -> None:
    """Contract, "A success is a statement about now"; `ObjectView`: what each outcome says that was read."""
    other, outcome, detector, reason = NOT_SAID[case]
    assert why_not_known(other, "a", outcome, detector, BADGE) == reason
    found, own = [finding("a", "1", detector)], job(own={"BADGE": 1})
    for name, (earlier, later) in {
        "earlier": sides(own, other, found, []),
        "later": sides(other, own, [], found),
    }.items():
        silent = "later" if name == "earlier" else "earlier"
        result = compared(earlier, later, Ended(**({silent: [outcome]} if outcome else {})))
        assert (result["new"], result["gone"]) == ([], [])
        assert [(each["found_by"], each["reason"]) for each in result["unknown"]] == [(name, reason)]


@pytest.mark.parametrize(
    ("asked", "detector", "reason"),
    [
        ([], "PHONE", "NOT_ASKED"),
        (["US"], "PHONE", "NOT_ASKED"),
        (["GB", "US"], "PHONE", ""),
        ([], "EMAIL", ""),
    ],
)
def test_numbers_of_a_region_are_not_gone_where_nobody_has_asked_of_it(
    asked: list[str], detector: str, reason: str
) -> None:
    """The scanner's README: numbers as a region writes them are looked for where that is asked for alone."""
    found = [finding("a", "1", detector)]
    earlier, later = sides(job(request={"regions": ["GB"]}), job(request={"regions": asked}), found, [])
    result = compared(earlier, later, Ended(later=[ended("a")]))
    assert [each["reason"] for each in result["unknown"]] == ([reason] if reason else [])
    assert len(result["gone"]) == (not reason)
    first = replace(earlier.job, ended_at="2026-11-02T09:21:04.000Z")
    known = list(security_hub_findings(found, first, {}, frozenset(), {}))
    gone = archived(known, later.job, Ended(later=[ended("a", ObjectStatus.SCANNED)]), {"EMAIL", "PHONE"})
    assert len(gone) == (not reason)


@pytest.mark.parametrize(
    "outcome", [None, ended("a", ObjectStatus.SCANNED), ended("a", ObjectStatus.SKIPPED, "GONE"), ended("a")]
)
def test_what_was_looked_for_and_is_not_there_is_gone(outcome: ObjectOutcome | None) -> None:
    assert why_not_known(job(), "a", outcome, "EMAIL", BADGE) == ""


def test_security_hub_takes_what_it_is_given() -> None:
    """The service model of botocore; AWS Security Hub user guide for what it does not say."""
    found = [finding("k" * 1024, "1"), *(finding("b", str(number), "IBAN", confidence="HIGH") for number in range(20))]
    found += [finding("c", "9", state="accepted", cell="People!B9")]
    documents = list(security_hub_findings(found, job(), {"EMAIL": "E-mail address"}, frozenset(), {}))
    model = botocore.session.get_session().get_service_model("securityhub")
    shape = model.operation_model("BatchImportFindings").input_shape
    assert not ParamValidator().validate({"Findings": documents}, shape).has_errors()
    assert len({each["Id"] for each in documents}) == 3
    iban, mail, long = documents
    # The API reference of BatchImportFindings: severity and types are those fields of the provider.
    assert iban["FindingProviderFields"]["Severity"] == {"Label": "HIGH", "Original": "HIGH"}
    [sensitive] = iban["Resources"][0]["DataClassification"]["Result"]["SensitiveData"]
    assert (sensitive["Category"], sensitive["TotalCount"]) == ("FINANCIAL_INFORMATION", 20)
    assert mail["Workflow"] == {"Status": "SUPPRESSED"}
    assert iban["ProductArn"] == "arn:aws:securityhub:eu-west-1:123456789012:product/123456789012/default"
    assert len(long["Title"]) <= 256
    assert len(long["Id"]) <= 512
    assert len(long["Resources"][0]["Id"]) <= 512


def test_security_hub_hears_how_much_of_an_object_was_looked_at() -> None:
    """AWS Security Hub user guide: `DataClassification`, `CustomDataIdentifiers`, and how long findings are kept."""
    partial = ObjectOutcome("a", "e", 9, ObjectStatus.PARTIAL, counts={"BADGE": 2000}, not_read={"ENCRYPTED": 1})
    found = [finding("a", "1", "BADGE"), finding("b", "2")]
    badge, mail = security_hub_findings(found, job(), {}, BADGE, {"a": partial})
    model = botocore.session.get_session().get_service_model("securityhub")
    shape = model.operation_model("BatchImportFindings").input_shape
    assert not ParamValidator().validate({"Findings": [badge, mail]}, shape).has_errors()
    result = badge["Resources"][0]["DataClassification"]["Result"]
    assert result["Status"] == {"Code": "PARTIAL"}
    assert result["CustomDataIdentifiers"]["TotalCount"] == 2000
    assert result["CustomDataIdentifiers"]["Detections"][0]["Name"] == "BADGE"
    assert "SensitiveData" not in result
    assert mail["Resources"][0]["DataClassification"]["Result"]["Status"] == {"Code": "COMPLETE"}
    [number] = security_hub_findings([finding("c", "3", "DE_TAX_ID")], job(), {}, frozenset(), {})
    assert number["FindingProviderFields"]["Types"] == ["Sensitive Data Identifications/PII"]
    # What an earlier job has found is updated by this one: findings are removed 90 days after their last update.
    assert (mail["CreatedAt"], mail["UpdatedAt"]) == ("2026-11-02T09:21:04.000Z", ENDED)


def told(key: str, detector: str = "EMAIL", **changes: Any) -> dict[str, Any]:
    """Return what Security Hub has of an earlier job's finding: what it was sent, and fields of its own."""
    earlier = replace(job(own={"BADGE": 1}), job_id="earlier", ended_at="2026-11-02T09:21:04.000Z")
    [document] = security_hub_findings([finding(key, "1", detector)], earlier, {}, BADGE, {})
    document["ProductFields"]["aws/securityhub/FindingId"] = "its own"
    return document | {"Severity": {"Label": "LOW", "Normalized": 1}, "WorkflowState": "NEW"} | changes


def held_against_the_model(documents: list[dict[str, Any]]) -> None:
    """The service model of botocore: shapes, what must be there, lengths that its documentation of a field says."""
    model = botocore.session.get_session().get_service_model("securityhub")
    shape = model.operation_model("BatchImportFindings").input_shape
    assert not ParamValidator().validate({"Findings": documents}, shape).has_errors()
    for document in documents:
        assert len(document["Title"]) <= 256
        assert len(document["Description"]) <= 1024
        assert len(document["Id"]) <= 512
        assert all(len(each["Id"]) <= 512 for each in document["Resources"])
        assert all(len(name) <= 128 and len(text) <= 2048 for name, text in document["ProductFields"].items())
        assert len(json.dumps(document).encode()) <= 240 * 1024
        # `NonEmptyString`: `.*\S.*`, where a point is no line end.
        for text in texts_of(document):
            assert re.fullmatch(r".*\S.*", text), text


def texts_of(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for each in value.values():
            yield from texts_of(each)
    elif isinstance(value, list):
        for each in value:
            yield from texts_of(each)


@pytest.mark.parametrize("key", [*AWKWARD_KEYS, " ", "\n", "\u2028", "é" * 512, "k" * 1024, "\U0001f600" * 256])
def test_security_hub_takes_a_finding_whatever_its_object_is_called(key: str) -> None:
    documents = list(security_hub_findings([finding(key, "1", cell=f"{key}!A1")], job(), {}, frozenset(), {}))
    held_against_the_model(documents)


def test_no_two_objects_are_one_resource_of_security_hub() -> None:
    long = "k" * 600
    keys = [long + "1", long + "2", "a\nb", "a%0Ab", "a\u2028b"]
    documents = security_hub_findings([finding(key, "1") for key in keys], job(), {}, frozenset(), {})
    found = [(each["Id"], each["Resources"][0]["Id"]) for each in documents]
    assert len({name for name, _ in found}) == len({resource for _, resource in found}) == len(keys)


def test_what_is_gone_is_archived_and_nothing_else() -> None:
    """The API reference of BatchImportFindings, and the user guide's "RecordState": the provider archives."""
    outcomes = Ended(
        j=[
            ended("clean", ObjectStatus.SCANNED),
            ended("found", counts={"EMAIL": 1}),
            ended("other", counts={"IBAN": 1}),
            ended("part", ObjectStatus.PARTIAL, "ENCRYPTED"),
            ended("deleted", ObjectStatus.SKIPPED, "GONE"),
        ]
    )
    known = [told(key) for key in ("clean", "found", "other", "part", "deleted", "not there any more")]
    known += [
        told("clean", "BADGE"),
        told("clean", RecordState="ARCHIVED"),
        # A later job has told it, before this one was exported to its end.
        told("clean", UpdatedAt="2026-11-09T12:00:00.000Z"),
        told("clean", ProductFields={}),
    ]
    gone = archived(known, job(), outcomes, {"EMAIL"})
    assert [each["Id"] for each in gone] == [known[number]["Id"] for number in (0, 2, 4, 5)]
    assert {(each["RecordState"], each["UpdatedAt"]) for each in gone} == {("ARCHIVED", ENDED)}
    assert all(name.startswith("waybill/") for each in gone for name in each["ProductFields"])
    held_against_the_model(gone)
    # A job that has scanned by the detector of the stack's own can say that of its values too.
    [badge] = archived([told("clean", "BADGE")], job(own={"BADGE": 2}), outcomes, {"EMAIL"})
    assert badge["GeneratorId"] == "waybill/BADGE"
