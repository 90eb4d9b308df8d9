"""Subject access of the deployed application, with stub services on loopback."""

import io
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest
from pypdf import PdfReader

from tests.fakes.subject_access import CATALOGUED
from tests.workflow.support.application import Application, Execution
from tests.workflow.support.polling import DEADLINE
from waybill.cli.subject_access.stub_service import StubReply, StubServer, StubService
from waybill.core.clock import now
from waybill.subject_access.adapters.catalogue_table import ServiceCatalogue
from waybill.subject_access.adapters.lists import SubjectAccessLists
from waybill.subject_access.adapters.table import SubjectAccessTable
from waybill.subject_access.domain.audit import Action
from waybill.subject_access.domain.keys import generation_of
from waybill.subject_access.domain.ports import Change
from waybill.subject_access.models import CLAIMABLE, Part, RequestState, SubjectRequest
from waybill.subject_access.service_models import Service

_RESET = Action("test", "GAP_PASSED", {})


class Case:
    """One request, the services that it asks, and what became of it."""

    def __init__(self, application: Application, stub: StubServer, label: str) -> None:
        self.application = application
        self.stub = stub
        self.label = label
        dynamodb = application.stack.client("dynamodb")
        self.store = SubjectAccessTable(dynamodb, application.outputs["SubjectAccessTableName"], now=now)
        self.lists = SubjectAccessLists(dynamodb, application.outputs["SubjectAccessTableName"])
        self.catalogue = ServiceCatalogue(dynamodb, application.outputs["SubjectAccessTableName"], now=now)
        self._runs = 0

    def name(self, short: str) -> str:
        return f"{self.label}-{short}"

    def serve(self, requested_at: datetime | None = None, **replies: StubReply) -> None:
        """Serve and register services, and store a request over them, as of now or of an earlier moment."""
        for short, reply in replies.items():
            name = self.name(short)
            self.stub.services[name] = StubService([reply])
            made = Service(name, f"Service {short}", self.stub.url(name), enabled=True, category="PRISON")
            self.catalogue.save_service(made, CATALOGUED, new=True)
        parts = [Part(self.name(short), f"Service {short}", rank, "PRISON") for rank, short in enumerate(replies)]
        moment = requested_at or datetime.now(UTC)
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

    def start(self, payload: Any = None) -> str:
        """Start a worker for this request, or with another payload."""
        self._runs += 1
        workflow = self.application.outputs["SubjectAccessWorkflowArn"]
        wanted = {"requestId": self.label} if payload is None else payload
        return self.application.start(wanted, f"{self.label}-{self._runs}", workflow)

    def run(self, within: float = DEADLINE) -> Execution:
        return self.application.ended(self.start(), within)

    def let_lease_lapse(self) -> None:
        """Make the request claimable, though a worker has it."""
        self.store.change(self.label, lambda found: Change(replace(found, claim_expires_at=1), _RESET))

    def let_gap_pass(self) -> None:
        """Make the request claimable, as it is some minutes after a failed attempt."""
        self.store.change(self.label, lambda found: Change(replace(found, claim_expires_at=None), _RESET))

    def leave(self) -> None:
        """End a request that nobody worked on: a worker of another test would claim it, and its services are gone."""
        self._end(self.label)

    def leave_none_claimable(self) -> None:
        """End what a worker that may take any request would take, such as what a test left that was stopped."""
        for request_id in list(self.lists.queued("PENDING")):
            self._end(request_id)

    def _end(self, request_id: str) -> None:
        found = self.store.request(request_id)
        if found is not None and found.state in CLAIMABLE:
            ended = replace(found, state=RequestState.WITHDRAWN, law_ended_at=datetime.now(UTC))
            self.store.change(request_id, lambda _: Change(ended, _RESET))

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

    def reports(self) -> list[str]:
        """The keys of all reports of this request, without their copies for the person and their packages."""
        return [key for key in self._written() if not key.endswith(("-subject.pdf", "-package.zip"))]

    def generations(self) -> set[int]:
        """The claims from which there is a report, a copy or a package."""
        return {generation_of(key) for key in self._written()}

    def _written(self) -> list[str]:
        bucket = self.application.outputs["SubjectAccessReportsBucketName"]
        found = self.application.s3.list_objects_v2(Bucket=bucket, Prefix=f"reports/{self.label}/")
        return [entry["Key"] for entry in found.get("Contents", [])]

    def report(self) -> PdfReader:
        bucket, key = self.application.outputs["SubjectAccessReportsBucketName"], self.request.report_key
        return PdfReader(io.BytesIO(self.application.content(bucket, str(key)) or b""))


def holding(what: str, **more: Any) -> StubReply:
    """The reply of a service that holds something."""
    return StubReply.data({"notes": [f"held by {what}", "Łukasz <b>&amp;</b>"]}, **more)


@pytest.fixture
def case(application: Application, label: str) -> Iterator[Case]:
    application.stack.needs_loopback()
    with StubServer({}) as stub:
        case = Case(application, stub, label)
        yield case
        case.leave()


@pytest.fixture
def other_case(application: Application, label: str) -> Iterator[Case]:
    """Another request, of the same test."""
    application.stack.needs_loopback()
    with StubServer({}) as stub:
        case = Case(application, stub, f"{label}-other")
        yield case
        case.leave()
