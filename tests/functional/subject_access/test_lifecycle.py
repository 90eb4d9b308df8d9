"""Requests as they age: given up after 48 hours, archived, deleted; and what the sweep does about them."""

import hashlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from scripts.template import load_template
from tests.fakes.executions import FakeExecutions
from tests.fakes.subject_access import BUCKET, CREATED, a_part, a_request
from tests.functional.subject_access.conftest import PDF, PDF_SHA256, SubjectAccess
from waybill.subject_access.domain.bank_holidays import england_and_wales
from waybill.subject_access.domain.claims import LEASE_SECONDS, SKEW_SECONDS
from waybill.subject_access.domain.deadlines import LegalClock
from waybill.subject_access.domain.endings import Delivery, Refusal, Withdrawal
from waybill.subject_access.domain.holds import HoldOrder, Release
from waybill.subject_access.domain.keys import answer_key, report_key, upload_key
from waybill.subject_access.domain.ports import Change
from waybill.subject_access.domain.sweep import RequestSweep
from waybill.subject_access.errors import ClaimLostError
from waybill.subject_access.models import HoldReason, PartStatus, RequestState

ARN = "arn:aws:states:eu-west-1:123456789012:stateMachine:waybill-subject-access"


def sweep(sar: SubjectAccess, executions: FakeExecutions, most_workers: int = 10) -> RequestSweep:
    def clock() -> LegalClock:
        return LegalClock(sar.clock(), england_and_wales())

    return RequestSweep(
        sar.lists, sar.lifecycle, sar.fulfilment, sar.alerts, executions, ARN, most_workers, sar.clock, clock
    )


def finished(sar: SubjectAccess, request_id: str = "request-1") -> None:
    sar.create(request_id, "G1")
    claim = sar.claim(request_id)
    sar.finish(claim)
    sar.complete(claim)


@pytest.mark.parametrize(
    ("age", "gone"), [(timedelta(hours=47, minutes=59), False), (timedelta(hours=48, minutes=1), True)]
)
def test_a_request_is_given_up_on_after_48_hours(sar: SubjectAccess, age: timedelta, gone: bool) -> None:
    sar.create("request-1", "G1")
    sar.clock.time += age
    assert sar.lifecycle.expire() == (["request-1"] if gone else [])
    assert sar.now().state is (RequestState.ERRORED if gone else RequestState.PENDING)
    assert sar.lifecycle.expire() == []


def test_a_completed_request_is_never_given_up_on(sar: SubjectAccess) -> None:
    finished(sar)
    sar.clock.advance(hours=49)
    assert sar.lifecycle.expire() == []
    assert sar.now().state is RequestState.COMPLETED


def test_between_giving_up_and_completion_one_wins(sar: SubjectAccess) -> None:
    sar.create("request-1", "G1")
    sar.clock.advance(hours=48, minutes=1)
    claim = sar.claim()
    sar.finish(claim)
    report = sar.put_report(claim)
    sar.fulfilment.save_report(claim, report)
    # The sweep has listed the request while the worker completes it.
    listed = list(sar.lists.queued("PENDING", sar.clock()))
    assert sar.fulfilment.complete(claim)
    assert [sar.lifecycle._moved(found, sar.lifecycle._expired) for found in listed] == [False]
    assert sar.now().state is RequestState.COMPLETED
    sar.create("request-2", "G1", requested_at=sar.clock() - timedelta(hours=49))
    late = sar.claim("request-2")
    sar.finish(late)
    sar.fulfilment.save_report(late, sar.put_report(late))
    assert sar.lifecycle.expire() == ["request-2"]
    with pytest.raises(ClaimLostError):
        sar.fulfilment.complete(late)


def test_hours_on_hold_do_not_count(sar: SubjectAccess) -> None:
    sar.create("request-1", "G1")
    sar.holds.hold("request-1", "alice", HoldOrder(reason=HoldReason.IDENTITY))
    sar.clock.advance(days=10)
    assert sar.lifecycle.expire() == []
    assert sar.claimer().claim_oldest("worker") is None
    sar.holds.release("request-1", "alice", Release())
    assert sar.lifecycle.expire() == []
    sar.clock.advance(hours=48, minutes=1)
    assert sar.lifecycle.expire() == ["request-1"]


