"""What the identifiers table tells.

`S#…` is a source that has got a canonical ID, `L#…` a change in its life, `D#…` a document that was written downstream.
"""

from waybill.custody.domain.records.change import (
    ItemChange,
    Record,
    optional_number,
    optional_sha256,
    optional_text,
    text,
    time,
)
from waybill.custody.models import EventType, FileState, Happening, Outcome, Place

WORKFLOW = "minting"
_FORWARD, _LIFE, _DOCUMENT = "S#", "L#", "D#"


def happenings(change: ItemChange) -> list[Happening]:
    """Return what a change of the identifiers table tells. Which source it is stays out: sources name anything."""
    new, key = change.new, text(change.new, "pk")
    if key.startswith(_DOCUMENT):
        return [_written(new, key.removeprefix(_DOCUMENT))]
    # The other items are never changed: whatever comes again is the same.
    if key.startswith(_FORWARD):
        detail = {name: optional_text(new, name) for name in ("origin", "ontologyType", "sourceSystem")}
        about, type_, kind = text(new, "canonicalId"), EventType.IDENTIFIER_ASSIGNMENT, "assigned"
    elif key.startswith(_LIFE):
        detail = {name: optional_text(new, name) for name in ("status", "replacedBy")}
        about, type_, kind = key.split("#")[1], EventType.METADATA_MODIFICATION, "changed"
    else:
        return []
    agent = {"software": "waybill.minting", "run": optional_text(new, "jobId"), "person": optional_text(new, "by")}
    return [
        Happening(
            workflow=WORKFLOW,
            kind=kind,
            parts=(key,),
            type=type_,
            at=time(new, "createdAt"),
            outcome=Outcome.SUCCESS,
            about=about,
            agent={name: value for name, value in agent.items() if value},
            detail=detail,
        )
    ]


def _written(new: Record, canonical_id: str) -> Happening:
    """Return that a document was written: what is recorded anew was written anew, and has another time."""
    sha256, version, at = optional_sha256(new, "sha256"), optional_text(new, "versionId"), time(new, "createdAt")
    place = Place(text(new, "bucket"), text(new, "key"))
    run = optional_text(new, "jobId")
    return Happening(
        workflow=WORKFLOW,
        kind="written",
        parts=(canonical_id, at, version or sha256 or ""),
        type=EventType.CREATION,
        at=at,
        outcome=Outcome.SUCCESS,
        about=FileState(place, version, sha256, optional_number(new, "size")),
        agent={"software": "waybill.minting", **({"run": run} if run else {})},
        detail={"canonicalId": canonical_id},
    )
