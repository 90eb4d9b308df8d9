"""What people rely on: parameters, outputs, names; and what CloudFormation asks of a template."""

import json
import re
from collections.abc import Iterator
from graphlib import TopologicalSorter
from typing import Any

from scripts.template import PROJECT, load_template, readable
from tests.template.support.references import needs, references
from tests.template.support.rules import every
from tests.template.support.stack import Stack

OUTPUTS = [
    "ApiUrl",
    "FailureTopicArn",
    "SourceBucketName",
    "DestinationBucketNames",
    "FileCopyTrackingTableName",
    "FileCopyWorkflowArn",
    "ReplicationWorkerFunctionName",
    "StepFunctionInvokerFunctionName",
    "SubjectAccessTableName",
    "SubjectAccessReportsBucketName",
    "SubjectAccessWorkflowArn",
]
PARAMETERS = [
    "AlertEmail",
    "Architecture",
    "AuthAudience",
    "AuthIssuer",
    "AuthJwks",
    "AuthJwksUrl",
    "LogLevel",
    "ReplicationWorkflowType",
    "Stage",
]
# AWS CloudFormation user guide, "CloudFormation quotas".
MOST_RESOURCES, MOST_PARAMETERS, MOST_OUTPUTS, LONGEST_DESCRIPTION = 500, 200, 200, 4000
# Compared by the letter with what tokens and keys hold, passed on as it is, or words.
FREE_TEXT = {
    *("AuthIssuer", "AuthAudience", "AuthRolePrefix", "KeyPrefix", "KeySuffix", "ForbiddenWords"),
    *("ConsoleClientId", "ConsoleScopes", "ConsoleAuthorizeParameters"),
}
# Names that hold within a table, an alarm, a role, a plan or an API; and a layer's, whose versions are counted: every
# stack uses those that it has made.
WITHIN = {
    *("AttributeName", "IndexName", "MetricName", "PolicyName", "RuleName", "SelectionName", "StageName"),
    "LayerName",
}
NAME_PROPERTIES = {"BucketName", "FunctionName", "QueueName", "RoleName", "ManagedPolicyName", "TableName", "TopicName"}

every_parameter = every("parameter", load_template()["Parameters"])


def test_the_template_has_room_for_more(stack: Stack) -> None:
    count = len(stack.resources)
    print(f"{count} of {MOST_RESOURCES} resources")
    assert count < MOST_RESOURCES
    assert len(stack.template["Parameters"]) < MOST_PARAMETERS
    assert len(stack.template["Outputs"]) < MOST_OUTPUTS


def test_no_resource_waits_for_itself(stack: Stack) -> None:
    # Raises CycleError, which names the resources.
    assert set(TopologicalSorter(needs(stack.resources)).static_order()) == set(stack.resources)


def test_nothing_refers_to_what_is_not_there(stack: Stack) -> None:
    known = {*stack.resources, *stack.template["Parameters"]}
    written = [stack.resources, stack.template["Outputs"], stack.template["Conditions"]]
    assert {name for name in references(written) if not name.startswith("AWS::")} <= known


@every("name", PARAMETERS)
def test_parameters_of_the_contract(stack: Stack, name: str) -> None:
    assert name in stack.template["Parameters"]


@every_parameter
def test_a_parameter_explains_itself_and_has_a_default(stack: Stack, parameter: str) -> None:
    definition = stack.template["Parameters"][parameter]
    assert definition["Description"].endswith(".")
    assert len(definition["Description"]) <= LONGEST_DESCRIPTION
    assert "Default" in definition
    if "AllowedValues" in definition:
        assert definition["Default"] in definition["AllowedValues"]


def test_the_choice_of_a_workflow_names_both_prices_as_the_readme_has_them(stack: Stack) -> None:
    """Which are those of `make bench`: somebody who deploys with questions sees no other page."""
    text = stack.template["Parameters"]["ReplicationWorkflowType"]["Description"]
    readme = (PROJECT / "README.md").read_text("utf-8")
    prices = {kind: re.search(rf"(\$\d+) as `[^`]*{kind}`", readme) for kind in ("STANDARD", "EXPRESS")}
    for kind, price in prices.items():
        assert price, kind
        assert price[1] in text, kind


def test_a_parameter_that_has_a_form_says_so(stack: Stack) -> None:
    """What is found out after a hundred resources could be refused before any (CloudFormation, "Parameters")."""
    free = {
        name
        for name, one in stack.template["Parameters"].items()
        if one["Type"] != "Number" and not {"AllowedPattern", "AllowedValues"} & set(one)
    }
    assert free == FREE_TEXT
    assert [name for name in free if "MaxLength" not in stack.template["Parameters"][name]] == []


