"""What a function writes: one JSON object per line, with the run's id, and metrics without ids."""

import json
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.api import LambdaContext
from waybill.core.errors import FieldError, InvalidInputError, RetryableError
from waybill.core.observability import MetricUnit, count, instrumented, logger

WORKFLOW = "observed"
EXECUTION = "arn:aws:states:eu-west-1:123456789012:execution:waybill-replication:build-1"

type Handler = Callable[[Any, Any], Any]


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> Callable[[], list[dict[str, Any]]]:
    """Read the log lines; every line is JSON."""
    written = StringIO()
    (handler,) = logger(WORKFLOW).handlers
    monkeypatch.setattr(handler, "stream", written)
    return lambda: [json.loads(line) for line in written.getvalue().splitlines()]


@pytest.fixture
def emitted(capsys: pytest.CaptureFixture[str]) -> Callable[[], list[dict[str, Any]]]:
    """Read the metrics; every line is EMF."""
    return lambda: [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def handler_that(work: Callable[[Any], Any]) -> Handler:
    @instrumented(WORKFLOW)
    def lambda_handler(event: Any, context: Any) -> Any:
        return work(event)

    return lambda_handler


def says(event: Any) -> str:
    logger(WORKFLOW).info("said", extra={"answer": 42})
    return "answer"


@pytest.mark.parametrize(
    ("event", "correlation_id"),
    [
        ({"executionId": EXECUTION}, EXECUTION),
        ({"run": {"executionId": EXECUTION}}, EXECUTION),
        ({"task": {"run": {"executionId": EXECUTION}}}, EXECUTION),
        ({"input": {}, "execution": {"Id": EXECUTION}}, EXECUTION),
        ({"Records": []}, LambdaContext.aws_request_id),
        ({"executionId": 7}, LambdaContext.aws_request_id),
        ({"run": "text"}, LambdaContext.aws_request_id),
        (None, LambdaContext.aws_request_id),
        ("text", LambdaContext.aws_request_id),
    ],
)
def test_every_line_has_the_id_of_its_run(log: Callable[[], Any], event: Any, correlation_id: str) -> None:
    assert handler_that(says)(event, LambdaContext()) == "answer"
    (line,) = log()
    assert line["correlation_id"] == correlation_id
    assert (line["message"], line["answer"], line["level"]) == ("said", 42, "INFO")
    assert (line["service"], line["stage"]) == (WORKFLOW, "dev")
    assert line["function_request_id"] == LambdaContext.aws_request_id


def test_nothing_of_one_invocation_is_in_the_lines_of_the_next(log: Callable[[], Any]) -> None:
    def appends(event: Any) -> None:
        if event:
            logger(WORKFLOW).append_keys(secret=event)
        logger(WORKFLOW).info("said")

    handler = handler_that(appends)
    for event in ({"executionId": EXECUTION}, None):
        handler(event, LambdaContext())
    first, second = log()
    assert "secret" in first
    assert "secret" not in second
    assert second["correlation_id"] == LambdaContext.aws_request_id
    assert second["stage"] == "dev"


def test_an_error_of_ours_is_one_line_with_its_code(log: Callable[[], Any], emitted: Callable[[], Any]) -> None:
    def fails(_: Any) -> None:
        count(WORKFLOW, "Attempts")
        raise InvalidInputError(FieldError("sourceKey", "must not be empty"))

    with pytest.raises(InvalidInputError):
        handler_that(fails)({"executionId": EXECUTION, "token": "sesame"}, LambdaContext())
    (line,) = log()
    assert (line["level"], line["code"], line["correlation_id"]) == ("ERROR", "INVALID_INPUT", EXECUTION)
    assert line["cause"] == "sourceKey: must not be empty"
    assert "exception" not in line
    # What was counted before the failure is told all the same.
    assert emitted()[0]["Attempts"] == [1.0]


def test_an_error_that_nobody_foresaw_has_its_trace(log: Callable[[], Any]) -> None:
    def fails(_: Any) -> None:
        raise ZeroDivisionError("no luck")

    with pytest.raises(ZeroDivisionError):
        handler_that(fails)({}, LambdaContext())
    (line,) = log()
    assert line["code"] == "ZeroDivisionError"
    assert "in fails" in line["exception"]


def test_events_and_answers_are_not_logged(
    log: Callable[[], Any], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POWERTOOLS_LOGGER_LOG_EVENT", "true")
    monkeypatch.setenv("POWERTOOLS_DEV", "true")

    def fails(event: Any) -> Any:
        if event["fail"]:
            raise RetryableError("a reason")
        return {"answer": "sesame"}

    handler = handler_that(fails)
    event = {"headers": {"Authorization": "Bearer sesame"}, "body": "sesame"}
    handler(event | {"fail": False}, LambdaContext())
    with pytest.raises(RetryableError):
        handler(event | {"fail": True}, LambdaContext())
    captured = capsys.readouterr()
    assert "sesame" not in json.dumps(log()) + captured.out + captured.err


def test_metrics_are_by_service_alone(emitted: Callable[[], Any]) -> None:
    def counts(_: Any) -> None:
        count(WORKFLOW, "RunsStarted", 2)
        count(WORKFLOW, "RunsStarted", 3)
        count(WORKFLOW, "BytesCopied", 10, MetricUnit.Bytes)

    handler_that(counts)({"executionId": EXECUTION}, LambdaContext())
    (blob,) = emitted()
    (description,) = blob["_aws"]["CloudWatchMetrics"]
    assert description["Namespace"] == "Waybill/waybill"
    assert description["Dimensions"] == [["service"]]
    assert blob["service"] == WORKFLOW
    units = {metric["Name"]: metric["Unit"] for metric in description["Metrics"]}
    assert units == {"RunsStarted": "Count", "BytesCopied": "Bytes"}
    assert (blob["RunsStarted"], blob["BytesCopied"]) == ([2.0, 3.0], [10.0])
    assert EXECUTION not in json.dumps(blob)


@pytest.mark.filterwarnings("error")
def test_a_function_that_counts_nothing_prints_and_warns_nothing(emitted: Callable[[], Any]) -> None:
    handler_that(lambda _: None)({}, LambdaContext())
    assert emitted() == []


def test_metrics_are_emitted_once(emitted: Callable[[], Any]) -> None:
    handler = handler_that(lambda event: count(WORKFLOW, "RunsStarted") if event else None)
    for event in ({"a": 1}, {}, {"a": 1}):
        handler(event, LambdaContext())
    assert [blob["RunsStarted"] for blob in emitted()] == [[1.0], [1.0]]


def test_workflows_in_one_process_keep_their_metrics_apart(emitted: Callable[[], Any]) -> None:
    count("another", "Left")
    handler_that(lambda _: count(WORKFLOW, "RunsStarted"))({}, LambdaContext())
    (blob,) = emitted()
    assert "Left" not in blob


_IN_LAMBDA = """
import json, sys
from tests.fakes.api import LambdaContext
from waybill.replication.handlers.validate_input import lambda_handler

lambda_handler(json.load(open(sys.argv[1], encoding="utf-8")), LambdaContext())
print(json.dumps({"patched": sorted(name for name in sys.modules if name.startswith("aws_xray_sdk.ext."))}))
"""


# As Lambda's runtime sets up logging for the log format JSON, before the handler's module is imported
# (`awslambdaric.bootstrap`, `_setup_logging`).
_IN_JSON = """
import json, logging, os, sys

logging.getLogger().addHandler(logging.StreamHandler(sys.stdout))
logging.getLogger().setLevel(os.environ["AWS_LAMBDA_LOG_LEVEL"].replace("TRACE", "DEBUG"))
from waybill.core.observability import logger

for level in ("debug", "info", "warning"):
    getattr(logger("replication"), level)(f"ours {level}")
    getattr(logging.getLogger("botocore.endpoint"), level)(f"theirs {level}")
"""


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ("DEBUG", ["ours debug", "ours info", "ours warning"]),
        ("INFO", ["ours info", "ours warning"]),
        ("WARNING", ["ours warning"]),
        ("ERROR", []),
    ],
)
@pytest.mark.parametrize("of_lambda", ["TRACE", "DEBUG", "INFO"])
def test_lambdas_own_log_level_lets_no_other_library_speak(
    project: Path, of_lambda: str, wanted: str, said: list[str]
) -> None:
    """It comes before the application's own (Powertools for AWS Lambda, "Logger", advanced logging controls)."""
    ran = subprocess.run(
        [sys.executable, "-c", _IN_JSON],
        env={"PYTHONPATH": str(project / "src"), "AWS_LAMBDA_LOG_LEVEL": of_lambda, "LOG_LEVEL": wanted},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    printed = [line for line in ran.stdout.splitlines() if line]
    ours = [json.loads(line)["message"] for line in printed if line.startswith("{")]
    assert ours == said
    assert [line for line in printed if "theirs" in line] == ["theirs warning"]


@pytest.fixture
def daemon() -> Iterator[socket.socket]:
    """The place of the X-Ray daemon."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listening:
        listening.bind(("127.0.0.1", 0))
        listening.settimeout(10)
        yield listening


def test_in_lambda_a_trace_follows_requests_to_aws_and_holds_no_content(project: Path, daemon: socket.socket) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", _IN_LAMBDA, project / "events/replication/validate_input.json"],
        env={
            "PYTHONPATH": f"{project / 'src'}:{project}",
            "LAMBDA_TASK_ROOT": "/var/task",
            "AWS_XRAY_CONTEXT_MISSING": "IGNORE_ERROR",
            "AWS_XRAY_DAEMON_ADDRESS": f"127.0.0.1:{daemon.getsockname()[1]}",
            "_X_AMZN_TRACE_ID": "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1",
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    lines = [json.loads(line) for line in (ran.stdout + ran.stderr).splitlines()]
    patched = next(line["patched"] for line in lines if "patched" in line)
    assert "aws_xray_sdk.ext.botocore.patch" in patched
    assert not any("httplib" in name or "requests" in name for name in patched)
    trace = daemon.recv(65_536).decode()
    assert '"## lambda_handler"' in trace
    assert "build-123" not in trace
