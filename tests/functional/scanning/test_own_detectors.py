"""Detectors and allow lists of a stack's own: refused unless they hold, used from then on."""

from dataclasses import replace
from typing import Any

import boto3
import pytest

from tests.functional.scanning.conftest import Scanner
from waybill.core.clock import now
from waybill.core.errors import ConflictError, InvalidInputError, NotFoundError
from waybill.scanning.domain.detection.pattern_limits import check_pattern
from waybill.scanning.domain.detection.pattern_speed import check_speed
from waybill.scanning.domain.detection.rules import detectors
from waybill.scanning.domain.own_detectors import OwnDetectors
from waybill.scanning.domain.trial import tried
from waybill.scanning.errors import DetectorError
from waybill.scanning.models import Job
from waybill.scanning.request_models import DetectorRequest
from waybill.scanning.runtime import Runtime, load

RULE: dict[str, Any] = {"pattern": r"(?<!\w)B-[A-Z]{8}(?!\w)", "gates": ["B-[A-Z]"], "confidence": "HIGH"}
EXAMPLES = [{"text": "badge B-QWERTZUI", "finds": "B-QWERTZUI"}, {"text": "B-QWE"}]
BADGE: dict[str, Any] = {"description": "Badge", "rules": [RULE], "examples": EXAMPLES, "mask": "B-{last2}"}


@pytest.fixture
def own(scanner: Scanner) -> OwnDetectors:
    return OwnDetectors(scanner.table.detectors, now, scanner.table.schedules)


def request(**changes: Any) -> DetectorRequest:
    return DetectorRequest.model_validate(BADGE | changes)


def runtime_of(scanner: Scanner) -> Runtime:
    """Return the runtime of a worker of the deployed function, on the table of the test."""

    class Known(Runtime):
        secret = b"secret"
        table = scanner.table

    return Known(load, boto3.client)


def found(scanner: Scanner, text: bytes, job: Job | None = None) -> list[tuple[str, str]]:
    """Scan as a worker does for a job, by default one that is made now."""
    job = job or scanner.create()
    parts = iter([text])
    report = runtime_of(scanner).scanner(job, lambda: 60.0).scan(lambda _: next(parts, b""))
    return [(each.detector, each.masked_match) for each in report.findings]


def rules(scanner: Scanner) -> str:
    return runtime_of(scanner).rules(scanner.create())


def test_a_detector_is_used_from_then_on_and_no_more_when_it_is_deleted(scanner: Scanner, own: OwnDetectors) -> None:
    without = rules(scanner)
    own.put("BADGE", request(), "jo")
    first = rules(scanner)
    assert found(scanner, b"badge B-ASDFGHJK here") == [("BADGE", "B-JK")]
    assert own.put("BADGE", request(mask="****"), "jo").version == 2
    assert len({without, first, rules(scanner)}) == 3
    own.delete("BADGE", "jo")
    assert found(scanner, b"badge B-ASDFGHJK here") == []
    assert rules(scanner) == without
    with pytest.raises(NotFoundError):
        own.find("BADGE")
    assert own.put("BADGE", request(), "jo").version == 4


def test_a_job_is_scanned_to_its_end_by_what_counted_when_it_was_made(scanner: Scanner, own: OwnDetectors) -> None:
    """Contract, "Scanner": the next job uses a detector. One that is changed or deleted meanwhile is for later jobs."""
    text = b"badge B-ASDFGHJK here"
    before = scanner.create()
    own.put("BADGE", request(), "jo")
    job = scanner.create()
    own.put("BADGE", request(mask="****"), "jo")
    assert (found(scanner, text, before), found(scanner, text, job)) == ([], [("BADGE", "B-JK")])
    own.delete("BADGE", "jo")
    stored = scanner.jobs.find(job.job_id)
    assert found(scanner, text, stored) == [("BADGE", "B-JK")]
    assert scanner.jobs.coverage(job.job_id)["own_detectors"] == {"BADGE": 1}
    # Of a version that is lost, nothing is said to be clean.
    with pytest.raises(NotFoundError):
        found(scanner, text, replace(stored, own={"BADGE": 9}))


def test_a_coverage_says_by_which_rules_how_many_objects_were_read(scanner: Scanner) -> None:
    """By the definition of the field in `views.py`: what was not read was read by none."""
    scanner.bucket.objects |= {"a": b"ann@corp-mail.org", "b": b"nothing", "c.skip": b"nothing"}
    job = scanner.create(exclude=("*.skip",))
    scanner.list_all(job)
    scanner.work_all()
    assert scanner.jobs.coverage(job.job_id)["rules"] == {"rules-1": 2}
    scanner.rules = "rules-2"
    again = scanner.run(exclude=("*.skip",))["job_id"]
    assert scanner.jobs.coverage(again)["rules"] == {"rules-2": 2}
    # What is taken over from an earlier job was read by the same rules.
    cached = scanner.jobs.coverage(scanner.run(exclude=("*.skip",))["job_id"])
    assert (cached["from_cache"], cached["rules"]) == (2, {"rules-2": 2})


