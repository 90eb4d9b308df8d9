"""How requests look in the API's answers. Dates are ISO, moments UTC."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from waybill.subject_access.domain.audit import ChainBreak, Trail, first_break, trail_key
from waybill.subject_access.domain.deadlines import DUE_SOON_DAYS, LegalClock
from waybill.subject_access.domain.entry_digests import unlike
from waybill.subject_access.domain.lifecycle import (
    BACKLOG,
    LONG_WAIT,
    TOLD_OF_WAITING_EVERY,
    has_waited_long,
    waits_since,
)
from waybill.subject_access.domain.redactions import Redactions
from waybill.subject_access.models import REPORTED, PartState, RequestState, SubjectRequest
from waybill.subject_access.service_models import Service, TemplateVersion

# What separates folders somewhere, or is refused in names (Microsoft, "Naming Files, Paths, and Namespaces").
_NOT_IN_FILE_NAMES = re.compile(r'[/\\<>:"|?*]')


def moment(when: datetime | None) -> str | None:
    """Return `when` as `2025-03-04T09:15:00Z`."""
    return when.strftime("%Y-%m-%dT%H:%M:%SZ") if when else None


def readable(duration: timedelta) -> str:
    """Return a duration for people, such as `14h 3m`."""
    minutes = int(duration.total_seconds()) // 60
    return f"{minutes // 60}h {minutes % 60}m"


def iso_duration(duration: timedelta) -> str:
    """Return a duration as ISO 8601, such as `PT14H3M`."""
    minutes = int(duration.total_seconds()) // 60
    return f"PT{minutes // 60}H{minutes % 60}M"


def file_name(request: SubjectRequest) -> str:
    """Return the name of the report for people who save it."""
    day = (request.completed_at or request.requested_at).strftime("%Y-%m-%d")
    # References such as SAR/2026/42 are no paths.
    reference = _NOT_IN_FILE_NAMES.sub("-", request.sar_case_reference_number)
    return f"subject-access-request-report-{day}-{reference}-{request.subject_id}.pdf"


@dataclass(frozen=True)
class Answers:
    """Builds answers as of the moment of its clock."""

    clock: LegalClock

    def request(self, request: SubjectRequest) -> dict[str, Any]:
        """Return one request with its services."""
        claimed = request.claimed_at if request.state is not RequestState.ARCHIVED else None
        return {
            "id": request.request_id,
            "status": request.status,
            "state": request.state.value,
            "dateFrom": request.date_from.isoformat() if request.date_from else None,
            "dateTo": request.date_to.isoformat(),
            "sarCaseReferenceNumber": request.sar_case_reference_number,
            "nomisId": request.nomis_id,
            "ndeliusCaseReferenceId": request.ndelius_id,
            "subjectName": request.subject_name,
            "requesterName": request.requester_name,
            "requesterAuthority": request.requester_authority,
            "requestedBy": request.requested_by,
            "requestDateTime": moment(request.requested_at),
            "claimDateTime": moment(claimed),
            "claimAttempts": request.claim_attempts,
            "objectUrl": _object_url(request),
            "lastDownloaded": moment(request.last_downloaded),
            "services": [_part(name, part) for name, part in _by_rank(request)],
            **self._law(request),
            "originalId": request.original_id,
            "errorCode": request.error_code,
            "completedDateTime": moment(request.completed_at),
            "deliveredDateTime": moment(request.delivered_at),
            "approvedBy": request.approved_by,
            "approvedDateTime": moment(request.approved_at),
            "pages": request.pages,
            "reportSha256": request.report.sha256 if request.report else None,
            "review": request.review,
            "redactedBy": list(request.redacted_by),
            "issuedWithout": [
                {"serviceName": name, "reason": gap.reason, "acceptedBy": gap.by, "at": moment(gap.at)}
                for name, gap in sorted(request.issued_without.items())
            ],
        }

    def admin(self, requests: Sequence[SubjectRequest], counts: dict[str, int], shown: int) -> dict[str, Any]:
        """Return the admin's view, in which the status of what has waited for long is `Overdue`."""
        return {**counts, "filterCount": shown, "requests": [self._admin_entry(request) for request in requests]}

    def overdue(self, requests: Sequence[SubjectRequest], by_law: Sequence[SubjectRequest] = ()) -> dict[str, Any]:
        """Return what support looks after: requests that wait for more than 12 hours, and those urgent by law.

        Those of `by_law` are the ones whose last day to answer has passed or is near, the most urgent first.
        """
        entries = [
            {
                "id": request.request_id,
                "sarCaseReferenceNumber": request.sar_case_reference_number,
                "submitted": moment(request.requested_at),
                "lastClaimed": moment(request.claimed_at),
                "claimsAttempted": request.claim_attempts,
                "overdueDuration": iso_duration(self.clock.now - waits_since(request)),
                "durationHumanReadable": readable(self.clock.now - waits_since(request)),
                **self._law(request),
            }
            for request in requests
        ]
        hours = int(LONG_WAIT.total_seconds()) // 3600
        urgent = sorted(by_law, key=lambda request: (self.clock.deadline(request).due, request.request_id))
        return {
            "overdueThreshold": f"{hours} hours",
            "total": len(entries),
            "requests": entries,
            "dueSoonThreshold": f"{DUE_SOON_DAYS} days",
            "byLaw": [
                {
                    "id": request.request_id,
                    "sarCaseReferenceNumber": request.sar_case_reference_number,
                    "state": request.state.value,
                    **self._law(request),
                }
                for request in urgent
            ],
        }

    def _admin_entry(self, request: SubjectRequest) -> dict[str, Any]:
        entry = self.request(request) | {
            "status": "Overdue" if has_waited_long(request, self.clock.now) else request.status,
            "services": list(request.services),
        }
        return entry | {"durationHumanReadable": readable((request.ended_at or self.clock.now) - waits_since(request))}

    def _law(self, request: SubjectRequest) -> dict[str, Any]:
        due, left = self.clock.deadline(request), self.clock.days_left(request)
        late = self.clock.is_late(request)
        return {
            "regime": request.regime.value,
            "receivedDate": request.received.isoformat(),
            "dueDate": due.due.isoformat(),
            "provisional": due.provisional,
            "targetDate": due.target.isoformat(),
            "extendBy": due.notice_by.isoformat(),
            "daysLeft": left,
            "dueSoon": self.clock.is_due_soon(request),
            # An answer that came late stays late.
            "overdue": late,
            "daysLate": -left if late else 0,
            "lateReason": request.late_reason,
            "endedDate": request.law_ended_on.isoformat() if request.law_ended_on else None,
            "refusalGround": request.refusal_ground,
            "endReason": request.end_reason,
            "extended": request.extended,
            "extendedDate": request.extended_on.isoformat() if request.extended_on else None,
            "extensionReason": request.extension_reason,
            "heldDays": due.held_days,
            "holds": [
                {
                    "since": hold.since.isoformat(),
                    "until": hold.until.isoformat() if hold.until else None,
                    "reason": hold.reason.value,
                    **({"note": hold.note} if hold.note else {}),
                }
                for hold in request.holds
            ],
        }


