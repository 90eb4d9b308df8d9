"""The console without AWS: an API that answers with the examples of its own description, and a table in memory."""

import base64
import hashlib
import json
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import pytest

from waybill.cli.local.keys import ISSUER, SigningKey
from waybill.console import runtime
from waybill.console.adapters.sessions import Sessions
from waybill.console.app import resolve
from waybill.core.aws.dynamodb import ConditionFailedError
from waybill.core.settings import load

PROJECT = Path(__file__).resolve().parents[2]
DESCRIPTION = json.loads((PROJECT / "docs" / "openapi.json").read_text("utf-8"))
# Where a stack on the embedded AWS has its API.
PREFIX = "/_aws/execute-api/abcd1234/dev"


@dataclass(frozen=True)
class Asked:
    """What the console has asked the API."""

    operation: str
    path: dict[str, str]
    query: dict[str, str]
    body: Any
    headers: Mapping[str, str]


@dataclass(frozen=True)
class Problem:
    """An answer that is a problem."""

    status: int
    detail: str = ""
    errors: tuple[tuple[str, str], ...] = ()


@dataclass
class _Answer:
    status: int
    content: bytes
    headers: Mapping[str, str]

    def read(self) -> bytes:
        return self.content


def operations() -> Iterator[tuple[str, str, str, dict[str, Any]]]:
    """Yield method, path, id and description of each operation."""
    for path, methods in DESCRIPTION["paths"].items():
        for method, told in methods.items():
            if isinstance(told, dict) and "operationId" in told:
                yield method.upper(), path, told["operationId"], told


def example(operation: str) -> Any:
    """Return the answer that the API's description has as its example."""
    told = next(told for _, _, name, told in operations() if name == operation)
    answer = next(found for status, found in told["responses"].items() if status.startswith("2"))
    media = next(iter(answer["content"].values()))
    if "example" in media:
        return media["example"]
    return _example_of(media["schema"])


def _example_of(schema: Mapping[str, Any]) -> Any:
    if "$ref" in schema:
        return _example_of(DESCRIPTION["components"]["schemas"][schema["$ref"].rpartition("/")[2]])
    if schema.get("examples"):
        return schema["examples"][0]
    if schema.get("type") == "array":
        return [_example_of(schema["items"])]
    return {name: _example_of(one) for name, one in schema["properties"].items()} if "properties" in schema else None


@dataclass
class ExampleApi:
    """Stands in for the HTTP client: answers with examples, or with what `answers` has for an operation."""

    answers: dict[str, Any] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    # Says which operations the holder of these roles is refused; whom it refused is kept beside.
    refuses: Callable[[str, list[str]], bool] = lambda _operation, _roles: False
    refused: list[str] = field(default_factory=list)
    # Whether values are looked at too, and not names alone.
    is_strict: bool = False

    @contextmanager
    def exchange(
        self, method: str, url: str, *, deadline: float, headers: Mapping[str, str], body: bytes | None = None
    ) -> Iterator[_Answer]:
        parts = urlsplit(url)
        below = parts.path.removeprefix(PREFIX)
        for known, template, operation, told in operations():
            match = re.fullmatch(re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^/]+)", re.escape(template)), below)
            if known == method and match:
                path = {name: unquote(value) for name, value in match.groupdict().items()}
                sent = _sent(body, headers) if body else None
                asked = Asked(operation, path, dict(parse_qsl(parts.query)), sent, headers)
                self.asked.append(asked)
                wrong = list(_wrong(asked, told))
                yield self._answer(asked, wrong if self.is_strict else [])
                return
        raise AssertionError(f"the API has no {method} {below}")

    def _answer(self, asked: Asked, wrong: list[tuple[str, str]]) -> _Answer:
        found = self.answers.get(asked.operation)
        if self.refuses(asked.operation, roles_of(asked.headers["Authorization"])):
            self.refused.append(asked.operation)
            found = Problem(403, "None of your roles may do this.")
        elif wrong:
            found = Problem(400, "The request is not valid.", tuple(wrong))
        found = found(asked) if callable(found) else example(asked.operation) if found is None else found
        if isinstance(found, Problem):
            errors = [{"field": name, "message": text} for name, text in found.errors]
            document = {"status": found.status, "detail": found.detail, "requestId": "r-1", "errors": errors}
            return _Answer(found.status, json.dumps(document).encode(), {})
        content = found if isinstance(found, str) else json.dumps(found)
        return _Answer(200, content.encode(), {"content-type": "application/json"})

    def of(self, operation: str) -> list[Asked]:
        """Return what was asked of one operation."""
        return [each for each in self.asked if each.operation == operation]


