"""Detectors and allow lists of a stack's own: refused unless they hold, used from then on."""

from typing import Any

import boto3
import pytest

from tests.functional.scanning.conftest import Scanner
from waybill.core.clock import now
from waybill.core.errors import ConflictError, InvalidInputError, NotFoundError
from waybill.scanning.domain.detection.pattern_limits import check_pattern
from waybill.scanning.domain.own_detectors import OwnDetectors
from waybill.scanning.domain.trial import tried
from waybill.scanning.errors import DetectorError
from waybill.scanning.request_models import DetectorRequest, ScanRequest
from waybill.scanning.runtime import Runtime, load

RULE: dict[str, Any] = {"pattern": r"(?<!\w)B-[A-Z]{8}(?!\w)", "gates": ["B-[A-Z]"], "confidence": "HIGH"}
EXAMPLES = [{"text": "badge B-QWERTZUI", "finds": "B-QWERTZUI"}, {"text": "B-QWE"}]
BADGE: dict[str, Any] = {"description": "Badge", "rules": [RULE], "examples": EXAMPLES, "mask": "B-{last2}"}


@pytest.fixture
def own(scanner: Scanner) -> OwnDetectors:
    return OwnDetectors(scanner.table.detectors, now, scanner.table.schedules)


def request(**changes: Any) -> DetectorRequest:
    return DetectorRequest.model_validate(BADGE | changes)


def found(own: OwnDetectors, text: bytes) -> list[tuple[str, str]]:
    """Scan as a worker of the deployed function does, with the rules that hold when its work begins."""

    class Known(Runtime):
        secret = b"secret"

    scanner = Known(load, boto3.client).scanner(ScanRequest(bucket="any-bucket"), own.rules(), lambda: 60.0)
    parts = iter([text])
    return [(each.detector, each.masked_match) for each in scanner.scan(lambda _: next(parts, b"")).findings]


def test_a_detector_is_used_from_then_on_and_no_more_when_it_is_deleted(own: OwnDetectors) -> None:
    assert own.rules().version == ""
    own.put("BADGE", request(), "jo")
    first = own.rules().version
    assert found(own, b"badge B-ASDFGHJK here") == [("BADGE", "B-JK")]
    assert own.put("BADGE", request(mask="****"), "jo").version == 2
    assert first != own.rules().version
    own.delete("BADGE", "jo")
    assert found(own, b"badge B-ASDFGHJK here") == []
    assert own.rules().version == ""
    with pytest.raises(NotFoundError):
        own.find("BADGE")
    assert own.put("BADGE", request(), "jo").version == 4


@pytest.mark.parametrize(
    ("allows", "left"),
    [
        ({"texts": ["help@corp-mail.org"]}, ["ann@corp-mail.org"]),
        ({"patterns": ["[a-z]{1,20}@corp-mail[.]org"]}, []),
        ({"patterns": ["[a-z]{1,4}@"], "detectors": ["EMAIL"]}, ["help@corp-mail.org", "ann@corp-mail.org"]),
        ({"texts": ["help@corp-mail.org"], "detectors": ["IP"]}, ["help@corp-mail.org", "ann@corp-mail.org"]),
    ],
)
def test_what_an_allow_list_has_is_no_finding(own: OwnDetectors, allows: dict[str, Any], left: list[str]) -> None:
    own.put("OUR_OWN", DetectorRequest.model_validate({"description": "our own", "allows": allows}), "jo")
    assert len(found(own, b"help@corp-mail.org\nann@corp-mail.org\n")) == len(left)


def test_the_list_of_a_detector_is_for_its_own_values(own: OwnDetectors) -> None:
    own.put("BADGE", request(allows={"patterns": [".{1,40}"]}), "jo")
    assert found(own, b"B-ASDFGHJK ann@corp-mail.org") == [("EMAIL", "****@****")]


@pytest.mark.parametrize(
    "changes",
    [
        {"examples": [*EXAMPLES, {"text": "B-ASDFGHJK"}]},
        {"examples": [{"text": "badge B-QWERTZUI", "finds": "B-QWERTZU"}, {"text": "x"}]},
        {"examples": EXAMPLES[:1]},
        {"examples": []},
        {"rules": []},
        {"rules": [RULE | {"pattern": "B-[A-Z]+"}]},
        {"rules": [RULE | {"pattern": "B-[A-Z]{8,}"}]},
        {"rules": [RULE | {"pattern": "B-(?:(?:[A-Z]{1,90}){1,90}){1,90}"}]},
        {"rules": [RULE | {"pattern": "B-(?:[A-Z]?){8,40}"}]},
        {"rules": [RULE | {"pattern": "B-([A-Z]{8}"}]},
        {"rules": [RULE | {"pattern": "B-[A-Zé]{8}"}]},
        {"rules": [RULE | {"gates": []}]},
        {"rules": [RULE | {"gates": [r"(?<=x)B-[A-Z]"]}]},
        {"rules": [RULE | {"gates": ["X-[A-Z]"]}]},
        {"validator": "no_such_check"},
        {"mask": "{line}"},
        {"mask": "{everything}"},
        {"allows": {"patterns": ["a+"]}},
    ],
)
def test_what_does_not_hold_is_refused(own: OwnDetectors, changes: dict[str, Any]) -> None:
    with pytest.raises(InvalidInputError):
        own.put("BADGE", request(**changes), "jo")
    assert own.listed() == []


