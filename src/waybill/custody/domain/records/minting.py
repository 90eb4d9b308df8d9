"""What the identifiers table tells: `S#…`, a source that has got a canonical ID, and `L#…`, a change in its life."""

from waybill.custody.domain.records.change import ItemChange, optional_text, text, time
from waybill.custody.models import EventType, Happening, Outcome

WORKFLOW = "minting"
_FORWARD, _LIFE = "S#", "L#"


def happenings(change: ItemChange) -> list[Happening]:
    """Return what a change of the identifiers table tells. Which source it is stays out: sources name anything."""
    new, key = change.new, text(change.new, "pk")
    # Its items are never changed: whatever comes again is the same.
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
