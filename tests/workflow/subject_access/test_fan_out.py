"""One request over many services, on the running stack: real HTTP to stub services on loopback."""

from dataclasses import replace

from tests.fakes.subject_access import CATALOGUED
from tests.workflow.subject_access.conftest import Case, holding
from tests.workflow.support.polling import until
from waybill.cli.subject_access.stub_service import Manner, StubReply
from waybill.subject_access.models import RequestState


def test_every_outcome_and_the_next_attempt_asks_the_rest(case: Case) -> None:
    """Acceptance cases 15 and 17."""
    case.serve(
        a=holding("a"),
        b=StubReply(204),
        c=StubReply(209),
        d=StubReply(404),
        e=StubReply(500),
        f=StubReply(manner=Manner.NEVER),
        g=holding("g"),
    )
    suspended = case.catalogue.service(case.name("g"))
    assert suspended is not None
    assert case.catalogue.save_service(replace(suspended, suspended=True), CATALOGUED, new=False)

    first = case.run()

    assert "RenderReport" not in first.states
    assert case.request.state is RequestState.PENDING
    assert case.request.report_key is None
    assert case.statuses == {
        "a": "COMPLETE",
        "b": "NO_DATA",
        "c": "NOT_SUPPORTED",
        "d": "ERRORED",
        "e": "ERRORED",
        "f": "ERRORED",
        "g": "SUSPENDED",
    }
    assert len(case.stub.calls_of(case.name("e"))) == 3

    case.stub.calls.clear()
    for short in "def":
        case.stub.services[case.name(short)].replies = [holding(short)]
    assert case.catalogue.save_service(replace(suspended, version=suspended.version + 1), CATALOGUED, new=False)
    case.let_gap_pass()
    second = case.run()

    assert (second.status, case.request.state) == ("SUCCEEDED", RequestState.COMPLETED)
    assert case.asked == ["d", "e", "f", "g"]
    text = "".join(page.extract_text() for page in case.report().pages)
    for short in "adefg":
        assert f"held by {short}" in text
    assert "Łukasz <b>&amp;</b>" in text


def test_attachments_come_with_their_service(case: Case) -> None:
    case.serve(files=StubReply(204))
    served = case.stub.services[case.name("files")]
    listed = []
    for number in (10, 2):
        served.files[str(number)] = [StubReply(body=b"plain text", headers={"Content-Type": "text/plain"})]
        url = f"{case.stub.url(case.name('files'))}/files/{number}"
        listed.append(
            {"attachmentNumber": number, "name": "../../x", "contentType": "text/plain", "url": url, "filename": "f"}
        )
    served.replies = [holding("files", attachments=listed)]
    case.run()
    assert case.request.state is RequestState.COMPLETED
    text = "".join(page.extract_text() for page in case.report().pages)
    assert text.index("Attachment: 2") < text.index("Attachment: 10")
    assert "../../x" in text


def test_a_worker_that_is_killed_while_asking_asks_again(case: Case) -> None:
    case.serve(slow=StubReply(204))
    # Longer than it takes to kill the one that waits for it.
    case.stub.services[case.name("slow")].replies = [holding("slow", delay=8.0), holding("slow")]
    execution = case.start()
    until(lambda: case.stub.calls, "the service is asked")
    case.application.kill("FetchServiceFunction")
    case.application.ended(execution)
    assert case.request.state is RequestState.COMPLETED
    assert len(case.stub.calls) == 2
    assert case.request.claim_attempts == 1
