"""A call of AWS that does not exist fails `make lint` (`head_objct(Buckett=…)` once passed)."""

import ast
import shutil
import sys
from pathlib import Path
from subprocess import run

import pytest

from tests.fakes.samples import PROJECT

MODULE = "src/waybill/minting/adapters/planted.py"
PLANTED = '''"""A module whose calls are wrong, but for one."""

from typing import TYPE_CHECKING, Any

from waybill.core.aws.clients import client

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


class Adapter:
    """An adapter as they are."""

    def __init__(self, client: "S3Client") -> None:
        self._client = client

    def read(self) -> None:
        """Call."""
        self._client.head_object(Bucket="b", Key="k", ChecksumMode="ENABLED")
        self._client.head_objct(Bucket="b", Key="k")  # wrong
        self._client.head_object(Buckett="b", Key="k")  # wrong
        self._client.head_object(Bucket="b", Key="k", ChecksumMode="enabled")  # wrong
        self._client.get_paginator("list_objcts")  # wrong
        self._client.get_paginator("list_objects_v2").paginate(Buckett="b")  # wrong
        self._client.get_waiter("bucket_exits")  # wrong
        self._client.get_waiter("bucket_exists").wait(Buckett="b")  # wrong
        self._client.list_objects_v2(Bucket="b")["Contens"]  # wrong

    def spread(self, extra: dict[str, str]) -> None:
        """Call."""
        self._client.head_object(**extra)  # wrong
        self._client.head_object(**{"Buckett": "b", "Key": "k"})  # wrong
        anything: dict[str, Any] = {"Buckett": "b", "Key": "k"}  # wrong
        self._client.head_object(**anything)


def calls() -> None:
    """Call."""
    client("s3", "eu-west-1").head_objct(Bucket="b", Key="k")  # wrong
    client("dynamodb", attempts=1).get_item(TableNam="t", Key={"pk": {"S": "x"}})  # wrong
    client("sqs").send_mesage(QueueUrl="u", MessageBody="b")  # wrong
    client("stepfunctions").describe_execution(executionARN="a")  # wrong
    client("sns").publish(TopicARN="t", Message="m")  # wrong
    client("events").put_event(Entries=[])  # wrong
    client("secretsmanager").get_secret(SecretId="s")  # wrong
    client("lambda").invoke(Function="f")  # wrong
    client("cloudwatch").put_metrics(Namespace="n")  # wrong
    client("s4")  # wrong
'''


@pytest.mark.timeout(300)
def test_calls_that_do_not_exist_are_refused(tmp_path: Path) -> None:
    shutil.copytree(PROJECT / "src", tmp_path / "src", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(PROJECT / "pyproject.toml", tmp_path)
    (tmp_path / MODULE).write_text(PLANTED, "utf-8")
    if (known := PROJECT / ".mypy_cache").is_dir():  # what `make lint` has found out; mypy compares it with the files
        shutil.copytree(known, tmp_path / known.name)
    ran = run(
        [sys.executable, "-m", "mypy", "--no-error-summary", "--hide-error-context", MODULE],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    refused = {
        int(line.split(":")[1]) for line in ran.stdout.splitlines() if line.startswith(MODULE) and ": error: " in line
    }
    wrong = [number for number, line in enumerate(PLANTED.splitlines(), 1) if line.endswith("# wrong")]
    assert refused == set(wrong), ran.stdout + ran.stderr
    assert len(wrong) == 21


def test_no_adapter_takes_a_client_of_any_type() -> None:
    """What is typed `Any` takes every call: 19 adapters did, and the test above saw none of them."""
    untyped = [
        f"{file.relative_to(PROJECT)}:{node.lineno}"
        for file in sorted((PROJECT / "src" / "waybill").rglob("adapters/*.py"))
        for node in ast.walk(ast.parse(file.read_text("utf-8")))
        if isinstance(node, ast.arg | ast.AnnAssign)
        and node.annotation is not None
        and any(isinstance(part, ast.Name) and part.id == "Any" for part in ast.walk(node.annotation))
        and (node.arg if isinstance(node, ast.arg) else ast.unparse(node.target)).endswith(("client", "presigner"))
    ]
    assert untyped == []


def test_no_script_takes_a_client_of_any_type() -> None:
    """There clients are named by their services."""
    services = {"s3", "dynamodb", "sqs", "sns", "lambda_", "cloudformation", "scheduler", "backup"}
    untyped = [
        f"{file.relative_to(PROJECT)}:{node.lineno}"
        for file in sorted((PROJECT / "scripts").glob("*.py"))
        for node in ast.walk(ast.parse(file.read_text("utf-8")))
        if isinstance(node, ast.arg)
        and node.arg in services
        and (node.annotation is None or ast.unparse(node.annotation) == "Any")
    ]
    assert untyped == []


def test_messages_and_batches_are_sent_from_one_place() -> None:
    """Where each batch is sent by hand, each forgets something else: what SQS and DynamoDB have left undone."""
    only = {"send_message_batch": "core/aws/sqs.py", "batch_write_item": "core/aws/table.py"}
    source = PROJECT / "src" / "waybill"
    found = {
        (node.attr, file.relative_to(source).as_posix())
        for file in source.rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text("utf-8")))
        if isinstance(node, ast.Attribute) and node.attr in only
    }
    assert found == set(only.items())
