"""What a stack costs that nobody uses."""

import pytest

from benchmarks.aws.idle import runs_a_month, standing
from scripts.deployment import Deployment


@pytest.mark.parametrize(
    ("expression", "runs"),
    [("rate(5 minutes)", 8640), ("rate(1 minute)", 43_200), ("rate(1 hour)", 720), ("rate(1 day)", 30)],
)
def test_a_month_has_30_days(expression: str, runs: int) -> None:
    assert runs_a_month(expression) == runs


def test_what_is_no_rate_is_not_guessed() -> None:
    with pytest.raises(ValueError, match="is no rate"):
        runs_a_month("cron(0 6 * * ? *)")


def test_what_stands_is_counted_and_queues_are_asked() -> None:
    """Lambda developer guide, "Using Lambda with Amazon SQS": five pollers at first, which wait up to 20 seconds."""
    alarm = {"Namespace": "Waybill/s", "MetricName": "M", "Dimensions": [{"Name": "service", "Value": "scanning"}]}
    widgets = (
        '{"widgets": [{"properties": {"metrics": [["Waybill/s", "M", "service", "scanning"], [".", "N", ".", "."]]}}]}'
    )
    resources = {
        "Key": ("KMS::Key", {}),
        "Alarm": ("CloudWatch::Alarm", alarm),
        "Other": ("CloudWatch::Alarm", {"Namespace": "AWS/SQS", "MetricName": "Age", "Dimensions": []}),
        "Board": ("CloudWatch::Dashboard", {"DashboardBody": widgets}),
        "Queue": ("Lambda::EventSourceMapping", {}),
        "Stream": ("Lambda::EventSourceMapping", {"StartingPosition": "LATEST"}),
        "Often": ("Scheduler::Schedule", {"ScheduleExpression": "rate(1 hour)"}),
    }
    made = {name: {"Type": f"AWS::{kind}", "Properties": one} for name, (kind, one) in resources.items()}
    deployment = Deployment({"Resources": made, "Conditions": {}, "Parameters": {}})
    assert standing(deployment) == {
        "kms_keys": 1,
        "secrets": 0,
        "alarms": 2,
        "dashboards": 1,
        "custom_metrics": 2,
        "schedule_invocations": 720,
        "lambda_requests": 720,
        "sqs_requests": 648_000,
    }
