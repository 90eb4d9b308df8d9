"""Hostile text in every field and every address, and what every kind of answer forbids browsers to do."""

import json
import re
from collections.abc import Callable
from html.parser import HTMLParser
from urllib.parse import parse_qsl, urlencode
from uuid import uuid4

import pytest

from tests.console.forms import HIDDEN, FormOnPage, Found
from tests.console.pages import ID, SHOWN, prepared
from tests.fakes.console import Console, ExampleApi, Page, Problem, example

# What is in no page as it stands, and what of it would be markup, an address that acts, or a turn of direction.
HOSTILE = {
    "2,000 characters": "x" * 2000,
    "right to left": "תיק/\u202egpj.exe\u2066דוח",
    "control characters": "a\x00b\x07c\r\nd\x1b[31m\x7f\u200b",
    "a script": "<script>alert(1)</script>",
    "an attribute": "\"' onmouseover=alert(1) x=",
    "an address that acts": "javascript:alert(1)",
    "a template": "{{ 7*7 }}{% raw %}",
    "digits of others": "٣²¾",
    "very many digits": "9" * 5000,
    "nothing": "",
    "letters beyond the first plane": "\U0001f4a9" * 40,
}
# Put into each hidden field and each choice in turn as well.
EACH_FIELD = {HOSTILE[name] for name in ("right to left", "very many digits", "nothing")}
IN_ADDRESSES = ("2,000 characters", "right to left", "a script", "digits of others", "very many digits", "nothing")
TAKEN = {200, 303, 400, 404, 409, 413, 415}


