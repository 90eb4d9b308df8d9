"""The template whose functions take a new version on by and by (AWS SAM developer guide, "Deploying gradually")."""

import json
import re
from typing import Any

import pytest

from scripts.canary import ALIAS, canary, functions
from scripts.deployment import Deployment
from scripts.limits import RESOURCES
from scripts.template import Tree, template_with_loops, transformed, transformed_template, without_loops
from tests.template.support.rules import every

CHOSEN = functions()


INVOKED = {
    name: one["Properties"]["FunctionName"]
    for name, one in transformed_template()["Resources"].items()
    if one["Type"] in {"AWS::Lambda::EventSourceMapping", "AWS::Lambda::Permission"}
}


@pytest.fixture(scope="module")
def template() -> Tree:
    """What SAM makes of it; `Written` is what names a function besides, as texts."""
    made = transformed(without_loops(template_with_loops(canary())))
    kinds = ("AWS::ApiGateway::RestApi", "AWS::S3::Bucket")
    return made | {"Written": {kind: json.dumps(of_type(made, kind)) for kind in kinds}}


def of_type(template: Tree, kind: str) -> dict[str, Any]:
    return {name: one for name, one in template["Resources"].items() if one["Type"] == kind}


def test_a_stack_holds_it(template: Tree) -> None:
    """CloudFormation user guide, "CloudFormation quotas": 500."""
    assert len(template["Resources"]) <= RESOURCES


def test_what_answers_the_api_and_what_queues_invoke_is_taken_on_by_and_by() -> None:
    assert {"ScanApiFunction", "ConsoleFunction", "ScanObjectsFunction", "ReplicationWorkerFunction"} <= set(CHOSEN)
    assert "CopyFileFunction" not in CHOSEN  # a state machine invokes it by its own ARN
    assert "AuthoriseFunction" not in CHOSEN  # what it refuses counts as an error


@every("function", CHOSEN)
def test_a_bad_version_is_taken_back(template: Tree, function: str) -> None:
    policy = template["Resources"][f"{function}Alias{ALIAS}"]["UpdatePolicy"]["CodeDeployLambdaAliasUpdate"]
    group = template["Resources"][policy["DeploymentGroupName"]["Ref"]]["Properties"]
    assert "DEPLOYMENT_STOP_ON_ALARM" in group["AutoRollbackConfiguration"]["Events"]
    alarms = [one["Name"]["Ref"] for one in group["AlarmConfiguration"]["Alarms"]]
    assert {template["Resources"][alarm]["Type"] for alarm in alarms} == {"AWS::CloudWatch::Alarm"}
    watched = json.dumps([template["Resources"][alarm]["Properties"] for alarm in alarms])
    assert f'{{"Ref": "{function}"}}' in watched
    assert group["ServiceRoleArn"] == {"Fn::GetAtt": "DeploymentRole.Arn"}


@every("function", CHOSEN)
def test_whatever_invoked_the_function_invokes_its_alias(template: Tree, function: str) -> None:
    """Requests, messages and uploads, and the permissions of those who send them."""
    alias = {"Ref": f"{function}Alias{ALIAS}"}
    for name, invoked in INVOKED.items():
        if invoked == {"Ref": function}:
            assert template["Resources"][name]["Properties"]["FunctionName"] == alias, name
    assert f"{function}.Arn}}" not in template["Written"]["AWS::ApiGateway::RestApi"]
    buckets = template["Written"]["AWS::S3::Bucket"]
    assert f'"{function}.Arn"' not in buckets
    assert json.dumps([function, "Arn"]) not in buckets


def test_nothing_else_is_another(template: Tree) -> None:
    before = transformed_template()["Resources"]
    differs = {name for name, one in before.items() if template["Resources"].get(name) != one}
    # Those of the test before, the API with its deployment and its stage, the bucket of uploads, and where a failed
    # event goes.
    kinds = {before[name]["Type"] for name in differs}
    assert kinds <= {
        "AWS::Lambda::EventInvokeConfig",
        "AWS::Lambda::EventSourceMapping",
        "AWS::Lambda::Permission",
        "AWS::ApiGateway::RestApi",
        "AWS::ApiGateway::Deployment",
        "AWS::ApiGateway::Stage",
        "AWS::S3::Bucket",
    }


def test_its_role_is_within_the_boundary(template: Tree) -> None:
    boundary = "arn:aws:iam::123456789012:policy/boundary"
    role = Deployment(template, PermissionsBoundaryArn=boundary).of_type("AWS::IAM::Role")["DeploymentRole"]
    assert role["PermissionsBoundary"] == boundary
    (statement,) = role["AssumeRolePolicyDocument"]["Statement"]
    assert statement["Principal"] == {"Service": "codedeploy.amazonaws.com"}


def alarms(template: Tree, kind: str) -> list[str]:
    return [name for name in template["Resources"] if re.fullmatch(rf"Deployed{kind}Errors\d*Alarm", name)]


@every("kind", ["Api", "Queue"])
def test_its_alarms_ring_for_every_function(template: Tree, kind: str) -> None:
    watched = [
        metric["MetricStat"]["Metric"]["Dimensions"][0]["Value"]["Ref"]
        for alarm in alarms(template, kind)
        for metric in template["Resources"][alarm]["Properties"]["Metrics"]
        if not metric["ReturnData"]
    ]
    assert sorted(watched) == sorted(name for name, one in CHOSEN.items() if one == kind)


@every("alarm", ["DeployedApiErrorsAlarm", "DeployedApiErrors1Alarm", "DeployedQueueErrorsAlarm"])
def test_its_alarms_ring_within_the_ten_minutes(template: Tree, alarm: str) -> None:
    properties = template["Resources"][alarm]["Properties"]
    (expression,) = [one for one in properties["Metrics"] if one["ReturnData"]]
    assert expression["Expression"] == "SUM(METRICS())"
    metrics = [one["MetricStat"] for one in properties["Metrics"] if not one["ReturnData"]]
    assert len(metrics) <= 10  # CloudWatch API reference, PutMetricAlarm
    assert {metric["Period"] * properties["EvaluationPeriods"] for metric in metrics} == {60}
    assert properties["AlarmActions"] == [{"Ref": "FailureTopic"}]
