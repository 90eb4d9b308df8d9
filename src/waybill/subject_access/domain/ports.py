"""What the fulfilment of subject access requests needs from outside."""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol

from pydantic import JsonValue

from waybill.core.notifications import Notification
from waybill.subject_access.domain.audit import Action, AuditEntry, Trail
from waybill.subject_access.models import Attachment, Claim, Part, StoredReport, SubjectRequest
from waybill.subject_access.service_models import Service, TemplateVersion

# The same news about the same thing is told again after this.
QUIET_AFTER_NOTIFICATION = timedelta(minutes=30)


@dataclass(frozen=True)
class Change:
    """What a write makes of a request: the request as it then is, the parts written with it, what is recorded.

    `is_counted` is false for an attempt that failed for the one reason that it came too early.
    """

    request: SubjectRequest
    action: Action
    parts: Sequence[Part] = ()
    is_counted: bool = True


@dataclass(frozen=True)
class Changed:
    """A request as it is after a decision, and the change that the decision was; None where it was that nothing is."""

    request: SubjectRequest
    change: Change | None


# Looks at a request as it is and says what becomes of it; None for nothing. It may be asked again.
type Decision = Callable[[SubjectRequest], Change | None]


class RequestStore(Protocol):
    """Requests with their parts, attachments and audit trails."""

    def create(self, request: SubjectRequest, parts: Sequence[Part], action: Action) -> SubjectRequest:
        """Store a new request; return the one that has the id, this or an earlier one."""
        ...

    def duplicate(
        self, original_id: str, copy_id: str, decide: Callable[[SubjectRequest], tuple[Change, Action]]
    ) -> SubjectRequest:
        """Store the copy that `decide` makes of a request, recorded in both trails; return it, or an earlier one."""
        ...

    def request(self, request_id: str) -> SubjectRequest | None:
        """Return a request, as of now."""
        ...

    def change(self, request_id: str, decide: Decision) -> Changed:
        """Write what `decide` says, all of it or nothing; return the request as it then is, and what was decided."""
        ...

    def parts(self, request_id: str) -> list[Part]:
        """Return the parts of a request, in the order of the report."""
        ...

    def part(self, request_id: str, rank: int, service: str) -> Part | None:
        """Return one part."""
        ...

    def save_part(self, claim: Claim, part: Part, **detail: JsonValue) -> None:
        """Write a part's result and extend the lease; `detail` goes into the audit entry."""
        ...

    def heartbeat(self, claim: Claim) -> None:
        """Extend the lease."""
        ...

    def save_attachments(self, claim: Claim, attachments: Sequence[Attachment]) -> None:
        """Write attachments; the same ones again change nothing."""
        ...

    def attachments(self, request_id: str, service: str, generation: int) -> list[Attachment]:
        """Return the attachments that one claim wrote for a service's part, in the order of their numbers."""
        ...

    def audit(self, about: str) -> list[AuditEntry]:
        """Return the audit trail of a request, or of no request (``AUDIT#<day>``)."""
        ...

    def trail(self, about: str) -> Trail | None:
        """Return a trail with what the request says that it is about, as of one moment; None where there is none."""
        ...

    def record(self, about: str, action: Action) -> None:
        """Record an action that changes nothing else, or that is about no request."""
        ...

    def forget(self, request_id: str, action: Action) -> None:
        """Remove everything of a request but its audit trail."""
        ...


class RequestLists(Protocol):
    """Requests by their place in a queue, by month, by case and by person."""

    def claimable(self, before: int, most_attempts: int, limit: int) -> list[str]:
        """Return the ids of the oldest requests whose lease ended before an epoch second, with fewer attempts."""
        ...

    def queued(self, queue: str, before: datetime | None = None) -> Iterable[str]:
        """Yield the ids of the requests of a queue, the oldest first, up to those that joined it at `before`."""
        ...

    def count(self, queue: str, before: datetime | None = None) -> int:
        """Return how many requests stand in a queue, up to those that joined it at `before`."""
        ...

    def newest(self, search: str) -> Iterable[str]:
        """Yield the ids of the requests that match, newest first; of all for an empty `search`."""
        ...

    def matches(self, search: str) -> int:
        """Return how many requests match."""
        ...

    def many(self, request_ids: Sequence[str]) -> list[SubjectRequest]:
        """Return these requests, in this order."""
        ...

    def related(self, request: SubjectRequest) -> list[str]:
        """Return the ids of other requests about the same person, newest first."""
        ...


class Catalogue(Protocol):
    """The services that can be asked, and their templates."""

    def services(self) -> list[Service]:
        """Return all services, in the order of the report."""
        ...

    def service(self, name: str) -> Service | None:
        """Return one service."""
        ...

    def save_service(self, service: Service, action: Action, *, new: bool) -> bool:
        """Write a service and record it; False when there is one already (`new`), or it changed since it was read."""
        ...

    def template_versions(self, service: str) -> list[TemplateVersion]:
        """Return the template versions of a service, newest first."""
        ...

    def register_template(self, service: str, file_hash: str, action: Action) -> TemplateVersion:
        """Return the version that has this hash, an earlier one or a new one that is PENDING; and record it."""
        ...

    def publish_template(self, service: str, version: int) -> None:
        """Make a version the published one, and record it."""
        ...


class Reports(Protocol):
    """What lies in the bucket."""

    def verify(self, report: StoredReport) -> str:
        """Return the ETag of the object, after a look that it is there with this size and SHA-256."""
        ...

    def fetch(self, key: str, report: StoredReport, file: Path) -> None:
        """Write the object at `key` to `file`, after a look that it has this size and SHA-256."""
        ...

    def adopt(self, uploaded: str, report: StoredReport) -> None:
        """Copy the object at the key `uploaded` to the report's key if it has this size and SHA-256."""
        ...

    def forget(self, prefix: str, *, but: Collection[str] = ()) -> int:
        """Remove every object below a prefix but these; return how many."""
        ...

    def tag_archived(self, prefix: str) -> None:
        """Tag every object below a prefix as one that the bucket's own rule may remove."""
        ...

    def download_url(self, key: str, etag: str, file_name: str, content_type: str = "application/pdf") -> str:
        """Return an address that gives the object for at most five minutes, if it is the one with this ETag."""
        ...

    def upload_url(self, key: str) -> str:
        """Return an address that takes a report for at most five minutes."""
        ...

    def content(self, report: StoredReport) -> bytes:
        """Return the bytes of a report, whose SHA-256 they have."""
        ...


class Documents(Protocol):
    """Texts in the bucket, whose keys follow from what they are."""

    def save_document(self, key: str, text: bytes) -> None:
        """Store a text."""
        ...

    def document(self, key: str, most: int) -> bytes | None:
        """Return a text; None where there is none, or it has more than `most` bytes."""
        ...


class Alerts(Protocol):
    """Tells people, once."""

    def raise_once(
        self, about: str, code: str, notification: Notification, *, quiet: timedelta = QUIET_AFTER_NOTIFICATION
    ) -> bool:
        """Tell it unless the same was told within the time `quiet`; return whether it was told."""
        ...