class Looked(HTMLParser):
    """What browsers would do with a page: scripts and acting attributes, and text that nobody can see or that turns."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.wrong: list[str] = []
        self._is_typed = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self._is_typed = tag == "textarea"  # what was typed is there again as it was typed
        if tag in {"script", "style", "img", "iframe", "object", "base", "meta"} and tag not in self._ours(given):
            self.wrong.append(tag)
        acting = {name for name in given if name.startswith("on") or name in {"style", "srcdoc", "formaction"}}
        leading = [given[name] for name in ("href", "src", "action") if name in given]
        self.wrong += [*acting, *(each for each in leading if re.match(r"(?i)\s*[a-z]+:|//", each))]

    def handle_endtag(self, tag: str) -> None:
        self._is_typed = False

    def handle_data(self, data: str) -> None:
        if not self._is_typed:
            self.wrong += [f"U+{ord(char):04X}" for char in data if char in UNSEEN]

    @staticmethod
    def _ours(given: dict[str, str]) -> set[str]:
        return (
            {"script"}
            if "static/" in given.get("src", "")
            else {"meta"}
            if given.keys() & {"charset", "name"}
            else set()
        )


# Controls, and marks that turn or hide what stands around them.
UNSEEN = frozenset("\u202e\u2066\u200b\x00\x07\x1b\x7f")


def hostile_free(text: str) -> bool:
    return not Looked(text).wrong


@pytest.mark.parametrize("name", HOSTILE)
def test_no_text_in_a_field_breaks_a_page(console: Console, api: ExampleApi, name: str) -> None:
    """Every form of every page, each of its fields, hidden ones too, in turn and all at once."""
    prepared(api)
    api.is_strict = True
    console.sign_in("admin")
    wrong = []
    for path in SHOWN.values():
        for form in Found(console.get(path).text, path).forms:
            if form.method.lower() != "post" or form.action == "sign-out":
                continue
            for pairs in variations(form, HOSTILE[name]):
                for button in form.buttons or [("", "")]:
                    page = sent(console, form.action, [*pairs, button] if button[0] else pairs)
                    location = page.headers.get("Location", "")
                    if page.status not in TAKEN or not hostile_free(page.text) or re.match(r"[a-z]+:|//", location):
                        wrong.append((form.action, button, page.status, Looked(page.text).wrong, changed(form, pairs)))
    assert wrong == []


def changed(form: FormOnPage, pairs: list[tuple[str, str]]) -> set[str]:
    return {name for name, value in pairs if (name, value) not in form.filled({}, value)}


def variations(form: FormOnPage, text: str) -> list[list[tuple[str, str]]]:
    """Return the form with `text` in every field that is typed, and with it in each field that is not."""
    whole = form.filled({}, text)
    if text not in EACH_FIELD:
        return [whole]
    fixed = {each.name for each in form.entries if each.kind in {"hidden", "radio", "checkbox", "select"}} - HIDDEN
    fixed |= {name for name, _ in form.buttons if name}
    return [whole, *([(key, text if key == name else value) for key, value in whole] for name in sorted(fixed))]


def sent(console: Console, action: str, pairs: list[tuple[str, str]]) -> Page:
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    own = {"Origin": "http://console.test", "Host": "console.test"}
    fresh = [(name, str(uuid4()) if name == "once" and len(value) == 36 else value) for name, value in pairs]
    return console.ask("POST", action, urlencode(fresh), {**kind, **own})


@pytest.mark.parametrize("name", IN_ADDRESSES)
def test_no_text_in_an_address_breaks_a_page(console: Console, api: ExampleApi, name: str) -> None:
    """Each parameter of each page, and some that it has not."""
    prepared(api)
    api.is_strict = True
    console.sign_in("admin")
    wrong = []
    for path in SHOWN.values():
        where, _, query = path.partition("?")
        for parameter in {*dict(parse_qsl(query)), "cursor", "status", "state", "done"}:
            address = f"{where}?{urlencode({**dict(parse_qsl(query)), parameter: HOSTILE[name]})}"
            page = console.get(address)
            if page.status not in TAKEN or not hostile_free(page.text):
                wrong.append((path, parameter, page.status))
    assert wrong == []


@pytest.mark.parametrize(
    "name", ["2,000 characters", "right to left", "control characters", "a script", "an attribute"]
)
def test_no_name_that_the_api_tells_breaks_a_page(console: Console, api: ExampleApi, name: str) -> None:
    """Every text of an answer that somebody outside has written, which is every text that is no id, time or state."""
    prepared(api)
    written = {**api.answers}
    console.sign_in("admin")
    wrong = []
    for operation in NAMING:
        api.answers[operation] = hostile(written.get(operation) or example(operation), HOSTILE[name])
    for path in SHOWN.values():
        page = console.get(path)
        # What a page asks for by name may be called otherwise now.
        if page.status not in {200, 404} or not hostile_free(page.text):
            wrong.append((path, page.status))
    assert wrong == []


NAMING = (
    "listBackfills", "listConsignmentFiles", "listConsignments", "listDetectors", "listParts", "listReplications",
    "listSchedules", "listServices", "listSubjectAccessRequests", "listTasks", "listValues", "listVerifications",
    "showBackfill", "showConsignment", "showConsignmentFile", "showCoverage", "showDetector", "showIdentifier",
    "showJob", "showObjects", "showPartContent", "showReplication", "showSubjectAccessRequest", "showVerification",
    "traceFile",
)  # fmt: skip
NAMED = re.compile(
    r"bucket|key|prefix|reference|body|label|description|reason|sentence|detail|path|text|value|masked|by|actor|name|"
    r"sourceBucket|fileKey|cause|problem|subject\w*|requester\w*|transferringBody|destinationBucket|member|where",
    re.IGNORECASE,
)
# Names of ours and of states, by which pages choose their words, and parts of addresses, which the API bounds.
OWN = {"statusName", "keyId", "lastKey", "serviceName", "renderStatus"}


def hostile(found: object, text: str, name: str = "") -> object:
    """Return an answer with `text` wherever somebody outside has named something."""
    if isinstance(found, dict):
        return {key: hostile(value, text, key) for key, value in found.items()}
    if isinstance(found, list):
        return [hostile(each, text, name) for each in found]
    if isinstance(found, str) and NAMED.fullmatch(name) and name not in OWN and not re.fullmatch(r"[0-9TZ:.-]+", found):
        return text or found
    return found


def pages_of_every_kind(console: Console, api: ExampleApi) -> dict[str, Callable[[], object]]:
    def failing(problem: object, path: str) -> object:
        api.answers["listReplications"] = problem
        page = console.get(path)
        del api.answers["listReplications"]
        return page

    def export() -> object:
        api.answers["exportConsignment"] = "path,verdict\n"
        return console.get(f"consignments/{ID}/export?format=csv")

    def broken(_: object) -> object:
        raise RuntimeError("a fault")

    return {
        "a page": console.get,
        "a fragment": lambda: console.get(f"consignments/{ID}/progress"),
        "a page that is not": lambda: console.get("no/such/page"),
        "a path that no page has": lambda: console.get("a" * 200),
        "a redirect": lambda: console.get("sign-out"),
        "a refused form": lambda: console.send("scans/new", {"token": "x"}),
        "a wrong form": lambda: console.post("scans/new", {}),
        "a method that is none": lambda: console.ask("PUT", "scans/new"),
        "a head": lambda: console.ask("HEAD", ""),
        "the API's refusal": lambda: failing(Problem(403), "replication"),
        "the API's silence": lambda: failing(Problem(503), "replication"),
        "too many": lambda: failing(Problem(429), "replication"),
        "a fault": lambda: failing(broken, "replication"),
        "a download": export,
        "the sign-in": lambda: console.get("sign-in"),
        "a sign-in that failed": lambda: console.get("callback?state=x&code=y"),
        "a used link": lambda: console.get("handover?code=x"),
        "a code": lambda: console.ask("POST", "handover", headers={"Authorization": "Bearer x"}),
        "leaving": lambda: console.get("signed-out"),
    }


def test_every_kind_of_answer_forbids_scripts_frames_guesses_and_keeping(console: Console, api: ExampleApi) -> None:
    """OWASP Secure Headers Project; Content Security Policy Level 3."""
    console.sign_in("admin")
    for kind, ask in pages_of_every_kind(console, api).items():
        headers = ask().headers  # type: ignore[attr-defined]
        policy = dict(part.strip().partition(" ")[::2] for part in headers["Content-Security-Policy"].split(";"))
        assert policy["default-src"] == "'none'", kind
        assert policy["frame-ancestors"] == "'none'", kind
        assert policy["base-uri"] == "'none'", kind
        assert "unsafe" not in headers["Content-Security-Policy"], kind
        assert headers["Cache-Control"] == "no-store", kind
        assert headers["X-Content-Type-Options"] == "nosniff", kind
        assert headers["X-Frame-Options"] == "DENY", kind
        assert headers["Referrer-Policy"] == "same-origin", kind
        assert headers["Cross-Origin-Opener-Policy"] == "same-origin", kind
        assert headers["Cross-Origin-Resource-Policy"] == "same-origin", kind
        assert "charset=utf-8" in headers["Content-Type"].lower() or "json" in headers["Content-Type"], kind


def test_what_is_handed_over_as_a_file_is_never_shown_as_a_page(console: Console, api: ExampleApi) -> None:
    """RFC 6266; the name is made of the id alone, and no name of somebody else's is in a header."""
    console.sign_in("admin")
    for operation in ("exportConsignment", "getConsignmentReport"):
        api.answers[operation] = "<script>alert(1)</script>"
    for form in ("csv", "droid-csv", "premis", "ndjson", "report"):
        page = console.get(f"consignments/{ID}/export?format={form}")
        assert page.status == 200, form
        assert re.fullmatch(rf'attachment; filename="{ID}\.[a-z.]+"', page.headers["Content-Disposition"]), form
        assert page.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("role", ["admin"])
