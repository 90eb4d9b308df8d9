"""Requests and responses as the console sees them: API Gateway's events, taken apart and bounded."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from waybill.console.errors import PageError
from waybill.core.bodies import body_bytes

# Ids, names of pages and of static files; whatever else somebody has named is a query parameter.
_SEGMENT = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.-]{0,127}")
_MAX_DEPTH = 3
_BODY_BYTES = 262_144
_JSON_BYTES = 1_048_576
_FIELDS = 2_500
FORM = "application/x-www-form-urlencoded"
JSON = "application/json"


@dataclass(frozen=True)
class Request:
    """One request; `segments` are those of the path below `/console`."""

    method: str
    segments: tuple[str, ...]
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    request_id: str = ""
    api_id: str = ""
    stage: str = ""

    @classmethod
    def of(cls, event: Mapping[str, Any]) -> "Request":
        """Return the request of a REST API's proxy event (payload 1.0).

        Raises
        ------
        PageError
            Its path is none that the console could have.
        """
        context = event.get("requestContext") or {}
        headers = {
            str(name).lower(): str(values[-1])
            for name, values in (event.get("multiValueHeaders") or {}).items()
            if isinstance(values, Sequence) and values
        } or {str(name).lower(): str(value) for name, value in (event.get("headers") or {}).items()}
        query = {str(name): str(value) for name, value in (event.get("queryStringParameters") or {}).items()}
        parameters = event.get("pathParameters") or {}
        segments = tuple(str(parameters[name]) for name in ("a", "b", "c") if name in parameters)
        if len(segments) > _MAX_DEPTH or not all(_SEGMENT.fullmatch(segment) for segment in segments):
            raise PageError(404, "Page not found", "If you typed the address, check that it is right.")
        return cls(
            method=str(event.get("httpMethod") or "").upper(),
            segments=segments,
            query=query,
            headers=headers,
            body=body_bytes(event),
            request_id=str(context.get("requestId") or ""),
            api_id=str(context.get("apiId") or ""),
            stage=str(context.get("stage") or ""),
        )

    @property
    def path(self) -> str:
        """The path below `/console`, without a slash at its beginning."""
        return "/".join(self.segments)

    @property
    def media_type(self) -> str:
        """What the body is."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    def cookie(self, name: str) -> str:
        """Return the value of a cookie, empty without one."""
        # By hand (RFC 6265, 4.2.1): the standard library's reader stops at the first cookie that it finds odd.
        for pair in self.headers.get("cookie", "").split(";"):
            given, _, value = pair.partition("=")
            if given.strip() == name:
                return value.strip().strip('"')
        return ""

    def form(self) -> "Form":
        """Return the fields of a form.

        Raises
        ------
        PageError
            The body is no form, or is too large.
        """
        if self.media_type != FORM:
            raise PageError(415, "This form cannot be read", "Open the page again and send it from there.")
        if len(self.body) > _BODY_BYTES:
            raise PageError(413, "That is too much at once", "A form may have 256 kB.")
        try:
            pairs = parse_qsl(self.body.decode(), keep_blank_values=True, max_num_fields=_FIELDS)
        except ValueError:
            raise PageError(400, "This form cannot be read", "Open the page again and send it from there.") from None
        return Form(tuple(pairs))

    def json_bytes(self) -> bytes:
        """Return a JSON body; raises PageError as `form` does."""
        if self.media_type != JSON or len(self.body) > _JSON_BYTES:
            raise PageError(415, "This cannot be read")
        return self.body

    def is_from(self, address: str) -> bool:
        """Return whether a page of the console itself has sent the request.

        Browsers say where a POST comes from, and pages cannot (Fetch Standard, "`Origin` header"). Without an address
        of the console's own it is compared with the host that the browser asked.
        """
        site = self.headers.get("sec-fetch-site")
        if site not in (None, "same-origin"):
            return False
        origin = self.headers.get("origin")
        if origin is None:
            return site == "same-origin"
        if address:
            ours = urlsplit(address)
            return origin == f"{ours.scheme}://{ours.netloc}"
        return bool(host := self.headers.get("host")) and urlsplit(origin).netloc == host


@dataclass(frozen=True)
class Form:
    """The fields of a form, in their order."""

    pairs: tuple[tuple[str, str], ...] = ()

    def __getitem__(self, name: str) -> str:
        return next((value.strip() for key, value in self.pairs if key == name), "")

    def all(self, name: str) -> list[str]:
        """Return every value of a field."""
        return [value for key, value in self.pairs if key == name]


@dataclass(frozen=True)
class Response:
    """What is sent back; `headers` beside those that every answer has."""

    status: int
    body: str = ""
    content_type: str = "text/html; charset=utf-8"
    headers: Mapping[str, str] = field(default_factory=dict)
    cookies: tuple[str, ...] = ()


def redirect(to: str, *cookies: str) -> Response:
    """Return the answer that leads on to a page, by a GET (RFC 9110, 15.4.4)."""
    return Response(303, headers={"Location": to}, cookies=cookies)
