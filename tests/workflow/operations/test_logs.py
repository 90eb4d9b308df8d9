"""What the functions log: JSON with the run's id, and metrics that do not grow with the files."""

from typing import Any

import pytest

from tests.workflow.support.application import Application, Execution
from tests.workflow.support.names import MISSING
from tests.workflow.support.polling import until
from tests.workflow.support.source import Source


@pytest.fixture
def failed(application: Application, quiet: Source, key: str, label: str) -> Execution:
    """A run with one copy and one failure."""
    quiet.put(key, b"secret content")
    return application.run(quiet.request(key, [application.destinations[0], MISSING]), label)


def test_failure_is_logged_with_the_id_of_its_run(application: Application, failed: Execution) -> None:
    def found() -> list[dict[str, Any]]:
        return [line for line in application.logged(failed.arn) if line.get("code") == "NO_SUCH_BUCKET"]

    [line] = until(found, "a line about the failed copy")
    assert (line["correlation_id"], line["level"], line["service"]) == (failed.arn, "ERROR", "replication")
    assert MISSING in line["cause"]
    assert "exception" not in line


def test_nothing_that_a_file_holds_is_logged(application: Application, failed: Execution) -> None:
    until(lambda: list(application.logged(failed.arn)), "lines of the run")

    assert list(application.logged("secret content")) == []


@pytest.mark.usefixtures("failed")
def test_metrics_have_the_workflow_as_their_only_dimension(application: Application) -> None:
    def measured() -> list[dict[str, Any]]:
        return [line for line in application.logged("CloudWatchMetrics") if "CopiesFailed" in line]

    lines = until(measured, "metrics in the log")
    for line in lines:
        [directive] = line["_aws"]["CloudWatchMetrics"]
        assert (directive["Namespace"], directive["Dimensions"]) == (f"Waybill/{application.stack_name}", [["service"]])
        assert line["service"] == "replication"
