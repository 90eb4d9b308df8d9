"""Writes canary.yaml: template.yaml, whose functions take a new version on by and by (docs/deployment.md, "By and by").

Every function that answers the API, or that a queue or an upload invokes, gets an alias; CodeDeploy sends a tenth of
its calls to the new version for ten minutes, and takes it back when an alarm rings. SAM cannot make an alias under a
condition (`AutoPublishAlias` takes a name, or a reference to one that is not empty), and the embedded AWS has no
CodeDeploy: so this is another template, made of the one that people read.
"""

import re
import sys
from collections.abc import Mapping
from itertools import batched

from scripts.template import PROJECT, events_of, load_template

CANARY = PROJECT / "canary.yaml"
ALIAS = "live"
_INVOKED_BY = {"Api": "Api", "SQS": "Queue", "S3": "Queue"}
_SERVER_ERRORS = {"Api": "ApiServerErrorsAlarm", "Queue": "ReplicationWorkerErrorsAlarm"}
# CloudWatch API reference, PutMetricAlarm: metric math over at most ten metrics.
_METRICS = 10


def functions() -> dict[str, str]:
    """Return the functions that get an alias, and what invokes them: `Api`, `Queue`.

    None that a schedule invokes as well, whose role names the function itself.
    """
    found = {}
    for name, resource in load_template()["Resources"].items():
        if resource["Type"] == "AWS::Serverless::Function":
            events = {event["Type"] for event in events_of(name)}
            kinds = {_INVOKED_BY[event] for event in events if event in _INVOKED_BY}
            if kinds and "ScheduleV2" not in events:
                (found[name],) = kinds
    return found


def canary() -> str:
    """Return the text of the template with aliases, deployments, their alarms and their role."""
    text = (PROJECT / "template.yaml").read_text("utf-8")
    chosen = functions()
    watched = _watched(chosen)
    alarm_of = {name: alarm for alarm, names in watched.items() for name in names}
    for name, kind in chosen.items():
        start = rf"^  {name}:\n    Type: AWS::Serverless::Function\n(?:    (?!Properties:).*\n)*    Properties:\n"
        heads = [found.end() for found in re.finditer(start, text, flags=re.MULTILINE)]
        if len(heads) != 1:
            raise ValueError(f"template.yaml has {name} {len(heads)} times as it is looked for")
        text = text[: heads[0]] + _deployed(kind, alarm_of[name]) + text[heads[0] :]
    text = _for_aliases(text, [name for name, kind in chosen.items() if kind == "Api"])
    made = "".join(_alarm(alarm, names) for alarm, names in watched.items())
    before, outputs, after = text.partition("\nOutputs:\n")
    return f"# Made of template.yaml by scripts/canary.\n{before}\n{_ROLE}{made}{outputs}{after}"


def _watched(chosen: Mapping[str, str]) -> dict[str, list[str]]:
    """Return the alarms, each with the functions that it watches."""
    found: dict[str, list[str]] = {}
    for kind in sorted(_SERVER_ERRORS):
        some = batched((name for name, one in chosen.items() if one == kind), _METRICS, strict=False)
        found |= {f"Deployed{kind}Errors{number or ''}Alarm": list(names) for number, names in enumerate(some)}
    return found


def _for_aliases(text: str, functions: list[str]) -> str:
    """Let the API invoke the aliases of its functions, and give it the permission to."""
    for name in functions:
        text = text.replace(f"/functions/${{{name}.Arn}}/invocations", f"/functions/${{{name}.Alias}}/invocations")
    permissions = "".join(_PERMISSION.format(name=name) for name in functions)
    text, times = re.subn(r"  Fn::ForEach::ApiPermissions:\n(?:    .*\n)+\n", lambda _: permissions, text)
    if times != 1:
        raise ValueError("template.yaml has no ApiPermissions as they are looked for")
    return text


# The same as in the loop, which cannot name aliases.
_PERMISSION = """\
  {name}ApiPermission:
    Type: AWS::Lambda::Permission
    Properties:
      Action: lambda:InvokeFunction
      FunctionName: !Ref {name}.Alias
      Principal: apigateway.amazonaws.com
      SourceArn: !Sub arn:${{AWS::Partition}}:execute-api:${{AWS::Region}}:${{AWS::AccountId}}:${{Api}}/*

"""


def _deployed(kind: str, alarm: str) -> str:
    return f"""\
      AutoPublishAlias: {ALIAS}
      AutoPublishAliasAllProperties: true  # layers and variables too
      DeploymentPreference:
        Type: Canary10Percent10Minutes
        Role: !GetAtt DeploymentRole.Arn
        Alarms: [!Ref {_SERVER_ERRORS[kind]}, !Ref {alarm}]
"""


_ROLE = """\
  DeploymentRole:
    Type: AWS::IAM::Role
    Properties:
      PermissionsBoundary: !If [Bounded, !Ref PermissionsBoundaryArn, !Ref AWS::NoValue]
      AssumeRolePolicyDocument:
        Version: "2012-10-17"
        Statement: [{Effect: Allow, Principal: {Service: codedeploy.amazonaws.com}, Action: sts:AssumeRole}]
      ManagedPolicyArns: [!Sub "arn:${AWS::Partition}:iam::aws:policy/service-role/AWSCodeDeployRoleForLambdaLimited"]

"""


def _alarm(alarm: str, names: list[str]) -> str:
    metrics = "".join(
        f"        - Id: m{number}\n"
        "          ReturnData: false\n"
        "          MetricStat: {Metric: {Namespace: AWS/Lambda, MetricName: Errors, "
        f"Dimensions: [{{Name: FunctionName, Value: !Ref {name}}}]}}, Period: 60, Stat: Sum}}\n"
        for number, name in enumerate(names)
    )
    return f"""\
  {alarm}:
    Type: AWS::CloudWatch::Alarm
    Properties:
      AlarmDescription: Functions raise; CodeDeploy takes a new version back. See docs/operations.md.
      Metrics:
        - {{Id: all, Expression: SUM(METRICS()), ReturnData: true}}
{metrics}\
      EvaluationPeriods: 1
      Threshold: 1
      ComparisonOperator: GreaterThanOrEqualToThreshold
      TreatMissingData: notBreaching
      AlarmActions: [!Ref FailureTopic]
      OKActions: [!Ref FailureTopic]

"""


def main() -> int:
    """Write the template; return an exit status."""
    CANARY.write_text(canary(), "utf-8")
    print(f"wrote {CANARY.name}: sam build --template {CANARY.name}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
