"""Audit entries about no request, and about what was refused."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from waybill.subject_access.domain.audit import Action
from waybill.subject_access.domain.ports import RequestStore
from waybill.subject_access.errors import UnknownRequestError

if TYPE_CHECKING:
    from pydantic import JsonValue

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_REFUSED_FROM = 400
_NOT_TOLD = frozenset({404, 429})


def day_trail(now: datetime) -> str:
    """Return the trail of what is about no request: one a day."""
    return f"AUDIT#{now.astimezone(UTC):%Y-%m-%d}"


def trail_of(named: str) -> str:
    """Return what the trail is about that somebody names: a request by its id, or a day such as 2026-11-02."""
    return f"AUDIT#{named}" if _DAY.fullmatch(named) else named


def refusal_of(event: Mapping[str, Any], answer: Mapping[str, Any]) -> tuple[str | None, Action] | None:
    """Return what to record of a call that was refused, and the request that it was about; None when it was not.

    Only people of whom the authoriser knows who they are come as far as this.
    """
    status = int(answer["statusCode"])
    subject = ((event.get("requestContext") or {}).get("authorizer") or {}).get("subject")
    if status < _REFUSED_FROM or status in _NOT_TOLD or not subject:
        return None
    detail: dict[str, JsonValue] = {
        "method": str(event.get("httpMethod")),
        "route": str(event.get("resource")),
        "status": status,
    }
    asked = (event.get("pathParameters") or {}).get("id") or (event.get("queryStringParameters") or {}).get("id")
    return (asked if isinstance(asked, str) else None), Action(str(subject), "REFUSED", detail)


def record_refusal(store: RequestStore, event: Mapping[str, Any], answer: Mapping[str, Any], now: datetime) -> None:
    """Record a call that was refused in the trail of the request that it was about, else in that of the day."""
    refusal = refusal_of(event, answer)
    if refusal is None:
        return None
    about, action = refusal
    if about and "#" not in about:
        try:
            return store.record(about, action)
        except UnknownRequestError:
            pass
    return store.record(day_trail(now), action)
