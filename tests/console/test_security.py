"""Who gets in, what a form has to prove, and what is not lost."""

import json
import re
import time
from typing import Any

import jwt
import pytest

from tests.fakes.console import Console, ExampleApi, Problem
from waybill.console.adapters.provider import Attempt, Client, Provider
from waybill.console.domain import sealing
from waybill.console.domain.links import is_own
from waybill.console.domain.web import Request
from waybill.console.errors import SignInFailedError

ID = "0b7e6f0a-5f0c-4f7e-9d55-3c1f6a1f7c11"
HOLD = f"requests/{ID}/decide?what=hold"
HELD = {"reason": "identity", "note": "asked by letter"}


def test_every_page_forbids_scripts_frames_and_keeping(console: Console) -> None:
    """OWASP Secure Headers; no inline script or style is allowed anywhere."""
    headers = console.get("sign-in").headers
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'; script-src 'self'; style-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert headers["Cache-Control"] == "no-store"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"


def test_a_session_cookie_is_out_of_reach_of_scripts_and_other_sites(console: Console) -> None:
    console.sign_in("admin")
    signed = console.key.token(subject="somebody", roles=["admin"])
    code = json.loads(console.ask("POST", "handover", headers={"Authorization": f"Bearer {signed}"}).text)["code"]
    (line,) = console.get(f"handover?code={code}").cookies
    assert re.fullmatch(r"__Secure-waybill=[\w-]{43}; Secure; HttpOnly; SameSite=Lax", line)
    assert console.get(f"handover?code={code}").status == 403, "a code opens one session"


def test_the_table_holds_neither_tokens_nor_names(console: Console) -> None:
    console.sign_in("admin", subject="marker-subject")
    stored = str(console.table.items)
    assert "marker-subject" not in stored
    assert "eyJ" not in stored
    assert console.cookies["__Secure-waybill"] not in stored


def test_a_token_that_the_api_does_not_take_opens_nothing(console: Console, api: ExampleApi) -> None:
    api.answers["listJobs"] = Problem(401)
    with pytest.raises(AssertionError, match="Your provider gives no token"):
        console.sign_in("admin")
    assert console.get().status == 303


def test_without_a_session_every_page_leads_to_the_sign_in(console: Console) -> None:
    page = console.get(f"consignments/{ID}")
    assert (page.status, page.headers["Location"]) == (303, f"../sign-in?to=consignments%2F{ID}")


def test_a_page_of_another_role_is_refused_with_the_role_that_it_needs(console: Console, api: ExampleApi) -> None:
    console.sign_in("minting")
    api.asked.clear()
    page = console.get("requests")
    assert page.status == 403
    assert "You cannot see this page" in page.text
    assert "sar-user" in page.text
    assert api.asked == []


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_a_form_of_another_site_does_nothing(console: Console, api: ExampleApi, headers: dict[str, str]) -> None:
    console.sign_in("sar-user")
    page = console.post(HOLD, HELD, **headers)
    assert page.status == 403
    assert "This form is out of date" in page.text
    assert api.of("holdRequest") == []


def test_a_form_without_an_origin_or_with_an_old_token_does_nothing(console: Console, api: ExampleApi) -> None:
    console.sign_in("sar-user")
    old = dict(re.findall(r'name="(token|once)" value="([^"]*)"', console.get(HOLD).text))
    console.cookies.clear()
    console.sign_in("sar-user")
    assert console.send(HOLD, {**HELD, **old}).status == 403
    assert console.send(HOLD, {**HELD, "token": "made-up"}).status == 403
    assert console.post(HOLD, HELD, Origin="").status == 403
    assert api.of("holdRequest") == []


def test_the_same_form_twice_does_it_once_and_leads_to_the_same_page(console: Console, api: ExampleApi) -> None:
    console.sign_in("sar-user")
    hidden = dict(re.findall(r'name="(token|once|who)" value="([^"]*)"', console.get(HOLD).text))
    first, second = (console.send(HOLD, {**HELD, **hidden}) for _ in range(2))
    assert (first.status, first.headers["Location"]) == (303, f"../../requests/{ID}?done=hold")
    assert (second.status, second.headers["Location"]) == (303, f"../../requests/{ID}?done=sent-already")
    assert [each.body for each in api.of("holdRequest")] == [{"reason": "identity", "note": "asked by letter"}]
    assert "You sent this form already" in console.get(f"requests/{ID}?done=sent-already").text


