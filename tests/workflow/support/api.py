"""The HTTP API of the deployed application, as somebody calls it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import Request

from tests.workflow.support.application import Application
from tests.workflow.support.direct import DIRECT


@dataclass(frozen=True)
class Answer:
    """An HTTP answer."""

    status: int
    content_type: str
    body: Any
    headers: Mapping[str, str]


@dataclass(frozen=True)
class Api:
    """The API as somebody with a token, or without one, calls it."""

    url: str
    token: str | None

    def get(self, path: str, **query: str) -> Answer:
        """Send a GET."""
        return self._ask("GET", f"{path}?{urlencode(query)}" if query else path, None)

    def post(self, path: str, body: object) -> Answer:
        """Send a POST of JSON, or of bytes as they are."""
        return self._ask("POST", path, body if isinstance(body, bytes) else json.dumps(body).encode())

    def ask(self, method: str, path: str) -> Answer:
        """Send a request without a body."""
        return self._ask(method, path, None)

    def _ask(self, method: str, path: str, body: bytes | None) -> Answer:
        headers = {"Content-Type": "application/json"}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        request = Request(f"{self.url}{path}", body, headers, method=method)
        try:
            with DIRECT.open(request, timeout=60) as answer:
                return _read(answer)
        except HTTPError as error:
            return _read(error)


def _read(answer: Any) -> Answer:
    text = answer.read()
    return Answer(answer.status, answer.headers.get_content_type(), json.loads(text) if text else None, answer.headers)


def api_of(application: Application, *roles: str, **token: Any) -> Api:
    """Return the API as somebody with `roles` calls it."""
    signed = application.stack.signing_key.token(subject="somebody", roles=roles, **token)
    return Api(application.api_url, signed)
