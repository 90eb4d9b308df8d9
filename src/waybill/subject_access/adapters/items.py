"""How requests, parts and services look as items of the table: plain Python on one side, attributes on the other."""

from collections.abc import Mapping
from dataclasses import asdict, fields
from datetime import date, datetime
from typing import TYPE_CHECKING

from waybill.core.aws.dynamodb import Item
from waybill.core.clock import iso
from waybill.subject_access.domain.audit import AuditEntry
from waybill.subject_access.models import (
    CLAIMABLE,
    HELD,
    Attachment,
    Gap,
    Hold,
    HoldReason,
    Part,
    PartState,
    PartStatus,
    Regime,
    RequestState,
    StoredReport,
    SubjectRequest,
    Withheld,
)
from waybill.subject_access.service_models import RedactionRule, Service, TemplateVersion

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

_MOMENTS = (
    "requested_at",
    "created_at",
    "claimed_at",
    "completed_at",
    "ended_at",
    "delivered_at",
    "last_downloaded",
    "rendered_at",
    "suspended_at",
    "published_at",
    "active_since",
    "law_ended_at",
    "approved_at",
    "proposed_at",
)
_DAYS = ("date_from", "date_to", "received", "extended_on", "law_ended_on")


def queue_of(request: SubjectRequest) -> tuple[str, str] | None:
    """Return the queue that a request stands in, and its place there: the oldest is first."""

    def place(moment: datetime | None) -> str:
        return f"{iso(moment or request.requested_at)}#{request.request_id}"

    if request.state in CLAIMABLE:
        return "PENDING", place(request.requested_at)
    if request.state in HELD:
        return "HELD", place(request.requested_at)
    match request.state:
        case RequestState.NEEDS_ATTENTION:
            return "ATTENTION", place(request.ended_at)
        case RequestState.READY_FOR_REVIEW:
            return "REVIEW", place(request.ended_at)
        case RequestState.COMPLETED:
            return "COMPLETED", place(request.completed_at)
        case RequestState.DELIVERED | RequestState.REFUSED | RequestState.WITHDRAWN:
            return "ENDED", place(request.law_ended_at)
        case RequestState.ERRORED:
            return "ERRORED", place(request.ended_at)
    # Until its objects are gone it stands among those whose clean-up is to be finished.
    return "ARCHIVED" if request.objects_removed else "ARCHIVING", place(request.law_ended_at or request.ended_at)


def listing_of(request: SubjectRequest) -> tuple[str, str] | None:
    """Return where a request stands in the list that searches go through; archived ones stand in none."""
    if request.state is RequestState.ARCHIVED:
        return None
    return "LIVE", f"{iso(request.requested_at)}#{request.request_id}"


def request_attributes(request: SubjectRequest) -> Item:
    """Return the attributes of a request's item, its key left out."""
    attributes = _plain({name: getattr(request, name) for name in _names(request)})
    attributes["holds"] = [_plain(asdict(hold)) for hold in request.holds]
    attributes["accepted_gaps"] = {name: _plain(asdict(gap)) for name, gap in request.accepted_gaps.items()}
    attributes["services"] = {name: _with_lists(asdict(part)) for name, part in request.services.items()}
    for name in ("subject_copy", "package"):
        attributes[name] = _plain(asdict(getattr(request, name))) if getattr(request, name) else None
    attributes["redacted_by"] = list(request.redacted_by)
    searched = (request.sar_case_reference_number, request.nomis_id, request.ndelius_id, request.subject_name)
    attributes["search_text"] = "\n".join(text.casefold() for text in searched if text)
    attributes["subject_id"] = request.subject_id or None
    for names, found in (
        (("queue", "queue_place"), queue_of(request)),
        (("listing", "listing_place"), listing_of(request)),
    ):
        attributes |= dict(zip(names, found or (None, None), strict=True))
    return attributes