@every_parameter
def test_a_parameter_has_its_place_in_the_console(stack: Stack, parameter: str) -> None:
    groups = stack.source["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
    assert [parameter for group in groups for name in group["Parameters"] if name == parameter] == [parameter]


@every_parameter
def test_a_parameter_changes_something(stack: Stack, parameter: str) -> None:
    assert parameter in set(references([stack.resources, stack.template["Conditions"]]))


@every("name", OUTPUTS)
def test_outputs_of_the_contract(stack: Stack, name: str) -> None:
    output = stack.template["Outputs"][name]
    assert output["Description"]
    assert "Condition" not in output


def test_physical_names_are_cloudformations_but_those_of_the_state_machines(stack: Stack) -> None:
    for name, resource in stack.resources.items():
        if resource["Type"] not in {
            "AWS::Lambda::EventInvokeConfig",
            "AWS::Lambda::EventSourceMapping",
            "AWS::Lambda::Permission",
        }:
            assert not NAME_PROPERTIES & set(resource.get("Properties", {})), name
    for machine in stack.of_type("AWS::StepFunctions::StateMachine").values():
        assert readable(machine["StateMachineName"]).startswith("<stack>-")


def test_a_schedule_that_eventbridge_refuses_is_refused_before_anything_is_made(stack: Stack) -> None:
    """EventBridge Scheduler user guide, "Schedule types": rates in minutes, hours and days; cron has six fields."""
    taken = ["rate(1 minute)", "rate(15 minutes)", "rate(1 hour)", "cron(0 10 * * ? *)", "cron(0/15 * ? * MON-FRI *)"]
    refused = ["", "15 minutes", "rate(5 seconds)", "rate(0 minutes)", "rate(15 minutes) ", "rate(5)", "cron(* * *)"]
    schedules = stack.of_type("AWS::Scheduler::Schedule").values()
    named = {name for schedule in schedules for name in references(schedule["ScheduleExpression"])}
    assert named
    for name in named:
        parameter = stack.template["Parameters"][name]
        for text in [*taken, parameter["Default"]]:
            assert re.fullmatch(parameter["AllowedPattern"], text), (name, text)
        # An empty one, where it is the default, means never.
        for text in refused if parameter["Default"] else refused[1:]:
            assert not re.fullmatch(parameter["AllowedPattern"], text), (name, text)


def test_two_stacks_neither_hear_nor_watch_each_other(stack: Stack) -> None:
    """The default bus and a metric's namespace are shared by all stacks of an account and Region."""
    # What is uploaded into a bucket that both are told to scan, both scan, and what they both watch, both record.
    own = {*stack.resources, "AWS::StackName", "ScanUploadsOf", "CustodyWatchBuckets"}
    rules = stack.of_type("AWS::Events::Rule")
    assert [name for name, rule in rules.items() if not own & set(references(rule["EventPattern"]))] == []
    alarms = stack.of_type("AWS::CloudWatch::Alarm")
    assert [
        name for name, alarm in alarms.items() if not own & set(references([alarm["Namespace"], alarm["Dimensions"]]))
    ] == []
    for dashboard in stack.of_type("AWS::CloudWatch::Dashboard").values():
        text, variables = dashboard["DashboardBody"]["Fn::Sub"]
        for widget in json.loads(text)["widgets"]:
            first, *_ = widget["properties"]["metrics"]
            named = set(re.findall(r"\$\{([\w:]+)\}", json.dumps(first)))
            assert named & {*variables, "AWS::StackName"}, widget["properties"]["title"]


def test_two_stacks_share_no_name(stack: Stack) -> None:
    """What has a name of its own, or a metric's namespace, carries the stack's, or whoever deploys chooses it."""
    own = {*stack.resources, *stack.template["Parameters"], "AWS::StackName", "AWS::StackId"}
    found = {
        f"{name} {key}": value
        for name, resource in stack.resources.items()
        for key, value in names_in(resource.get("Properties", {}))
    }
    assert {"Dashboard DashboardName", "FileCopyWorkflow StateMachineName"} <= set(found)
    shared = {
        place
        for place, value in found.items()
        if not own & set(references(value)) and not str(value).startswith("AWS/")  # the namespaces of AWS's services
    }
    assert shared == set()
    assert [name for name, output in stack.template["Outputs"].items() if "Export" in output] == []


def names_in(value: Any) -> Iterator[tuple[str, Any]]:
    """Every name within the properties of a resource that is not one of something within that resource alone."""
    if isinstance(value, list):
        for one in value:
            yield from names_in(one)
    elif isinstance(value, dict):
        for key, one in value.items():
            if key.endswith(("Name", "Namespace")) and key not in WITHIN:
                yield key, one
            elif key not in {"Body", "Dimensions", "DefinitionSubstitutions", "Environment"}:
                yield from names_in(one)
