"""Workers that crash, come late, or find nothing to do, on the running stack."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier

from tests.workflow.subject_access.conftest import Case, holding
from tests.workflow.support.polling import THROTTLED, until
from waybill.cli.subject_access.stub_service import StubReply
from waybill.core.clock import now
from waybill.subject_access.domain.claim_taking import Claimer
from waybill.subject_access.models import RequestState, SubjectRequest


def test_fifty_workers_claim_one_request_at_the_same_moment(case: Case) -> None:
    """Acceptance case 1, with a table that takes calls at once."""
    case.serve(a=StubReply(204))
    start = Barrier(50)

    def claim(number: int) -> SubjectRequest | None:
        claimer = Claimer(case.store, case.lists, now, lambda count: 0)
        start.wait()
        return claimer.claim(case.label, f"worker-{number}")

    with ThreadPoolExecutor(50) as threads:
        taken = [request for request in threads.map(claim, range(50)) if request]
    assert len(taken) == 1
    assert (case.request.claim_attempts, case.request.claim_token) == (1, taken[0].claim_token)
    actions = [entry.action for entry in case.store.audit(case.label)]
    assert actions == ["CREATED", "CLAIMED"]


def test_a_crash_between_upload_and_completion_is_finished_by_the_next_attempt(case: Case) -> None:
    """Acceptance case 5: no conflict, nothing asked again, one report."""
    case.serve(a=holding("a"))
    with case.application.throttled("CompleteRequestFunction"):
        case.run(THROTTLED)
    assert case.request.state is RequestState.PENDING
    assert len(case.reports()) == 1
    case.let_gap_pass()
    assert case.run().status == "SUCCEEDED"
    assert case.request.state is RequestState.COMPLETED
    assert len(case.stub.calls) == 1
    assert case.reports() == [case.request.report_key]
    assert len(case.report().pages) == case.request.pages


def test_a_worker_whose_lease_lapsed_changes_nothing(case: Case) -> None:
    """Acceptance case 2: the late worker is refused, the report is the other one's."""
    case.serve(a=StubReply(204))
    case.stub.services[case.name("a")].replies = [holding("the late one", delay=8.0), holding("the other one")]
    late = case.start()
    until(lambda: case.stub.calls, "the first worker asks")
    case.let_lease_lapse()
    # At once, before the service answers: a worker's own claim takes as long as its function takes to start.
    assert Claimer(case.store, case.lists, now, lambda count: 0).claim(case.label, "tests")
    case.let_lease_lapse()
    assert case.run().status == "SUCCEEDED"
    other = case.request
    assert (other.state, other.generation) == (RequestState.COMPLETED, 3)
    ended = case.application.ended(late)
    assert ended.states[-1] == "LeftToAnother"
    assert case.request == other
    assert (case.reports(), case.generations()) == ([other.report_key], {3})
    text = "".join(page.extract_text() for page in case.report().pages)
    assert "held by the other one" in text
    assert "held by the late one" not in text


def test_a_worker_without_a_name_takes_the_oldest_until_none_is_left(case: Case, other_case: Case) -> None:
    """Acceptance case 6, and the schedule's way to start a worker."""
    case.leave_none_claimable()
    long_ago = datetime.now(UTC) - timedelta(hours=30)
    case.serve(requested_at=long_ago + timedelta(minutes=1), a=StubReply(204))
    other_case.serve(requested_at=long_ago, a=StubReply(204))
    case.application.ended(case.start({}))
    assert other_case.request.state is RequestState.COMPLETED
    assert case.request.state is RequestState.PENDING
    case.application.ended(case.start({}))
    assert case.request.state is RequestState.COMPLETED
    nothing = case.application.ended(case.start({}))
    assert (nothing.status, nothing.states) == ("SUCCEEDED", ["ClaimRequest", "AnythingClaimed", "NothingToDo"])
