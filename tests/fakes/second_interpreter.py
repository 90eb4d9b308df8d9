"""moto's interpreter of the Amazon States Language, which is of another origin than the embedded AWS's.

Its tasks are answered from a table. It does what it has no means for by these substitutes, and by nothing else:

- JSONata is evaluated by `jsonata-python`, in place of a Java library that moto does not bring.
- Nothing waits: neither a Wait state nor a pause between two tries.
- It knows neither `EXPRESS` children nor `JSONL` files, of which it is given `STANDARD` ones and `JSON`.
"""

import io
import json
import re
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import boto3
from botocore.exceptions import ClientError
from jsonata.jsonata import Jsonata
from moto import mock_aws
from moto.stepfunctions.parser.asl.component.common.retry import retrier_decl
from moto.stepfunctions.parser.asl.component.state.wait.wait_function.wait_function import WaitFunction
from moto.stepfunctions.parser.asl.parse.asl_parser import AmazonStateLanguageParser

PROJECT = Path(__file__).resolve().parents[2]
REGION = "eu-west-1"

_HERE = f"{REGION}:123456789012"
_SUBSTITUTION = re.compile(r"\$\{(?P<name>\w+)\}")
_SECONDS = 60
_FAKES = ("lambda", "dynamodb", "stepfunctions", "s3")


@dataclass(frozen=True)
class Raised:
    """What a function raises."""

    name: str
    message: str = "told by the test"


@dataclass(frozen=True)
class Refused:
    """What a service answers in place of a result."""

    code: str


@dataclass
class Run:
    """An execution that has ended: `states` in the order in which they were entered, `calls` by what was called."""

    status: str
    output: Any
    error: str | None
    cause: str | None
    states: list[str]
    calls: dict[str, list[Any]] = field(default_factory=dict)


class Machine:
    """A state machine of the application, in moto's hands. Executions run one after the other.

    Parameters
    ----------
    name
        `replication` for `statemachine/replication.asl.json`.
    substitutions
        What the template puts into the definition; a function's ARN has the function's name by itself.
    """

    def __init__(self, name: str, **substitutions: str) -> None:
        def put_in(found: re.Match[str]) -> str:
            named = found["name"]
            function = named.removesuffix("FunctionArn")
            if named != function:
                return f"arn:aws:lambda:{_HERE}:function:{function}"
            return {"Partition": "aws", **substitutions}[named]

        text = _SUBSTITUTION.sub(put_in, (PROJECT / "statemachine" / f"{name}.asl.json").read_text("utf-8"))
        self._definition = text.replace('"EXPRESS"', '"STANDARD"').replace('"JSONL"', '"JSON"')
        self._answers: dict[str, list[Any]] = {}
        self._calls: dict[str, list[Any]] = {}
        self._number = 0

    def run(self, given: Any, /, **answers: Any) -> Run:
        """Run an execution; a task gets the next of its list of answers, and its last again and again."""
        with _moto(self._client) as machines:
            self._number += 1
            self._answers = {name: list(one) if isinstance(one, list) else [one] for name, one in answers.items()}
            self._calls = {}
            machine = machines.create_state_machine(
                name=f"m{self._number}", definition=self._definition, roleArn="arn:aws:iam::123456789012:role/any"
            )["stateMachineArn"]
            execution = machines.start_execution(stateMachineArn=machine, name="run-1", input=json.dumps(given))
            ended = _ended(machines, execution["executionArn"])
            history = machines.get_execution_history(executionArn=execution["executionArn"])["events"]
        output = json.loads(ended["output"]) if ended.get("output") else None
        details = [event.get("stateEnteredEventDetails") for event in history]
        entered = [one["name"] for one in details if one]
        return Run(ended["status"], output, ended.get("error"), ended.get("cause"), entered, self._calls)

    def _client(self, *_: Any, service: str, **__: Any) -> Any:
        assert service in _FAKES, f"no task of a definition calls {service}"
        if service == "lambda":
            return SimpleNamespace(invoke=self._invoke)
        if service == "s3":
            return SimpleNamespace(get_object=lambda **of: {"Body": _body(self._next("s3", of))})
        return SimpleNamespace(
            put_item=lambda **of: self._next("put_item", of),
            start_execution=lambda **of: self._next("start_execution", of),
        )

    def _invoke(self, **request: Any) -> dict[str, Any]:
        answer = self._next(request["FunctionName"].rpartition(":")[2], json.loads(request["Payload"]))
        if isinstance(answer, Raised):
            told = {"errorType": answer.name, "errorMessage": answer.message}
            return {"StatusCode": 200, "FunctionError": "Unhandled", "Payload": _body(told)}
        return {"StatusCode": 200, "Payload": _body(answer)}

    def _next(self, name: str, given: Any) -> Any:
        self._calls.setdefault(name, []).append(given)
        left = self._answers[name]
        answer = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(answer, Refused):
            told = {"Code": answer.code, "Message": "told by the test"}
            raise ClientError({"Error": told, "ResponseMetadata": {"HTTPStatusCode": 400, "RequestId": "r"}}, name)
        return answer(given) if callable(answer) else answer


@cache
def _parsed(definition: str) -> Any:
    return _parse(definition)


_parse = AmazonStateLanguageParser.parse


@contextmanager
def _moto(client: Callable[..., Any]) -> Iterator[Any]:
    """Yield moto's Step Functions, with the substitutes that the module names."""
    with ExitStack() as stack:
        stack.enter_context(mock_aws(config={"stepfunctions": {"execute_state_machine": True}}))
        # A definition of 40 KB takes seconds to parse, and moto parses it at its creation and for every execution.
        stack.enter_context(patch.object(AmazonStateLanguageParser, "parse", staticmethod(_parsed)))
        stack.enter_context(patch.object(retrier_decl, "time", SimpleNamespace(sleep=lambda seconds: None)))
        stack.enter_context(patch.object(WaitFunction, "_wait_interval", lambda *_, **__: None))
        for name, module in list(sys.modules.items()):
            if name.startswith("moto.stepfunctions.parser"):
                for attribute, substitute in (("boto_client_for", client), ("eval_jsonata_expression", _evaluate)):
                    if hasattr(module, attribute):
                        stack.enter_context(patch.object(module, attribute, substitute))
        keys = {"aws_access_key_id": "any", "aws_secret_access_key": "any"}
        yield boto3.client("stepfunctions", region_name=REGION, **keys)


def _body(content: Any) -> io.BytesIO:
    return io.BytesIO(json.dumps(content).encode())


def _evaluate(expression: str) -> Any:
    return Jsonata(expression).evaluate(None)


def _ended(machines: Any, execution: str) -> Mapping[str, Any]:
    deadline = time.monotonic() + _SECONDS
    while time.monotonic() < deadline:
        seen: Mapping[str, Any] = machines.describe_execution(executionArn=execution)
        if seen["status"] != "RUNNING":
            return seen
        time.sleep(0.01)
    raise AssertionError(f"{execution} did not end in {_SECONDS} s")
