"""Alarms and the dashboard: what is watched, that somebody hears of it, and that it exists."""

import json
import re
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from scripts.template import load_template, readable, readable_list, statements
from tests.template.support.rules import every
from tests.template.support.stack import Stack, made_names, target

ALARMS = made_names("AWS::CloudWatch::Alarm")
DASHBOARDS = made_names("AWS::CloudWatch::Dashboard")
WATCHED_FUNCTIONS = ["ReplicationWorkerFunction", "CopyFileFunction"]

_COUNTED = re.compile(r'count(?:_by)?\((?:WORKFLOW|SERVICE), f?"(?P<name>[A-Za-z_.]+)')
_VARIABLE = re.compile(r"\$\{(?P<name>[^}]+)\}")

every_alarm = every("alarm", ALARMS)


# Stacks of one account and Region share every namespace that does not name them.
OURS = "Waybill/<stack>"


class Metric(NamedTuple):
    """A metric, and the resources that its dimensions name."""

    namespace: str
    name: str
    of: frozenset[str]


def metric_of(alarm: dict[str, Any]) -> Metric:
    of = frozenset(readable(one["Value"]).partition(".")[0] for one in alarm["Dimensions"])
    return Metric(readable(alarm["Namespace"]), alarm["MetricName"], of)


@pytest.fixture(scope="session")
def watched(stack: Stack) -> set[Metric]:
    """What alarms watch."""
    return {metric_of(alarm) for alarm in stack.of_type("AWS::CloudWatch::Alarm").values()}


@pytest.fixture(scope="session")
def counted(project: Path) -> dict[str, set[str]]:
    """The metrics that the code counts, by service: a package's name, written with hyphens."""
    packages = (project / "src" / "waybill").iterdir()
    return {
        package.name.replace("_", "-"): {
            found["name"] for module in package.rglob("*.py") for found in _COUNTED.finditer(module.read_text("utf-8"))
        }
        for package in packages
        if package.is_dir()
    }


@every_alarm
def test_an_alarm_tells_people(stack: Stack, alarm: str) -> None:
    (topic,) = (target(action) for action in stack[alarm]["AlarmActions"])
    # Whoever hears that it began hears that it is over (CloudFormation, AWS::CloudWatch::Alarm, `OKActions`).
    assert stack[alarm]["OKActions"] == stack[alarm]["AlarmActions"]
    assert stack.resources[topic]["Type"] == "AWS::SNS::Topic"
    assert "cloudwatch.amazonaws.com" in allowed_services(stack["FailureTopicPolicy"]["PolicyDocument"], "sns:Publish")
    key = target(stack[topic]["KmsMasterKeyId"])
    for action in ("kms:Decrypt", "kms:GenerateDataKey*"):
        assert "cloudwatch.amazonaws.com" in allowed_services(stack[key]["KeyPolicy"], action)


@every_alarm
def test_an_alarm_is_silent_when_nothing_happens(stack: Stack, alarm: str) -> None:
    assert stack[alarm]["TreatMissingData"] == "notBreaching"
    assert stack[alarm]["ComparisonOperator"] == "GreaterThanOrEqualToThreshold"
    threshold = stack[alarm]["Threshold"]
    # Of one that a parameter sets, the smallest that it takes.
    lowest = stack.template["Parameters"][threshold["Ref"]]["MinValue"] if isinstance(threshold, dict) else threshold
    assert lowest >= 1


@every_alarm
def test_an_alarm_says_what_to_do(stack: Stack, project: Path, alarm: str) -> None:
    assert stack[alarm]["AlarmDescription"].endswith("See docs/operations.md.")
    assert f"`{alarm}`" in (project / "docs" / "operations.md").read_text("utf-8")


@every("machine", made_names("AWS::StepFunctions::StateMachine"))
@every("metric", ["ExecutionsFailed", "ExecutionsTimedOut"])
def test_executions_that_fail_or_time_out_raise_an_alarm(
    stack: Stack, watched: set[Metric], machine: str, metric: str
) -> None:
    assert Metric("AWS/States", metric, frozenset({machine})) in watched
    conditions = {
        resource.get("Condition")
        for resource in stack.resources.values()
        if resource["Type"] == "AWS::CloudWatch::Alarm"
        and metric_of(resource["Properties"]) == Metric("AWS/States", metric, frozenset({machine}))
    }
    assert conditions == {stack.resources[machine].get("Condition")}


@every("queue", made_names("AWS::SQS::Queue"))
def test_messages_that_wait_raise_an_alarm(stack: Stack, watched: set[Metric], queue: str) -> None:
    mappings = stack.of_type("AWS::Lambda::EventSourceMapping").values()
    read = any(target(mapping["EventSourceArn"]) == queue for mapping in mappings)
    metric = "ApproximateAgeOfOldestMessage" if read else "ApproximateNumberOfMessagesVisible"
    assert Metric("AWS/SQS", metric, frozenset({queue})) in watched


@every("function", WATCHED_FUNCTIONS)
def test_throttled_functions_raise_an_alarm(watched: set[Metric], function: str) -> None:
    assert Metric("AWS/Lambda", "Throttles", frozenset({function})) in watched


