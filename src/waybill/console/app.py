"""From an event to a page: session, rights, proof of forms, errors as pages, headers.

A POST passes, in this order: its origin, the session, the form's token, that it was not sent before, the page.
"""

import time
from collections.abc import Mapping
from typing import Any

from waybill.console import runtime, signing_in
from waybill.console.adapters.api import Api
from waybill.console.domain.links import own, saying
from waybill.console.domain.sealing import is_form_token, new_secret, owner_of
from waybill.console.domain.web import FORM, Form, Request, Response, redirect
from waybill.console.domain.words import notice_of
from waybill.console.errors import ApiError, PageError, SignInFailedError, SignInNeededError
from waybill.console.routes import Route, route_of
from waybill.console.visit import Visit
from waybill.core.errors import WaybillError
from waybill.core.observability import MetricUnit, count, logger
from waybill.core.retry import poll

_ONCE_SECONDS = 900
_WAIT_SECONDS = 6.0
# An item of DynamoDB has 400 KB at most, and a letter has four bytes at most.
_KEPT_LENGTH = 90_000
_DRAFT = "__Secure-waybill-draft"
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src {connect}; "
    "worker-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; object-src 'none'"
)
_HEADERS = {
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
    # With `no-referrer` browsers send `Origin: null` with our own forms.
    "Referrer-Policy": "same-origin",
    "Vary": "Cookie, HX-Request",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}

_OUT_OF_DATE = PageError(
    403, "This form is out of date", "Nothing was done. Open the page again, and send it from there."
)


def resolve(event: Mapping[str, Any]) -> dict[str, Any]:
    """Return the answer to a REST API's proxy event (payload 1.0)."""
    began = time.monotonic()
    request, route, calls = Request("GET", (), {}, {}, b""), None, 0
    visit = _visit(request)
    try:
        request = Request.of(event)
        visit = _visit(request)
        route, ids = route_of(request.segments)
        response = _answer(visit, route, ids)
    except Exception as error:  # every failure is a page
        response = _failed(visit, error)
    calls = visit.api.calls if "api" in visit.__dict__ else 0
    _log(request, route, response, time.monotonic() - began, calls)
    return _proxied(request, route, response)


def _visit(request: Request) -> Visit:
    def nobody() -> Api:
        raise SignInNeededError("nobody is signed in")

    return Visit(
        request=request, person=None, zone=runtime.zone(), is_local=runtime.settings().console_handover, make_api=nobody
    )


def _answer(visit: Visit, route: Route, ids: dict[str, str]) -> Response:
    request = visit.request
    visit.notice = notice_of(request.query.get("done", ""))
    if request.method in {"GET", "HEAD"}:
        if not route.is_public:
            _identify(visit, route)
            _fill_in(visit)
        elif request.cookie(signing_in.SESSION) and route.knows_the_person:
            _identify_if_possible(visit)
        return route.show(visit, **ids)
    if request.method != "POST" or route.act is None:
        raise PageError(405, "This page takes no such request")
    if route.is_public:
        return route.act(visit, **ids)
    if not request.is_from(runtime.settings().console_url):
        raise _OUT_OF_DATE
    try:
        _identify(visit, route)
    except SignInNeededError:
        return _kept_for_later(visit)
    return _acted(visit, route, ids)


def _identify(visit: Visit, route: Route) -> None:
    visit.person, token = signing_in.person_of(visit.request)
    visit.make_api = lambda: runtime.api(visit.request, token)
    if route.roles and not visit.who.may(route.roles):
        wanted = ", ".join(sorted(route.roles))
        had = ", ".join(sorted(visit.who.roles)) or "none"
        raise PageError(403, "You cannot see this page", f"It needs one of these roles: {wanted}.", f"You have: {had}.")


def _identify_if_possible(visit: Visit) -> None:
    try:
        visit.person, _ = signing_in.person_of(visit.request)
    except SignInNeededError:
        return


def _acted(visit: Visit, route: Route, ids: dict[str, str]) -> Response:
    request, secret = visit.request, visit.person.secret if visit.person else ""
    is_form = request.media_type == FORM
    visit.form = request.form() if is_form else Form()
    token = visit.form["token"] if is_form else request.headers.get("x-form-token", "")
    if not is_form_token(secret, token):
        raise _OUT_OF_DATE
    if route.act is None:
        raise _OUT_OF_DATE
    once = visit.form["once"]
    if not once:
        return route.act(visit, **ids)
    mine = f"{secret}/{once[:64]}"
    if not runtime.sessions().begin(mine, "once", _ONCE_SECONDS):
        return _same_as_before(visit, mine)
    outcome = {"location": "", "page": ""}
    try:
        response = route.act(visit, **ids)
        outcome["location"] = response.headers.get("Location", "")
        # What was done without leading on, such as a list of what was minted: it is the same page again then.
        if response.status == 200 and len(response.body) < _KEPT_LENGTH:
            outcome["page"] = response.body
    finally:
        runtime.sessions().keep(mine, "outcome", outcome, _ONCE_SECONDS)
    return response