def test_what_was_typed_into_any_form_is_there_again_after_signing_in(
    console: Console, api: ExampleApi, role: str
) -> None:
    """The session ends while a form is filled in: every text and every choice, on every page that has one."""
    prepared(api)
    console.sign_in(role)
    lost, tried = [], 0
    for path in SHOWN.values():
        for form in Found(console.get(path).text, path).forms:
            texts = [each for each in form.entries if each.kind in {"text", "textarea"}]
            if form.method.lower() != "post" or not texts or form.action == "consignments/register":
                continue  # a script sends that one, and keeps what was typed
            tried += 1
            pairs = form.filled({}, "what I typed 1234")
            # The last of each choice, so that it is another one than a page has from the start.
            pairs += [(each.name, each.value) for each in form.entries if each.kind == "radio"][-1:]
            console.table.items.clear()
            page = sent(console, form.action, pairs)
            assert "sign-in?to=" in page.headers["Location"], form.action
            console.sign_in(role)
            again = console.get(form.action)
            assert "We kept what you had typed" in again.text, form.action
            back = next(each for each in Found(again.text, form.action).forms if each.action == form.action
                        and {entry.name for entry in each.entries} >= {entry.name for entry in texts})  # fmt: skip
            lost += [
                (form.action, entry.name)
                for entry in back.entries
                if entry.kind in {"text", "textarea"} and "what I typed 1234" not in entry.value
            ]
    assert tried > 8
    assert lost == []
    assert [each.operation for each in api.asked if each.body is not None] == []


def test_the_log_of_what_people_type_holds_none_of_it(
    console: Console, api: ExampleApi, caplog: pytest.LogCaptureFixture
) -> None:
    """A marker through every form, and through every address."""
    prepared(api)
    console.sign_in("admin", subject="marker-subject")
    for path in SHOWN.values():
        for form in Found(console.get(f"{path}{'&' if '?' in path else '?'}q=marker-query").text, path).forms:
            if form.method.lower() == "post" and form.action != "sign-out":
                sent(console, form.action, form.filled({}, "marker-form"))
    told = json.dumps([{**vars(record), "args": ""} for record in caplog.records], default=str)
    assert len(caplog.records) > 40
    assert "marker" not in told
    assert "A1234AA" not in told