def test_a_chain_of_messages_that_lambda_ends_raises_an_alarm(stack: Stack, watched: set[Metric]) -> None:
    """Lambda drops what comes back some 16 times (developer guide, "Use Lambda recursive loop detection")."""
    functions = stack.of_type("AWS::Lambda::Function")
    mappings = stack.of_type("AWS::Lambda::EventSourceMapping").values()
    # It does not see loops that a DynamoDB table is part of.
    invoked = {target(mapping["FunctionName"]) for mapping in mappings if "StartingPosition" not in mapping}
    invoked |= {name for name in functions if any(event.kind in {"S3", "SNS"} for event in stack.events(name))}
    protected = {name for name in invoked if functions[name].get("RecursiveLoop") != "Allow"}
    assert protected
    dropped = {name for metric in watched if metric.name == "RecursiveInvocationsDropped" for name in metric.of}
    assert dropped == protected


def test_an_authoriser_that_cannot_judge_raises_an_alarm(watched: set[Metric]) -> None:
    assert Metric(OURS, "AuthoriserFaults", frozenset({"gateway"})) in watched


def test_the_topic_that_cannot_be_reached_raises_an_alarm(watched: set[Metric]) -> None:
    assert Metric("AWS/Lambda", "Errors", frozenset({"SendFailureNotificationFunction"})) in watched


@every_alarm
def test_an_alarm_watches_what_there_is(stack: Stack, counted: dict[str, set[str]], alarm: str) -> None:
    metric = metric_of(stack[alarm])
    if metric.namespace == OURS:
        (service,) = metric.of
        assert metric.name in counted[service]
    else:
        assert metric.of & set(stack.resources) or metric.of == {"<stack>-api", "Stage"}


@every("dashboard", DASHBOARDS)
def test_a_dashboard_shows_what_there_is(stack: Stack, counted: dict[str, set[str]], dashboard: str) -> None:
    text, variables = stack[dashboard]["DashboardBody"]["Fn::Sub"]
    named = {found["name"] for found in _VARIABLE.finditer(text)}
    assert {name for name in named if not name.startswith("AWS::")} == set(variables)
    assert all(target(value) in stack.resources for value in variables.values())
    body = json.loads(_VARIABLE.sub(lambda found: found["name"], text))
    assert body["widgets"]
    for widget in body["widgets"]:
        assert widget["properties"]["region"] == "AWS::Region"
        for metric in rows(widget["properties"]["metrics"]):
            if metric[0] == "Waybill/AWS::StackName":
                assert metric[1] in counted[metric[3]]
            else:
                assert metric[3] in variables or metric[3] == "AWS::StackName-api"


@every("dashboard", DASHBOARDS)
def test_no_widget_lies_on_another(stack: Stack, dashboard: str) -> None:
    text, _ = stack[dashboard]["DashboardBody"]["Fn::Sub"]
    cells = [
        (x, y)
        for widget in json.loads(text)["widgets"]
        for x in range(widget["x"], widget["x"] + widget["width"])
        for y in range(widget["y"], widget["y"] + widget["height"])
    ]
    assert len(cells) == len(set(cells))
    assert max(x for x, _ in cells) < 24


def test_every_log_group_forgets(stack: Stack) -> None:
    groups = stack.of_type("AWS::Logs::LogGroup")
    assert groups
    assert all(group["RetentionInDays"] == {"Ref": "LogRetentionDays"} for group in groups.values())


def test_state_machines_log_and_trace_without_what_they_carry(stack: Stack) -> None:
    for machine in stack.of_type("AWS::StepFunctions::StateMachine").values():
        logging = machine["LoggingConfiguration"]
        (destination,) = logging["Destinations"]
        group = target(destination["CloudWatchLogsLogGroup"]["LogGroupArn"])
        assert stack.resources[group]["Type"] == "AWS::Logs::LogGroup"
        assert logging["Level"] in {"ERROR", "ALL"}
        assert logging["IncludeExecutionData"] is False
        assert machine["TracingConfiguration"] == {"Enabled": True}


def test_the_api_logs_its_requests(stack: Stack) -> None:
    (stage,) = stack.of_type("AWS::ApiGateway::Stage").values()
    condition, logged, _ = stage["AccessLogSetting"]["Fn::If"]
    assert condition == "ApiAccessLogged"
    assert readable(logged["DestinationArn"]).endswith(":log-group:<ApiAccessLogGroup>")
    assert stage["TracingEnabled"] is True
    # The stage takes a log group only when API Gateway has a role to write with.
    assert load_template()["Resources"]["Api"]["DependsOn"] == "ApiGatewayAccount"
    assert stack.resources["Api"]["DependsOn"] == "ApiGatewayAccount"


def rows(metrics: list[list[Any]]) -> list[list[str]]:
    """The metrics of a widget with `.` (as above) and `...` (all of it as above) written out."""
    found: list[list[str]] = []
    for metric in metrics:
        texts = [part for part in metric if isinstance(part, str)]
        if texts[0] == "...":
            before = found[-1]
            texts = before[: len(before) - len(texts) + 1] + texts[1:]
        found.append([found[-1][place] if part == "." else part for place, part in enumerate(texts)])
    return found


def allowed_services(document: dict[str, Any], action: str) -> set[str]:
    return {
        service
        for statement, _ in statements(document)
        if statement["Effect"] == "Allow" and action in readable_list(statement["Action"])
        for service in readable_list(statement["Principal"].get("Service", []))
    }
