"""Two jobs beside each other, and findings as AWS Security Hub takes them."""

from typing import Any

import botocore.session
from botocore.validate import ParamValidator

from waybill.scanning.domain.comparison import compared
from waybill.scanning.domain.security_hub import security_hub_findings
from waybill.scanning.models import Job, ObjectOutcome, ObjectStatus, Status
from waybill.scanning.request_models import ScanRequest

ARN = "arn:aws:states:eu-west-1:123456789012:execution:waybill-scanning:scan-1"


def finding(key: str, fingerprint: str, detector: str = "EMAIL", **more: Any) -> dict[str, Any]:
    base = {"key": key, "fingerprint": fingerprint, "detector": detector, "line": 3, "column": 7, "confidence": "LOW"}
    return base | {"masked_match": "****@****", "created_at": "2026-11-02T09:21:04.000Z", "state": "open"} | more


def test_what_is_new_and_what_is_gone_is_told_by_value_and_object() -> None:
    earlier = [finding("a", "1"), finding("a", "2"), finding("b", "1")]
    later = [finding("a", "1", line=9), finding("b", "2"), finding("b", "2", line=8), finding("c", "1")]
    result = compared(earlier, later)
    assert [(each["key"], each["fingerprint"]) for each in result["new"]] == [("b", "2"), ("c", "1")]
    assert [(each["key"], each["fingerprint"]) for each in result["gone"]] == [("a", "2"), ("b", "1")]
    assert result["same"] == 1


def test_security_hub_takes_what_it_is_given() -> None:
    """The service model of botocore; AWS Security Hub user guide for what it does not say."""
    job = Job("j", ScanRequest(bucket="town-hall"), Status.COMPLETED, "", "", execution_arn=ARN)
    found = [finding("k" * 1024, "1"), *(finding("b", str(number), "IBAN", confidence="HIGH") for number in range(20))]
    found += [finding("c", "9", state="accepted", cell="People!B9")]
    documents = list(security_hub_findings(found, job, {"EMAIL": "E-mail address"}, frozenset(), {}))
    model = botocore.session.get_session().get_service_model("securityhub")
    shape = model.operation_model("BatchImportFindings").input_shape
    assert not ParamValidator().validate({"Findings": documents}, shape).has_errors()
    assert len({each["Id"] for each in documents}) == 3
    iban, mail, long = documents
    assert iban["Severity"] == {"Label": "HIGH"}
    [sensitive] = iban["Resources"][0]["DataClassification"]["Result"]["SensitiveData"]
    assert (sensitive["Category"], sensitive["TotalCount"]) == ("FINANCIAL_INFORMATION", 20)
    assert mail["Workflow"] == {"Status": "SUPPRESSED"}
    assert iban["ProductArn"] == "arn:aws:securityhub:eu-west-1:123456789012:product/123456789012/default"
    assert len(long["Title"]) <= 256
    assert len(long["Id"]) <= 512
    assert len(long["Resources"][0]["Id"]) <= 512


def test_security_hub_hears_how_much_of_an_object_was_looked_at() -> None:
    """AWS Security Hub user guide: `DataClassification`, `CustomDataIdentifiers`, and how long findings are kept."""
    ended = "2026-11-09T02:00:00.000Z"
    job = Job("j", ScanRequest(bucket="town-hall"), Status.COMPLETED, "", ended, execution_arn=ARN)
    partial = ObjectOutcome("a", "e", 9, ObjectStatus.PARTIAL, counts={"BADGE": 2000}, not_read={"ENCRYPTED": 1})
    found = [finding("a", "1", "BADGE"), finding("b", "2")]
    badge, mail = security_hub_findings(found, job, {}, frozenset({"BADGE"}), {"a": partial})
    model = botocore.session.get_session().get_service_model("securityhub")
    shape = model.operation_model("BatchImportFindings").input_shape
    assert not ParamValidator().validate({"Findings": [badge, mail]}, shape).has_errors()
    result = badge["Resources"][0]["DataClassification"]["Result"]
    assert result["Status"] == {"Code": "PARTIAL"}
    assert result["CustomDataIdentifiers"]["TotalCount"] == 2000
    assert result["CustomDataIdentifiers"]["Detections"][0]["Name"] == "BADGE"
    assert "SensitiveData" not in result
    assert mail["Resources"][0]["DataClassification"]["Result"]["Status"] == {"Code": "COMPLETE"}
    [number] = security_hub_findings([finding("c", "3", "DE_TAX_ID")], job, {}, frozenset(), {})
    assert number["Types"] == ["Sensitive Data Identifications/PII"]
    # What an earlier job has found is updated by this one: findings are removed 90 days after their last update.
    assert (mail["CreatedAt"], mail["UpdatedAt"]) == ("2026-11-02T09:21:04.000Z", ended)