def test_the_id_of_a_shipped_detector_is_refused(own: OwnDetectors) -> None:
    with pytest.raises(InvalidInputError, match="id"):
        own.put("EMAIL", request(), "jo")


@pytest.mark.parametrize(
    "unknown", [{"colour": "red"}, {"rules": [RULE | {"colour": "red"}]}, {"keyword_distance": "50"}]
)
def test_a_field_that_there_is_not_is_refused(unknown: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="DetectorRequest"):
        request(**unknown)


def test_there_are_not_any_number_of_them(own: OwnDetectors, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("waybill.scanning.domain.own_detectors.MOST", 2)
    own.put("BADGE_A", request(), "jo")
    own.put("BADGE_B", request(), "jo")
    with pytest.raises(ConflictError):
        own.put("BADGE_C", request(), "jo")
    own.put("BADGE_B", request(), "jo")


@pytest.mark.parametrize("pattern", ["(a|b|ab){1,30}c", r"(?:\w{1,60}\s?){1,60}!", "a{9000}", "x" * 2001])
def test_a_pattern_that_may_take_for_ever_is_refused(pattern: str) -> None:
    with pytest.raises(DetectorError):
        check_pattern(pattern)


@pytest.mark.parametrize("pattern", [r"(?<!\d)\d{3}[ -]?\d{4}(?!\d)", "A[0-9]{4,12}", "(?i)(?:ab|cd){2}[x-z]{1,64}"])
def test_a_pattern_of_the_usual_kind_is_taken(pattern: str) -> None:
    check_pattern(pattern)


# SSA, "Social Security Number Randomization": 219-45-6789 has the form; 078-05-1120 is the one of the wallets.
SSN = "ssn 219-45-6789\nü ssn 078-05-1120\n"


def test_a_detector_is_tried_on_a_text_as_a_scan_would_find_it(own: OwnDetectors) -> None:
    trial = tried("US_SSN", SSN, own)
    assert [(each.line, each.column, each.byte_length, each.sample) for each in trial.findings] == [
        (1, 5, 11, False),
        (2, 7, 11, True),
    ]
    assert [each.masked_match for each in trial.findings] == ["XXX-XX-6789", "XXX-XX-1120"]
    assert tried("EMAIL", SSN, own).total == 0
    # The heading of a column says what is in it.
    (found,) = tried("US_SSN", "name,ssn\nAnn,219-45-6789\n", own).findings
    assert found.confidence == "HIGH"
    # What begins like a file of another kind is the text that was typed.
    assert tried("US_SSN", f"%PDF-1.4\nPK\x03\x04 {SSN}", own).total == 2


def test_a_detector_of_ones_own_is_tried_before_it_is_saved_and_after(own: OwnDetectors) -> None:
    text = "badge B-ASDFGHJK " * 150
    with pytest.raises(NotFoundError):
        tried("BADGE", text, own)
    before = tried("BADGE", text, own, request())
    own.put("BADGE", request(), "jo")
    for trial in (before, tried("BADGE", text, own)):
        assert (len(trial.findings), trial.total, trial.findings[0].masked_match) == (100, 150, "B-JK")
    with pytest.raises(InvalidInputError):
        tried("BADGE", text, own, request(rules=[RULE | {"pattern": "(B-[A-Z]+)+"}]))
    with pytest.raises(InvalidInputError):
        tried("US_SSN", text, own, request())


def test_an_allow_list_is_tried_on_what_it_lets_pass(own: OwnDetectors) -> None:
    allows = {"texts": ["help@corp-mail.org"], "detectors": ["EMAIL"]}
    own.put("OUR_DESK", DetectorRequest.model_validate({"description": "Our desk", "allows": allows}), "jo")
    trial = tried("OUR_DESK", "help@corp-mail.org, ann@corp-mail.org, ssn 219-45-6789", own)
    assert ([each.detector for each in trial.findings], trial.allowed) == (["EMAIL"], 1)
    trial = tried("EMAIL", "help@corp-mail.org", own)
    assert (trial.total, trial.allowed) == (0, 1)
