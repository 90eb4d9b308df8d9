"""One request over many services, on the running stack: real HTTP to stub services on loopback."""

import io
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest
from pypdf import PdfReader

from tests.workflow.support.application import Application, Execution
from tests.workflow.support.polling import until
from waybill.cli.stub_service import Manner, StubReply, StubServer, StubService
from waybill.core.clock import now
from waybill.disclosure.audit import Action
from waybill.disclosure.catalogue_store import ServiceCatalogue
from waybill.disclosure.models import Part, RequestState, Service, SubjectRequest
from waybill.disclosure.ports import Change
from waybill.disclosure.store import SubjectAccessTable

_RESET = Action("test", "GAP_PASSED", {})


class Case:
    """One request, the services that it asks, and what became of it."""

    def __init__(self, application: Application, stub: StubServer, label: str) -> None:
        self.application = application
        self.stub = stub
        self.label = label
        dynamodb = application.stack.client("dynamodb")
        self.store = SubjectAccessTable(dynamodb, application.outputs["SubjectAccessTableName"], now=now)
        self.catalogue = ServiceCatalogue(dynamodb, application.outputs["SubjectAccessTableName"], now=now)
        self._runs = 0

    def name(self, short: str) -> str:
        return f"{self.label}-{short}"

    def serve(self, **replies: StubReply) -> None:
        """Serve and register services, and store a request over them."""
        for short, reply in replies.items():
            name = self.name(short)
            self.stub.services[name] = StubService([reply])
            made = Service(name, f"Service {short}", self.stub.url(name), enabled=True, category="PRISON")
            self.catalogue.save_service(made, new=True)
        parts = [Part(self.name(short), f"Service {short}", rank, "PRISON") for rank, short in enumerate(replies)]
        moment = datetime.now(UTC)
        request = SubjectRequest(
            request_id=self.label,
            state=RequestState.PENDING,
            date_from=date(2020, 1, 1),
            date_to=date(2024, 12, 31),
            sar_case_reference_number="SAR-2026-0042",
            nomis_id="A1234AA",
            ndelius_id=None,
            requested_by="test",
            requested_at=moment,
            created_at=moment,
            received=moment.date(),
        )
        self.store.create(request, parts, Action("test", "CREATED", {}))

    def start(self) -> str:
        self._runs += 1
        workflow = self.application.outputs["SubjectAccessWorkflowArn"]
        return self.application.start({"requestId": self.label}, f"{self.label}-{self._runs}", workflow)

    def run(self) -> Execution:
        return self.application.ended(self.start(), within=150)

    def let_gap_pass(self) -> None:
        """Make the request claimable, as it is some minutes after a failed attempt."""
        self.store.change(self.label, lambda found: Change(replace(found, claim_expires_at=None), _RESET))

    @property
    def request(self) -> SubjectRequest:
        found = self.store.request(self.label)
        assert found is not None
        return found

    @property
    def statuses(self) -> dict[str, str]:
        return {
            part.service.removeprefix(f"{self.label}-"): part.render_status.value
            for part in self.store.parts(self.label)
        }

    @property
    def asked(self) -> list[str]:
        return sorted({call.service.removeprefix(f"{self.label}-") for call in self.stub.calls})

    def report(self) -> PdfReader:
        bucket, key = self.application.outputs["SubjectAccessReportsBucketName"], self.request.report_key
        return PdfReader(io.BytesIO(self.application.content(bucket, str(key)) or b""))


@pytest.fixture
def case(application: Application, label: str) -> Iterator[Case]:
    with StubServer({}) as stub:
        yield Case(application, stub, label)


def _data(short: str, **more: Any) -> StubReply:
    return StubReply.data({"notes": [f"held by {short}", "Łukasz <b>&amp;</b>"]}, **more)


def test_every_outcome_and_the_next_attempt_asks_the_rest(case: Case) -> None:
    """Acceptance cases 15 and 17."""
    case.serve(
        a=_data("a"),
        b=StubReply(204),
        c=StubReply(209),
        d=StubReply(404),
        e=StubReply(500),
        f=StubReply(manner=Manner.NEVER),
        g=_data("g"),
    )
    suspended = case.catalogue.service(case.name("g"))
    assert suspended is not None
    case.catalogue.save_service(replace(suspended, suspended=True), new=False)

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
        case.stub.services[case.name(short)].replies = [_data(short)]
    case.catalogue.save_service(suspended, new=False)
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
    served.replies = [_data("files", attachments=listed)]
    case.run()
    assert case.request.state is RequestState.COMPLETED
    text = "".join(page.extract_text() for page in case.report().pages)
    assert text.index("Attachment: 2") < text.index("Attachment: 10")
    assert "../../x" in text


def test_a_worker_that_is_killed_while_asking_asks_again(case: Case) -> None:
    case.serve(slow=_data("slow", delay=3.0))
    execution = case.start()
    until(lambda: case.stub.calls, "the service is asked")
    case.application.kill("FetchServiceFunction")
    case.application.ended(execution, within=150)
    assert case.request.state is RequestState.COMPLETED
    assert len(case.stub.calls) == 2
    assert case.request.claim_attempts == 1