# Their bodies are what somebody has typed as a whole.
_TYPED_WHOLE = frozenset({"putDetector"})


def _wrong(asked: Asked, told: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield what the API's description does not allow of a question: fields, and what is wrong with each.

    Raises AssertionError where it has no such name at all: the console made it.
    """
    parameters = {
        each["name"]: each["schema"] for each in told.get("parameters", ()) if each["in"] in {"query", "path"}
    }
    given = {**asked.path, **asked.query}
    assert given.keys() <= parameters.keys(), f"{asked.operation} takes no {given.keys() - parameters.keys()}"
    for name, value in given.items():
        yield from _errors(parameters[name], _read(value, parameters[name]), name)
    content = (told.get("requestBody") or {}).get("content", {})
    if asked.body is None or "application/json" not in content:
        assert asked.body is None or content, f"{asked.operation} takes no body"
        return
    for name, text in _errors(content["application/json"]["schema"], asked.body, "body"):
        is_unknown = "Additional properties" in text and asked.operation not in _TYPED_WHOLE
        assert not is_unknown, f"{asked.operation}: {name}: {text}"
        yield name, text


def _read(value: str, schema: Mapping[str, Any]) -> Any:
    """Return a parameter as its kind is written in an address."""
    kinds = {schema.get("type"), *(each.get("type") for each in schema.get("anyOf", ()))}
    if "integer" in kinds and re.fullmatch(r"-?[0-9]{1,9}", value):
        return int(value)
    return {"true": True, "false": False}.get(value, value) if "boolean" in kinds else value


def _errors(schema: Mapping[str, Any], value: Any, name: str) -> Iterator[tuple[str, str]]:
    from jsonschema import Draft202012Validator

    for error in Draft202012Validator({**schema, "components": DESCRIPTION["components"]}).iter_errors(value):
        yield ".".join([name, *map(str, error.absolute_path)]), error.message[:100]


def roles_of(authorization: str) -> list[str]:
    """Return the roles of a bearer token."""
    claims = authorization.removeprefix("Bearer ").split(".")[1]
    roles: list[str] = json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4))).get("roles", [])
    return roles


def _sent(body: bytes, headers: Mapping[str, str]) -> Any:
    """Return a body as the API reads it: JSON, or the text of the file of a form."""
    if headers["Content-Type"] == "application/json":
        return json.loads(body)
    head = f"Content-Type: {headers['Content-Type']}\r\n\r\n".encode()
    (part,) = message_from_bytes(head + body, policy=policy.HTTP).iter_parts()
    assert part.get_param("name", header="content-disposition") == "file"
    return part.get_content()


class MemoryTable:
    """A table of whole items by their id."""

    def __init__(self) -> None:
        self.items: dict[str, dict[str, Any]] = {}
        self._lock = threading.Lock()

    def get(self, key: Mapping[str, Any]) -> dict[str, Any] | None:
        return self.items.get(key["id"])

    def put(self, item: dict[str, Any], condition: str | None = None) -> None:
        with self._lock:
            wanted = {"attribute_not_exists(id)": False, "attribute_exists(id)": True}
            if condition and (item["id"] in self.items) is not wanted[condition]:
                raise ConditionFailedError(self.items.get(item["id"], {}))
            self.items[item["id"]] = item

    def delete(self, key: Mapping[str, Any]) -> dict[str, Any] | None:
        with self._lock:
            return self.items.pop(key["id"], None)


@dataclass
class Page:
    """An answer of the console."""

    status: int
    headers: dict[str, str]
    text: str
    cookies: list[str]


class Console:
    """The console, as a browser asks it: keeps cookies, fills in the hidden fields of forms."""

    def __init__(self, api: ExampleApi, table: MemoryTable, key: SigningKey) -> None:
        self.api, self.table, self.key = api, table, key
        self.cookies: dict[str, str] = {}

    def sign_in(self, *roles: str, subject: str = "somebody", **token: Any) -> None:
        """Open a session by the local stack's handover."""
        signed = self.key.token(subject=subject, roles=roles, **token)
        given = self.ask("POST", "handover", headers={"Authorization": f"Bearer {signed}"})
        assert given.status == 201, given.text
        taken = self.ask("GET", f"handover?code={json.loads(given.text)['code']}")
        assert taken.status == 303, taken.text

    def get(self, path: str = "") -> Page:
        """Ask for a page."""
        return self.ask("GET", path)

    def post(self, path: str, fields: Mapping[str, Any], *, page: str | None = None, **headers: str) -> Page:
        """Send a form, with the hidden fields of the page that it is on."""
        hidden = dict(
            re.findall(r'type="hidden" name="(token|once|who|seen)" value="([^"]*)"', self.get(page or path).text)
        )
        return self.send(path, {**hidden, **fields}, **headers)

    def send(self, path: str, fields: Mapping[str, Any], **headers: str) -> Page:
        """Send a form as it is."""
        from urllib.parse import urlencode

        own = {"Origin": "http://console.test", "Host": "console.test"}
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        return self.ask("POST", path, urlencode(fields, doseq=True), headers={**kind, **own, **headers})

    def ask(self, method: str, path: str, body: str = "", headers: Mapping[str, str] | None = None) -> Page:
        """Send a request."""
        given = {**(headers or {}), "Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}
        answer = resolve(event_of(method, path, body, given))
        lines = answer.get("multiValueHeaders", {}).get("Set-Cookie", [])
        for line in lines:
            name, _, value = line.partition(";")[0].partition("=")
            self.cookies[name] = value
        return Page(answer["statusCode"], answer["headers"], answer["body"], lines)


def event_of(method: str, path: str, body: str, headers: Mapping[str, str]) -> dict[str, Any]:
    """Return the REST API's event for a path below `/console`."""
    where, _, query = path.partition("?")
    segments = [unquote(part) for part in where.split("/") if part]
    return {
        "httpMethod": method,
        "path": f"/console/{where}".rstrip("/"),
        "headers": dict(headers),
        "multiValueHeaders": {name: [value] for name, value in headers.items()},
        "queryStringParameters": dict(parse_qsl(query, keep_blank_values=True)) or None,
        "pathParameters": dict(zip("abc", segments, strict=False)) or None,
        "requestContext": {"requestId": "request-1", "apiId": "abcd1234", "stage": "dev"},
        "body": body or None,
        "isBase64Encoded": False,
    }


def install(monkeypatch: pytest.MonkeyPatch, api: ExampleApi, table: MemoryTable) -> SigningKey:
    """Give the console this API and this table; return the key whose tokens it takes."""
    key = SigningKey.generate()
    settings = {
        "AUTH_ISSUER": ISSUER,
        "AWS_ENDPOINT_URL": "http://aws.test",
        "CONSIGNMENT_UPLOAD_BUCKET": "uploads",
        "CONSOLE_HANDOVER": "true",
        "CONSOLE_SESSIONS_TABLE": "sessions",
    }
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    for kept in (load, runtime.zone, runtime.sessions, runtime.provider):
        kept.cache_clear()
    sessions = Sessions(table)  # type: ignore[arg-type]
    monkeypatch.setattr(runtime, "sessions", lambda: sessions)
    monkeypatch.setattr(runtime, "_client", lambda: api)
    return key


@dataclass
class Store:
    """Where browsers send files: takes what has the checksum of its address, as S3 does; `refusals` by name of file."""

    held: dict[str, bytes] = field(default_factory=dict)
    puts: list[str] = field(default_factory=list)
    refusals: dict[str, tuple[int, str]] = field(default_factory=dict)

    def put(self, name: str, content: bytes, checksum: str) -> tuple[int, str]:
        """Return status and text of the answer."""
        self.puts.append(name)
        if name in self.refusals:
            return self.refusals[name]
        if base64.b64encode(hashlib.sha256(content).digest()).decode() != checksum:
            return 400, "<Error><Code>BadDigest</Code></Error>"
        self.held[name] = content
        return 200, ""


@contextmanager
def served(store: Store | None = None) -> Iterator[str]:
    """Serve the console to browsers, with the prefix of the embedded AWS; the address of its home page."""

    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            below = self.path.removeprefix(f"{PREFIX}/console").lstrip("/")
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
            answer = resolve(event_of(self.command, below, body, dict(self.headers.items())))
            content = answer["body"].encode()
            self.send_response(answer["statusCode"])
            for name, value in answer["headers"].items():
                self.send_header(name, value)
            for line in answer.get("multiValueHeaders", {}).get("Set-Cookie", []):
                self.send_header("Set-Cookie", line)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_HEAD = _answer  # noqa: N815 - the standard library's names

        def do_PUT(self) -> None:
            assert store is not None
            content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            status, text = store.put(self.path.rpartition("/")[2], content, self.headers["x-amz-checksum-sha256"])
            self.send_response(status)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}{PREFIX}/console"
    finally:
        server.shutdown()
        server.server_close()
