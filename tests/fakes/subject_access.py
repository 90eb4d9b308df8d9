"""Subject access on moto: the table and the bucket as the template has them, and requests to put there."""

import threading
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from tests.fakes.functions import REGION, table_definition
from waybill.core.notifications import Notification
from waybill.subject_access.domain.audit import Action
from waybill.subject_access.models import Part, PartStatus, RequestState, SubjectRequest
from waybill.subject_access.service_models import Service

TABLE, BUCKET = "SubjectAccessTable", "subject-access-reports"
START = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)


def make_table(client: Any) -> None:
    """Make the table with the keys and indexes of the template."""
    client.create_table(TableName=TABLE, **table_definition("SubjectAccessTable"))


def make_bucket(client: Any) -> None:
    """Make the bucket."""
    client.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})


def one_at_a_time(client: Any) -> Any:
    """Return `client` with its calls one after another: moto's tables are not made for threads."""
    lock, call = threading.Lock(), client._make_api_call

    def locked(*arguments: Any) -> Any:
        with lock:
            return call(*arguments)

    client._make_api_call = locked
    return client


@dataclass
class Clock:
    """A clock that a test moves."""

    time: datetime = START

    def __call__(self) -> datetime:
        return self.time

    def advance(self, **duration: float) -> None:
        """Let time pass."""
        self.time += timedelta(**duration)


@dataclass
class Told:
    """A notifier that remembers."""

    notifications: list[Notification] = field(default_factory=list)
    failing: bool = False

    def notify(self, notification: Notification) -> None:
        """Remember it, or fail."""
        if self.failing:
            raise ConnectionError("nobody listens")
        self.notifications.append(notification)


def a_request(request_id: str = "request-1", *, at: datetime = START, **more: Any) -> SubjectRequest:
    """A request as it is created."""
    return SubjectRequest(
        **{
            "request_id": request_id,
            "state": RequestState.PENDING,
            "date_from": date(2020, 1, 1),
            "date_to": date(2024, 12, 31),
            "sar_case_reference_number": "SAR-2026-0042",
            "nomis_id": "A1234AA",
            "ndelius_id": None,
            "requested_by": "alice",
            "requested_at": at,
            "created_at": at,
            "received": at.date(),
            **more,
        }
    )


def a_part(service: str = "G1", rank: int = 0, status: PartStatus = PartStatus.PENDING, **more: Any) -> Part:
    """A part of a request."""
    return Part(service, f"Label of {service}", rank, "PRISON", status, **more)


def a_service(name: str = "G1", **more: Any) -> Service:
    """A service of the catalogue."""
    known = {"label": f"Label of {name}", "url": f"https://{name.lower()}.service.example", "enabled": True}
    return Service(**{"name": name, "category": "PRISON", **known, **more})


CREATED = Action("alice", "CREATED", {})
CATALOGUED = Action("alice", "SERVICE_CHANGED", {})
