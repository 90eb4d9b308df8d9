"""From what was ticked on one page of the workbench to all that goes out of a report. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

_WANTED = ("reason", "exemption", "service", "path", "text", "everywhere", "kind", "givenName", "page", "number")


@dataclass(frozen=True)
class Shown:
    """What a page of the workbench showed of a service's part, and what was chosen there.

    `paths` are those of all values on the page, `taken` the reasons by path of those that go; `words` are new texts,
    `kept_texts` those that were marked before and stay marked; `reason` is that of everything but values. `near` are
    near misses: by path, `keep` with the reason why one stays, or `take` with why it goes.
    """

    service: str
    paths: tuple[str, ...]
    taken: Mapping[str, str]
    words: tuple[str, ...]
    kept_texts: frozenset[str]
    pages: str
    attachments: tuple[int, ...]
    reason: str
    near: Mapping[str, tuple[str, str]] = field(default_factory=dict)


def takable(path: str) -> bool:
    """Return whether a near miss can be taken out as a value: it is in the answer, and not all of it."""
    return path != "$" and not path.startswith("attachments")


def marks_of(before: Mapping[str, Any], shown: Shown) -> dict[str, Any]:
    """Return all marks: those of `before` that the page did not show, and what was chosen on it.

    Raises
    ------
    ValueError
        The pages are not numbers.
    """
    service = shown.service
    values = [_sent(each) for each in before["values"] if _stays(each, shown)]
    marked = {(each.get("service"), each.get("path")) for each in values}
    values += [
        {"service": service, "path": path, "reason": reason or shown.reason}
        for path, reason in shown.taken.items()
        if (service, path) not in marked
    ]
    marked |= {(service, path) for path in shown.taken}
    # Of what is nearly a value only this place goes: as it stands it says nothing about other places.
    values += [
        {"service": service, "path": path, "reason": why or shown.reason, "everywhere": False}
        for path, (choice, why) in shown.near.items()
        if choice == "take" and takable(path) and (service, path) not in marked
    ]
    values += [{"service": service, "text": text, "reason": shown.reason} for text in shown.words]
    known = {each["page"]: _sent(each) for each in before["pages"] if each["service"] == service}
    numbers = sorted({int(part) for part in shown.pages.replace(";", ",").split(",") if part.strip()})
    pages = [_sent(each) for each in before["pages"] if each["service"] != service]
    pages += [known.get(number, {"service": service, "page": number, "reason": shown.reason}) for number in numbers]
    held = {each["number"]: _sent(each) for each in before["attachments"] if each["service"] == service}
    attachments = [_sent(each) for each in before["attachments"] if each["service"] != service]
    attachments += [
        held.get(number, {"service": service, "number": number, "reason": shown.reason}) for number in shown.attachments
    ]
    stays = [
        {"service": service, **({"path": path} if path else {}), "reason": why}
        for path, (choice, why) in shown.near.items()
        if choice == "keep"
    ]
    return {"values": values, "pages": pages, "attachments": attachments, **({"nearMisses": stays} if stays else {})}


def _stays(mark: Mapping[str, Any], shown: Shown) -> bool:
    if mark["text"] is not None and mark["service"] in (None, shown.service):
        return str(mark["text"]) in shown.kept_texts
    if mark["service"] != shown.service or mark["path"] not in shown.paths:
        return True
    # One whose reason was changed is written anew.
    return bool(shown.taken.get(mark["path"]) == mark["reason"])


def _sent(mark: Mapping[str, Any]) -> dict[str, Any]:
    return {name: mark[name] for name in _WANTED if name in mark and mark[name] is not None}
