"""What is told of drawing."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.fakes.api import LambdaContext
from tests.fakes.subject_access import a_part
from waybill.core.observability import instrumented
from waybill.subject_access import WORKFLOW
from waybill.subject_access.adapters.report_metrics import record_part, record_report
from waybill.subject_access.adapters.upstream_metrics import told as fetched_told
from waybill.subject_access.models import Part, PartStatus, StoredReport


def told(capsys: pytest.CaptureFixture[str], tell: Any, *arguments: Any) -> list[dict[str, Any]]:
    """The metrics of one invocation: a record for each set of dimensions."""

    @instrumented(WORKFLOW)
    def handler(event: Any, context: Any) -> None:
        tell(*arguments)

    handler({}, LambdaContext())
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    return [line for line in lines if "_aws" in line]


def test_a_part_is_timed(capsys: pytest.CaptureFixture[str]) -> None:
    (metrics,) = told(capsys, record_part, a_part(status=PartStatus.COMPLETE, pages=3), 1.25)
    assert metrics["RenderSeconds"] == [1.25]
    assert "PartErrors" not in metrics


@pytest.mark.parametrize("tell", [lambda part: record_part(part, 0.5), fetched_told])
def test_a_part_in_error_is_counted_as_a_whole_and_for_its_service(
    capsys: pytest.CaptureFixture[str], tell: Callable[[Part], None]
) -> None:
    metrics = told(capsys, tell, a_part("G1", status=PartStatus.ERRORED))
    assert [one["PartErrors"] for one in metrics] == [[1], [1]]
    dimensions = [one["_aws"]["CloudWatchMetrics"][0]["Dimensions"] for one in metrics]
    assert sorted(dimensions, key=str) == [[["service", "upstream"]], [["service"]]]
    assert [one["upstream"] for one in metrics if "upstream" in one] == ["G1"]


def test_the_pages_of_a_report_are_counted(capsys: pytest.CaptureFixture[str]) -> None:
    (metrics,) = told(capsys, record_report, StoredReport("key", 10, "", 7), 2.5)
    assert (metrics["ReportPages"], metrics["ReportSeconds"]) == ([7], [2.5])