@pytest.mark.parametrize("count", [120])  # more than DynamoDB takes in one batch or transaction
def test_one_clean_up_removes_all_of_them(sar: SubjectAccess, count: int) -> None:
    done = sar.clock() - timedelta(days=8)
    ended = {"state": RequestState.DELIVERED, "completed_at": done, "ended_at": done, "law_ended_at": done}
    sar.place(*(a_request(f"request-{number:03}", **ended) for number in range(count - 1)))
    # One that asked no service at all is as old.
    sar.create("request-without-services", **ended)
    for number in range(10):
        sar.s3.put_object(Bucket=BUCKET, Key=f"reports/request-{number:03}/1.pdf", Body=b"report")
    finished(sar, "young")
    assert len(sar.lifecycle.archive()) == count
    assert sar.keys() == [report_key("young", 1, PDF_SHA256)]
    assert sar.lists.count("COMPLETED") == 1
    assert sar.lists.count("ARCHIVED") == count
    sar.clock.advance(days=366)
    assert len(sar.lifecycle.delete()) == count
    assert sar.lists.count("ARCHIVED") == 0
    assert sar.store.request("request-000") is None


def test_a_clean_up_that_died_half_way_is_finished(sar: SubjectAccess, monkeypatch: pytest.MonkeyPatch) -> None:
    finished(sar)
    sar.endings.deliver("request-1", "alice", Delivery())
    sar.clock.advance(days=8)

    def dies(*_: Any, **__: Any) -> int:
        raise ConnectionError

    with monkeypatch.context() as patch:
        patch.setattr("waybill.subject_access.adapters.s3.ReportsBucket.forget", dies)
        with pytest.raises(ConnectionError):
            sar.lifecycle.archive()
    assert sar.keys() == [report_key("request-1", 1, PDF_SHA256)]
    assert sar.now().report_key == report_key("request-1", 1, PDF_SHA256)
    assert sar.lifecycle.archive() == []
    assert sar.keys() == []
    assert sar.lists.count("ARCHIVED") == 1
    # It may have died after any object: what it removed is in no number.
    report = {"generation": 1, "bytes": len(PDF), "sha256": PDF_SHA256}
    assert sar.store.audit("request-1")[-1].detail == {"objects": 1, "interrupted": True, **report}
    assert sar.now().report_key is None
    assert sar.trail_holds("request-1")


def test_the_trail_of_a_deleted_request_stays_and_holds(sar: SubjectAccess) -> None:
    finished(sar)
    sar.endings.deliver("request-1", "alice", Delivery())
    salt = sar.now().seal_salt
    for key in (answer_key("request-1", 1, "G1"), upload_key("request-1", 1)):
        sar.s3.put_object(Bucket=BUCKET, Key=key, Body=b"A1234AA")
    sar.clock.advance(days=8)
    sar.lifecycle.archive()
    assert sar.trail_holds("request-1")
    # The design of custody, section 2.5: an entry says which report and how many objects; no key, nothing personal.
    report = {"generation": 1, "bytes": len(PDF), "sha256": hashlib.sha256(PDF).hexdigest()}
    assert sar.store.audit("request-1")[-1].detail == {"objects": 3, **report}
    # Who has the salt could try names until one has the digest that the trail keeps.
    assert salt not in repr(sar.client.scan(TableName="SubjectAccessTable")["Items"])
    archived = sar.now()
    assert (archived.state, archived.report_key, archived.subject_name) == (RequestState.ARCHIVED, None, None)
    assert list(sar.lists.newest("")) == []
    sar.clock.advance(days=366)
    assert sar.lifecycle.delete() == ["request-1"]
    assert sar.lifecycle.delete() == []
    assert sar.actions()[-3:] == ["ARCHIVED", "OBJECTS_REMOVED", "DELETED"]
    assert sar.trail_holds("request-1")
    left = sar.client.scan(TableName="SubjectAccessTable")["Items"]
    assert "A1234AA" not in repr(left)
    assert {item["sk"]["S"].partition("#")[0] for item in left} == {"META", "AUD"}


# UK GDPR Article 5(1)(e) with 12(3): what was given up on, or waits for a person, still has to be answered.
def test_what_was_given_up_on_is_kept_until_the_clock_has_ended(sar: SubjectAccess) -> None:
    sar.create("request-1", "G1")
    sar.clock.advance(hours=49)
    sar.lifecycle.expire()
    sar.clock.advance(days=400)
    assert sar.lifecycle.archive() == []
    sar.endings.withdraw("request-1", "alice", Withdrawal(reason="no answer for a year"))
    sar.clock.advance(days=8)
    assert sar.lifecycle.archive() == ["request-1"]
    assert (sar.now().state, sar.now().status, sar.now().completed_at) == (RequestState.ARCHIVED, "Errored", None)
    sar.clock.advance(days=365)
    assert sar.lifecycle.delete() == ["request-1"]


def test_of_a_request_without_a_report_its_objects_are_counted_alone(sar: SubjectAccess) -> None:
    sar.create("request-1", "G1")
    sar.endings.withdraw("request-1", "alice", Withdrawal(reason="another way was found"))
    sar.s3.put_object(Bucket=BUCKET, Key=answer_key("request-1", 1, "G1"), Body=b"answer")
    sar.clock.advance(days=8)
    assert sar.lifecycle.archive() == ["request-1"]
    assert sar.store.audit("request-1")[-1].detail == {"objects": 1}


