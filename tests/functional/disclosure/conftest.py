"""Subject access on moto, on a clock that tests move."""

import hashlib
import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import boto3
import pytest
from moto import mock_aws

from tests.fakes.disclosure import (
    BUCKET,
    CREATED,
    TABLE,
    Clock,
    Told,
    a_part,
    a_request,
    make_bucket,
    make_table,
    one_at_a_time,
)
from waybill.core.aws import presigner
from waybill.disclosure.alerting import OnceAlerts
from waybill.disclosure.catalogue_store import ServiceCatalogue
from waybill.disclosure.claiming import Claimer
from waybill.disclosure.decisions import Decisions
from waybill.disclosure.fulfilling import Fulfilment
from waybill.disclosure.keys import report_key
from waybill.disclosure.lifecycle import Ages, Lifecycle
from waybill.disclosure.lists import SubjectAccessLists
from waybill.disclosure.models import Claim, PartStatus, StoredReport, SubjectRequest
from waybill.disclosure.reports_bucket import ReportsBucket
from waybill.disclosure.store import SubjectAccessTable

PDF = b"%PDF-1.7 a report"


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
        return Decisions(self.store, self.lists, self.clock)

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
        key = report_key(claim.request_id, claim.generation)
        self.s3.put_object(Bucket=BUCKET, Key=key, Body=PDF, ChecksumAlgorithm="SHA256")
        return StoredReport(key, len(PDF), hashlib.sha256(PDF).hexdigest(), 3)

    def complete(self, claim: Claim) -> bool:
        """Do what the workflow does after its parts."""
        self.fulfilment.keep_report(claim, self.put_report(claim))
        return self.fulfilment.complete(claim)

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