def summary(backlog: int, long_waiting: int, past_due: int, due_soon: int) -> dict[str, Any]:
    """Return the counters of support: of the work, and of the law."""
    hours = int(LONG_WAIT.total_seconds()) // 3600
    frequency = f"{int(TOLD_OF_WAITING_EVERY.total_seconds()) // 60} minutes"
    return {
        "backlog": {"count": backlog, "alertThreshold": BACKLOG, "alertFrequency": frequency},
        "overdueReports": {
            "count": long_waiting,
            "alertThreshold": f"status == pending && requestDateTime < (time.now - {hours} hours)",
            "alertFrequency": frequency,
        },
        "byLaw": {
            "overdue": past_due,
            "dueSoon": due_soon,
            "dueSoonThreshold": f"{DUE_SOON_DAYS} days",
            "alertFrequency": frequency,
        },
    }


def service_answer(service: Service) -> dict[str, Any]:
    """Return one service of the catalogue."""
    return {
        "id": service.name,
        "name": service.name,
        "label": service.label,
        "url": service.url,
        "enabled": service.enabled,
        "category": service.category,
        "templateMigrated": service.template_migrated,
        "suspended": service.suspended,
        "suspendedAt": moment(service.suspended_at),
        "proposedUrl": service.proposed_url,
        "proposedBy": service.proposed_by,
        "proposedAt": moment(service.proposed_at),
        "redactions": [
            {
                "path": rule.path,
                "reason": rule.reason,
                "everywhere": rule.everywhere,
                **({"kind": rule.kind} if rule.kind else {}),
                **({"givenName": True} if rule.given_name else {}),
            }
            for rule in service.redactions
        ],
    }


