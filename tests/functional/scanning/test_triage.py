"""What people say of a value holds in every job and bucket, until it runs out."""

import hashlib
import threading
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from tests.functional.scanning.conftest import Scanner
from waybill.core.clock import iso, now
from waybill.core.errors import ConflictError, InvalidInputError, NotFoundError
from waybill.scanning.adapters.value_table import ValueTable
from waybill.scanning.domain.detection.models import Finding
from waybill.scanning.domain.triage import Value
from waybill.scanning.models import Job
from waybill.scanning.request_models import TriageRequest

SSN, MAIL = b"ssn 219-45-6789\n", b"alice@corp-mail.org\n"
_FINDING = Finding("EMAIL", "HIGH", 0, 19, 1, 1, "****@****", "", "")


def scanned(scanner: Scanner, **content: bytes) -> Job:
    scanner.bucket.objects |= content
    return scanner.jobs.find(str(scanner.run()["job_id"]))


def findings(scanner: Scanner, job: Job) -> dict[str, dict[str, Any]]:
    found = scanner.results.page(job, 100, None, {})["findings"]
    return {f"{each['key']} {each['detector']}": each for each in found}


def values(scanner: Scanner, **wanted: str) -> list[dict[str, Any]]:
    found, cursor = [], None
    while True:
        answer = scanner.triage.page(1, cursor, wanted, b"secret")
        found += answer["findings"]
        if not (cursor := answer["cursor"]):
            return found


def test_a_value_keeps_its_state_in_every_later_job(scanner: Scanner) -> None:
    first = scanned(scanner, a=SSN, b=SSN + MAIL)
    fingerprint = findings(scanner, first)["a US_SSN"]["fingerprint"]
    scanner.triage.decide(fingerprint, "accepted", "our own", "", "jo")
    assert {name: each["state"] for name, each in findings(scanner, first).items()} == {
        "a US_SSN": "accepted",
        "b US_SSN": "accepted",
        "b EMAIL": "open",
    }
    # `a` and `b` come from the cache, `c` is read: both ways they are counted apart.
    second = scanned(scanner, c=SSN)
    assert findings(scanner, second)["c US_SSN"]["state"] == "accepted"
    assert scanner.jobs.report(second.job_id)["triaged"] == {"accepted": 3}
    assert scanner.jobs.coverage(second.job_id)["triaged"] == {"accepted": 3}
    assert scanner.jobs.report(second.job_id)["total_findings"] == 4
    assert scanner.jobs.report(first.job_id)["triaged"] == {}


def test_what_has_run_out_is_open_again(scanner: Scanner) -> None:
    job = scanned(scanner, a=SSN)
    fingerprint = findings(scanner, job)["a US_SSN"]["fingerprint"]
    scanner.triage.decide(fingerprint, "false_positive", "a test", iso(now() + timedelta(days=1)), "jo")
    assert [each["state"] for each in values(scanner)] == ["false_positive"]
    scanner.later = timedelta(days=2)
    assert [each["state"] for each in values(scanner, state="open")] == ["open"]
    assert findings(scanner, job)["a US_SSN"]["state"] == "open"


def test_of_two_decisions_in_one_moment_neither_is_lost(scanner: Scanner, monkeypatch: pytest.MonkeyPatch) -> None:
    """Contract: who has said it, and what was said before, is kept. Two may say so within a millisecond."""
    job, moment = scanned(scanner, a=SSN), now()
    fingerprint = findings(scanner, job)["a US_SSN"]["fingerprint"]
    triage = replace(scanner.triage, now=lambda: moment)
    triage.decide(fingerprint, "accepted", "first", "", "jo")
    get, read = scanner.table.values.get, list[Value | None]()

    def reading(name: str) -> Value | None:
        read.append(get(name))
        if len(read) == 1:
            # Somebody else is faster, in the same millisecond.
            triage.decide(fingerprint, "open", "second", "", "al")
        return read[0] if len(read) == 1 else get(name)

    monkeypatch.setattr(scanner.table.values, "get", reading)
    said = triage.decide(fingerprint, "resolved", "third", "", "jo")
    assert [each.reason for each in said.history] == ["first", "second", "third"]
    assert len({each.at for each in said.history}) == 3