def _same_as_before(visit: Visit, mine: str) -> Response:
    """Lead on to where the first sending of this form led: double clicks, reloads, the way back."""
    found, _ = poll(
        lambda: runtime.sessions().find(mine, "outcome"),
        lambda found: found is not None,
        seconds=_WAIT_SECONDS,
        first_pause=0.1,
        longest_pause=0.5,
    )
    if found is None:
        raise PageError(409, "You sent this form already", "It is still being worked on. Look again in a moment.")
    location = str(found["location"])
    if found["page"]:
        return Response(200, str(found["page"]))
    if not location:
        return redirect(saying(visit.to(visit.request.path, visit.request.query), "sent-before"))
    return redirect(location if location.startswith("http") else saying(location, "sent-already"))


def _kept_for_later(visit: Visit) -> Response:
    """Keep what was typed until the same person has signed in again."""
    request, cookies = visit.request, []
    if request.media_type == FORM:
        form = request.form()
        pairs = [pair for pair in form.pairs if pair[0] not in {"token", "once", "who"}]
        secret = new_secret()
        runtime.sessions().keep(
            secret, "draft", {"page": _here(visit), "who": form["who"], "pairs": pairs}, _ONCE_SECONDS
        )
        # Without a path: only pages of this page's folder get it.
        cookies.append(f"{_DRAFT}={secret}; Secure; HttpOnly; SameSite=Lax; Max-Age={_ONCE_SECONDS}")
    return redirect(visit.to("sign-in", to=_here(visit)), *cookies)


def _here(visit: Visit) -> str:
    return own(visit.request.path, visit.request.query)


def _fill_in(visit: Visit) -> None:
    secret = visit.request.cookie(_DRAFT)
    if not secret or visit.person is None:
        return
    draft = runtime.sessions().find(secret, "draft")
    if draft is None or draft["page"] != _here(visit) or draft["who"] != owner_of(visit.who.subject):
        return
    runtime.sessions().take(secret, "draft")
    visit.form, visit.kept = Form(tuple((name, value) for name, value in draft["pairs"])), True


def _failed(visit: Visit, error: Exception) -> Response:
    match error:
        case PageError():
            return _error_page(visit, error.status, error.heading, *error.paragraphs)
        case SignInNeededError():
            return redirect(visit.to("sign-in", to=_here(visit)))
        case SignInFailedError():
            return _error_page(visit, 403, "Sign-in did not work", str(error), start=True)
        case ApiError(status=401) if visit.request.method == "POST":
            # The API takes the token no longer, and has done nothing.
            return _kept_for_later(visit)
        case ApiError():
            return _api_failed(visit, error)
    code = error.code if isinstance(error, WaybillError) else type(error).__name__
    logger(runtime.SERVICE).error("page failed", extra={"code": code}, exc_info=error)
    count(runtime.SERVICE, "ConsoleFaults")
    told = f"Tell your support this number: {visit.request.request_id}."
    return _error_page(visit, 500, "Sorry, that was our fault", _may_be_done(visit), told)


def _api_failed(visit: Visit, error: ApiError) -> Response:
    match error.status:
        case 401:
            return redirect(visit.to("sign-in", to=_here(visit)))
        case 403:
            return _error_page(visit, 403, "You cannot do this", error.detail)
        case 404 | 410:
            return _error_page(visit, 404, "Not found", error.detail or "Nothing is known by this name.")
        case 409:
            return _error_page(visit, 409, "That does not go now", error.detail)
        case 429:
            return _error_page(visit, 429, "Too many requests", "Try again in a few seconds.")
        case 400 | 413 | 415 | 422:
            wrong = [f"{name}: {text}" for name, text in error.fields]
            return _error_page(visit, 400, "That cannot be taken", error.detail, *wrong)
    number = error.request_id or visit.request.request_id
    told = ("Look again in a moment.", _may_be_done(visit), f"Number: {number}.")
    return _error_page(visit, 503, "We could not ask just now", *told)


def _may_be_done(visit: Visit) -> str:
    """Say what a failure leaves open: an answer that does not come is no proof that nothing was done."""
    if visit.request.method != "POST":
        return ""
    return "What you sent may have been done all the same: look before you send it again."


def _error_page(visit: Visit, status: int, heading: str, *paragraphs: str, start: bool = False) -> Response:
    shown = [text for text in paragraphs if text]
    return visit.page("error.html", heading, status=status, paragraphs=shown, start=start)


def _proxied(request: Request, route: Route | None, response: Response) -> dict[str, Any]:
    connect = runtime.upload_origins() if route is not None and route.uploads else "'self'"
    headers = {**_HEADERS, "Content-Security-Policy": _POLICY.format(connect=connect)}
    if not runtime.settings().console_handover:
        headers["Strict-Transport-Security"] = "max-age=31536000"
    headers |= {"Content-Type": response.content_type, **response.headers}
    answer: dict[str, Any] = {
        "statusCode": response.status,
        "headers": headers,
        "body": "" if request.method == "HEAD" else response.body,
        "isBase64Encoded": False,
    }
    if response.cookies:
        answer["multiValueHeaders"] = {"Set-Cookie": list(response.cookies)}
    return answer


def _log(request: Request, route: Route | None, response: Response, seconds: float, calls: int) -> None:
    """Write one line without anything of a person: no name, no query, no id, no form."""
    milliseconds = round(seconds * 1000, 1)
    count(runtime.SERVICE, "ConsolePageMs", milliseconds, MetricUnit.Milliseconds)
    logger(runtime.SERVICE).info(
        "page",
        extra={
            "route": route.path if route else "none",
            "method": request.method,
            "status": response.status,
            "ms": milliseconds,
            "apiCalls": calls,
            "bytes": len(response.body.encode()),
        },
    )
