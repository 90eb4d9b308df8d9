"""What boto3 sends, noted; and the answers of AWS that moto does not give.

Both hang on the SDK's own event hooks, so that retries, error parsing and checksums are botocore's.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any
from urllib.parse import parse_qsl, urlsplit
from xml.sax.saxutils import escape

from boto3 import Session
from botocore.awsrequest import AWSPreparedRequest, AWSResponse


@dataclass(frozen=True)
class Request:
    """One HTTP request; `operation` is `<service>.<operation>`, header names are in lower case."""

    operation: str
    url: str
    headers: dict[str, str]
    body: bytes

    @property
    def host(self) -> str:
        """Where it went."""
        return urlsplit(self.url).netloc

    @property
    def document(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


@dataclass(frozen=True)
class Published:
    """One message to a topic."""

    topic: str
    subject: str
    body: str
    attributes: dict[str, str]


type Condition = Callable[[Request], bool]


@dataclass
class _Answer:
    operation: str
    make: Callable[[AWSPreparedRequest], AWSResponse]
    times: int | None
    when: Condition


@dataclass
class Wire:
    """Every request since the last `clear`, and the answers that are given instead of moto's."""

    requests: list[Request] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)
    _answers: list[_Answer] = field(default_factory=list)
    _changes: dict[str, Callable[[Any], None]] = field(default_factory=dict)

    def clear(self) -> None:
        """Forget the requests."""
        self.requests.clear()

    def of(self, operation: str) -> list[Request]:
        """The requests of one operation, such as `s3.CopyObject`."""
        return [request for request in self.requests if request.operation == operation]

    @property
    def counts(self) -> dict[str, int]:
        """How many requests of each operation."""
        return dict(Counter(request.operation for request in self.requests))

    @property
    def published(self) -> list[Published]:
        """The messages that were sent to SNS."""
        return [_published(dict(parse_qsl(request.body.decode()))) for request in self.of("sns.Publish")]

    def answer(
        self,
        operation: str,
        status: int,
        body: str = "",
        *,
        headers: dict[str, str] | None = None,
        times: int | None = None,
        when: Condition = lambda _: True,
    ) -> None:
        """Answer the next `times` requests (None: all) for which `when` holds; later orders come first."""

        def make(request: AWSPreparedRequest) -> AWSResponse:
            raw: Any = _Raw(b"" if request.method == "HEAD" else body.encode())
            return AWSResponse(request.url, status, headers or {}, raw)

        self._answers.insert(0, _Answer(operation, make, times, when))

    def refuse(self, operation: str, code: str, message: str = "", *, status: int = 400, **more: Any) -> None:
        """Answer with an error of AWS; `more` as for `answer`."""
        service = operation.partition(".")[0]
        body = f"<Error><Code>{code}</Code><Message>{escape(message)}</Message></Error>"
        if service == "sns":
            body = f"<ErrorResponse>{body}</ErrorResponse>"
        elif service != "s3":
            body = json.dumps({"__type": f"com.amazonaws#{code}", "message": message, **more.pop("members", {})})
        self.answer(operation, status, body, **more)

    def cut(self, operation: str, error: Exception, *, times: int | None = None) -> None:
        """Let requests fail on their way, with `error`."""

        def make(_: AWSPreparedRequest) -> AWSResponse:
            raise error

        self._answers.insert(0, _Answer(operation, make, times, lambda _: True))

    def change(self, operation: str, change: Callable[[Any], None]) -> None:
        """Let `change` alter every parsed answer of `operation`."""
        self._changes[operation] = change

    def sent(self, request: AWSPreparedRequest, event_name: str) -> AWSResponse | None:
        """Note a request; return the answer that was ordered for it."""
        body = request.body or b""
        seen = Request(
            event_name.removeprefix("before-send."),
            request.url,
            {name.lower(): _text(value) for name, value in request.headers.items()},
            body.encode() if isinstance(body, str) else body if isinstance(body, bytes) else b"",
        )
        self.requests.append(seen)
        for answer in self._answers:
            if answer.operation == seen.operation and answer.times != 0 and answer.when(seen):
                answer.times = answer.times and answer.times - 1
                response = answer.make(request)
                # botocore asks moto all the same, which knows no such place and so does nothing.
                request.url = "http://answered.invalid/"
                return response
        return None

    def answered(self, parsed: Any, event_name: str) -> None:
        """Alter an answer, where that was ordered."""
        if change := self._changes.get(event_name.removeprefix("after-call.")):
            change(parsed)


@dataclass
class Line:
    """Leads from the clients of a session, which are there for many tests, to the wire of this test."""

    _wire: Wire | None = None

    @classmethod
    def of(cls, session: Session) -> "Line":
        """Return the line of the clients that `session` makes from now on."""
        line = cls()
        session.events.register_first("before-send", line._sent)
        session.events.register_first("after-call", line._answered)
        return line

    @contextmanager
    def watched_by(self, wire: Wire) -> Iterator[None]:
        """Let `wire` look at what is sent meanwhile."""
        self._wire = wire
        try:
            yield
        finally:
            self._wire = None

    def _sent(self, request: AWSPreparedRequest, event_name: str, **_: Any) -> AWSResponse | None:
        return self._wire.sent(request, event_name) if self._wire else None

    def _answered(self, parsed: Any, event_name: str, **_: Any) -> None:
        if self._wire:
            self._wire.answered(parsed, event_name)


class _Raw(BytesIO):
    """A body as botocore reads it."""

    def stream(self, **_: Any) -> Iterator[bytes]:
        yield self.read()


def _published(form: dict[str, str]) -> Published:
    """Read the parameters of a Publish (Amazon SNS API Reference)."""
    names = {key: name for key, name in form.items() if key.endswith(".Name")}
    values = {name: form[key.removesuffix(".Name") + ".Value.StringValue"] for key, name in names.items()}
    return Published(form["TopicArn"], form["Subject"], form["Message"], values)


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value