def test_what_would_have_run_out_already_is_not_said(scanner: Scanner) -> None:
    """A decision holds until then (`until?` of `PUT /findings/{fingerprint}`): one that holds never is a mistake."""
    job = scanned(scanner, a=SSN)
    fingerprint = findings(scanner, job)["a US_SSN"]["fingerprint"]
    with pytest.raises(InvalidInputError, match="future"):
        scanner.triage.decide(fingerprint, "accepted", "late", iso(now() - timedelta(days=1)), "jo")
    assert findings(scanner, job)["a US_SSN"]["state"] == "open"


def test_values_are_listed_by_what_is_asked_for(scanner: Scanner) -> None:
    job = scanned(scanner, a=SSN, b=SSN + MAIL)
    assert sorted(each["detector"] for each in values(scanner)) == ["EMAIL", "US_SSN"]
    assert [each["detector"] for each in values(scanner, detector="EMAIL")] == ["EMAIL"]
    assert not values(scanner, bucket="another-bucket")
    assert not values(scanner, state="accepted")
    [mail] = values(scanner, detector="EMAIL", bucket=job.request.bucket, state="open")
    assert [(place["key"], place["job_id"]) for place in mail["places"]] == [("b", job.job_id)]
    assert "alice" not in str(mail)


def test_whoever_says_something_is_kept_with_what_was_said_before(scanner: Scanner) -> None:
    fingerprint = findings(scanner, scanned(scanner, a=SSN))["a US_SSN"]["fingerprint"]
    scanner.triage.decide(fingerprint, "accepted", "first", "", "jo")
    scanner.triage.decide(fingerprint, "open", "second", "", "ann")
    [value] = values(scanner)
    assert (value["state"], value["reason"], value["by"]) == ("open", "second", "ann")
    assert [(each["state"], each["by"]) for each in value["history"]] == [("accepted", "jo"), ("open", "ann")]


@pytest.mark.parametrize("fingerprint", ["0" * 64, "zz", "", "0", "#"])
def test_what_was_never_found_is_unknown(scanner: Scanner, fingerprint: str) -> None:
    scanned(scanner, a=SSN)
    with pytest.raises(NotFoundError):
        scanner.triage.decide(fingerprint, "accepted", "why", "", "jo")


def test_of_two_who_say_something_at_once_both_are_kept(scanner: Scanner, monkeypatch: pytest.MonkeyPatch) -> None:
    fingerprint = findings(scanner, scanned(scanner, a=SSN))["a US_SSN"]["fingerprint"]
    found = scanner.triage.find(fingerprint)
    scanner.triage.decide(fingerprint, "accepted", "first", "", "jo")
    monkeypatch.setattr(scanner.table.values, "get", lambda _: found)
    with pytest.raises(ConflictError):
        scanner.triage.decide(fingerprint, "resolved", "second", "", "ann")
    monkeypatch.undo()
    assert [each["by"] for each in values(scanner)[0]["history"]] == ["jo"]


def test_a_cursor_of_other_filters_is_refused(scanner: Scanner) -> None:
    scanned(scanner, a=SSN + MAIL)
    cursor = scanner.triage.page(1, None, {}, b"secret")["cursor"]
    with pytest.raises(InvalidInputError):
        scanner.triage.page(1, cursor, {"state": "open"}, b"secret")


@pytest.mark.parametrize(
    "wrong",
    [
        {"state": "ignored", "reason": "x"},
        {"state": "accepted"},
        {"state": "accepted", "reason": " "},
        {"state": "accepted", "reason": "x", "until": "tomorrow"},
        {"state": "accepted", "reason": "x", "owner": "jo"},
    ],
)
def test_what_is_said_has_a_state_and_a_reason(wrong: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="TriageRequest"):
        TriageRequest.model_validate(wrong)


