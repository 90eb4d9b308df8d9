"""Signing in: sessions from a verified token, whether a provider or the local stack has given it."""

import time
from collections.abc import Mapping
from typing import Any

import jwt

from waybill.console import runtime
from waybill.console.domain.sealing import new_secret
from waybill.console.domain.web import Request
from waybill.console.errors import ApiError, SignInFailedError, SignInNeededError
from waybill.console.visit import Person
from waybill.core.roles import Caller
from waybill.gateway.domain.authoriser import Claims

SESSION = "__Secure-waybill"
SIGN_IN = "__Secure-waybill-signin"
# No Path: browsers take the folder of the page that sets it, which is the console whatever its prefix is.
_ATTRIBUTES = "Secure; HttpOnly; SameSite=Lax"
SESSION_SECONDS = 3600
LONGEST_SECONDS = 8 * 3600
HANDOVER_SECONDS = 60
SIGN_IN_SECONDS = 600
_TOUCH_SECONDS = 60
_RENEW_SECONDS = 60


def caller_of(token: str) -> Caller:
    """Return whom a token of the API speaks for; raises SignInFailedError where it has ended, or is none.

    Only tokens that the API has taken are read so: it is the API that verifies them, at every question.
    """
    try:
        claims = jwt.decode(token, options={"verify_signature": False, "require": ["exp", "sub"], "verify_exp": True})
    except jwt.PyJWTError:
        raise SignInFailedError("The token has ended, or is none.") from None
    known = Claims(runtime.settings().auth_roles_claim, runtime.settings().auth_role_prefix)
    return Caller(str(claims["sub"])[:256], known.roles_of(claims), rehearsal=claims.get("rehearsal") is True)


def open_session(request: Request, tokens: Mapping[str, Any]) -> str:
    """Keep a new session for whom `tokens` speak, and return the cookie's line; raises SignInFailedError.

    The API says whether the token is good: whoever it answers, if only that they may not, it has verified.
    """
    token = str(tokens["access"])
    try:
        runtime.api(request, token).ask("listJobs", query={"limit": 1})
    except ApiError as error:
        if error.status == 401:
            raise SignInFailedError("Your provider gives no token for Waybill’s API.") from None
        if error.status != 403:
            raise
    caller_of(token)
    secret, now = new_secret(), int(time.time())
    runtime.sessions().keep(secret, "session", {**tokens, "began": now, "used": now}, SESSION_SECONDS)
    return f"{SESSION}={secret}; {_ATTRIBUTES}"


def close_session(request: Request) -> str:
    """Forget the session, and return the line that takes the cookie away."""
    if secret := request.cookie(SESSION):
        runtime.sessions().take(secret, "session")
    return f"{SESSION}=; {_ATTRIBUTES}; Max-Age=0"


def person_of(request: Request) -> tuple[Person, str]:
    """Return who is signed in, and the token to ask the API with.

    Raises
    ------
    SignInNeededError
        Nobody is, or no longer.
    """
    secret = request.cookie(SESSION)
    held = runtime.sessions().find(secret, "session") if secret else None
    left = held["began"] + LONGEST_SECONDS - int(time.time()) if held else 0
    if held is None or left <= 0:
        raise SignInNeededError("nobody is signed in")
    held = _renewed(secret, held, left)
    try:
        caller = caller_of(held["access"])
    except SignInFailedError:
        raise SignInNeededError("the token is good no longer") from None
    # A session in use is noted once a minute.
    seconds = min(SESSION_SECONDS - _TOUCH_SECONDS, left)
    return Person(caller, str(held.get("name") or caller.subject), secret, seconds), held["access"]


def seconds_left(request: Request) -> int:
    """Return in how many seconds the session ends if nobody uses it; nought without one. Asking is no use of it."""
    secret = request.cookie(SESSION)
    held = runtime.sessions().find(secret, "session") if secret else None
    if held is None:
        return 0
    now = int(time.time())
    return max(int(min(held["used"] + SESSION_SECONDS, held["began"] + LONGEST_SECONDS)) - now, 0)


def _renewed(secret: str, held: dict[str, Any], left: int) -> dict[str, Any]:
    """Return the session with a token that lasts, and note that it is in use; a provider takes a refresh token once.

    Raises SignInNeededError where somebody has signed out meanwhile.
    """
    now = int(time.time())
    expires = int(held.get("expires") or 0)
    renewing = bool(held.get("refresh")) and 0 < expires < now + _RENEW_SECONDS
    if renewing and runtime.sessions().begin(secret, f"renewal-{expires}", _RENEW_SECONDS):
        held = {**held, **runtime.provider().renew(str(held["refresh"]))}
    elif now - held["used"] < _TOUCH_SECONDS:
        return held
    held = {**held, "used": now}
    if not runtime.sessions().renew(secret, "session", held, min(SESSION_SECONDS, left)):
        raise SignInNeededError("signed out meanwhile")
    return held