@pytest.mark.parametrize(("subject", "is_kept"), [("somebody", True), ("somebody-else", False)])
def test_what_was_typed_is_there_again_for_the_same_person(
    console: Console, api: ExampleApi, subject: str, is_kept: bool
) -> None:
    console.sign_in("sar-user")
    hidden = dict(re.findall(r'name="(token|once|who)" value="([^"]*)"', console.get(HOLD).text))
    console.table.items.clear()  # the session has ended
    answer = console.send(HOLD, {**HELD, **hidden})
    assert answer.headers["Location"].startswith("../../sign-in?to=")
    console.sign_in("sar-user", subject=subject)
    text = console.get(HOLD).text
    assert ("We kept what you had typed" in text) is is_kept
    assert ('value="asked by letter"' in text) is is_kept
    assert api.of("holdRequest") == []


def test_signing_out_ends_the_session(console: Console) -> None:
    console.sign_in("admin")
    cookie = console.cookies["__Secure-waybill"]
    page = console.post("sign-out", {}, page="help")
    assert (page.status, page.headers["Clear-Site-Data"]) == (303, '"cache", "storage"')
    console.cookies["__Secure-waybill"] = cookie
    assert console.get().headers.get("Location", "").startswith("console/sign-in")


def test_a_session_ends_with_its_token(console: Console, monkeypatch: pytest.MonkeyPatch) -> None:
    console.sign_in("admin", expires_in=2)
    assert console.get().status == 200
    later = time.time() + 3
    monkeypatch.setattr("jwt.api_jwt.datetime", _Later(later))
    assert console.get().status == 303


