"""Subject access on moto, on a clock that tests move."""

import hashlib
import io
import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import boto3
import pikepdf
import pytest
from moto import mock_aws

from tests.fakes.api import Answer, LambdaContext, answer_of, request_event
from tests.fakes.subject_access import (
    BUCKET,
    CATALOGUED,
    CREATED,
    TABLE,
    Clock,
    Told,
    a_part,
    a_request,
    a_service,
    make_bucket,
    make_table,
    one_at_a_time,
)
from waybill.core.aws.clients import presigner
from waybill.core.aws.dynamodb import to_item
from waybill.subject_access import admin_api, api, runtime, serving
from waybill.subject_access.adapters.alerts import OnceAlerts
from waybill.subject_access.adapters.catalogue_table import ServiceCatalogue
from waybill.subject_access.adapters.items import request_attributes
from waybill.subject_access.adapters.lists import SubjectAccessLists
from waybill.subject_access.adapters.s3 import ReportsBucket
from waybill.subject_access.adapters.table import SubjectAccessTable
from waybill.subject_access.admin_api import app as admin_app
from waybill.subject_access.api import app as user_app
from waybill.subject_access.domain.answers import trail_break
from waybill.subject_access.domain.claim_taking import Claimer
from waybill.subject_access.domain.corrections import Corrections
from waybill.subject_access.domain.decisions import Decisions
from waybill.subject_access.domain.endings import Endings
from waybill.subject_access.domain.fulfilment import Fulfilment
from waybill.subject_access.domain.holds import Holds
from waybill.subject_access.domain.keys import report_key
from waybill.subject_access.domain.lifecycle import Ages, Lifecycle
from waybill.subject_access.domain.redacting import Redacting
from waybill.subject_access.domain.unseen import DrawnParts
from waybill.subject_access.handlers import subject_access_admin_api, subject_access_api
from waybill.subject_access.models import Claim, PartStatus, StoredReport, SubjectRequest


def pdf_of(pages: int) -> bytes:
    """A PDF of empty pages."""
    made = io.BytesIO()
    with pikepdf.new() as pdf:
        for _ in range(pages):
            pdf.add_blank_page()
        pdf.save(made, deterministic_id=True)
    return made.getvalue()


PDF = pdf_of(3)
PDF_SHA256 = hashlib.sha256(PDF).hexdigest()


@dataclass
class SubjectAccess:
    """Everything of subject access, and what a test does with it."""

    client: Any
    s3: Any
    clock: Clock = field(default_factory=Clock)
    told: Told = field(default_factory=Told)

    @property
    def store(self) -> SubjectAccessTable:
        return SubjectAccessTable(self.client, TABLE, now=self.clock)

    @property
    def lists(self) -> SubjectAccessLists:
        return SubjectAccessLists(self.client, TABLE)

    @property
    def catalogue(self) -> ServiceCatalogue:
        return ServiceCatalogue(self.client, TABLE, now=self.clock)

    @property
    def reports(self) -> ReportsBucket:
        return ReportsBucket(self.s3, BUCKET, presigner())

    @property
    def alerts(self) -> OnceAlerts:
        return OnceAlerts(self.client, TABLE, self.told, now=self.clock)

    @property
    def fulfilment(self) -> Fulfilment:
        return Fulfilment(self.store, self.reports, self.alerts, self.clock)

    @property
    def decisions(self) -> Decisions:
        return Decisions(self.store, self.lists, self.reports, self.catalogue, self.clock)

    @property
    def holds(self) -> Holds:
        return Holds(self.store, self.clock)

    @property
    def endings(self) -> Endings:
        return Endings(self.store, self.reports, self.catalogue, DrawnParts(self.store, self.reports), self.clock)

    @property
    def corrections(self) -> Corrections:
        return Corrections(self.store, self.clock)

    @property
    def redacting(self) -> Redacting:
        return Redacting(self.store, self.reports, self.clock)

    @property
    def lifecycle(self) -> Lifecycle:
        return Lifecycle(self.store, self.lists, self.reports, Ages(timedelta(days=7), timedelta(days=365)), self.clock)

    def claimer(self, draws: Iterator[int] | None = None) -> Claimer:
        """A claimer that draws these numbers instead of random ones; by default always the oldest."""
        numbers = draws or itertools.repeat(0)
        return Claimer(self.store, self.lists, self.clock, lambda count: next(numbers) % count)

    def create(self, request_id: str = "request-1", *services: str, **more: Any) -> SubjectRequest:
        """Store a request about some services, as of now."""
        parts = [a_part(name, rank) for rank, name in enumerate(services)]
        return self.store.create(a_request(request_id, at=self.clock(), **more), parts, CREATED)

    def place(self, *requests: SubjectRequest) -> None:
        """Put many requests into the table at once, without trails."""
        for some in itertools.batched(requests, 25, strict=False):
            items = [
                to_item({"pk": f"SAR#{each.request_id}", "sk": "META", **request_attributes(replace(each, version=1))})
                for each in some
            ]
            puts = [{"PutRequest": {"Item": item}} for item in items]
            assert not self.client.batch_write_item(RequestItems={TABLE: puts})["UnprocessedItems"]

    def claim(self, request_id: str = "request-1") -> Claim:
        """Claim a request that can be."""
        taken = self.claimer().claim(request_id, "worker")
        assert taken is not None
        return claim_of(taken)

    def now(self, request_id: str = "request-1") -> SubjectRequest:
        """The request as it is."""
        found = self.store.request(request_id)
        assert found is not None
        return found

    def finish(self, claim: Claim, status: PartStatus = PartStatus.COMPLETE, *services: str) -> None:
        """Write the parts of some services, of all unless they are named."""
        for part in self.store.parts(claim.request_id):
            if not services or part.service in services:
                self.store.save_part(claim, a_part(part.service, part.rank, status))

    def put_report(self, claim: Claim) -> StoredReport:
        """Put the report of a claim into the bucket."""
        key = report_key(claim.request_id, claim.generation, PDF_SHA256)
        self.s3.put_object(Bucket=BUCKET, Key=key, Body=PDF, ChecksumAlgorithm="SHA256")
        return StoredReport(key, len(PDF), PDF_SHA256, 3)

    def complete(self, claim: Claim) -> bool:
        """Do what the workflow does after its parts."""
        self.fulfilment.save_report(claim, self.put_report(claim))
        return self.fulfilment.complete(claim)

    def trail_holds(self, about: str = "request-1") -> bool:
        """Whether there is a trail that holds, by itself and beside what its request says."""
        trail = self.store.trail(about)
        return trail is not None and trail_break(about, trail) is None

    def keys(self, prefix: str = "") -> list[str]:
        """What is in the bucket."""
        found = self.s3.list_objects_v2(Bucket=BUCKET, Prefix=prefix).get("Contents", [])
        return [entry["Key"] for entry in found]

    def actions(self, request_id: str = "request-1") -> list[str]:
        """What the audit trail says was done."""
        return [entry.action for entry in self.store.audit(request_id)]


