"""The events of one file as a timeline that people read. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo

from waybill.console.domain.format import moment
from waybill.console.domain.words import EVENT, OUTCOME, Tag, tag
from waybill.core.text import count

type Json = Mapping[str, Any]

_WORKFLOWS = {
    "replication": "Replication",
    "consignments": "Consignments",
    "scanning": "Scanner",
    "minting": "Identifiers",
    "subject access": "Subject access",
    "custody": "Custody",
    "s3": "Storage (S3)",
}
# Events that name copies behind what they are about, and those that say that a copy is the same as its source.
_OF_COPIES = frozenset({"replication", "fixity check", "accession", "quarantine", "deletion"})
_COMPARING = frozenset({"replication", "fixity check"})


@dataclass
class Entry:
    """One line of the timeline; consecutive copies are one line with a place for each, and say what all of them say."""

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
    is_sealed: bool = True
    intact: bool = True
    until: str = ""


@dataclass
class Known:
    """What the events say last of one place: `compared` is when its content was last found to be that of its source."""

    bucket: str
    key: str
    what: str = ""
    at: str = ""
    sha256: str = ""
    size: int | None = None
    compared: str = ""
    is_removed: bool = False
    differs: bool = False


def entries_of(events: Iterable[Json], zone: ZoneInfo, *, proven: bool = True) -> list[Entry]:
    """Return the events as entries, in their order; where the content becomes another one, the entry says so.

    Not `proven`: nobody has asked where the log has them, and no entry says that it does not.
    """
    entries: list[Entry] = []
    content = ""
    for event in events:
        entry = _entry(event, zone)
        entry.is_sealed = not proven or event.get("index") is not None
        if entry.sha256 and content and entry.sha256 != content:
            entry.changed = entry.sha256
        content = entry.sha256 or content
        if entries and _is_same_step(entries[-1], entry):
            _join(entries[-1], entry)
        else:
            entries.append(entry)
    return entries


def known_of(events: Iterable[Json]) -> list[Known]:
    """Return what the events say last of each place that they name, those of the newest events first."""
    found: dict[tuple[str, str], Known] = {}
    for event in events:
        kind, is_good = str(event["type"]), event["outcome"] == "success"
        states = [state for state in (event["object"], *event["related"]) if state and state.get("bucket")]
        # What a removal names behind its object is what was removed; a copy that failed says nothing of its place.
        removed = states[1:] or states
        for state in states if is_good or kind == "fixity check" else states[:1]:
            name = (str(state["bucket"]), str(state.get("key") or ""))
            known = found.pop(name, None) or Known(*name)
            found[name] = known
            known.what, known.at = EVENT.get(kind, kind.capitalize()), str(event["at"])
            if _is_of_one_version(event):
                known.what = "One version of it deleted"
                continue
            if kind == "deletion" and is_good:
                known.is_removed = known.is_removed or state in removed
                continue
            if kind == "creation" and state is event["object"]:
                # What was known was of what lay there before.
                found[name] = known = Known(*name, known.what, known.at)
            known.sha256 = str(state.get("sha256") or known.sha256)
            known.size = state["size"] if state.get("size") is not None else known.size
            if state in states[1:]:
                known.is_removed = False
                known.differs = kind == "fixity check" and not is_good
                known.compared = str(event["at"]) if kind in _COMPARING and is_good else known.compared
    return list(reversed(found.values()))


def _is_of_one_version(event: Json) -> bool:
    """Return whether S3 tells that a version is gone for good, whichever is the current one by now.

    Amazon S3 user guide, "EventBridge event message structure": `deletion-type`.
    """
    return event["detail"].get("deletion") == "Permanently Deleted" and bool((event["object"] or {}).get("versionId"))


def sentence_of(known: Iterable[Known], zone: ZoneInfo) -> str:
    """Return what the events come to, in a sentence that says no more than they do."""
    there = [each for each in known if not each.is_removed]
    if not there:
        return "No event names a place that it was not removed from."
    said = [f"Known in {count(len(there), 'place')}"]
    if any(each.differs for each in there):
        said.append("not with the same content in all of them")
    elif len(there) > 1:
        contents = {each.sha256 for each in there if each.sha256}
        unsaid = sum(not each.sha256 for each in there)
        if len(contents) > 1:
            said.append("not with the same content in all of them")
        elif contents and not unsaid:
            said.append("with the same content in all of them")
        elif contents:
            said.append(f"with the same content where it is known: of {count(unsaid, 'place')} it is not")
    compared = max((each.compared for each in there), default="")
    when = moment(compared)
    local = when.astimezone(zone) if when else None
    said.append(f"last compared on {local.day} {local:%B %Y}" if local else "and no comparison is recorded")
    return ", ".join(said) + "."


def _is_same_step(last: Entry, entry: Entry) -> bool:
    both = last.term == entry.term == "replication"
    alike = last.day == entry.day and last.outcome == entry.outcome and last.intact == entry.intact
    return both and alike and not entry.changed


def _join(last: Entry, entry: Entry) -> None:
    last.places = list(dict.fromkeys([*last.places, *entry.places]))
    last.details += [each for each in entry.details if each not in last.details]
    last.agents += [each for each in entry.agents if each not in last.agents]
    last.is_sealed = last.is_sealed and entry.is_sealed
    last.until = entry.at


def _entry(event: Json, zone: ZoneInfo) -> Entry:
    kind, state = str(event["type"]), event["object"] or {}
    when = moment(event["at"])
    local = when.astimezone(zone) if when else None
    day = f"{local.day} {local:%B %Y}" if local else str(event["at"])[:10]
    shown = [state, *event["related"]] if kind in _OF_COPIES else [state]
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
        intact=bool(event["intact"]),
    )


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
