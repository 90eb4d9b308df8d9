"""What is told of drawing."""

import json
from typing import Any

import pytest

from tests.fakes.api import LambdaContext
from tests.fakes.disclosure import a_part
from waybill.core.observability import instrumented
from waybill.disclosure import WORKFLOW
from waybill.disclosure.models import PartStatus, StoredReport
from waybill.disclosure.report_telling import part_told, report_told


def told(capsys: pytest.CaptureFixture[str], tell: Any, *arguments: Any) -> dict[str, Any]:
    """The metrics of one invocation, and its log lines."""

    @instrumented(WORKFLOW)
    def handler(event: Any, context: Any) -> None:
        tell(*arguments)

    handler({}, LambdaContext())
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    metrics: dict[str, Any] = next(line for line in lines if "_aws" in line)
    return metrics


def test_a_part_is_timed(capsys: pytest.CaptureFixture[str]) -> None:
    metrics = told(capsys, part_told, a_part(status=PartStatus.COMPLETE, pages=3), 1.25)
    assert metrics["RenderSeconds"] == [1.25]
    assert "PartErrors" not in metrics


def test_a_part_in_error_is_counted(capsys: pytest.CaptureFixture[str]) -> None:
    assert told(capsys, part_told, a_part(status=PartStatus.ERRORED), 0.5)["PartErrors"] == [1]


def test_the_pages_of_a_report_are_counted(capsys: pytest.CaptureFixture[str]) -> None:
    metrics = told(capsys, report_told, StoredReport("key", 10, "", 7), 2.5)
    assert (metrics["ReportPages"], metrics["ReportSeconds"]) == ([7], [2.5])
