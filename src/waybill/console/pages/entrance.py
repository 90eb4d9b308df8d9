"""The way in and out, and the pages that anybody may read."""

import json

from waybill.console import runtime, signing_in
from waybill.console.adapters.provider import Attempt
from waybill.console.domain.links import is_own, taken_apart
from waybill.console.domain.sealing import new_secret
from waybill.console.domain.web import JSON, Response, redirect
from waybill.console.errors import PageError, SignInFailedError
from waybill.console.rendering import static_files
from waybill.console.visit import Visit
from waybill.gateway.domain.authoriser import bearer_token
from waybill.gateway.errors import TokenRefusedError

_WASM_POLICY = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'"


def sign_in(visit: Visit) -> Response:
    """Show how to sign in."""
    to = visit.request.query.get("to", "")
    return visit.page(
        "sign-in.html", "Sign in to Waybill", to_page=to if is_own(to) else "", has_provider=runtime.has_provider()
    )


def start(visit: Visit) -> Response:
    """Lead on to the provider; what it has to give back is kept for ten minutes."""
    if not runtime.has_provider():
        raise PageError(404, "Page not found", "No provider is set up here.")
    to = visit.request.query.get("to", "")
    attempt = Attempt(new_secret(), new_secret(), new_secret(), to if is_own(to) else "")
    cookie = new_secret()
    runtime.sessions().keep(cookie, "sign-in", vars(attempt), signing_in.SIGN_IN_SECONDS)
    # This page is a folder below those that it returns to: the state names the cookie's content instead of its path.
    lines = f"{signing_in.SIGN_IN}-{attempt.state[:8]}={cookie}; Secure; HttpOnly; SameSite=Lax; Path={_console_path()}"
    return redirect(runtime.provider().address(attempt), f"{lines}; Max-Age={signing_in.SIGN_IN_SECONDS}")


def _console_path() -> str:
    """Return the path of the console as browsers see it."""
    return "/" + runtime.settings().console_url.split("://", 1)[-1].partition("/")[2].rstrip("/")


def callback(visit: Visit) -> Response:
    """Take the provider's answer, and open a session."""
    query = visit.request.query
    name = f"{signing_in.SIGN_IN}-{query.get('state', '')[:8]}"
    cookie = visit.request.cookie(name)
    kept = runtime.sessions().take(cookie, "sign-in") if cookie else None
    if kept is None:
        raise SignInFailedError("This sign-in is over, or was begun in another browser.")
    attempt = Attempt(**kept)
    session = signing_in.open_session(visit.request, runtime.provider().tokens(query, attempt))
    gone = f"{name}=; Secure; HttpOnly; SameSite=Lax; Path={_console_path()}; Max-Age=0"
    return redirect(visit.to(*taken_apart(attempt.to)), session, gone)


def hand_over(visit: Visit) -> Response:
    """Give a code for a token of the local stack, which opens one session within a minute."""
    if not visit.is_local:
        raise PageError(404, "Page not found")
    try:
        token = bearer_token(visit.request.headers.get("authorization"))
    except TokenRefusedError:
        raise PageError(401, "A bearer token is needed") from None
    code, kept = new_secret(), {"access": token, "name": signing_in.caller_of(token).subject}
    runtime.sessions().keep(code, "handover", kept, signing_in.HANDOVER_SECONDS)
    return Response(201, json.dumps({"code": code}), content_type=JSON)


def take_over(visit: Visit) -> Response:
    """Open a session for a code."""
    code = visit.request.query.get("code", "")
    kept = runtime.sessions().take(code, "handover") if visit.is_local and code else None
    if kept is None:
        raise PageError(
            403, "This link has been used", "It opens one session, within a minute. Run `waybill console` again."
        )
    return redirect(visit.to(""), signing_in.open_session(visit.request, kept))


def sign_out(visit: Visit) -> Response:
    """End the session."""
    gone = signing_in.close_session(visit.request)
    cleared = {"Clear-Site-Data": '"cache", "storage"'}
    answer = redirect(visit.to("signed-out"), gone)
    return Response(answer.status, headers={**answer.headers, **cleared}, cookies=answer.cookies)


def session(visit: Visit) -> Response:
    """Say in how many seconds the session ends, for the script that warns; `stay` says that somebody is there."""
    if visit.request.query.get("stay") == "yes":
        signing_in.person_of(visit.request)
    return Response(200, json.dumps({"seconds": signing_in.seconds_left(visit.request)}), content_type=JSON)


def back(visit: Visit) -> Response:
    """Lead home from an address that takes forms only."""
    return visit.go("")


def signed_out(visit: Visit) -> Response:
    """Say so, and where one may still be signed in."""
    address = runtime.provider().sign_out_address() if runtime.has_provider() else ""
    return visit.page("signed-out.html", "You are signed out of Waybill", provider_address=address)


def help_page(visit: Visit) -> Response:
    """Show what is where."""
    return visit.page("help.html", "Help")


def accessibility(visit: Visit) -> Response:
    """Show what works for whom."""
    return visit.page("accessibility.html", "Accessibility")


def static(visit: Visit, name: str) -> Response:
    """Send a static file, which never changes under its name."""
    found = static_files().get(name)
    if found is None:
        raise PageError(404, "Page not found")
    content, media_type = found
    headers = {"Cache-Control": "public, max-age=31536000, immutable", "Vary": "Accept-Encoding"}
    if name.startswith("hash-worker-"):
        headers["Content-Security-Policy"] = _WASM_POLICY
    return Response(200, content, content_type=media_type, headers=headers)
