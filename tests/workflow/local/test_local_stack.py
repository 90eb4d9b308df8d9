"""The local stack's life, with a small application: up, up again, a change, down."""

import json
import os
import shutil
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.workflow.support.polling import until
from waybill.cli.local.errors import LocalStackError
from waybill.cli.local.ministack import free_port
from waybill.cli.local.stack import LocalStack

TEMPLATE = """
AWSTemplateFormatVersion: "2010-09-09"
Transform: AWS::Serverless-2016-10-31
Parameters:
  AuthJwks: {Type: String, Default: ""}
  AuthIssuer: {Type: String, Default: ""}
  AuthAudience: {Type: String, Default: ""}
  Greeting: {Type: String, Default: hello}
Resources:
  Api:
    Type: AWS::Serverless::Api
    Properties: {StageName: v1}
  AuthLayer:
    Type: AWS::Serverless::LayerVersion
    Metadata: {BuildMethod: makefile}
    Properties: {ContentUri: layers/auth, CompatibleRuntimes: [python3.13]}
  HealthFunction:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: python3.13
      CodeUri: src/
      Handler: health.lambda_handler
      Timeout: 30
      Layers: [!Ref AuthLayer]
      Environment:
        Variables: {JWKS: !Ref AuthJwks, GREETING: !Ref Greeting}
      Events:
        Health: {Type: Api, Properties: {RestApiId: !Ref Api, Path: /health, Method: get}}
Outputs:
  ApiUrl: {Value: !Sub "https://${Api}.execute-api.${AWS::Region}.${AWS::URLSuffix}/v1"}
  FunctionName: {Value: !Ref HealthFunction}
"""

BROKEN_RESOURCE = """
  Broken:
    Type: AWS::Lambda::Url
    Properties: {AuthType: AWS_IAM, TargetFunctionArn: no-such-function}
"""

HANDLER = """
import json, os
import boto3, jwt

def lambda_handler(event, context):
    keys = jwt.PyJWKSet.from_dict(json.loads(os.environ["JWKS"])).keys
    body = {"version": 1, "greeting": os.environ["GREETING"], "keys": [key.key_id for key in keys]}
    return {"statusCode": 200, "body": json.dumps(body)}
"""


# The same without a layer, which takes longer to build than all else together.
_LAYER = TEMPLATE[TEMPLATE.index("  AuthLayer:\n") : TEMPLATE.index("  HealthFunction:\n")]
PLAIN_TEMPLATE = TEMPLATE.replace(_LAYER, "").replace("      Layers: [!Ref AuthLayer]\n", "")
PLAIN_HANDLER = (
    HANDLER.replace("boto3, jwt", "boto3")
    .replace('jwt.PyJWKSet.from_dict(json.loads(os.environ["JWKS"])).keys', 'json.loads(os.environ["JWKS"])["keys"]')
    .replace("key.key_id", 'key["kid"]')
)


@pytest.fixture
def application(project: Path, tmp_path: Path) -> Path:
    """A project with one function and one route, which uses this project's tools."""
    for tools in (".local", "tools"):
        (tmp_path / tools).symlink_to(project / tools)
    shutil.copytree(project / "layers", tmp_path / "layers")
    shutil.copy(project / "samconfig.toml", tmp_path)
    (tmp_path / "template.yaml").write_text(PLAIN_TEMPLATE)
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "health.py").write_text(PLAIN_HANDLER)
    return tmp_path


@pytest.fixture
def layered(application: Path) -> None:
    """Give the project's function a layer."""
    (application / "template.yaml").write_text(TEMPLATE)
    (application / "src" / "health.py").write_text(HANDLER)


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def stack(application: Path, said: list[str]) -> Iterator[LocalStack]:
    stack = LocalStack(
        application,
        port=free_port(),
        state_dir=application / "state",
        parameters={"Greeting": 'a "quoted" word'},
        report=said.append,
    )
    yield stack
    stack.down()


def health(stack: LocalStack) -> dict[str, Any]:
    url = json.loads(stack.stack_file.read_text())["apiUrl"]
    with urllib.request.urlopen(f"{url}/health", timeout=60) as answer:
        content: dict[str, Any] = json.load(answer)
    return content