def test_an_object_is_read_from_its_beginning_where_the_rules_are_others_than_of_its_first_part(
    scanner: Scanner,
) -> None:
    """An outcome names one set of rules: all of the object was read by these."""
    scanner.bucket.objects["a"] = b"ann@corp-mail.org\n" + b"nothing here\n" * 10_000
    job = scanner.create()
    scanner.list_all(job)
    [work] = scanner.queue.slices
    scanner.queue.slices = []
    seconds = iter([900.0] * 4)
    scanner.seconds = 900
    worker = replace(scanner.worker, time_left=lambda: next(seconds, 0.0))
    worker.work(work)
    [rest] = scanner.queue.slices
    assert rest.resume is not None
    scanner.rules = "rules-2"
    scanner.work_all()
    report = scanner.jobs.report(job.job_id)
    assert (report["status"], report["total_findings"]) == ("completed", 1)
    assert scanner.jobs.coverage(job.job_id)["rules"] == {"rules-2": 1}
    assert scanner.jobs.coverage(job.job_id)["bytes_scanned"] == len(scanner.bucket.objects["a"])


@pytest.mark.parametrize(
    ("allows", "left"),
    [
        ({"texts": ["help@corp-mail.org"]}, ["ann@corp-mail.org"]),
        ({"patterns": ["[a-z]{1,20}@corp-mail[.]org"]}, []),
        ({"patterns": ["[a-z]{1,4}@"], "detectors": ["EMAIL"]}, ["help@corp-mail.org", "ann@corp-mail.org"]),
        ({"texts": ["help@corp-mail.org"], "detectors": ["IP"]}, ["help@corp-mail.org", "ann@corp-mail.org"]),
    ],
)
def test_what_an_allow_list_has_is_no_finding(
    scanner: Scanner, own: OwnDetectors, allows: dict[str, Any], left: list[str]
) -> None:
    own.put("OUR_OWN", DetectorRequest.model_validate({"description": "our own", "allows": allows}), "jo")
    assert len(found(scanner, b"help@corp-mail.org\nann@corp-mail.org\n")) == len(left)


def test_the_list_of_a_detector_is_for_its_own_values(scanner: Scanner, own: OwnDetectors) -> None:
    own.put("BADGE", request(allows={"patterns": [".{1,40}"]}), "jo")
    assert found(scanner, b"B-ASDFGHJK ann@corp-mail.org") == [("EMAIL", "****@****")]


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
        {"rules": [RULE | {"pattern": "(?:B-[A-Z]{8})?"}]},
        {"rules": [RULE | {"pattern": "(?=B-[A-Z]{8})"}]},
        {"rules": [RULE | {"pattern": "B-[A-Z]{8}|\\b"}]},
        {"rules": [RULE | {"gates": ["(?:B-)?"]}]},
        {"rules": [RULE | {"pattern": "B-(?:[A-Z]?){19}(?!\\w)"}]},
        {"rules": [RULE | {"pattern": "B-(?:[A-Z]{1,3}){1,12}(?!\\w)"}]},
        {"rules": [RULE | {"pattern": "B-[A-Z]{0,90}[A-Z]{0,90}[A-Z]{0,90}(?!\\w)"}]},
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


def test_a_list_for_values_of_no_detector_is_refused(own: OwnDetectors) -> None:
    """What would never let anything pass is a mistake, as the name of no detector is in a request for a scan."""
    named = {"description": "Our own", "allows": {"texts": ["x"], "detectors": ["EMAIL", "BADGE"]}}
    with pytest.raises(InvalidInputError, match=r"allows.detectors\[1\]"):
        own.put("OUR_OWN", DetectorRequest.model_validate(named), "jo")
    own.put("BADGE", request(), "jo")
    assert own.put("OUR_OWN", DetectorRequest.model_validate(named), "jo").version == 1


def test_a_job_that_asks_for_what_there_is_not_is_not_complete(scanner: Scanner, own: OwnDetectors) -> None:
    """Contract, "A success is a statement about now": an allow list, or a lost detector, looks for nothing."""
    own.put("OUR_OWN", DetectorRequest.model_validate({"description": "ours", "allows": {"texts": ["x"]}}), "jo")
    with pytest.raises(InvalidInputError, match=r"detectors\[0\]: is not a detector"):
        scanner.create(detectors=("OUR_OWN",))
    own.put("BADGE", request(), "jo")
    job = scanner.create(detectors=("BADGE",))
    assert found(scanner, b"badge B-ASDFGHJK", job) == [("BADGE", "B-JK")]
    with pytest.raises(NotFoundError):
        found(scanner, b"badge B-ASDFGHJK", replace(job, own={}))


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


def test_every_pattern_that_waybill_brings_is_fast_enough() -> None:
    """The bound of `pattern_speed.py` is ten times what the slowest of these takes: none of them may come near it."""
    for detector in detectors():
        values = [str(example["finds"]).encode() for example in detector.examples if "finds" in example]
        for rule in detector.rules:
            check_speed(rule.pattern, values)


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