def test_what_needs_a_person_and_what_is_on_hold_are_not_archived(sar: SubjectAccess) -> None:
    sar.create("request-1", "G1", claim_attempts=4)
    sar.create("request-2", "G1")
    sar.holds.hold("request-2", "alice", HoldOrder(reason=HoldReason.CLARIFICATION))
    sar.clock.advance(hours=40)
    sar.fulfilment.fail(sar.claim(), "PartsMissingError")
    sar.clock.advance(days=400)
    assert sar.lifecycle.archive() == []
    assert sar.now().state is RequestState.NEEDS_ATTENTION
    assert sar.now("request-2").state is RequestState.ON_HOLD


def test_an_hour_that_the_wall_clock_repeats_changes_nothing(sar: SubjectAccess) -> None:
    # In London 25 October 2026 has the hour from one to two twice; moments here are UTC.
    sar.clock.time = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    sar.create("request-1", "G1")
    sar.claim()
    sar.clock.advance(seconds=LEASE_SECONDS)
    assert sar.claimer().claim("request-1", "another") is None
    sar.clock.time = datetime(2026, 10, 25, 12, 29, tzinfo=UTC)
    assert sar.lists.count("PENDING", sar.clock() - timedelta(hours=12)) == 0
    sar.clock.advance(minutes=2)
    assert sar.lists.count("PENDING", sar.clock() - timedelta(hours=12)) == 1


def test_a_poll_starts_a_worker_for_each_request_that_waits(sar: SubjectAccess) -> None:
    executions = FakeExecutions()
    for number in range(4):
        sar.create(f"request-{number}", "G1")
    sar.claim("request-0")
    sar.clock.advance(minutes=1)
    swept = sweep(sar, executions, 2).run("tick-1")
    assert (swept.pending, swept.started, swept.oldest_pending_age) == (4, 2, 60)
    sweep(sar, executions, 2).run("tick-1")
    assert len(executions.inputs) == 2
    sweep(sar, executions, 10).run("tick-2")
    assert len(executions.inputs) == 2 + 3
    sar.clock.advance(seconds=LEASE_SECONDS + SKEW_SECONDS + 1)
    assert sweep(sar, executions, 10).run("tick-3").started == 4


def test_a_request_whose_start_was_lost_is_found_within_two_minutes() -> None:
    assert load_template()["Parameters"]["SubjectAccessSchedule"]["Default"] == "rate(1 minute)"


def test_people_are_told_of_what_is_overdue_every_two_hours_while_it_lasts(sar: SubjectAccess) -> None:
    sar.create("request-1", "G1")
    sar.clock.advance(hours=11, minutes=59)
    told = []
    for minute in range(0, 300, 10):
        sweep(sar, FakeExecutions()).run(f"tick-{minute}")
        told += [(minute, news.status) for news in sar.told.notifications]
        sar.told.notifications.clear()
        sar.clock.advance(minutes=10)
    assert told == [(10, "OVERDUE"), (130, "OVERDUE"), (250, "OVERDUE")]
    sweep(sar, FakeExecutions()).run("tick")
    sar.clock.advance(hours=2)
    sweep(sar, FakeExecutions()).run("last")
    (news,) = sar.told.notifications
    assert "request-1" in news.body
    # `waybill sar overdue` knows only the days of the law.
    assert news.body.splitlines()[-1] == "🔎 waybill sar list"
    assert "A1234AA" not in news.body + news.subject


@pytest.mark.parametrize(("waiting", "told"), [(100, []), (101, ["BACKLOG"])])
def test_people_are_told_of_a_backlog(sar: SubjectAccess, waiting: int, told: list[str]) -> None:
    sar.place(*(a_request(f"request-{number:03}") for number in range(waiting)))
    for tick in ("tick-1", "tick-2"):
        sweep(sar, FakeExecutions()).run(tick)
    assert [news.status for news in sar.told.notifications] == told


def test_days_on_hold_are_no_waiting(sar: SubjectAccess) -> None:
    for request_id in ("request-1", "request-2"):
        sar.create(request_id, "G1")
        sar.holds.hold(request_id, "alice", HoldOrder(reason=HoldReason.IDENTITY))
    sar.clock.advance(days=10)
    sar.holds.release("request-1", "alice", Release())
    sar.clock.advance(minutes=1)
    swept = sweep(sar, FakeExecutions()).run("tick-1")
    assert (swept.pending, swept.long_waiting, swept.oldest_pending_age) == (1, 0, 60)
    sar.clock.advance(hours=12)
    swept = sweep(sar, FakeExecutions()).run("tick-2")
    assert (swept.pending, swept.long_waiting, swept.oldest_pending_age) == (1, 1, 12 * 3600 + 60)


