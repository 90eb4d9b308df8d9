"""The links and forms of a page, as a browser finds them."""

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import parse_qsl, urljoin, urlsplit

BASE = "https://w.example/stage/console"
HIDDEN = frozenset({"token", "once", "who"})

type Pairs = list[tuple[str, str]]


@dataclass
class Entry:
    """A control of a form: its name, its kind, what it holds, whether it is sent as it stands."""

    name: str
    kind: str
    value: str = ""
    is_on: bool = True


@dataclass
class FormOnPage:
    """A form, and the buttons that send it."""

    action: str
    method: str
    entries: list[Entry] = field(default_factory=list)
    buttons: Pairs = field(default_factory=list)

    def filled(self, values: dict[str, str], default: str) -> Pairs:
        """Return what is sent when every text is typed (`values`, else `default`) and one of each choice is made."""
        pairs: Pairs = []
        chosen: set[str] = set()
        for each in self.entries:
            if each.kind == "hidden":
                pairs.append((each.name, each.value))
            elif each.kind in {"radio", "checkbox"}:
                if each.name not in chosen or each.kind == "checkbox":
                    pairs.append((each.name, each.value))
                chosen.add(each.name)
            elif each.kind == "select":
                pairs.append((each.name, each.value))
            elif each.kind != "file":
                pairs.append((each.name, values.get(each.name, default)))
        return pairs


class Found(HTMLParser):
    """What can be followed and sent on a page at `path` (below `/console`)."""

    def __init__(self, text: str, path: str) -> None:
        super().__init__()
        self._here = f"{BASE}/{path}".rstrip("/")
        self._form: FormOnPage | None = None
        self._select: Entry | None = None
        self._text: Entry | None = None
        self.links: list[str] = []
        self.forms: list[FormOnPage] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        match tag:
            case "a" if "href" in given:
                self._link(given["href"])
            case "form":
                self._form = FormOnPage(self._below(given["action"]) or "", given.get("method", "get"))
                self.forms.append(self._form)
            case "button" if self._form and given.get("type", "submit") == "submit":
                self._form.buttons.append((given.get("name", ""), given.get("value", "")))
            case "input" if self._form and given.get("name"):
                kind = given.get("type", "text")
                self._form.entries.append(Entry(given["name"], kind, given.get("value", ""), "checked" in given))
            case "textarea" if self._form:
                self._text = Entry(given["name"], "textarea")
                self._form.entries.append(self._text)
            case "select" if self._form:
                self._select = Entry(given["name"], "select")
                self._form.entries.append(self._select)
            case "option" if self._select and (not self._select.value or "selected" in given):
                self._select.value = given.get("value", "")

    def handle_endtag(self, tag: str) -> None:
        self._form = None if tag == "form" else self._form
        self._select = None if tag == "select" else self._select
        self._text = None if tag == "textarea" else self._text

    def handle_data(self, data: str) -> None:
        if self._text is not None:
            self._text.value += data

    def _link(self, href: str) -> None:
        if not href.startswith("#") and (below := self._below(href)) is not None:
            self.links.append(below)

    def _below(self, href: str) -> str | None:
        found = urljoin(self._here, href).partition("#")[0]
        if found != BASE and not found.startswith((f"{BASE}/", f"{BASE}?")):
            return None
        return found.removeprefix(BASE).lstrip("/")


def shape_of(path: str) -> str:
    """Return a page's kind: its path without ids, and what its query chooses."""
    parts = urlsplit(path)
    chosen = sorted(
        f"{name}={value}" if name in {"what", "kind", "show", "group"} else name
        for name, value in parse_qsl(parts.query)
        if name != "done"
    )
    return re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}", "*", parts.path) + "?" + "&".join(chosen)
