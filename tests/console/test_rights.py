"""Rights, page by page and button by button: nobody is shown what the API refuses them.

The API of these tests refuses as the real one does: by the roles that its description names for each operation.
"""

import re
from collections.abc import Iterator
from urllib.parse import urlencode
from uuid import uuid4

import pytest

from tests.console.forms import FormOnPage, Found, shape_of
from tests.console.pages import FILE, ID, SHOWN, prepared
from tests.fakes.console import Console, ExampleApi, Problem, example, operations
from waybill.console.domain.operations import OPERATIONS
from waybill.console.domain.words import CONSIGNMENT, JOB
from waybill.console.routes import ROUTES, Route
from waybill.core.roles import Role

ROLES = [role.value for role in Role]
REQUIRED = {name: set(told.get("x-required-roles", ROLES)) for _, _, name, told in operations()}
READS = {name for name, (method, _) in OPERATIONS.items() if method == "GET"}
# What is typed where a field takes not everything.
TYPED = {
    "bucket": "waybill-source",
    "by": "kx7dn2pj",
    "category": "PRISON",
    "dateFrom": "01/01/2020",
    "dateTo": "01/11/2026",
    "definition": "{}",
    "every": "day",
    "id": "TOWN_HALL_BADGE",
    "on": "",
    "pages": "3, 7",
    "percent": "10",
    "person": "A1234AA",
    "until": "",
    "url": "https://service.example",
}
# What the scripts of pages send as JSON, and what stands on pages for other states than those of the examples.
SCRIPTED = {"registerConsignment", "renewUploads", "correctConsignment"}
# A scan is either stopped or let go on: the other button has a test of its own.
OF_A_RUNNING_SCAN = {"cancelJob"}

# States of a request that differ in what may be decided; None is that of the examples.
STATES = (None, "OnHold", "NeedsAttention", "ReadyForReview", "Completed", "Delivered")
# Who sees a request.
ON_REQUESTS = {"sar-user", "sar-support", "sar-approver", "sar-admin", "admin"}


def refusing(api: ExampleApi) -> None:
    """Let the API refuse whom it refuses, and what it does not take."""
    api.is_strict = True
    api.refuses = lambda operation, roles: not REQUIRED[operation] & set(roles)


def start_pages() -> list[str]:
    return [*SHOWN.values(), "search", f"consignments/{ID}/upload", "scans", f"requests/{ID}/audit"]


def crawled(console: Console, first: list[str]) -> Iterator[tuple[str, str]]:
    """Yield path and text of a page of every kind that links lead to."""
    waiting, seen = list(first), set(map(shape_of, first))
    while waiting:
        path = waiting.pop(0)
        page = console.get(path)
        # `report` and exports lead to where a file is.
        assert page.status in {200, 303}, (path, page.status, plain(page.text)[:300])
        if page.status != 200 or not page.headers["Content-Type"].startswith("text/html"):
            continue
        yield path, page.text
        for link in Found(page.text, path).links:
            if shape_of(link) not in seen:
                seen.add(shape_of(link))
                waiting.append(link)


def plain(text: str) -> str:
    return re.sub(r"<[^>]+>|\s+", " ", text)


def sent(console: Console, form: FormOnPage, button: tuple[str, str]) -> str:
    """Send a form by one of its buttons; return what came of it where it was refused."""
    # A name of its own for each sending: a form is taken once.
    pairs = [(name, str(uuid4()) if name == "once" else value) for name, value in form.filled(TYPED, "some text")]
    page = console.ask(
        "POST",
        form.action,
        urlencode([*pairs, *([button] if button[0] else [])]),
        {"Content-Type": "application/x-www-form-urlencoded", "Origin": "http://console.test", "Host": "console.test"},
    )
    return f"{form.action} {button} {page.status} {plain(page.text)[:200]}" if page.status in {403, 500} else ""


@pytest.mark.parametrize("role", ROLES)
def test_nobody_is_shown_a_link_or_a_button_that_is_refused(console: Console, api: ExampleApi, role: str) -> None:
    prepared(api)
    refusing(api)
    api.answers["showBackfill"] = {**example("showBackfill"), "status": "STOPPED"}
    api.answers["showJob"] = {**example("showJob"), "status": "failed"}
    unknown = {"statusName": "FFID", "value": "Unidentified", "sentence": "Which format?", "action": "Contact support"}
    told = {**example("showConsignmentFile")["explanations"][0], **unknown}
    api.answers["showConsignmentFile"] = {**example("showConsignmentFile"), "explanations": [told]}
    proposed = {"proposedUrl": "https://new.example", "proposedBy": "another"}
    api.answers["listServices"] = [{**each, **proposed} for each in example("listServices")]
    console.sign_in(role)
    api.refused.clear()
    refused, changed = [], set()
    for state in STATES:
        if state:
            found = example("showSubjectAccessRequest")
            holds = [{**found["holds"][0], "until": None}] if state == "OnHold" else []
            api.answers["showSubjectAccessRequest"] = {**found, "state": state, "holds": holds}
        asked_first = start_pages() if role == Role.ADMIN else [""]
        first = asked_first if state is None else [f"requests/{ID}"] if role in ON_REQUESTS else []
        for path, text in crawled(console, first):
            for form in Found(text, path).forms:
                if form.method.lower() != "post" or form.action == "sign-out":
                    continue
                for button in form.buttons or [("", "")]:
                    api.asked.clear()
                    refused += filter(None, [sent(console, form, button)])
                    changed |= {each.operation for each in api.asked} - READS
    assert refused == []
    assert api.refused == []
    if role == Role.ADMIN:
        # Every change that the console knows stands behind a button of some page.
        assert " ".join(sorted(set(OPERATIONS) - READS - changed - SCRIPTED - OF_A_RUNNING_SCAN)) == ""