def claim_of(request: SubjectRequest) -> Claim:
    """The claim that a request was taken by."""
    assert request.claim_token
    return Claim(request_id=request.request_id, claim_token=request.claim_token, generation=request.generation)


@pytest.fixture
def sar() -> Iterator[SubjectAccess]:
    """Subject access with an empty table and an empty bucket."""
    with mock_aws():
        client, s3 = one_at_a_time(boto3.client("dynamodb")), boto3.client("s3")
        make_table(client)
        make_bucket(s3)
        yield SubjectAccess(client, s3)
        presigner.cache_clear()


@dataclass
class Office:
    """The API over the same table and bucket, as its users see it."""

    sar: SubjectAccess

    def ask(self, method: str, path: str, roles: str = "sar-user", *, subject: str = "alice", **more: Any) -> Answer:
        """Send a request through the handler of the route."""
        request = request_event(method, path, identity={"subject": subject, "roles": roles}, **more)
        request["resource"], request["pathParameters"] = _route(path)
        handler = subject_access_api if request["resource"] in USER_ROUTES else subject_access_admin_api
        return answer_of(handler.lambda_handler(request, LambdaContext()))

    def create(self, **changes: Any) -> Answer:
        """Create a request, with changes to one that is right."""
        return self.ask("POST", "/api/subjectAccessRequest", body=A_REQUEST | changes)


A_REQUEST = {
    "nomisId": "A1234AA",
    "ndeliusId": None,
    "dateFrom": "01/01/2020",
    "dateTo": "31/12/2024",
    "sarCaseReferenceNumber": "SAR-2025-0042",
    "services": ["G1", "keyworker-api"],
}
USER_ROUTES = {operation.path for operation in user_app.operations()}
_ALL_ROUTES = [*USER_ROUTES, *(operation.path for operation in admin_app.operations())]


def _route(path: str) -> tuple[str, dict[str, str] | None]:
    """The route of a path, with its parameters; one without parameters goes first."""
    for route in sorted(_ALL_ROUTES, key=lambda one: one.count("{")):
        names = re.findall(r"\{(\w+)\}", route)
        found = re.fullmatch(re.sub(r"\{\w+\}", "([^/]+)", route), path)
        if found:
            return route, dict(zip(names, found.groups(), strict=True)) or None
    raise AssertionError(f"no route for {path}")


@pytest.fixture
def office(sar: SubjectAccess, monkeypatch: pytest.MonkeyPatch) -> Office:
    """The API with two services to ask, on the test's clock."""
    for service in (a_service("G1"), a_service("keyworker-api")):
        sar.catalogue.save_service(service, CATALOGUED, new=True)
    for name in (
        "store",
        "lists",
        "catalogue",
        "reports",
        "alerts",
        "fulfilment",
        "decisions",
        "holds",
        "endings",
        "corrections",
        "redacting",
    ):
        monkeypatch.setattr(runtime, name, lambda name=name: getattr(sar, name))
    monkeypatch.setattr(runtime, "claimer", sar.claimer)
    monkeypatch.setenv("SUBJECT_ACCESS_HOSTS", "*.example")
    for module in (runtime, api, admin_api, serving):
        monkeypatch.setattr(module, "now", sar.clock)
    return Office(sar)
