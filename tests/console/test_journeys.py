"""Journeys through the pages, as far as they need no browser: signing in, forms that are interrupted, long lists."""

import json
import re
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import parse_qs, urljoin, urlsplit

import jwt
import pytest

from tests.console.pages import ID, prepared
from tests.fakes.console import Asked, Console, ExampleApi, Problem, example
from waybill.console import runtime
from waybill.console.adapters.provider import Client, Provider
from waybill.core.settings import load

HIDDEN = re.compile(r'type="hidden" name="(\w+)" value="([^"]*)"')
HOLD = f"requests/{ID}/decide?what=hold"
HELD = {"reason": "identity", "note": "asked by letter"}


def hidden(text: str) -> dict[str, str]:
    return dict(HIDDEN.findall(text))


def test_a_link_of_waybill_console_opens_one_session(console: Console) -> None:
    signed = console.key.token(subject="somebody", roles=["admin"])
    given = console.ask("POST", "handover", headers={"Authorization": f"Bearer {signed}"})
    code = json.loads(given.text)["code"]
    first, second = console.get(f"handover?code={code}"), console.get(f"handover?code={code}")
    assert (first.status, first.headers["Location"]) == (303, "../console")
    assert "This link has been used" in second.text
    text = console.get().text
    assert "What needs you" in text
    assert "Local stack" in text


ISSUER, CLIENT = "https://issuer.example", "waybill-console"


class Endpoints:
    """A provider's endpoints: what they were sent, whether they answer, and what the ID token says."""

    def __init__(self, access: str) -> None:
        self.access, self.nonce, self.is_down, self.sent = access, "", False, 0

    def exchange(self, method: str, url: str, headers: Any, body: bytes | None) -> tuple[int, bytes]:
        self.sent += 1
        if self.is_down:
            return 502, b"<html>Bad gateway</html>"
        if method == "GET":
            names = ("authorization_endpoint", "token_endpoint", "end_session_endpoint")
            return 200, json.dumps({"issuer": ISSUER, **{name: f"{ISSUER}/{name}" for name in names}}).encode()
        claims = {"iss": ISSUER, "aud": CLIENT, "sub": "u1", "exp": time.time() + 60, "nonce": self.nonce, "name": "Jo"}
        identity = jwt.encode(claims, "a key that nobody looks at, of enough bytes", algorithm="HS256")
        answer = {"access_token": self.access, "expires_in": 300, "id_token": identity}
        return 200, json.dumps(answer).encode()


@pytest.fixture
def endpoints(console: Console, monkeypatch: pytest.MonkeyPatch) -> Endpoints:
    monkeypatch.setenv("CONSOLE_CLIENT_ID", CLIENT)
    monkeypatch.setenv("CONSOLE_URL", "https://w.example/console")
    monkeypatch.setenv("CONSOLE_HANDOVER", "false")
    load.cache_clear()
    made = Endpoints(console.key.token(subject="u1", roles=["replication"]))
    provider = Provider(
        issuer=ISSUER, client=Client(CLIENT), return_to="https://w.example/console/callback", exchange=made.exchange
    )
    monkeypatch.setattr(runtime, "provider", lambda: provider)
    return made


def begun(console: Console, endpoints: Endpoints, to: str = "") -> str:
    """Go to the provider; return the state that it has to give back."""
    answer = console.get(f"sign-in/start?to={to}")
    assert answer.status == 303, answer.text
    asked = parse_qs(urlsplit(answer.headers["Location"]).query)
    endpoints.nonce = asked["nonce"][0]
    return asked["state"][0]


def test_a_provider_leads_back_to_the_page_that_was_asked_for(console: Console, endpoints: Endpoints) -> None:
    asked = console.get("replication?status=FAILED")
    sign_in = urljoin("https://w.example/console/replication", asked.headers["Location"])
    to = parse_qs(urlsplit(sign_in).query)["to"][0]
    state = begun(console, endpoints, to.replace("?", "%3F").replace("=", "%3D"))
    answer = console.get(f"callback?state={state}&code=c")
    assert answer.headers["Location"] == "../console/replication?status=FAILED" or answer.headers["Location"] == (
        "replication?status=FAILED"
    )
    assert console.get("replication?status=FAILED").status == 200