def redactions_answer(redactions: Redactions) -> dict[str, Any]:
    """Return what people take out of a report, as they said it."""
    return {
        "values": [
            {
                "service": one.service or None,
                "path": one.path or None,
                "text": None if one.path else one.texts[0],
                "everywhere": one.everywhere,
                "kind": one.kind or None,
                "givenName": one.given_name,
                **_why(one.reason, one.exemption),
            }
            for one in redactions.values
        ],
        "pages": [
            {"service": one.service, "page": one.page, **_why(one.reason, one.exemption)} for one in redactions.pages
        ],
        "attachments": [
            {"service": one.service, "number": one.number, **_why(one.reason, one.exemption)}
            for one in redactions.attachments
        ],
    }


def _why(reason: str, exemption: str) -> dict[str, Any]:
    return {"reason": reason, "exemption": exemption or None}


def template_answer(template: TemplateVersion) -> dict[str, Any]:
    """Return one version of a template."""
    return {
        "serviceId": template.service,
        "version": template.version,
        "fileHash": template.file_hash,
        "status": template.status,
        "createdAt": moment(template.created_at),
        "publishedAt": moment(template.published_at),
    }


# What who may write to the table can do unseen by the table alone (NIST SP 800-92, protection of logs).
NOT_SHOWN = (
    "whether entries were cut from the end, together with what tells where it ends",
    "whether entries were made anew, with every hash behind them and what the request says",
    "whether a trail was removed as a whole",
)


def trail_answer(about: str, trail: Trail) -> dict[str, Any]:
    """Return an audit trail, where it breaks, and what its table alone cannot show."""
    broken = trail_break(about, trail)
    return {
        "id": about,
        "intact": broken is None,
        "break": {"number": broken.number, "problem": broken.problem} if broken else None,
        "notShown": list(NOT_SHOWN),
        "entries": [
            {"number": one.number, "at": one.at, "actor": one.actor, "action": one.action, "detail": dict(one.detail)}
            for one in trail.entries
        ],
    }


def trail_break(about: str, trail: Trail) -> ChainBreak | None:
    """Return the first entry that does not hold, by the chain and by what the request says."""
    broken = first_break(trail_key(about), trail.entries, trail.count, trail.head)
    return broken or unlike(trail.entries, trail.request, trail.parts)


def _object_url(request: SubjectRequest) -> str | None:
    return f"/api/report?id={request.request_id}" if request.state in REPORTED else None


def _by_rank(request: SubjectRequest) -> list[tuple[str, PartState]]:
    return sorted(request.services.items(), key=lambda item: item[1].rank)


def _part(name: str, part: PartState) -> dict[str, Any]:
    return {
        "serviceName": name,
        "serviceLabel": part.label,
        "renderStatus": part.status.value,
        "templateVersion": part.template_version,
        "renderedAt": moment(part.rendered_at),
        "errorCode": part.error_code,
        **({"redactedCount": part.taken, "unseenCount": part.unseen} if part.taken is not None else {}),
        "withheldCount": part.withheld_count,
        "withheldAttachments": [
            {
                "number": one.number,
                "name": one.name,
                "contentType": one.content_type,
                "bytes": one.bytes,
                "reason": one.reason,
            }
            for one in part.withheld
        ],
    }
