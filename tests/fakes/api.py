"""Requests as API Gateway hands them to a function, and its answers."""

import base64
import json
from dataclasses import dataclass
from typing import Any

from waybill.core.api import Api


class LambdaContext:
    """What handlers use of Lambda's context."""

    function_name = "function"
    memory_limit_in_mb = 256
    invoked_function_arn = "arn:aws:lambda:eu-west-1:000000000000:function:function"
    aws_request_id = "00000000-0000-0000-0000-000000000001"

    @staticmethod
    def get_remaining_time_in_millis() -> int:
        """More than any test needs."""
        return 60_000


@dataclass(frozen=True)
class Answer:
    """A function's answer to API Gateway."""

    status: int
    headers: dict[str, str]
    text: str
    content: bytes = b""

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.text)

    @property
    def fields(self) -> list[str]:
        """The fields that a 400 names."""
        return [error["field"] for error in self.json["errors"]]


def answer_of(response: dict[str, Any]) -> Answer:
    """Read a proxy response."""
    headers = dict(response.get("headers") or {})
    headers |= {name: values[-1] for name, values in (response.get("multiValueHeaders") or {}).items()}
    body = response.get("body") or ""
    content = base64.b64decode(body) if response.get("isBase64Encoded") else body.encode()
    lower = {name.lower(): value for name, value in headers.items()}
    return Answer(response["statusCode"], lower, content.decode(errors="replace"), content)


def request_event(
    method: str,
    path: str,
    *,
    body: Any = None,
    encode: bool = False,
    query: dict[str, str] | None = None,
    headers: dict[str, str] | None = None,
    identity: dict[str, Any] | None = None,
    **changes: Any,
) -> dict[str, Any]:
    """A REST API proxy event; `identity` is the authoriser's context, `body` text, bytes or JSON-ready."""
    text = body if body is None or isinstance(body, str | bytes) else json.dumps(body)
    if encode or isinstance(text, bytes):
        text = base64.b64encode(text if isinstance(text, bytes) else str(text).encode()).decode()
        encode = True
    return {
        "resource": path,
        "path": path,
        "httpMethod": method,
        "headers": headers,
        "multiValueHeaders": headers and {name: [value] for name, value in headers.items()},
        "queryStringParameters": query,
        "multiValueQueryStringParameters": query and {name: [value] for name, value in query.items()},
        "pathParameters": None,
        "stageVariables": None,
        "requestContext": {
            "stage": "local",
            "path": f"/local{path}",
            "requestId": "request-1",
            **({"authorizer": identity} if identity is not None else {}),
        },
        "body": text,
        "isBase64Encoded": encode,
        **changes,
    }


def ask(app: Api, method: str, path: str, *, roles: str | None = "replication", **more: Any) -> Answer:
    """Send a request to `app` as somebody with `roles`; None sends it without an authoriser's context."""
    identity = None if roles is None else {"subject": "alice", "roles": roles}
    return answer_of(app.resolve(request_event(method, path, **{"identity": identity, **more}), LambdaContext()))