@pytest.mark.parametrize("state", ["", "another-state"])
def test_a_wrong_state_opens_no_session(console: Console, endpoints: Endpoints, state: str) -> None:
    begun(console, endpoints)
    answer = console.get(f"callback?state={state}&code=c")
    assert (answer.status, answer.cookies) == (403, [])
    assert "Sign-in did not work" in answer.text
    assert "Start again" in answer.text
    assert console.get().status == 303


def test_an_answer_of_the_provider_is_good_once(console: Console, endpoints: Endpoints) -> None:
    state = begun(console, endpoints)
    kept = dict(console.cookies)
    assert console.get(f"callback?state={state}&code=c").status == 303
    console.cookies = kept
    assert console.get(f"callback?state={state}&code=c").status == 403


def test_a_token_for_another_audience_opens_nothing(console: Console, endpoints: Endpoints, api: ExampleApi) -> None:
    api.answers["listJobs"] = Problem(401)
    state = begun(console, endpoints)
    answer = console.get(f"callback?state={state}&code=c")
    assert "Your provider gives no token for Waybill’s API" in answer.text
    assert not any(line.startswith("__Secure-waybill=") for line in answer.cookies)


def test_a_provider_that_is_down_is_named_and_asked_again(console: Console, endpoints: Endpoints) -> None:
    endpoints.is_down = True
    answer = console.get("sign-in/start")
    assert answer.status == 403
    assert "Your provider does not answer as it should." in answer.text
    assert "Start again" in answer.text
    endpoints.is_down = False
    state = begun(console, endpoints)
    endpoints.is_down = True
    assert "Your provider gave no token." in console.get(f"callback?state={state}&code=c").text
    endpoints.is_down = False
    assert console.get(f"callback?state={begun(console, endpoints)}&code=c").status == 303
    endpoints.is_down = True
    # Who is signed in already needs no provider, and may leave.
    assert console.get("help").status == 200
    assert console.get("signed-out").status == 200


def test_two_tabs_sign_in_at_once(console: Console, endpoints: Endpoints) -> None:
    first = begun(console, endpoints)
    nonce = endpoints.nonce
    second = begun(console, endpoints)
    assert console.get(f"callback?state={second}&code=c").status == 303
    endpoints.nonce = nonce
    assert console.get(f"callback?state={first}&code=c").status == 303


@pytest.mark.parametrize(
    ("page", "fields", "operation", "role"),
    [
        ("scans/new", {"bucket": "exports"}, "startScan", "scanning"),
        (
            "identifiers/mint",
            {"sources": "Work[sierra-system-number/b1]", "what": "mint"},
            "mintIdentifiers",
            "minting",
        ),
        ("replication/verifications", {"prefix": ""}, "startVerification", "replication"),
    ],
)
def test_a_double_click_does_it_once(
    console: Console, api: ExampleApi, page: str, fields: dict[str, str], operation: str, role: str
) -> None:
    """Two POSTs of one form at the same time, as browsers send them without `preventDoubleClick`."""
    console.sign_in(role)
    form = {**hidden(console.get(page).text), **fields}

    def slowly(asked: Asked) -> Any:
        time.sleep(0.2)
        return example(operation)

    api.answers[operation] = slowly
    with ThreadPoolExecutor(2) as both:
        answers = list(both.map(lambda _: console.send(page, form), range(2)))
    assert len(api.of(operation)) == 1
    one, other = answers
    assert (one.status, one.text) == (other.status, other.text)
    assert one.headers.get("Location", "").partition("?")[0] == other.headers.get("Location", "").partition("?")[0]


def test_back_and_sent_again_makes_no_second_request(console: Console, api: ExampleApi) -> None:
    console.sign_in("sar-user")
    page = "requests/new"
    fields = {"person": "A1234AA", "reference": "SAR-1", "dateTo": "01/11/2026", "services": "keyworker-api"}
    form = {**hidden(console.get(page).text), **fields}
    api.answers["createSubjectAccessRequest"] = ID
    first, again = console.send(page, form), console.send(page, form)
    assert first.headers["Location"].endswith(f"requests/{ID}?done=created")
    assert again.headers["Location"].endswith(f"requests/{ID}?done=sent-already")
    assert "You sent this form already" in console.get(f"requests/{ID}?done=sent-already").text
    assert len(api.of("createSubjectAccessRequest")) == 1


