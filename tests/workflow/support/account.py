"""An embedded AWS without the application: what it does by itself."""

import io
import json
import textwrap
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.workflow.support.polling import until
from waybill.cli.adapters.local_clients import local_clients
from waybill.cli.local.ministack import MiniStack, free_port

REGION = "eu-west-1"
ROLE = "arn:aws:iam::000000000000:role/anything"
TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}


def embedded(project: Path, state: Path, **settings: Any) -> MiniStack:
    tools = project / "tools" / "ministack" / "serve.py"
    return MiniStack(
        project / ".local" / "ministack" / "bin" / "python", tools, state, port=free_port(), region=REGION, **settings
    )


class Account:
    """The embedded AWS's one account."""

    def __init__(self, ministack: MiniStack) -> None:
        self.endpoint = ministack.endpoint

    def client(self, service: str) -> Any:
        return local_clients(self.endpoint, REGION)(service)

    def make_role(self) -> None:
        """Make the role that everything here has."""
        iam = self.client("iam")
        iam.create_role(RoleName="anything", AssumeRolePolicyDocument=json.dumps(TRUST))
        everything = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
        iam.put_role_policy(RoleName="anything", PolicyName="all", PolicyDocument=json.dumps(everything))

    def function(self, name: str, code: str, **settings: Any) -> str:
        """Make a function of the module `code`; return its ARN."""
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w") as zipped:
            zipped.writestr("index.py", textwrap.dedent(code))
        made = self.client("lambda").create_function(
            FunctionName=name,
            Runtime="python3.13",
            Handler="index.handler",
            Role=ROLE,
            Code={"ZipFile": archive.getvalue()},
            **{"Timeout": 60, **settings},
        )
        arn: str = made["FunctionArn"]
        return arn

    def api(self, function_arn: str) -> str:
        """Make an API whose one route, `POST /call`, calls a function; return the route's address."""
        gateway = self.client("apigateway")
        api = gateway.create_rest_api(name="api")["id"]
        root = gateway.get_resources(restApiId=api)["items"][0]["id"]
        route = gateway.create_resource(restApiId=api, parentId=root, pathPart="call")["id"]
        gateway.put_method(restApiId=api, resourceId=route, httpMethod="POST", authorizationType="NONE")
        gateway.put_integration(
            restApiId=api,
            resourceId=route,
            httpMethod="POST",
            type="AWS_PROXY",
            integrationHttpMethod="POST",
            uri=f"arn:aws:apigateway:{REGION}:lambda:path/2015-03-31/functions/{function_arn}/invocations",
        )
        gateway.create_deployment(restApiId=api, stageName="v1")
        self.client("lambda").add_permission(
            FunctionName=function_arn,
            StatementId="api",
            Action="lambda:InvokeFunction",
            Principal="apigateway.amazonaws.com",
        )
        return f"{self.endpoint}/_aws/execute-api/{api}/v1/call"

    def run(self, *states: tuple[str, dict[str, Any]], given: Any = None) -> dict[str, Any]:
        """Run a state machine of these states in JSONata, and return the execution when it has ended."""
        definition = {"QueryLanguage": "JSONata", "StartAt": states[0][0], "States": dict(states)}
        machines = self.client("stepfunctions")
        machine = machines.create_state_machine(
            name=f"m{time.monotonic_ns()}", roleArn=ROLE, definition=json.dumps(definition)
        )["stateMachineArn"]
        arn = machines.start_execution(stateMachineArn=machine, input=json.dumps(given or {}))["executionArn"]

        def ended() -> dict[str, Any] | None:
            seen = dict(machines.describe_execution(executionArn=arn))
            return None if seen["status"] == "RUNNING" else seen

        return until(ended, "the execution ends")


@contextmanager
def opened(project: Path, state: Path) -> Iterator[Account]:
    """Yield the account of an embedded AWS that is up for as long as it is needed."""
    ministack = embedded(project, state)
    ministack.start()
    try:
        account = Account(ministack)
        account.make_role()
        yield account
    finally:
        ministack.stop()
