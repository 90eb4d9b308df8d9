"""`waybill up`, `waybill down`, `waybill status`."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import Annotated, Any, NamedTuple

import typer
from rich.console import ConsoleRenderable, Group

from waybill.cli.adapters.concurrency import Concurrency, concurrency
from waybill.cli.context import Cli
from waybill.cli.deployment import Stack
from waybill.cli.grammar import App
from waybill.cli.local.answers import http_status
from waybill.cli.output import details, table

app = App()


@app.command()
def up(cli: Cli) -> None:
    """Start the embedded AWS, deploy the application to it, or deploy what changed."""
    deployed = cli.local_stack().up()
    data = {
        "endpoint": deployed.endpoint,
        "region": deployed.region,
        "stackName": deployed.stack_name,
        "apiUrl": deployed.api_url,
        "outputs": dict(deployed.outputs),
    }
    shown = {"Endpoint": deployed.endpoint, "Stack": f"{deployed.stack_name} ({deployed.region})"}
    cli.output.show(data, details({**shown, "API": deployed.api_url}))


@app.command()
def down(
    cli: Cli,
    wipe: Annotated[bool, typer.Option("--wipe", help="Forget everything that is stored in it.")] = False,
) -> None:
    """Stop the embedded AWS; what is stored in it is there again after `waybill up`."""
    from waybill.cli.subject_access.stub_process import record_file, stop

    stop(record_file(cli.project))
    stopped = cli.local_stack().down(wipe=wipe)
    state = "the local stack is down" if stopped else "no local stack was up"
    cli.output.show({"stopped": stopped, "wiped": wipe}, f"{state}; what it held is forgotten" if wipe else state)


@app.command()
def status(cli: Cli) -> None:
    """Show what is deployed, and whether it is healthy; exit status 1 when it is not."""
    found, allowed = _status(cli, cli.stack)
    parts: list[ConsoleRenderable | str] = [
        details(
            {
                "Stack": f"{found['stackName']} ({found['region']})",
                "Status": found["stackStatus"],
                "Endpoint": found["endpoint"] or "AWS",
                "API": found["api"]["url"],
                "Health": "healthy" if found["api"]["status"] == 200 else "unhealthy",
                "Concurrency": allowed or "not known: asking needs lambda:GetAccountSettings",
            }
        ),
        "",
        table(
            ("Workflow", "Type", "State"),
            ((each["name"], each["type"], each["status"]) for each in found["workflows"]),
        ),
        "",
        table(
            ("Function", "State", "Last update"),
            ((each["logicalId"], each["state"], each["lastUpdate"]) for each in found["functions"]),
        ),
    ]
    cli.output.show(found, Group(*parts))
    if not found["healthy"]:
        raise typer.Exit(1)


def _status(cli: Cli, stack: Stack) -> tuple[dict[str, Any], Concurrency | None]:
    stack_status = cli.client("cloudformation").describe_stacks(StackName=stack.name)["Stacks"][0]["StackStatus"]
    resources = list(_resources(cli, stack))
    workflows = [_workflow(cli, each) for each in resources if each.kind == "AWS::StepFunctions::StateMachine"]
    functions = sorted(
        (_function(cli, each) for each in resources if each.kind == "AWS::Lambda::Function"),
        key=lambda function: str(function["logicalId"]),
    )
    api_status = http_status(f"{stack.api_url}/health") if stack.api_url else None
    healthy = (
        stack_status in ("CREATE_COMPLETE", "UPDATE_COMPLETE")
        and api_status == 200
        and all(each["status"] == "ACTIVE" for each in workflows)
        and all(each["state"] == "Active" and each["lastUpdate"] == "Successful" for each in functions)
    )
    allowed = _concurrency(cli, resources)
    found = {
        "stackName": stack.name,
        "region": stack.region,
        "endpoint": stack.endpoint,
        "stackStatus": stack_status,
        "healthy": healthy,
        "api": {"url": stack.api_url, "status": api_status},
        "workflows": workflows,
        "functions": functions,
        "concurrency": allowed and {**asdict(allowed), "left": allowed.left, "short": allowed.short},
    }
    return found, allowed


class _Resource(NamedTuple):
    name: str
    kind: str
    id: str


def _concurrency(cli: Cli, resources: list[_Resource]) -> Concurrency | None:
    mappings = [each.id for each in resources if each.kind == "AWS::Lambda::EventSourceMapping"]
    (authoriser,) = (each.id for each in resources if each.name == "AuthoriseFunction")
    return concurrency(cli.client("lambda"), mappings, authoriser)


def _resources(cli: Cli, stack: Stack) -> Iterator[_Resource]:
    for page in cli.client("cloudformation").get_paginator("list_stack_resources").paginate(StackName=stack.name):
        for each in page["StackResourceSummaries"]:
            yield _Resource(each["LogicalResourceId"], each["ResourceType"], each["PhysicalResourceId"])


def _workflow(cli: Cli, resource: _Resource) -> dict[str, Any]:
    machine = cli.client("stepfunctions").describe_state_machine(stateMachineArn=resource.id)
    return {
        "name": machine["name"],
        "type": machine["type"],
        "status": machine["status"],
        "arn": machine["stateMachineArn"],
    }


def _function(cli: Cli, resource: _Resource) -> dict[str, Any]:
    function = cli.client("lambda").get_function_configuration(FunctionName=resource.id)
    return {
        "logicalId": resource.name,
        "name": function["FunctionName"],
        "state": function.get("State", "Active"),
        "lastUpdate": function.get("LastUpdateStatus", "Successful"),
    }
