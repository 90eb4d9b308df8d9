"""What the functions log: JSON with the run's id, and metrics that do not grow with the files."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.workflow.support.application import Application, Execution
from tests.workflow.support.polling import until
from tests.workflow.support.source import Source

MISSING = "waybill-tests-missing"


@pytest.fixture
def failed(application: Application, quiet: Source, key: str, label: str) -> Execution:
    """A run with one copy and one failure."""
    quiet.put(key, b"secret content")
    return application.run(quiet.request(key, [application.destinations[0], MISSING]), label)


def logged(application: Application, text: str) -> Iterator[dict[str, Any]]:
    """Yield the JSON lines of the replication functions that hold `text`."""
    pages = application.stack.client("logs").get_paginator("filter_log_events")
    for page in pages.paginate(logGroupName=application.resources["ReplicationLogGroup"], filterPattern=f'"{text}"'):
        for event in page["events"]:
            for line in event["message"].splitlines():
                if line.startswith("{") and text in line:
                    yield json.loads(line)


def test_failure_is_logged_with_the_id_of_its_run(application: Application, failed: Execution) -> None:
    def found() -> list[dict[str, Any]]:
        return [line for line in logged(application, failed.arn) if line.get("code") == "NO_SUCH_BUCKET"]

    [line] = until(found, "a line about the failed copy")
    assert (line["correlation_id"], line["level"], line["service"]) == (failed.arn, "ERROR", "replication")
    assert MISSING in line["cause"]
    assert "exception" not in line


def test_nothing_that_a_file_holds_is_logged(application: Application, failed: Execution) -> None:
    until(lambda: list(logged(application, failed.arn)), "lines of the run")

    assert list(logged(application, "secret content")) == []


@pytest.mark.usefixtures("failed")
def test_metrics_have_the_workflow_as_their_only_dimension(application: Application) -> None:
    def measured() -> list[dict[str, Any]]:
        return [line for line in logged(application, "CloudWatchMetrics") if "CopiesFailed" in line]

    lines = until(measured, "metrics in the log")
    for line in lines:
        [directive] = line["_aws"]["CloudWatchMetrics"]
        assert (directive["Namespace"], directive["Dimensions"]) == ("Waybill/waybill", [["service"]])
        assert line["service"] == "replication"