def request_of(item: Item) -> SubjectRequest:
    """Return the request of an item."""
    # DynamoDB has no item attribute for what is None.
    known: Item = {"date_from": None, "nomis_id": None, "ndelius_id": None} | _typed(SubjectRequest, item)
    holds = tuple(
        Hold(date.fromisoformat(hold["since"]), HoldReason(hold["reason"]), _day(hold.get("until")), hold.get("note"))
        for hold in item.get("holds", [])
    )
    gaps = {
        name: Gap(gap["reason"], gap["by"], datetime.fromisoformat(gap["at"]), gap.get("salt", ""))
        for name, gap in item.get("accepted_gaps", {}).items()
    }
    parts = {
        name: PartState(**_typed(PartState, part) | {"status": PartStatus(part["status"]), **_withheld(part)})
        for name, part in item.get("services", {}).items()
    }
    return SubjectRequest(
        **known
        | {
            "services": parts,
            "state": RequestState(item["state"]),
            "regime": Regime(item["regime"]),
            "holds": holds,
            "accepted_gaps": gaps,
            "redacted_by": tuple(item.get("redacted_by", ())),
            "subject_copy": _stored(item.get("subject_copy")),
            "package": _stored(item.get("package")),
        }
    )


def part_attributes(part: Part) -> Item:
    """Return the attributes of a part's item."""
    return _with_lists(asdict(part))


def part_of(item: Item) -> Part:
    """Return the part of an item."""
    return Part(**_typed(Part, item) | {"render_status": PartStatus(item["render_status"]), **_withheld(item)})


def attachment_attributes(attachment: Attachment) -> Item:
    """Return the attributes of an attachment's item."""
    return asdict(attachment)


def attachment_of(item: Item) -> Attachment:
    """Return the attachment of an item."""
    return Attachment(**_typed(Attachment, item))


def service_attributes(service: Service) -> Item:
    """Return the attributes of a service's item."""
    rules = [asdict(rule) for rule in service.redactions]
    return _plain({name: getattr(service, name) for name in _names(service)}) | {"redactions": rules}


def service_of(item: Item) -> Service:
    """Return the service of an item."""
    rules = tuple(RedactionRule(**rule) for rule in item.get("redactions", []))
    return Service(**_typed(Service, item) | {"redactions": rules})


def template_attributes(template: TemplateVersion) -> Item:
    """Return the attributes of a template version's item."""
    return _plain({name: getattr(template, name) for name in _names(template)})


def template_of(item: Item) -> TemplateVersion:
    """Return the template version of an item."""
    known = _typed(TemplateVersion, item)
    return TemplateVersion(**known | {"created_at": datetime.fromisoformat(item["created_at"])})


def entry_attributes(entry: AuditEntry) -> Item:
    """Return the attributes of an audit entry's item."""
    # DynamoDB has no use for what is empty; entries from before have none.
    return asdict(entry) | {"detail": dict(entry.detail), "says": dict(entry.says) or None}


def entry_of(item: Item) -> AuditEntry:
    """Return the audit entry of an item."""
    known = {name: item.get(name, "") for name in AuditEntry.__dataclass_fields__}
    return AuditEntry(**known | {"says": item.get("says") or {}})


def _with_lists(part: Item) -> Item:
    return _plain(part) | {"withheld": list(part["withheld"])}


def _withheld(item: Item) -> dict[str, tuple[Withheld, ...]]:
    return {"withheld": tuple(Withheld(**{"bytes": None} | one) for one in item.get("withheld", ()))}


def _stored(item: Item | None) -> StoredReport | None:
    return StoredReport(**item) if item else None


def _names(record: "DataclassInstance") -> list[str]:
    return [field.name for field in fields(record)]


def _plain(attributes: Mapping[str, object]) -> Item:
    return {name: _text(value) for name, value in attributes.items()}


def _text(value: object) -> object:
    if isinstance(value, datetime):
        return iso(value)
    return value.isoformat() if isinstance(value, date) else value


def _typed(record: type["DataclassInstance"], item: Item) -> Item:
    known = {name: item[name] for name in record.__dataclass_fields__ if name in item}
    known |= {name: datetime.fromisoformat(known[name]) for name in _MOMENTS if known.get(name)}
    return known | {name: date.fromisoformat(known[name]) for name in _DAYS if known.get(name)}


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None