def acting() -> list[Route]:
    return [route for route in ROUTES if route.act is not None and not route.is_public]


def path_of(route: Route) -> str:
    names = {"consignment_id": ID, "job_id": ID, "request_id": ID, "service": "keyworker-api"}
    names |= {"detector_id": "TOWN_HALL_BADGE", "canonical_id": "kx7dn2ph"}
    query = {"consignments/{consignment_id}/file": f"?file={FILE}", "requests/{request_id}/decide": "?what=hold"}
    return route.path.format(**names) + query.get(route.path, "")


def test_a_form_of_a_page_is_taken_from_the_roles_of_the_page_alone(console: Console, api: ExampleApi) -> None:
    """Each POST with each role: 403 for all that the page is not for, and nothing is asked of the API."""
    refusing(api)
    for role in ROLES:
        console.cookies.clear()
        console.sign_in(role)
        hidden = dict(re.findall(r'name="(token|once|who)" value="([^"]*)"', console.get().text))
        for route in acting():
            if not route.roles or role == Role.ADMIN or role in route.roles:
                continue
            api.asked.clear()
            page = console.send(path_of(route), {**hidden, "reason": "why"})
            assert (page.status, api.asked) == (403, []), (role, route.path)
            assert "You cannot see this page" in page.text


def test_every_operation_that_a_page_asks_for_is_among_those_that_the_console_knows() -> None:
    from tests.conftest import PROJECT

    asked: set[str] = set()
    for module in (PROJECT / "src" / "waybill" / "console").rglob("*.py"):
        text = module.read_text("utf-8")
        asked |= set(re.findall(r'\b(?:ask|fetch|Asked)\(\s*"(\w+)"', text))
    assert len(asked) > 30
    assert asked <= set(OPERATIONS)


FORGED = {
    "no token": ({"token": ""}, {}),
    "a made-up token": ({"token": "QUJD"}, {}),
    "the token of another session": ({"token": "other"}, {}),
    "another site": ({}, {"Origin": "https://evil.example"}),
    "a sandbox": ({}, {"Origin": "null"}),
    "a neighbour": ({}, {"Sec-Fetch-Site": "same-site"}),
    "no origin": ({}, {"Origin": ""}),
    "our host with another scheme's port": ({}, {"Origin": "http://console.test:81"}),
    "a name that begins as ours": ({}, {"Origin": "http://console.test.evil.example"}),
}


@pytest.mark.parametrize("how", FORGED)
def test_no_form_that_is_forged_does_anything(console: Console, api: ExampleApi, how: str) -> None:
    """OWASP "Cross-Site Request Forgery Prevention": every POST of every page, as the most powerful of all."""
    fields, headers = FORGED[how]
    console.sign_in("admin", subject="another")
    other = dict(re.findall(r'name="(token|once|who)" value="([^"]*)"', console.get().text))["token"]
    console.sign_in("admin")
    hidden = dict(re.findall(r'name="(token|once|who)" value="([^"]*)"', console.get().text))
    fields = {name: other if value == "other" else value for name, value in fields.items()}
    api.asked.clear()
    for route in acting():
        page = console.send(path_of(route), {**hidden, "reason": "why", **fields}, **headers)
        assert page.status == 403, route.path
        assert "This form is out of date" in page.text
        token = fields.get("token", hidden["token"])
        told = {"Content-Type": "application/json", "Origin": "http://console.test", "Host": "console.test"}
        scripted = console.ask("POST", path_of(route), "{}", {**told, "X-Form-Token": token, **headers})
        assert scripted.status == 403, route.path
    assert api.asked == []
    assert console.get().status == 200, "nobody was signed out"


def test_looking_changes_nothing(console: Console, api: ExampleApi) -> None:
    """RFC 9110, 9.2.1: GET and HEAD ask for nothing but to be shown something."""
    prepared(api)
    console.sign_in("admin")
    api.asked.clear()
    paths = [path for path, _ in crawled(console, start_pages())]
    for path in paths:
        assert console.ask("HEAD", path).text == ""
    assert {each.operation for each in api.asked} <= READS
    for method in ("PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"):
        assert {console.ask(method, path_of(route)).status for route in acting()} == {405}


def test_foreign_ids_lead_to_what_the_api_says_of_them(console: Console, api: ExampleApi) -> None:
    """Somebody else's consignment, scan or request: the API refuses, and the page shows nothing of it."""
    prepared(api)
    console.sign_in("admin")
    for operation in OPERATIONS:
        for status in (403, 404):
            api.answers[operation] = Problem(status, "This is not yours.")
    for path in SHOWN.values():
        page = console.get(path)
        assert page.status < 500, (path, page.status)
        # A marker of the examples, which would be of somebody else.
        assert "reports/2026/annual" not in plain(page.text) or "key=reports" in path


def test_the_states_of_consignments_and_scans_are_all_shown(console: Console, api: ExampleApi) -> None:
    console.sign_in("admin")
    for status in CONSIGNMENT:
        api.answers["showConsignment"] = {**example("showConsignment"), "status": status}
        assert console.get(f"consignments/{ID}").status == 200
    for status in JOB:
        api.answers["showJob"] = {**example("showJob"), "status": status}
        assert console.get(f"scans/{ID}").status == 200