def test_a_token_that_ends_in_a_form_loses_nothing(console: Console, api: ExampleApi) -> None:
    """The session stands, and the API takes its token no longer."""
    console.sign_in("sar-user")
    form = {**hidden(console.get(HOLD).text), **HELD}
    api.answers["holdRequest"] = Problem(401)
    answer = console.send(HOLD, form)
    assert answer.headers["Location"].startswith("../../sign-in?to=")
    console.sign_in("sar-user")
    text = console.get(HOLD).text
    assert "We kept what you had typed" in text
    assert 'value="asked by letter"' in text
    assert re.search(r'value="identity" checked', text)


@pytest.mark.parametrize("page", ["scans/new", "requests/new", "replication/verifications", "findings"])
def test_another_tab_after_signing_out_does_nothing(console: Console, api: ExampleApi, page: str) -> None:
    console.sign_in("admin")
    form = hidden(console.get(page).text)
    cookies = dict(console.cookies)
    console.post("sign-out", {}, page="help")
    console.cookies = cookies
    api.asked.clear()
    answer = console.send(page, {**form, "bucket": "exports"})
    assert "sign-in" in answer.headers["Location"]
    assert api.asked == []
    signed_out = console.get("signed-out")
    assert "You are signed out of Waybill" in signed_out.text
    assert signed_out.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    "identity", ["0b7e6f0a", "../admin", "%2e%2e", "a" * 200, "0b7e6f0a-5f0c-4f7e-9d55-3c1f6a1f7c1g"]
)
@pytest.mark.parametrize("folder", ["consignments", "scans", "requests"])
def test_what_is_no_id_is_not_asked_for(console: Console, api: ExampleApi, folder: str, identity: str) -> None:
    console.sign_in("admin")
    api.asked.clear()
    assert console.get(f"{folder}/{identity}").status == 404
    assert api.asked == []


@pytest.mark.parametrize(("status", "said"), [(403, "You cannot do this"), (404, "Not found")])
def test_an_id_of_somebody_else_shows_nothing(console: Console, api: ExampleApi, status: int, said: str) -> None:
    console.sign_in("consignments")
    api.answers["showConsignment"] = Problem(status, "This consignment is not yours." if status == 403 else "")
    page = console.get(f"consignments/{ID}")
    assert page.status == status
    assert said in page.text
    assert "TDR-2026-A" not in page.text


def test_two_thousand_files_are_reached_by_links_each_once(console: Console, api: ExampleApi) -> None:
    """The design: 120 kB a page, and a second; here the API's pages are as long as what is asked for."""
    prepared(api)
    (row,) = [each for each in api.answers["listConsignmentFiles"]["files"] if each["path"].endswith("1921.zip")]
    files = [{**row, "path": f"minutes/1921/series/minutes_{number:04}.zip"} for number in range(2000)]

    def page_of(asked: Asked) -> dict[str, Any]:
        start, limit = int(asked.query.get("cursor", 0)), int(asked.query["limit"])
        following = start + limit
        return {"files": files[start:following], "cursor": str(following) if following < len(files) else None}

    api.answers["listConsignmentFiles"] = page_of
    console.sign_in("consignments")
    path, seen = f"consignments/{ID}", []
    while True:
        began = time.monotonic()
        page = console.get(path)
        assert len(page.text.encode()) < 120_000
        assert time.monotonic() - began < 1
        seen += re.findall(r"minutes_\d{4}", page.text)
        following = re.search(r'href="([^"]+)" rel="next"', page.text)
        if following is None:
            break
        base = f"https://w.example/console/{path.partition('?')[0]}"
        path = urljoin(base, following[1]).removeprefix("https://w.example/console/").replace("&amp;", "&")
    assert sorted(seen) == [f"minutes_{number:04}" for number in range(2000)]
