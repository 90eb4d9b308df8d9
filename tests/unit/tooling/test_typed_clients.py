"""A call of AWS that does not exist fails `make lint` (`head_objct(Buckett=…)` once passed)."""

import ast
import re
import shutil
import sys
from collections.abc import Iterator
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


# DynamoDB API Reference, "Actions": those that read and write items.
_ITEMS = {
    *("get_item", "put_item", "update_item", "delete_item", "batch_get_item", "batch_write_item"),
    *("transact_get_items", "transact_write_items", "execute_statement", "batch_execute_statement"),
    *("execute_transaction", "query", "scan"),
}
_CLIENT = re.compile(r"(^|[._])client(\([^()]*\))?$")
_ONLY = {"send_message_batch": ("core/aws/sqs.py",), "batch_write_item": ("core/aws/table.py",)}
# One call each, whose every reason the minter decides about, and which is tried again with other proposals.
_DECIDES = ("minting/adapters/document_records.py", "minting/adapters/lifecycle.py", "minting/adapters/table.py")


def test_messages_and_items_are_sent_from_one_place() -> None:
    """Where each is sent by hand, each forgets something else: what SQS and DynamoDB have left undone."""
    source = PROJECT / "src" / "waybill"
    found = {
        (operation, file.relative_to(source).as_posix())
        for file in source.rglob("*.py")
        for operation in _operations(ast.parse(file.read_text("utf-8")))
    }
    only = dict.fromkeys(_ITEMS, ("core/aws/table.py", *_DECIDES)) | _ONLY
    assert [(operation, file) for operation, file in sorted(found) if file not in only[operation]] == []
    assert {file for operation, file in found if operation in _ITEMS} == {"core/aws/table.py", *_DECIDES}


def test_a_call_of_dynamodb_is_seen_by_what_it_is_made_on() -> None:
    fine = "table.query(); Table(client('dynamodb'), name, Unavailable).scan()"
    assert list(_operations(ast.parse(fine))) == []
    planted = "self._client.query(); self.client.get_paginator('scan'); client('dynamodb').put_item()"
    assert sorted(_operations(ast.parse(planted))) == ["put_item", "query", "scan"]


def _operations(tree: ast.Module) -> Iterator[str]:
    """Return the calls of DynamoDB's items and of SQS's batches; a query of a `Table` is none."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            continue
        on_client = _CLIENT.search(ast.unparse(node.func.value))
        if node.func.attr == "get_paginator" and isinstance(node.args[0], ast.Constant):
            name = str(node.args[0].value)
        else:
            name = node.func.attr
        if name in _ONLY or (name in _ITEMS and (on_client or "_" in name)):
            yield name