class _Later:
    """The clock of the token's reader, later."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    def now(self, tz: Any = None) -> Any:
        from datetime import datetime

        return datetime.fromtimestamp(self._seconds, tz)


@pytest.mark.parametrize("to", ["https://evil.example", "//evil.example", "/etc", "a\\b", "javascript:alert(1)"])
def test_signing_in_leads_to_pages_of_the_console_alone(to: str) -> None:
    assert not is_own(to)


def test_a_path_that_no_page_has_is_not_looked_at(console: Console) -> None:
    console.sign_in("admin")
    assert console.get("consignments/%2e%2e").status == 404
    assert console.get(f"consignments/{'a' * 200}").status == 404
    assert console.get("consignments/not-an-id").status == 404


def test_a_body_that_is_no_form_or_too_large_is_refused() -> None:
    large = Request("POST", (), {}, {"content-type": "application/x-www-form-urlencoded"}, b"a=" + b"x" * 300_000)
    with pytest.raises(Exception, match="too much"):
        large.form()


def test_a_seal_opens_for_its_secret_alone() -> None:
    one, other = sealing.new_secret(), sealing.new_secret()
    sealed = sealing.seal(one, {"access": "token"})
    assert sealing.unseal(one, sealed) == {"access": "token"}
    assert sealing.unseal(other, sealed) is None
    assert sealing.unseal(one, sealed[:-1] + b"x") is None
    assert sealing.form_token(one) != sealing.form_token(one)
    assert sealing.is_form_token(one, sealing.form_token(one))
    assert not sealing.is_form_token(other, sealing.form_token(one))


ISSUER, CLIENT = "https://issuer.example", "waybill-console"
METADATA = {
    "issuer": ISSUER,
    "authorization_endpoint": f"{ISSUER}/authorize",
    "token_endpoint": f"{ISSUER}/token",
    "end_session_endpoint": f"{ISSUER}/logout",
}


def provider(**claims: Any) -> tuple[Provider, list[bytes]]:
    sent: list[bytes] = []

    def exchange(method: str, url: str, headers: Any, body: bytes | None) -> tuple[int, bytes]:
        if method == "GET":
            return 200, json.dumps(METADATA).encode()
        sent.append(body or b"")
        told = {
            "iss": ISSUER,
            "aud": CLIENT,
            "sub": "u1",
            "exp": time.time() + 60,
            "nonce": "n",
            "name": "Jo",
            **claims,
        }
        identity = jwt.encode(told, "a key that nobody looks at, of enough bytes", algorithm="HS256")
        return 200, json.dumps(
            {"access_token": "at", "refresh_token": "rt", "expires_in": 300, "id_token": identity}
        ).encode()

    made = Provider(
        issuer=ISSUER, client=Client(CLIENT), return_to="https://w.example/console/callback", exchange=exchange
    )
    return made, sent


def test_signing_in_proves_the_browser_by_pkce() -> None:
    """RFC 7636, appendix B: the challenge of this verifier."""
    verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    made, sent = provider()
    attempt = Attempt("s", "n", verifier, "")
    address = made.address(attempt)
    assert "code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM" in address
    assert "code_challenge_method=S256" in address
    tokens = made.tokens({"state": "s", "code": "c"}, attempt)
    assert (tokens["access"], tokens["refresh"], tokens["name"]) == ("at", "rt", "Jo")
    assert f"code_verifier={verifier}".encode() in sent[0]


@pytest.mark.parametrize(
    ("answer", "claims"),
    [
        ({"state": "other", "code": "c"}, {}),
        ({"state": "s", "code": "c", "iss": "https://other.example"}, {}),
        ({"state": "s", "error": "access_denied"}, {}),
        ({"state": "s", "code": "c"}, {"nonce": "other"}),
        ({"state": "s", "code": "c"}, {"aud": "other"}),
        ({"state": "s", "code": "c"}, {"iss": "https://other.example"}),
        ({"state": "s", "code": "c"}, {"exp": 1}),
    ],
)
def test_an_answer_that_is_not_of_this_sign_in_opens_nothing(answer: dict[str, str], claims: dict[str, Any]) -> None:
    """OpenID Connect Core 1.0, 3.1.3.7; RFC 9207."""
    made, _ = provider(**claims)
    with pytest.raises(SignInFailedError):
        made.tokens(answer, Attempt("s", "n", "v" * 43, ""))


def test_a_page_that_is_open_while_somebody_signs_out_keeps_no_session(
    console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    """OWASP Session Management: after signing out a session is good for nothing."""
    console.sign_in("admin")
    get, later = console.table.get, time.time() + 120  # a session in use is noted once a minute

    def signed_out_behind(key: dict[str, Any]) -> dict[str, Any] | None:
        found = get(key)
        console.table.items.clear()
        return found

    monkeypatch.setattr(console.table, "get", signed_out_behind)
    monkeypatch.setattr("waybill.console.signing_in.time.time", lambda: later)
    assert console.get().status == 303
    assert console.table.items == {}


FILE = "replication/file?bucket=source-1&key=a%2Fb.pdf"


def test_what_was_sent_twice_leads_to_the_very_page_of_the_first(console: Console, api: ExampleApi) -> None:
    console.sign_in("replication")
    hidden = dict(re.findall(r'name="(token|once|who)" value="([^"]*)"', console.get(FILE).text))
    first, second = (console.send(FILE, hidden) for _ in range(2))
    assert first.headers["Location"] == f"../{FILE}&done=copy-started"
    assert second.headers["Location"] == f"../{FILE}&done=sent-already"
    assert len(api.of("startReplication")) == 1


def test_what_failed_is_not_called_done_when_it_is_sent_again(console: Console, api: ExampleApi) -> None:
    """RFC 9110, 9.2.2: whoever has no answer to a POST does not know whether it was done."""
    console.sign_in("sar-user")
    hidden = dict(re.findall(r'name="(token|once|who)" value="([^"]*)"', console.get(HOLD).text))
    api.answers["holdRequest"] = Problem(503)
    first, second = (console.send(HOLD, {**HELD, **hidden}) for _ in range(2))
    assert first.status == 503
    assert "may have been done all the same" in first.text
    assert second.headers["Location"].endswith("decide?what=hold&done=sent-before")
    text = console.get(f"{HOLD}&done=sent-before").text
    assert "This is what came of it" not in text
    assert "look before you send it again" in text


def test_what_only_looks_says_nothing_of_what_may_be_done(console: Console, api: ExampleApi) -> None:
    console.sign_in("sar-user")
    api.answers["showSubjectAccessRequest"] = Problem(503)
    assert "may have been done" not in console.get(HOLD).text


@pytest.mark.parametrize("path", [HOLD, FILE, "replication", ""])
def test_signing_in_leads_back_to_the_very_page(console: Console, path: str) -> None:
    from urllib.parse import parse_qs, urlsplit

    from waybill.console.domain.links import link, taken_apart

    answer = console.get(path)
    (to,) = parse_qs(urlsplit(answer.headers["Location"]).query).get("to", [""])
    assert to == path
    assert is_own(to)
    assert link(("callback",), *taken_apart(to)) == (path or "../console")


@pytest.mark.parametrize(
    "to", ["..", "../other", "requests/../..", ".", "a//b", "a?b=//c", "a\r\nb", "%2e%2e", "a/b/c/d"]
)
def test_signing_in_leads_to_no_page_above_or_beside_the_console(to: str) -> None:
    assert not is_own(to)


def test_what_was_typed_is_not_there_on_another_page_of_the_path(console: Console) -> None:
    console.sign_in("sar-user")
    hidden = dict(re.findall(r'name="(token|once|who)" value="([^"]*)"', console.get(HOLD).text))
    console.table.items.clear()
    console.send(HOLD, {**HELD, **hidden})
    console.sign_in("sar-user")
    assert "We kept what you had typed" not in console.get(f"requests/{ID}/decide?what=extend").text
    assert "We kept what you had typed" in console.get(HOLD).text


@pytest.mark.parametrize("others", ['a={"b": 1}', "a[b]=c", "café=1", "=", "x; ;y", 'q="unclosed'])
def test_a_cookie_of_others_hides_none_of_ours(others: str) -> None:
    """RFC 6265, 4.2.1: pairs are parted by semicolons; whatever else runs on the host sets what it likes."""
    for line in (
        f"{others}; __Secure-waybill=s",
        f"__Secure-waybill=s; {others}",
        f"not__Secure-waybill=o;{others};__Secure-waybill=s",
    ):
        assert Request("GET", (), {}, {"cookie": line}, b"").cookie("__Secure-waybill") == "s"


@pytest.mark.parametrize(
    ("path", "page", "fields"),
    [
        ("identifiers/kx7dn2ph", None, {"what": "other", "reason": "why", "by": "kx7dn2pj"}),
        (f"scans/{ID}/act", "help", {"what": ""}),
        ("services", None, {"suspended": "", "service": ID}),
    ],
)
def test_what_is_not_said_is_not_done(
    console: Console, api: ExampleApi, path: str, page: str | None, fields: dict[str, str]
) -> None:
    console.sign_in("admin")
    assert console.post(path, fields, page=page).status == 404
    changing = {"withdrawIdentifier", "replaceIdentifier", "cancelJob", "resumeJob", "suspendService"}
    assert changing.isdisjoint(each.operation for each in api.asked)


def test_how_many_of_several_are_decided_is_said(console: Console, api: ExampleApi) -> None:
    console.sign_in("admin")
    chosen = [f"{number:064x}" for number in range(5)]
    api.answers["triageValue"] = lambda asked: (
        Problem(404, "It is gone.") if asked.path["fingerprint"] in chosen[1:3] else {}
    )
    page = console.post("findings", {"value": chosen, "state": "accepted", "reason": "known"})
    assert page.status == 400
    assert "3 of 5 are decided. It is gone." in page.text
    assert {each.path["fingerprint"] for each in api.of("triageValue")} == set(chosen)


@pytest.mark.parametrize(
    ("status", "is_open"), [(503, True), (429, True), (404, False), (403, False), (410, False), (400, False)]
)
def test_what_could_not_be_asked_is_not_absent(console: Console, api: ExampleApi, status: int, is_open: bool) -> None:
    console.sign_in("admin")
    api.answers["showConsignment"] = Problem(status)
    for operation in ("showJob", "showSubjectAccessRequest"):
        api.answers[operation] = Problem(404)
    text = console.get(f"search?q={ID}").text
    assert ("We could not ask whether this is a consignment just now" in text) is is_open
    assert ("Nothing that you may see is called" in text) is not is_open


REVIEWED = {"state": "ReadyForReview", "requestedBy": "alice", "redactedBy": [], "reportSha256": "9f" * 32}
APPROVE = f"requests/{ID}/decide?what=approve"


def reviewer(console: Console, api: ExampleApi) -> None:
    from tests.fakes.console import example

    api.answers["showSubjectAccessRequest"] = {**example("showSubjectAccessRequest"), **REVIEWED}
    console.sign_in("sar-approver", subject="bob")


def test_what_is_approved_is_the_report_that_was_on_the_screen(console: Console, api: ExampleApi) -> None:
    """The file approved is the file delivered, hash and all."""
    reviewer(console, api)
    page = console.get(APPROVE).text
    assert "9f" * 32 in page
    assert re.search(r'href="[^"]*report"[^>]*>Read the report for staff', page)
    sha256 = re.findall(r'name="sha256" value="(\w+)"', page)[0]
    answer = console.post(APPROVE, {"read": "yes", "sha256": sha256})
    assert answer.status == 303, answer.text
    assert api.of("approveReport")[0].body == {"sha256": "9f" * 32}


@pytest.mark.parametrize("sent", [{"sha256": "9f" * 32}, {"read": "yes"}, {"read": "yes", "sha256": "9f"}])
def test_nothing_is_approved_without_saying_what_was_read(
    console: Console, api: ExampleApi, sent: dict[str, str]
) -> None:
    reviewer(console, api)
    assert console.post(APPROVE, sent).status == 400
    assert api.of("approveReport") == []


def test_a_report_that_was_made_again_is_not_approved(console: Console, api: ExampleApi) -> None:
    reviewer(console, api)
    api.answers["approveReport"] = Problem(
        409, "the report was drawn again since it was read: read it, then approve it"
    )
    answer = console.post(APPROVE, {"read": "yes", "sha256": "00" * 32})
    assert answer.status == 409
    assert "The report was made again on 2 November 2026, 09:21. Read it first." in answer.text
    # What is sent next is bound to the report as it is now, once that is said to be read.
    assert f'name="sha256" value="{"9f" * 32}"' in answer.text
    assert 'name="read" value="yes" checked' not in answer.text