@pytest.mark.parametrize("failing", ["topic", "bucket"])
def test_workers_are_started_though_the_topic_or_the_bucket_fails(
    sar: SubjectAccess, monkeypatch: pytest.MonkeyPatch, failing: str
) -> None:
    def fails(*_: Any, **__: Any) -> int:
        raise ConnectionError

    finished(sar, "old")
    sar.endings.deliver("old", "alice", Delivery())
    sar.create("lost", "G1", claim_attempts=4)
    sar.claim("lost")
    sar.clock.advance(days=8)
    if failing == "bucket":
        monkeypatch.setattr("waybill.subject_access.adapters.s3.ReportsBucket.forget", fails)
    sar.told.failing = failing == "topic"
    sar.store.change("lost", lambda request: Change(replace(request, active_since=sar.clock()), CREATED))
    sar.create("new", "G1")
    executions = FakeExecutions()
    with pytest.raises(ConnectionError):
        sweep(sar, executions).run("tick-1")
    assert len(executions.inputs) == 1


def test_people_are_told_even_when_the_one_who_was_to_tell_them_died(
    sar: SubjectAccess, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        """The process is gone."""

    def dies(_: Any) -> None:
        raise Killed

    sar.create("request-1", "G1", claim_attempts=4)
    claim = sar.claim()
    with monkeypatch.context() as patch:
        patch.setattr(sar.told, "notify", dies)
        with pytest.raises(Killed):
            sar.fulfilment.fail(claim, "PartsMissingError")
    for tick in range(8):
        sar.clock.advance(minutes=5)
        sweep(sar, FakeExecutions()).run(f"tick-{tick}")
    assert [news.about for news in sar.told.notifications] == ["request-1"]
    assert sar.now().attention_told


def test_a_request_that_needs_a_person_again_after_a_hold_is_told_of_again(sar: SubjectAccess) -> None:
    sar.create("request-1", "G1", claim_attempts=4)
    sar.fulfilment.fail(sar.claim(), "PartsMissingError")
    sar.holds.hold("request-1", "alice", HoldOrder(reason=HoldReason.CLARIFICATION))
    sar.clock.advance(days=3)
    released = sar.holds.release("request-1", "alice", Release())
    assert (released.ended_at, released.error_code) == (None, None)
    for _ in range(5):
        sar.fulfilment.fail(sar.claim(), "PartsMissingError")
        sar.clock.advance(hours=2)
    assert sar.now().state is RequestState.NEEDS_ATTENTION
    assert len(sar.told.notifications) == 2


def test_a_poll_tells_of_requests_that_need_a_person_once(sar: SubjectAccess) -> None:
    sar.create("request-1", "G1", claim_attempts=4)
    claim = sar.claim()
    sar.store.save_part(claim, a_part("G1", 0, PartStatus.ERRORED, error_code="upstream_4003"))
    sar.clock.advance(seconds=LEASE_SECONDS + SKEW_SECONDS + 1)
    for tick in range(3):
        sweep(sar, FakeExecutions()).run(f"tick-{tick}")
        sar.clock.advance(hours=1)
    (news,) = sar.told.notifications
    assert (news.about, news.status) == ("request-1", "NEEDS_ATTENTION")
    assert "G1: ERRORED upstream_4003" in news.body
    assert "A1234AA" not in news.body + news.subject


# UK GDPR Article 12(3): people are warned before the time limit runs out, and while it has.
def test_people_are_told_every_two_hours_of_time_limits_that_pass(sar: SubjectAccess) -> None:
    sar.create("request-1", "G1", state=RequestState.READY_FOR_REVIEW)
    sar.clock.advance(days=15)  # received on 2 November, due on 2 December
    assert (sweep(sar, FakeExecutions()).run("tick-0").due_soon, sar.told.notifications) == (0, [])
    sar.clock.advance(days=1)
    for tick in range(3):
        swept = sweep(sar, FakeExecutions()).run(f"tick-{tick}")
        assert (swept.past_due, swept.due_soon) == (0, 1)
        sar.clock.advance(minutes=61)
    assert [news.status for news in sar.told.notifications] == ["DUE", "DUE"]
    sar.clock.advance(days=15)
    swept = sweep(sar, FakeExecutions()).run("tick-late")
    assert (swept.past_due, swept.due_soon) == (1, 0)
    news = sar.told.notifications[-1]
    assert news.subject == "Subject access requests: 1 past their time limit, 0 due soon"
    assert "request-1" in news.body
    assert news.body.splitlines()[-1] == "🔎 waybill sar overdue"
    assert "A1234AA" not in news.body
    sar.endings.refuse("request-1", "alice", Refusal(ground="excessive", reason="the fifth"))
    assert sweep(sar, FakeExecutions()).run("tick-ended").past_due == 0
