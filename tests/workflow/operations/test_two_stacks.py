"""Two stacks in one account and Region, both at work on the same names at the same moment."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from tests.workflow.minting.conftest import Minter
from tests.workflow.scanning.conftest import Scanner
from tests.workflow.support.api import api_of
from tests.workflow.support.application import Application, Execution
from tests.workflow.support.gate import Gate
from tests.workflow.support.mailbox import Mailbox
from tests.workflow.support.polling import until

SSN = b"ssn 219-45-6789\n"
MANY = 4


@dataclass(frozen=True)
class Worked:
    """What one of the stacks was asked to do."""

    stack: Application
    news: Mailbox
    failed: Execution
    job_id: str
    minted: dict[str, str]
    answered: dict[str, str]


def work(stack: Application, bucket: str, label: str) -> Worked:
    """Replicate, fail to, scan and mint, each by names that are the same in every stack."""
    news = stack.subscribed(stack.outputs["ScanTopicArn"])
    for number in range(MANY):
        stack.source.put(f"{label}-{number}", stack.stack_name.encode())
    job_id = Scanner(stack).start(bucket, export=True)
    minted = Minter(stack).mint(*(f"{label}-{number}" for number in range(MANY)))["identifiers"]
    Minter(stack).send({"sourceIdentifiers": [f"{label}-queued"], "jobId": label}, group=label)
    failed = stack.run(stack.source.request(f"{label}-lost"), f"{label}-lost")
    results = Minter(stack).results(label, 1)
    answered = {result["sourceIdentifier"]: result["canonicalId"] for result in results}
    return Worked(stack, news, failed, job_id, minted, answered)


def executions(stack: Application, label: str) -> list[str]:
    """Return all executions of the stack's replications that `label` names."""
    express = stack.outputs.get("FileCopyExpressWorkflowArn")
    return stack.executions(label) + (stack.executions(label, express) if express else [])


def test_two_stacks_at_work_at_once_mix_nothing(
    application: Application, variant: Application, gate: Gate, label: str
) -> None:
    """EventBridge User Guide, "Event buses", CloudWatch User Guide, "Concepts": bus and metrics are the account's."""
    bucket = Scanner(application).bucket(label, {f"k{number}": SSN for number in range(3)})

    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(lambda stack: work(stack, bucket, label), (application, variant))

    for mine, others in ((first, second), (second, first)):
        replicated_apart(mine, others, label)
        scanned_apart(mine, others)
        # A request in a queue is answered by its own stack, with what that has minted.
        assert set(mine.answered) == {f"{label}-queued"}
        ids = {*mine.minted.values(), *mine.answered.values()}
        assert len(ids - {*others.minted.values(), *others.answered.values()}) == MANY + 1
        assert {each["canonicalId"]["S"] for each in Minter(mine.stack).items(label) if "canonicalId" in each} == ids
        logged_apart(mine.stack)
    # What one has read of an object, the other does not take for its own.
    assert len(gate.calls(label, "GetObject", bucket=bucket)) == 2 * 3


def replicated_apart(mine: Worked, others: Worked, label: str) -> None:
    """Hold that every file is where its own stack brings it, known and told of there alone."""
    source, elsewhere = mine.stack.source, others.stack.source_named(mine.stack.source.name)
    runs = {mine.failed.arn}
    for number in range(MANY):
        key = f"{label}-{number}"
        runs.add(source.record(key)["executionId"])
        for bucket in mine.stack.destinations:
            assert mine.stack.content(bucket, key) == mine.stack.stack_name.encode()
        assert elsewhere.item(key) is None
    assert sorted(executions(mine.stack, label)) == sorted(runs)
    assert len(runs) == MANY + 1
    [letter] = mine.stack.told(f"{label}-lost")
    assert mine.failed.arn in letter.body

    asked = {"bucket": source.name, "key": f"{label}-0"}
    until(lambda: api_of(mine.stack, "custody").get("/custody", **asked).status == 200, "the file's history")
    assert api_of(others.stack, "custody").get("/custody", **asked).status == 404


