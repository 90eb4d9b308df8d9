"""What the subject access table tells: `AUD#…`, the entries of its audit trails."""

from collections.abc import Iterator

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
    "COPY_DOWNLOADED": EventType.DISSEMINATION,
    "PACKAGE_DOWNLOADED": EventType.DISSEMINATION,
    "OBJECTS_REMOVED": EventType.DELETION,
}
# As the workflow ends the keys of reports, of a person's copies and of packages (`subject_access/domain/keys.py`).
_REPORT, _COPY, _PACKAGE = ".pdf", "-subject.pdf", "-package.zip"
_ENDINGS = {"COPY_DOWNLOADED": _COPY, "PACKAGE_DOWNLOADED": _PACKAGE}
# What is stored with a report: how its key ends, and its digest and size in the entry.
_WITH_IT = [(_COPY, "copySha256", "copyBytes"), (_PACKAGE, "packageSha256", "packageBytes")]


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
    """Return what an entry of a trail tells of a report and what goes with it; of entries that name none, nothing."""
    new = change.new
    entry, action = trail_entry(change), str(new.get("action"))
    detail = mapping(new.get("detail"))
    generation = optional_number(detail, "generation")
    if entry is None or action not in _FILES or not entry.trail.startswith(_REQUEST) or generation is None:
        return []
    named = f"reports/{entry.trail.removeprefix(_REQUEST)}/{generation}-"
    return [
        _happening(new, entry, FileState(Place(reports_bucket, f"{named}{sha256}{ending}"), None, sha256, size))
        for ending, sha256, size in _files(action, detail)
    ]


def _files(action: str, detail: Record) -> Iterator[tuple[str, str, int | None]]:
    """Yield how the keys of the files end that an entry names, with their digests and sizes."""
    named = [(_ENDINGS.get(action, _REPORT), "sha256", "bytes")]
    if action == "REPORT_STORED":
        named += _WITH_IT
    for ending, digest, size in named:
        if sha256 := optional_sha256(detail, digest):
            yield ending, sha256, optional_number(detail, size)


def _happening(new: Record, entry: TrailEntry, file: FileState) -> Happening:
    type_ = _FILES[str(new.get("action"))]
    return Happening(
        workflow=WORKFLOW,
        kind="trail",
        parts=(entry.trail, str(entry.number)),
        type=type_,
        at=time(new, "at"),
        outcome=Outcome.SUCCESS,
        about=file,
        agent={"software": "waybill.subject-access", "person": text(new, "actor")},
        detail=_removed(mapping(new.get("detail"))) if type_ is EventType.DELETION else {},
    )


def _removed(detail: Record) -> dict[str, JsonValue]:
    """Return how much of a request was removed with its report; at least that, where a clean-up was interrupted."""
    interrupted: dict[str, JsonValue] = {"interrupted": True} if detail.get("interrupted") is True else {}
    return {"objects": optional_number(detail, "objects"), **interrupted}
