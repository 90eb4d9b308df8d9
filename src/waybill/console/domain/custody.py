"""The events of one file as a timeline that people read. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from waybill.console.domain.format import moment
from waybill.console.domain.words import EVENT, OUTCOME, Tag, tag

type Json = Mapping[str, Any]

_WORKFLOWS = {
    "replication": "Replication",
    "consignments": "Consignments",
    "scanning": "Scanner",
    "minting": "Identifiers",
    "subject_access": "Subject access",
    "custody": "Custody",
}


@dataclass
class Entry:
    """One line of the timeline; consecutive copies are one line with a place for each."""

    at: str
    day: str
    what: str
    term: str
    workflow: str
    outcome: Tag
    is_good: bool
    agents: list[tuple[str, str]]
    details: list[tuple[str, str]]
    places: list[tuple[str, str]] = field(default_factory=list)
    sha256: str = ""
    changed: str = ""
    index: int | None = None
    intact: bool = True


def entries_of(events: Iterable[Json]) -> list[Entry]:
    """Return the events as entries, in their order; where the content becomes another one, the entry says so."""
    entries: list[Entry] = []
    content = ""
    for event in events:
        entry = _entry(event)
        if entry.sha256 and content and entry.sha256 != content:
            entry.changed = entry.sha256
        content = entry.sha256 or content
        if entries and _is_same_step(entries[-1], entry):
            entries[-1].places += entry.places
        else:
            entries.append(entry)
    return entries


def _is_same_step(last: Entry, entry: Entry) -> bool:
    both = last.term == entry.term == "replication"
    return both and last.day == entry.day and last.outcome == entry.outcome and not entry.changed


def _entry(event: Json) -> Entry:
    kind, state = str(event["type"]), event["object"] or {}
    when = moment(event["at"])
    day = f"{when.day} {when:%B %Y}" if when else str(event["at"])[:10]
    shown = [state, *event["related"]] if kind == "replication" else [state]
    places = [(str(one["bucket"]), str(one["key"])) for one in shown if one and one.get("bucket") and one.get("key")]
    details = [(name, _text(value)) for name, value in event["detail"].items()]
    return Entry(
        at=str(event["at"]),
        day=day,
        what=EVENT.get(kind, kind.capitalize()),
        term=kind,
        workflow=_WORKFLOWS.get(str(event["workflow"]), str(event["workflow"])),
        outcome=tag(OUTCOME, str(event["outcome"])),
        is_good=event["outcome"] == "success",
        agents=[(name, str(value)) for name, value in event["agent"].items()],
        details=details,
        places=list(dict.fromkeys(places)),
        sha256=str(state.get("sha256") or ""),
        index=event["index"],
        intact=bool(event["intact"]),
    )


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
