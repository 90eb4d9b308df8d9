"""What the subject access table tells: `AUD#…`, the entries of its audit trails."""

from pydantic import JsonValue

from waybill.custody.domain.records.change import (
    ItemChange,
    Record,
    mapping,
    optional_number,
    optional_sha256,
    text,
    time,
)
from waybill.custody.errors import UnknownRecordError
from waybill.custody.models import EventType, FileState, Happening, Outcome, Place, TrailEntry

WORKFLOW = "subject access"
_ENTRY, _REQUEST = "AUD#", "SAR#"
_FILES = {
    "REPORT_STORED": EventType.CREATION,
    "REPORT_DOWNLOADED": EventType.DISSEMINATION,
    "OBJECTS_REMOVED": EventType.DELETION,
}


def trail_entry(change: ItemChange) -> TrailEntry | None:
    """Return the entry that a change has added to a trail."""
    new = change.new
    if not text(new, "sk").startswith(_ENTRY):
        return None
    number = optional_number(new, "number")
    if number is None:
        raise UnknownRecordError("number is missing")
    return TrailEntry(text(new, "pk"), number, text(new, "hash"), str(new.get("at") or ""))


def happenings(change: ItemChange, reports_bucket: str) -> list[Happening]:
    """Return what an entry of a trail tells of a report; of entries that do not say which, nothing."""
    new = change.new
    entry = trail_entry(change)
    type_ = _FILES.get(str(new.get("action")))
    detail = mapping(new.get("detail"))
    sha256, generation = optional_sha256(detail, "sha256"), optional_number(detail, "generation")
    if entry is None or type_ is None or not entry.trail.startswith(_REQUEST) or sha256 is None or generation is None:
        return []
    # As the workflow makes the keys of reports (subject_access, `report_key`).
    place = Place(reports_bucket, f"reports/{entry.trail.removeprefix(_REQUEST)}/{generation}-{sha256}.pdf")
    return [
        Happening(
            workflow=WORKFLOW,
            kind="trail",
            parts=(entry.trail, str(entry.number)),
            type=type_,
            at=time(new, "at"),
            outcome=Outcome.SUCCESS,
            about=FileState(place, None, sha256, optional_number(detail, "bytes")),
            agent={"software": "waybill.subject-access", "person": text(new, "actor")},
            detail=_removed(detail) if type_ is EventType.DELETION else {},
        )
    ]


def _removed(detail: Record) -> dict[str, JsonValue]:
    """Return how much of a request was removed with its report; at least that, where a clean-up was interrupted."""
    interrupted: dict[str, JsonValue] = {"interrupted": True} if detail.get("interrupted") is True else {}
    return {"objects": optional_number(detail, "objects"), **interrupted}
