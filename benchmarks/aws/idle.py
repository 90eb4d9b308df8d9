"""What a stack with its defaults costs a month while nobody uses it, by list prices."""

import json
import re
from collections.abc import Iterator, Mapping

from benchmarks.billing_units import PriceTable
from benchmarks.harness import Benchmark, Figure, Lab
from benchmarks.harness.report import breakdown
from scripts.deployment import Deployment
from scripts.template import transformed_template

_MINUTES = 30 * 24 * 60
_UNIT_MINUTES = {"minute": 1, "hour": 60, "day": 24 * 60}
# Lambda developer guide, "Using Lambda with Amazon SQS", polling: five at first, each of which waits up to 20 seconds.
_POLLERS, _POLLS_A_MINUTE = 5, 3


def _measure(lab: Lab) -> Iterator[Figure]:
    prices = PriceTable.read()
    used = standing(Deployment(transformed_template(), AlertEmail="team@example.org"))
    dollars = {name: round(prices.usd(name, quantity), 2) for name, quantity in used.items()}
    rows = [[prices.prices[name].unit, used[name], dollars[name]] for name in used]
    lab.show(breakdown("A stack that nobody uses, a month", ["", "Number", "USD"], rows))
    how = (
        "the template with its defaults, times prices; without storage, logs and the time of functions on a schedule, "
        "and without what an account has for nothing"
    )
    yield Figure("aws.idle_usd_per_month", round(sum(dollars.values()), 2), "USD", how, dollars)


def standing(deployment: Deployment) -> Mapping[str, float]:
    """Return what a deployment uses in a month of 30 days without any work, by the names of prices.json."""

    def number(kind: str) -> int:
        return len(deployment.of_type(kind))

    mappings = deployment.of_type("AWS::Lambda::EventSourceMapping").values()
    queues = [one for one in mappings if "StartingPosition" not in one and one.get("Enabled") is not False]
    runs = sum(
        runs_a_month(one["ScheduleExpression"]) for one in deployment.of_type("AWS::Scheduler::Schedule").values()
    )
    return {
        "kms_keys": number("AWS::KMS::Key"),
        "secrets": number("AWS::SecretsManager::Secret"),
        "alarms": number("AWS::CloudWatch::Alarm"),
        "dashboards": number("AWS::CloudWatch::Dashboard"),
        "custom_metrics": len(own_metrics(deployment)),
        "schedule_invocations": runs,
        "lambda_requests": runs,
        "sqs_requests": len(queues) * _POLLERS * _POLLS_A_MINUTE * _MINUTES,
    }


def runs_a_month(expression: str) -> float:
    """Return how often `rate(5 minutes)` is in 30 days.

    Raises
    ------
    ValueError
        It is no rate.
    """
    found = re.fullmatch(r"rate\((\d+) (minute|hour|day)s?\)", expression)
    if found is None:
        raise ValueError(f"{expression} is no rate")
    return _MINUTES / (int(found[1]) * _UNIT_MINUTES[found[2]])


def own_metrics(deployment: Deployment) -> set[tuple[str, str]]:
    """Return service and name of the application's metrics that dashboards show and alarms watch."""
    found = {
        (alarm["Dimensions"][0]["Value"], alarm["MetricName"])
        for alarm in deployment.of_type("AWS::CloudWatch::Alarm").values()
        if alarm["Namespace"].startswith("Waybill/")
    }
    for dashboard in deployment.of_type("AWS::CloudWatch::Dashboard").values():
        for widget in json.loads(dashboard["DashboardBody"])["widgets"]:
            metrics = widget["properties"]["metrics"]
            if metrics[0][0].startswith("Waybill/"):
                service = metrics[0][3]
                found |= {(service, one[1]) for one in metrics if one[0] in (metrics[0][0], ".")}
    return found


BENCHMARKS = (Benchmark(("aws.idle_usd_per_month",), _measure),)
