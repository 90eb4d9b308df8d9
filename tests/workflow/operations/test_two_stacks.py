"""Two stacks in one account and Region, both at work on the same names at the same moment."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

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


def work(stack: Application, bucket: str, label: str) -> Worked:
    """Replicate, fail to, scan and mint, each by names that are the same in every stack."""
    news = stack.subscribed(stack.outputs["ScanTopicArn"])
    for number in range(MANY):
        stack.source.put(f"{label}-{number}", stack.stack_name.encode())
    job_id = Scanner(stack).start(bucket, export=True)
    minted = Minter(stack).mint(*(f"{label}-{number}" for number in range(MANY)))["identifiers"]
    failed = stack.run(stack.source.request(f"{label}-lost"), f"{label}-lost")
    return Worked(stack, news, failed, job_id, minted)


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
        ids = set(mine.minted.values())
        assert len(ids - set(others.minted.values())) == MANY
        assert {each["canonicalId"]["S"] for each in Minter(mine.stack).items(label) if "canonicalId" in each} == ids
        namespaces = {
            directive["Namespace"]
            for line in mine.stack.logged("CloudWatchMetrics")
            for directive in line["_aws"]["CloudWatchMetrics"]
        }
        assert namespaces == {f"Waybill/{mine.stack.stack_name}"}
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
    letter = mine.stack.mailbox.one_about(f"{label}-lost")
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
