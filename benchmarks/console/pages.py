"""How long the console's pages take, warm and in a new process, what they ask for and load, and what views cost."""

import gzip
import re
import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from io import StringIO
from typing import Any
from unittest.mock import patch
from urllib.parse import urlsplit

from benchmarks.billing_units import PriceTable, lambda_gb_seconds, read_units
from benchmarks.harness import Benchmark, Figure, Lab
from benchmarks.harness.deployment import Deployment
from benchmarks.harness.in_process import call, environment
from benchmarks.harness.report import breakdown
from waybill.console import rendering, runtime
from waybill.console.adapters.api import Api
from waybill.core import settings
from waybill.core.aws import clients

_MODULE = "waybill.console.handlers.console"
_ROUNDS = 9
_PROCESSES = 5
_PAGES = {
    "home": "",
    "consignments": "consignments",
    "replication": "replication",
    "findings": "findings",
    "requests": "requests",
    "identifiers": "identifiers",
    "trace a file": "custody",
}
_VIEWS = 1000
# The memory of the API's functions, and a session's item.
_API_MB, _SESSION_BYTES = 512, 3000


class Visitor:
    """Somebody with every role, who asks the deployed console for pages by events of API Gateway."""

    def __init__(self, deployment: Deployment) -> None:
        self.deployment, self.function = deployment, deployment.functions[_MODULE]
        token = deployment.token("admin")
        given = self.ask(self.event("POST", "handover", {"Authorization": f"Bearer {token}"}))
        code = re.findall(r'"code": "([^"]+)"', given["body"])[0]
        taken = self.ask(self.event("GET", "handover", {}, {"code": code}))
        self._cookie = taken["multiValueHeaders"]["Set-Cookie"][0].partition(";")[0]

    def page(self, path: str) -> dict[str, Any]:
        """Return the event that asks for a page as somebody who is signed in."""
        return self.event("GET", path, {"Cookie": self._cookie})

    def event(
        self, method: str, path: str, headers: Mapping[str, str], query: Mapping[str, str] | None = None
    ) -> dict[str, Any]:
        """Return a REST API's proxy event (payload 1.0)."""
        *_, api, stage = urlsplit(self.deployment.described.api_url).path.rstrip("/").split("/")
        return {
            "httpMethod": method,
            "path": f"/console/{path}".rstrip("/"),
            "headers": dict(headers),
            "multiValueHeaders": {name: [value] for name, value in headers.items()},
            "queryStringParameters": dict(query or {}) or None,
            "pathParameters": dict(zip("abc", path.split("/"), strict=False)) if path else None,
            "requestContext": {"requestId": "bench", "apiId": api, "stage": stage},
            "body": None,
            "isBase64Encoded": False,
        }

    def ask(self, event: Mapping[str, Any]) -> Any:
        """Return the answer of the deployed function; raises AssertionError where it is of no use."""
        answer = self.deployment.invoke(self.function.arn, event)
        if answer["statusCode"] >= 400:
            raise AssertionError(f"{event['path']}: {answer['statusCode']}")
        return answer

    def timed(self, event: Mapping[str, Any]) -> float:
        """Return the ms that an answer takes, seen by the caller."""
        began = time.perf_counter()
        self.ask(event)
        return (time.perf_counter() - began) * 1000


def _measure(lab: Lab) -> Iterator[Figure]:
    visitor = Visitor(lab.deployment)
    yield from _loaded(visitor)
    asked = {name: _questions(visitor, path) for name, path in _PAGES.items()}
    warm, own = {}, {}
    for name, path in _PAGES.items():
        event = visitor.page(path)
        for _ in range(2):
            visitor.ask(event)
        before = lab.deployment.metric(visitor.function, "Duration")
        warm[name] = round(statistics.median(visitor.timed(event) for _ in range(_ROUNDS)), 1)
        after = lab.deployment.metric(visitor.function, "Duration")
        own[name] = (after[0] - before[0]) / max(after[1] - before[1], 1)
    rows: list[list[str | float]] = [
        [name, warm[name], round(own[name], 1), len(asked[name]), round(sum(asked[name]), 1)] for name in _PAGES
    ]
    headings = ["Page", "Warm ms", "Lambda's mean ms", "Questions to the API", "Their ms, one after another"]
    lab.show(breakdown("Pages of the console, with every role, on a stack without data", headings, rows))
    how = f"Lambda's Duration of home, mean of {_ROUNDS} warm invocations on the embedded AWS, its questions included"
    beside = {name: round(milliseconds, 1) for name, milliseconds in own.items()}
    beside |= {"home, seen by the caller (median)": warm["home"]}
    yield Figure("console.page_ms_warm", beside["home"], "ms", how, beside, target="≤ 300")
    questions: dict[str, float] = {name: len(each) for name, each in asked.items()}
    yield Figure("console.api_calls_per_page", max(questions.values()), "calls", "the most of these pages", questions)
    yield _cold(lab, visitor)
    yield _cost(own["home"], asked["home"])