def test_a_filter_is_looked_for_behind_values_that_it_leaves_out(
    scanner: Scanner, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A page without a value, though there are some behind it, would be read as none."""
    monkeypatch.setattr("waybill.scanning.domain.triage._AT_ONCE", 5)
    scanned(scanner, a="".join(f"ssn 219-45-{number}\n" for number in range(6001, 6013)).encode())
    *decided, last = [each["fingerprint"] for each in values(scanner)]
    assert len(decided) == 11
    for each in decided:
        scanner.triage.decide(each, "false_positive", "made up", "", "jo")

    def page(limit: int, cursor: str | None, **wanted: str) -> tuple[list[str], dict[str, int], str | None]:
        answer = scanner.triage.page(limit, cursor, wanted, b"secret")
        return [each["fingerprint"] for each in answer["findings"]], answer["passed_over"], answer["cursor"]

    assert page(2, None, state="open") == ([last], {"false_positive": 11}, None)
    assert page(2, None, state="open", bucket="another") == ([], {}, None)
    first, passed, cursor = page(7, None, state="false_positive")
    assert (first, passed) == (decided[:7], {})
    assert page(7, cursor, state="false_positive") == (decided[7:], {"open": 1}, None)


def test_what_is_looked_through_for_one_answer_is_bounded(scanner: Scanner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("waybill.scanning.domain.triage._LOOKED_THROUGH", 1)
    monkeypatch.setattr("waybill.scanning.domain.triage._AT_ONCE", 1)
    scanned(scanner, a=SSN + MAIL)
    answer = scanner.triage.page(1, None, {"state": "resolved"}, b"secret")
    assert (answer["findings"], answer["passed_over"]) == ([], {"open": 1})
    assert answer["cursor"]
    assert values(scanner, state="resolved") == []


def noted(scanner: Scanner, count: int, seed: str) -> list[str]:
    """Values that were seen, by their fingerprints in order; they are spread over partitions as digests are."""
    fingerprints = [hashlib.sha256(f"{seed} {number}".encode()).hexdigest() for number in range(count)]
    values = [_FINDING._replace(fingerprint=each) for each in fingerprints]
    scanner.table.values.note("job", "bucket", "key", values)
    return sorted(fingerprints)


@pytest.mark.parametrize("count", [0, 1, 40, 400])
@pytest.mark.parametrize("limit", [1, 7, 200])
def test_all_values_are_listed_once_and_in_order(scanner: Scanner, count: int, limit: int) -> None:
    expected, listed, after = noted(scanner, count, "listed"), list[str](), ""
    while True:
        values, position = scanner.table.values.page(after, limit)
        listed += [value.fingerprint for value in values]
        assert len(values) == limit or position is None
        if position is None:
            break
        after = position
        assert after == listed[-1]
    assert listed == expected


@pytest.mark.parametrize(("count", "limit", "most"), [(0, 50, 16), (400, 10, 2), (40, 200, 16), (400, 50, 5)])
def test_no_more_partitions_are_read_than_a_page_needs(
    scanner: Scanner, monkeypatch: pytest.MonkeyPatch, count: int, limit: int, most: int
) -> None:
    noted(scanner, count, "read")
    asked, read = list[str](), ValueTable._of_shard
    monkeypatch.setattr(ValueTable, "_of_shard", lambda *given: (asked.append(given[-1]), read(*given))[1])
    scanner.table.values.page("", limit)
    assert len(asked) == len(set(asked)) <= most


def test_partitions_with_few_values_are_read_together(scanner: Scanner, monkeypatch: pytest.MonkeyPatch) -> None:
    noted(scanner, 10, "together")
    # Of eight threads that meet, none can be behind another: one after the other they would wait for good.
    meeting, read = threading.Barrier(7), ValueTable._of_shard

    def of_shard(table: ValueTable, after: str, wanted: int, shard: str) -> list[Value]:
        if shard in "1234567":
            meeting.wait(timeout=20)
        return read(table, after, wanted, shard)

    monkeypatch.setattr(ValueTable, "_of_shard", of_shard)
    values, position = scanner.table.values.page("", 50)
    assert (len(values), position) == (10, None)
