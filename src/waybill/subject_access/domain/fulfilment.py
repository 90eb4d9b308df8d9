"""From the parts to the end of a request: what is missing, the stored report, completion, failed attempts."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from waybill.core.notifications import Notification
from waybill.subject_access import WORKFLOW
from waybill.subject_access.domain.audit import WORKER, Action
from waybill.subject_access.domain.claims import after_failure, held, lease_end, released
from waybill.subject_access.domain.keys import report_key, reports_prefix, uploads_prefix
from waybill.subject_access.domain.ports import Alerts, Change, Reports, RequestStore
from waybill.subject_access.errors import (
    PartsMissingError,
    ReportDamagedError,
    UnfitReportError,
    UnknownRequestError,
)
from waybill.subject_access.models import REPORTED, Claim, PartStatus, RequestState, StoredReport, SubjectRequest

if TYPE_CHECKING:
    from pydantic import JsonValue

# A suspended service is waited for without counting attempts; to resume it sets its requests free at once.
_SUSPENDED_WAIT = timedelta(minutes=60)
# What the API's function has room and time for.
_MOST_UPLOADED = 400_000_000
NOT_RENDERED = "request_10106"
SUSPENDED = "request_10105"


def _kept(request: SubjectRequest) -> set[str]:
    return {one.key for one in request.report.files} if request.report else set()


@dataclass(frozen=True)
class Failed:
    """What a failed attempt led to; `counted` is False when the request just waits for a service."""

    state: RequestState
    code: str
    counted: bool


@dataclass(frozen=True)
class Fulfilment:
    """Ends claims, well or badly."""

    store: RequestStore
    reports: Reports
    alerts: Alerts
    now: Callable[[], datetime]

    def missing(self, claim: Claim) -> list[str]:
        """Return the services whose parts are not finished, and extend the lease.

        Raises
        ------
        ClaimLostError
            The claim does not hold the request.
        """
        self.store.heartbeat(claim)
        request = self.store.request(claim.request_id)
        return sorted(held(request, claim).missing) if request else []

    def save_report(self, claim: Claim, report: StoredReport, *, review: bool = False) -> None:
        """Make the request point at the report of this claim, after a look that it is in the bucket as it was made.

        With `review` somebody has to approve it, whatever the request says.

        Raises
        ------
        ClaimLostError
            The claim does not hold the request.
        ReportDamagedError
            The object is not there, is another one, or does not have this claim's key.
        """
        if report.key != report_key(claim.request_id, claim.generation, report.sha256):
            raise ReportDamagedError("the report lies where another claim's report would")
        if any(not one.key.startswith(reports_prefix(claim.request_id)) for one in report.files):
            raise ReportDamagedError("what goes with the report lies where nothing of this request would")
        etag, *_ = [self.reports.verify(one) for one in report.files]

        def decide(request: SubjectRequest) -> Change:
            kept = replace(
                held(request, claim),
                claim_expires_at=lease_end(self.now()),
                report_key=report.key,
                report_bytes=report.bytes,
                report_sha256=report.sha256,
                report_etag=etag,
                pages=report.pages,
                subject_copy=report.copy,
                package=report.package,
                review=request.review or review,
            )
            detail: dict[str, JsonValue] = {"generation": claim.generation, "bytes": report.bytes}
            detail |= {"sha256": report.sha256, "pages": report.pages}
            for name, file in (("copy", report.copy), ("package", report.package)):
                detail |= {f"{name}Sha256": file.sha256, f"{name}Bytes": file.bytes} if file else {}
            return Change(kept, Action(request.claimed_by or WORKER, "REPORT_STORED", detail))

        self.store.change(claim.request_id, decide)

    def adopt_report(self, claim: Claim, uploaded: str, report: StoredReport, examine: Callable[[Path], int]) -> None:
        """Keep the report that a worker outside has put at the key `uploaded`; somebody approves it before it counts.

        The worker can write there until its address is dead, so what counts is a copy at a key that it never could
        write to. Its pages are those that `examine` counts.

        Raises
        ------
        ClaimLostError, ReportDamagedError
            As in `save_report`.
        UnfitReportError
            It is no report that may be handed on; it is removed, and the claim lives on.
        UnknownRequestError
            There is no such request.
        """
        request = self.store.request(claim.request_id)
        if request is None:
            raise UnknownRequestError("There is no such request")
        held(request, claim)
        if report.bytes > _MOST_UPLOADED:
            raise UnfitReportError(f"The upload has more than {_MOST_UPLOADED:,} bytes, which cannot be examined here")
        with TemporaryDirectory() as folder:
            file = Path(folder, "report.pdf")
            self.reports.fetch(uploaded, report, file)
            try:
                counted = replace(report, pages=examine(file))
            except UnfitReportError:
                self._refuse_upload(request, report)
                raise
        self.reports.adopt(uploaded, counted)
        self.save_report(claim, counted, review=True)

    def _refuse_upload(self, request: SubjectRequest, report: StoredReport) -> None:
        detail: dict[str, JsonValue] = {"sha256": report.sha256, "bytes": report.bytes}
        self.store.record(request.request_id, Action(request.claimed_by or WORKER, "UPLOAD_REFUSED", detail))
        self.reports.forget(uploads_prefix(request.request_id))

    def complete(self, claim: Claim, actor: str = WORKER) -> bool:
        """Complete the request, and remove what counts no more; False when this claim had completed it before.

        Where somebody is to look at the report first, the request is ready for that instead.

        Raises
        ------
        ClaimLostError
            The claim does not hold the request.
        PartsMissingError
            A part is not finished, and nobody accepts it as missing.
        ReportDamagedError
            This claim has stored no report.
        """
        now = self.now()

        def decide(request: SubjectRequest) -> Change | None:
            if request.state in REPORTED and request.ended_token == claim.claim_token:
                return None
            held(request, claim)
            if request.missing:
                raise PartsMissingError(f"parts are missing: {', '.join(sorted(request.missing))}")
            made = report_key(request.request_id, claim.generation, request.report_sha256 or "")
            if request.report_key != made:
                raise ReportDamagedError("this claim has stored no report")
            # What is not in the report is not handed over unseen, and so is what may be left of what is taken out:
            # whoever is to answer for it (UK GDPR Article 15(4)) has to have looked.
            review = request.review or request.withholds or request.has_unseen
            ended = replace(
                released(request, RequestState.READY_FOR_REVIEW if review else RequestState.COMPLETED),
                ended_token=claim.claim_token,
                completed_at=None if review else now,
                ended_at=now,
                review=review,
            )
            detail = {"generation": claim.generation, "without": len(request.issued_without)}
            return Change(ended, Action(actor, "READY_FOR_REVIEW" if review else "COMPLETED", detail))

        changed = self.store.change(claim.request_id, decide)
        # Answers and parts stay until the clock of the law has ended: what is taken out of them may still change.
        self.reports.forget(uploads_prefix(claim.request_id))
        self.reports.forget(reports_prefix(claim.request_id), but=_kept(changed.request))
        return changed.change is not None

    def discard(self, request: SubjectRequest) -> None:
        """Remove the reports of a request that was given up on."""
        self.reports.forget(reports_prefix(request.request_id))
        self.reports.forget(uploads_prefix(request.request_id))

    def fail(self, claim: Claim, code: str) -> Failed:
        """End a claim whose attempt failed; the request is tried again later, or handed to a person, who is told.

        Raises
        ------
        ClaimLostError
            The claim does not hold the request, nor ended it like this before.
        """

        def decide(request: SubjectRequest) -> Change | None:
            if request.state is RequestState.NEEDS_ATTENTION and request.ended_token == claim.claim_token:
                # Said before, but perhaps not told.
                return None
            found, retry_at = self._reason(held(request, claim), code)
            after = after_failure(request, found, self.now(), retry_at)
            if after.state is RequestState.NEEDS_ATTENTION:
                after = replace(after, ended_token=claim.claim_token)
            name = "NEEDS_ATTENTION" if after.state is RequestState.NEEDS_ATTENTION else "ATTEMPT_FAILED"
            detail: dict[str, JsonValue] = {"error": found, "attempt": request.claim_attempts}
            action = Action(WORKER, name, {**detail, "generation": claim.generation})
            return Change(after, action, is_counted=retry_at is None)

        changed = self.store.change(claim.request_id, decide)
        after = changed.request
        if after.state is RequestState.NEEDS_ATTENTION:
            self.tell(after)
        return Failed(after.state, after.error_code or code, changed.change is None or changed.change.is_counted)

    def tell(self, request: SubjectRequest) -> None:
        """Tell people that a request needs them; once."""
        if request.attention_told:
            return
        if not self.alerts.raise_once(
            request.request_id, RequestState.NEEDS_ATTENTION.value, attention_notification(request)
        ):
            # Somebody is about to tell them, or died before that: the sweep asks again when the half hour is over.
            return

        def decide(now: SubjectRequest) -> Change | None:
            if now.attention_told or now.state is not RequestState.NEEDS_ATTENTION:
                return None
            return Change(replace(now, attention_told=True), Action(WORKER, "PEOPLE_TOLD", {}))

        self.store.change(request.request_id, decide)

    def _reason(self, request: SubjectRequest, code: str) -> tuple[str, int | None]:
        """Return the code of the failure, and when to try again where that is known and no attempt is to be counted."""
        missing = request.missing.values()
        if not missing:
            return code, None
        if all(part.status is PartStatus.SUSPENDED for part in missing):
            return SUSPENDED, int((self.now() + _SUSPENDED_WAIT).timestamp())
        waits = [part.retry_at for part in missing if part.status is not PartStatus.SUSPENDED]
        if all(wait is not None for wait in waits):
            return NOT_RENDERED, max(wait for wait in waits if wait is not None)
        return NOT_RENDERED, None


def attention_notification(request: SubjectRequest) -> Notification:
    """Return what people are told of a request that no attempt could fulfil; nothing in it is about the subject."""
    parts = [f"  {name}: {part.status.value} {part.error_code or ''}" for name, part in sorted(request.missing.items())]
    lines = [
        f"❌ A subject access request could not be fulfilled in {request.claim_attempts} attempts.",
        "",
        f"Request: {request.request_id}",
        f"Error:   {request.error_code or 'none recorded'}",
        *(["Parts that are missing:", *parts] if parts else []),
        "",
        f"🔎 waybill sar show {request.request_id}, then waybill sar restart {request.request_id}",
    ]
    return Notification(
        workflow=WORKFLOW,
        status="NEEDS_ATTENTION",
        about=request.request_id,
        subject=f"Subject access request needs attention: {request.request_id}",
        body="\n".join(lines),
        notification_id=f"{request.request_id}-{request.generation}-attention",
    )