@pytest.mark.usefixtures("layered")
def test_up_deploys_once_and_again_only_what_changed_and_down_leaves_nothing(
    stack: LocalStack, application: Path, said: list[str]
) -> None:
    first = stack.up()
    assert first.outputs["FunctionName"]
    assert health(stack) == {"version": 1, "greeting": 'a "quoted" word', "keys": [stack.signing_key.kid]}
    assert "building" in said

    said.clear()
    assert stack.up() == first
    assert said == ["nothing changed since the last deployment"]

    layer = application / ".aws-sam" / "build" / "AuthLayer" / "python" / "jwt" / "__init__.py"
    built = layer.stat().st_ino, layer.stat().st_mtime
    handler = application / "src" / "health.py"
    handler.write_text(HANDLER.replace('"version": 1', '"version": 2'))
    said.clear()
    second = stack.up()
    assert said == ["building", "deploying", "waiting for the API"]
    assert second.outputs == first.outputs
    assert health(stack)["version"] == 2
    assert (application / ".aws-sam" / "cache").is_dir()
    assert layer.stat().st_mtime == built[1]

    if Path("/proc/self/stat").exists():  # processes are counted in /proc
        group = stack.ministack.pid
        assert group is not None
        assert len(members(group)) > 1  # MiniStack and the function that answered /health
        assert stack.down()
        assert members(group) == []
        assert not stack.stack_file.exists()
        assert not stack.down()


def test_failed_deployment_names_the_resource_and_the_next_up_recovers(stack: LocalStack, application: Path) -> None:
    template = application / "template.yaml"
    template.write_text(PLAIN_TEMPLATE.replace("Outputs:", BROKEN_RESOURCE + "Outputs:"))
    with pytest.raises(LocalStackError, match=r"the deployment failed .*Broken"):
        stack.up()
    assert not stack.stack_file.exists()

    template.write_text(PLAIN_TEMPLATE)
    stack.up()
    assert health(stack)["version"] == 1


@pytest.mark.long
def test_two_stacks_run_beside_each_other(stack: LocalStack, application: Path) -> None:
    stack.up()
    with LocalStack(application, port=free_port(), state_dir=application / "other", parameters={}) as other:
        assert health(other)["greeting"] == "hello"
        assert health(stack)["greeting"] == 'a "quoted" word'
        assert other.signing_key.kid != stack.signing_key.kid
    with pytest.raises(urllib.error.URLError):
        urllib.request.urlopen(f"http://127.0.0.1:{other.ministack.port}/_ministack/health", timeout=5)
    assert stack.ministack.healthy()


def test_events_wait_for_a_process_instead_of_being_throttled(application: Path) -> None:
    work = "def lambda_handler(event, context):\n    time.sleep(event.get('work', 0))"
    busy = PLAIN_HANDLER.replace("import json, os", "import json, os, time")
    (application / "src" / "health.py").write_text(busy.replace("def lambda_handler(event, context):", work))
    environment = {"LAMBDA_ACCOUNT_CONCURRENCY": "1", "LAMBDA_ASYNC_RETRY_BASE_SECONDS": "0.01"}
    with LocalStack(application, port=free_port(), state_dir=application / "state", environment=environment) as stack:
        name = stack.up().outputs["FunctionName"]
        before = ended(stack, name)
        for _ in range(12):
            event = json.dumps({"work": 0.1}).encode()
            stack.client("lambda").invoke(FunctionName=name, InvocationType="Event", Payload=event)

        until(lambda: ended(stack, name) - before >= 12, "every event has its turn")


def ended(stack: LocalStack, function: str) -> int:
    """How many invocations of a function have ended."""
    pages = stack.client("logs").get_paginator("filter_log_events").paginate(logGroupName=f"/aws/lambda/{function}")
    return sum(event["message"].startswith("REPORT") for page in pages for event in page["events"])


def members(group: int) -> list[int]:
    """Processes of a group that run."""
    found = []
    for entry in os.scandir("/proc"):
        if entry.name.isdigit():
            try:
                state, _, pgrp = (Path(entry.path) / "stat").read_text().rpartition(")")[2].split()[:3]
            except OSError:
                continue
            if int(pgrp) == group and state not in "ZX":
                found.append(int(entry.name))
    return found