def scanned_apart(mine: Worked, others: Worked) -> None:
    """Hold that a job is told, shown and exported by its own stack alone."""
    scanner = Scanner(mine.stack)
    assert scanner.ended(mine.job_id)["total_findings"] == 3
    job = until(lambda: "export" in (job := scanner.job(mine.job_id)) and job, f"the export of {mine.job_id}")
    assert len(scanner.exported(job["export"]["uri"])) == 3
    assert job["export"]["uri"].startswith(f"s3://{mine.stack.outputs['ScanExportsBucketName']}/")
    assert Scanner(others.stack).ask("GET", f"/jobs/{mine.job_id}").status == 404
    assert mine.job_id in mine.news.one_about(mine.job_id).body
    assert others.news.about(mine.job_id) == []


def logged_apart(stack: Application) -> None:
    """Hold that a stack's log groups have lines of its own executions alone, and metrics in its own namespace."""
    groups = [name for name in stack.resources if name.endswith("LogGroup") and "Workflow" not in name]
    lines = [line for group in groups for line in stack.logged("correlation_id", group)]
    arns = [arn for line in lines if (arn := str(line.get("correlation_id"))).startswith("arn:")]
    runs = {arn.split(":")[6].partition("/")[0] for arn in arns}  # the machine; of a child, with its Map
    assert runs
    machines = {arn.rpartition(":")[2] for name, arn in stack.resources.items() if ":stateMachine:" in arn}
    assert runs <= machines
    namespaces = {
        directive["Namespace"]
        for group in groups
        for line in stack.logged("CloudWatchMetrics", group)
        for directive in line["_aws"]["CloudWatchMetrics"]
    }
    assert namespaces == {f"Waybill/{stack.stack_name}"}


def test_two_stacks_watch_and_hear_nothing_of_each_other(application: Application, variant: Application) -> None:
    """CloudWatch User Guide, "Concepts": a metric is its namespace, name and dimensions, and nothing else."""
    watched, heard, made = [], [], []
    for stack in (application, variant):
        cloudwatch, events = stack.stack.client("cloudwatch"), stack.stack.client("events")
        names = [name for logical, name in stack.resources.items() if logical.endswith("Alarm")]
        alarms = cloudwatch.get_paginator("describe_alarms").paginate(AlarmNames=names[:100])
        found = [alarm for page in alarms for alarm in page["MetricAlarms"]]
        assert len(found) == len(names)
        watched.append({metric_of(alarm) for alarm in found})
        rules = [events.describe_rule(Name=name) for name in rules_of(stack)]
        # One that no bucket is named for is switched off: it hears nothing.
        on = [rule for rule in rules if rule["State"] == "ENABLED"]
        heard.append({rule["EventPattern"] for rule in on if rule.get("EventPattern")})
        made.append(set(stack.resources.values()))
    assert all(watched)
    assert watched[0] & watched[1] == set()
    assert all(heard)
    assert heard[0] & heard[1] == set()
    # A stage and a layer are of their API, and of their version.
    assert made[0] & made[1] <= {application.api_url.rpartition("/")[2]}


def metric_of(alarm: dict[str, Any]) -> tuple[str, str, frozenset[tuple[str, str]]]:
    dimensions = frozenset((one["Name"], one["Value"]) for one in alarm["Dimensions"])
    return alarm["Namespace"], alarm["MetricName"], dimensions


def rules_of(stack: Application) -> list[str]:
    """The physical names of the stack's rules of EventBridge."""
    pages = (
        stack.stack.client("cloudformation").get_paginator("list_stack_resources").paginate(StackName=stack.stack_name)
    )
    return [
        one["PhysicalResourceId"].rpartition("/")[2]
        for page in pages
        for one in page["StackResourceSummaries"]
        if one["ResourceType"] == "AWS::Events::Rule"
    ]