def _questions(visitor: Visitor, path: str) -> list[float]:
    """Return how many ms each question to the API took, of one warm page in this process."""
    with _in_process(visitor) as show:
        show(visitor.page(path))
        return show(visitor.page(path))


@contextmanager
def _in_process(visitor: Visitor) -> Iterator[Callable[[Mapping[str, Any]], list[float]]]:
    function, original, took = visitor.function, Api._exchange, list[float]()
    variables = {**function.environment, **visitor.deployment.described.environment()}

    def exchange(api: Api, asked: Any) -> Any:
        began = time.perf_counter()
        try:
            return original(api, asked)
        finally:
            took.append((time.perf_counter() - began) * 1000)

    def show(event: Mapping[str, Any]) -> list[float]:
        took.clear()
        answer = call(_MODULE, event, name=function.name, arn=function.arn, memory=function.memory)
        if answer["statusCode"] != 200:
            raise AssertionError(f"{event['path']}: {answer['statusCode']}")
        return list(took)

    counting = patch.object(Api, "_exchange", exchange)
    with environment({**variables, "POWERTOOLS_TRACE_DISABLED": "true"}), redirect_stdout(StringIO()), counting:
        _forget()
        yield show
        _forget()


def _forget() -> None:
    for cached in (clients.client, settings.load, runtime.sessions, runtime.zone, runtime._client):
        cached.cache_clear()


def _cold(lab: Lab, visitor: Visitor) -> Figure:
    """A new process each, while the API is warm: what it imports, its first client, its first page."""
    function, event = visitor.function, visitor.page("")
    variables = visitor.deployment.described.environment()
    took = []
    for _ in range(_PROCESSES):
        found = lab.runtime.call(function, event, variables)
        if found.answer["statusCode"] != 200:
            raise AssertionError(f"the first page: {found.answer['statusCode']}")
        took.append(found.milliseconds)
    imports = statistics.median(lab.runtime.import_time(function)[0] for _ in range(_PROCESSES))
    how = f"import and first page (home) of a new process, its API warm, median of {_PROCESSES}; no start of a sandbox"
    beside = {"imports alone": round(imports, 1), "least": round(min(took), 1), "most": round(max(took), 1)}
    return Figure("console.cold_start_ms", round(statistics.median(took), 1), "ms", how, beside, target="≤ 1,500")


def _loaded(visitor: Visitor) -> Iterator[Figure]:
    """What a browser loads for its first page."""
    page = visitor.ask(visitor.page(""))
    names = set(re.findall(r"static/([a-z0-9.-]+)", page["body"]))
    contents = {name: rendering.static_files()[name][0] for name in names}
    for text in list(contents.values()):
        for name in re.findall(r'"\./([a-z-]+-[0-9a-f]{12}\.js)"', text):
            contents[name] = rendering.static_files()[name][0]
    sizes = {re.sub(r"-[0-9a-f]{12}", "", name): _kb(text) for name, text in sorted(contents.items())}
    styled = {name: size for name, size in sizes.items() if name.endswith((".css", ".js"))}
    beside = {**styled, "HTML of home": _kb(page["body"])}
    how = "style sheets and scripts of the home page, each with gzip's default"
    yield Figure("console.css_js_kb", round(sum(styled.values()), 1), "kB", how, beside, target="≤ 60")
    how = "a browser's first page; what it has kept is not asked for again"
    yield Figure("console.requests_first_page", 1 + len(contents), "requests", how, {"every page after it": 1})


def _kb(text: str) -> float:
    return round(len(gzip.compress(text.encode())) / 1000, 1)


def _cost(milliseconds: float, questions: list[float]) -> Figure:
    prices = PriceTable.read()
    asked = len(questions)
    usd = {
        "API Gateway": prices.usd("api_requests", (1 + asked) * _VIEWS),
        "the console's function": prices.usd("lambda_requests", _VIEWS)
        + prices.usd("lambda_gb_seconds", lambda_gb_seconds(1024, milliseconds) * _VIEWS),
        "the API's functions": prices.usd("lambda_requests", asked * _VIEWS)
        + prices.usd("lambda_gb_seconds", sum(lambda_gb_seconds(_API_MB, each) for each in questions) * _VIEWS),
        "the session": prices.usd("dynamodb_read_units", read_units(_SESSION_BYTES) * _VIEWS),
    }
    how = (
        f"home with {asked} questions, times as above, list prices; what the API reads, logs and transfer are not in it"
    )
    return Figure("console.usd_per_thousand_views", round(sum(usd.values()), 4), "USD", how, usd)


BENCHMARKS = (
    Benchmark(
        (
            "console.css_js_kb",
            "console.requests_first_page",
            "console.page_ms_warm",
            "console.api_calls_per_page",
            "console.cold_start_ms",
            "console.usd_per_thousand_views",
        ),
        _measure,
    ),
)
