"""Waybill's own API, asked with the token of whoever is signed in."""

import json
import secrets
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from waybill.console.domain.operations import OPERATIONS
from waybill.console.errors import ApiError
from waybill.core.errors import WaybillError
from waybill.core.http_client import ExchangeLimits, HttpClient

SECONDS = 12.0
_AT_ONCE = 4
_MOST = 200
_ANSWER_BYTES = 6 * 1024 * 1024


@dataclass(frozen=True)
class Asked:
    """A question for the API: the operation's id, what its path and query hold, the body; `text` goes as a file."""

    operation: str
    path: Mapping[str, str] | None = None
    query: Mapping[str, object] | None = None
    body: object = None
    once: str = ""
    text: str | None = None


@dataclass(frozen=True)
class Fetched:
    """A text of the API's, or where it is."""

    location: str
    content_type: str
    text: str


class Api:
    """The API at `address`, for the holder of `token`; every call is over within the page's time.

    Attributes
    ----------
    calls : int
        How many questions were asked.
    """

    def __init__(self, address: str, token: str, client: HttpClient | None = None) -> None:
        self._address, self._token = address, token
        self._client = client or http_client()
        self._deadline = time.monotonic() + SECONDS
        self.calls = 0

    def ask(
        self,
        operation: str,
        body: object = None,
        *,
        once: str = "",
        query: Mapping[str, object] | None = None,
        text: str | None = None,
        **path: str,
    ) -> Any:
        """Return the API's answer, which is JSON, or `{"location"}` where it leads on; `text` is sent as a file.

        Raises
        ------
        ApiError
            It answered with a problem, or not at all (503).
        """
        return self._ask(Asked(operation, path, query, body, once, text))

    def ask_whole(self, operation: str, items: str) -> list[Any]:
        """Return all `items` of a list that is short enough to be shown whole; raises ApiError."""
        found: list[Any] = []
        cursor: str | None = ""
        while cursor is not None:
            answer = self.ask(operation, query={"limit": _MOST, "cursor": cursor})
            found += answer[items]
            cursor = answer["cursor"]
        return found

    def ask_all(self, questions: Mapping[str, Asked]) -> dict[str, Any]:
        """Return the answers, four asked at once; that of a question that failed is the ApiError."""
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            return dict(zip(questions, pool.map(self._answer_or_error, questions.values()), strict=True))

    def fetch(self, operation: str, *, query: Mapping[str, object] | None = None, **path: str) -> Fetched:
        """Return a text of the API's as it is, or the address where it is; raises ApiError."""
        status, content, headers = self._exchange(Asked(operation, path, query))
        if status >= 400:
            _read(status, content)
        location = headers.get("location", "") if 300 <= status < 400 else ""
        return Fetched(location, headers.get("content-type", "text/plain"), content.decode(errors="replace"))

    def _answer_or_error(self, asked: Asked) -> Any:
        try:
            return self._ask(asked)
        except ApiError as error:
            return error

    def _ask(self, asked: Asked) -> Any:
        status, content, headers = self._exchange(asked)
        if (location := headers.get("location")) and 300 <= status < 400:
            return {"location": location}
        return _read(status, content)

    def _exchange(self, asked: Asked) -> tuple[int, bytes, Mapping[str, str]]:
        method, template = OPERATIONS[asked.operation]
        if not all((asked.path or {}).values()):
            # It would be another address.
            raise ApiError(404, {"detail": "Nothing is known by this name."})
        self.calls += 1
        path = template.format(**{name: quote(value, safe="") for name, value in (asked.path or {}).items()})
        given = {name: value for name, value in (asked.query or {}).items() if value not in (None, "")}
        url = f"{self._address}{path}" + (f"?{urlencode(given)}" if given else "")
        headers = {"Authorization": f"Bearer {self._token}", "Accept": "application/json"}
        body = None if asked.body is None else json.dumps(asked.body).encode()
        if body is not None:
            headers["Content-Type"] = "application/json"
        if asked.text is not None:
            body, headers["Content-Type"] = _file(asked.text)
        if asked.once:
            headers["Idempotency-Key"] = asked.once
        try:
            with self._client.exchange(method, url, deadline=self._deadline, headers=headers, body=body) as answer:
                return answer.status, answer.read(), answer.headers
        except WaybillError as error:
            raise ApiError(503, {"detail": "There was no answer in time.", "code": error.code}) from None


def _file(text: str) -> tuple[bytes, str]:
    """Return a form with one file, and its media type (RFC 7578)."""
    content, boundary = text.encode(), f"waybill-{secrets.token_hex(16)}"
    head = f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="template.txt"\r\n'
    parts = (
        head.encode(),
        b"Content-Type: text/plain; charset=utf-8\r\n\r\n",
        content,
        f"\r\n--{boundary}--\r\n".encode(),
    )
    return b"".join(parts), f"multipart/form-data; boundary={boundary}"


def http_client() -> HttpClient:
    """Return the client for the API, which may be on this very machine."""
    return HttpClient(
        schemes=frozenset({"https", "http"}),
        permits=lambda _address: True,
        limits=ExchangeLimits(silence_seconds=SECONDS, body_bytes=_ANSWER_BYTES),
        kept_seconds=5.0,
    )


def _read(status: int, content: bytes) -> Any:
    try:
        found = json.loads(content) if content else None
    except ValueError:
        found = content.decode(errors="replace")
    if status >= 400:
        raise ApiError(status, found if isinstance(found, dict) else {})
    return found
