"""Carries one request out on moto, from its creation to its delivery, and counts what the functions send.

The deployed definition, the real handlers, and services that answer on loopback. A process of its own: reads how many
`services`, and each function's `memory` in MB, as JSON from standard input; writes what was counted, by step.
"""

import importlib
import json
import os
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path
from typing import Any

os.environ |= {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_DEFAULT_REGION": "eu-west-1",
    "POWERTOOLS_TRACE_DISABLED": "true",
    "POWERTOOLS_METRICS_NAMESPACE": "waybill",
    "POWERTOOLS_SERVICE_NAME": "subject-access",
    "STACK_NAME": "waybill",
    "STAGE": "local",
    "LOG_LEVEL": "INFO",
}

import boto3
from moto import mock_aws

from benchmarks.billing_units import lambda_gb_seconds, write_units
from benchmarks.harness.in_process import Context
from benchmarks.harness.machine import Machine
from benchmarks.harness.metering import EmulatorTime, Meter
from tests.fakes.api import answer_of, request_event
from tests.fakes.subject_access import BUCKET, CATALOGUED, TABLE, a_service, make_bucket, make_table
from waybill.cli.subject_access.stub_service import StubReply, StubServer, StubService, sample_content
from waybill.core.clock import now
from waybill.subject_access import runtime
from waybill.subject_access.adapters.catalogue_table import ServiceCatalogue

_HANDLERS = "waybill.subject_access.handlers"
_DEFINITION = Path("statemachine") / "subject_access.asl.json"
_RECORDS = 12
# Of a warm function in one Region; of moto, requests are counted and not timed. A service takes a fifth of a second.
_REQUEST_SECONDS = 0.004
_SERVICE_SECONDS = 0.2
# CloudWatch Logs bills the bytes of a message and 26 more for each (its price page, "Collect").
_LOG_EVENT_OVERHEAD = 26
_INDEXES = {"queue", "listing", "sar_case_reference_number", "subject_id"}
_API, _ADMIN_API = "subject_access_api", "subject_access_admin_api"
_REQUEST = {
    "nomisId": "A1234AA",
    "dateFrom": "01/01/2020",
    "dateTo": "31/12/2024",
    "sarCaseReferenceNumber": "SAR-2026-0042",
    "subjectName": "QUILL, Peter",
}


@dataclass
class Step:
    """What one step of a request took."""

    invocations: Counter[str] = field(default_factory=Counter)
    requests: Counter[str] = field(default_factory=Counter)
    used: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))


class Office:
    """The application on moto."""

    def __init__(self, memory: dict[str, int]) -> None:
        self.steps: defaultdict[str, Step] = defaultdict(Step)
        boto3.setup_default_session()
        session: Any = boto3.DEFAULT_SESSION
        self._meter = Meter(session)
        self._indexed = 0
        session.events.register("provide-client-params.dynamodb", self._note_indexes)
        self._emulator = EmulatorTime()
        self._memory = memory
        self._log = StringIO()

    @contextmanager
    def _metered(self, step: str, function: str) -> Iterator[None]:
        self._meter.requests.clear()
        self._meter.used.clear()
        self._indexed = 0
        emulated, started, logged = self._emulator.seconds, time.process_time(), self._log.tell()
        with self._meter.counting(), redirect_stdout(self._log):
            yield
        worked = time.process_time() - started - (self._emulator.seconds - emulated)
        waited = self._meter.requests.total() * _REQUEST_SECONDS + _SERVICE_SECONDS * (function == "fetch_service")
        told = self._log.getvalue()[logged:]
        found = self.steps[step]
        found.invocations[function] += 1
        found.requests += self._meter.requests
        for name, quantity in self._meter.used.items():
            found.used[name] += quantity
        found.used["dynamodb_write_units"] += self._indexed
        found.used["lambda_requests"] += 1
        found.used["lambda_gb_seconds"] += lambda_gb_seconds(self._memory[function], 1000 * (worked + waited))
        found.used["log_gb"] += (len(told.encode()) + _LOG_EVENT_OVERHEAD * told.count("\n")) / 1e9

    def _note_indexes(self, params: dict[str, Any], model: Any, **_: Any) -> None:
        """Count the entries of indexes that a write of an item changes, each of one unit at least."""
        writes = params.get("TransactItems", [{"Put": params}] if model.name == "PutItem" else [])
        for write in writes:
            told = write.get("Put", {}).get("Item") or write.get("Update", {}).get("ExpressionAttributeNames", {})
            names = {*told, *(told.values() if "Update" in write else ())}
            self._indexed += write_units(1) * len(names & _INDEXES)

    def invoke(self, step: str, function: str, event: Any) -> Any:
        """Return what a function answers."""
        handler = importlib.import_module(f"{_HANDLERS}.{function}").lambda_handler
        context = Context(
            function, self._memory[function], f"arn:aws:lambda:eu-west-1:123456789012:function:{function}"
        )
        with self._metered(step, function):
            answer = handler(event, context)
        return json.loads(json.dumps(answer))

    def ask(self, step: str, method: str, path: str, route: str, function: str = _API, **more: Any) -> Any:
        """Return what the API answers."""
        event = request_event(method, path, identity={"subject": "alice", "roles": "sar-user"}, **more)
        event["resource"] = route
        if "{" in route:
            event["pathParameters"] = {"id": path.split("/")[3]}
        answer = answer_of(self.invoke(step, function, event))
        if answer.status >= 400:
            raise AssertionError(f"{method} {path}: {answer.status} {answer.text}")
        self.steps[step].used["api_requests"] += 1
        return answer


def _prepare(stub: StubServer) -> None:
    make_table(boto3.client("dynamodb"))
    make_bucket(boto3.client("s3"))
    states = boto3.client("stepfunctions")
    machine = states.create_state_machine(
        name="waybill-subject-access", definition="{}", roleArn="arn:aws:iam::123456789012:role/any"
    )
    os.environ |= {
        "SUBJECT_ACCESS_TABLE": TABLE,
        "SUBJECT_ACCESS_REPORTS_BUCKET": BUCKET,
        "SUBJECT_ACCESS_WORKFLOW_ARN": machine["stateMachineArn"],
        "FAILURE_TOPIC_ARN": boto3.client("sns").create_topic(Name="failures")["TopicArn"],
        "SUBJECT_ACCESS_HOSTS": "http://127.0.0.1:*",
        "UPSTREAM_PRIVATE_RANGES": "127.0.0.0/8",
        "UPSTREAM_SECRET_PREFIX": "waybill/sar/",
    }
    catalogue = ServiceCatalogue(boto3.client("dynamodb"), TABLE, now=now)
    secrets = boto3.client("secretsmanager")
    for name in stub.services:
        catalogue.save_service(a_service(name, url=stub.url(name)), CATALOGUED, new=True)
        secrets.create_secret(Name=f"waybill/sar/{name}", SecretString=json.dumps({"token": "a-token"}))


def _carry_out(office: Office, request_id: str) -> int:
    """Carry the execution out; return how many states it entered."""
    definition = json.loads(_DEFINITION.read_text("utf-8"))
    steps = {"fetch_service": "services", "render_part": "services"}

    def invoke(arn: str, event: Any) -> Any:
        name = arn.removeprefix("${").removesuffix("FunctionArn}")
        function = "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name).lstrip("_")
        return office.invoke(steps.get(function, "claim and report"), function, event)

    machine = Machine(definition, invoke)
    execution = {
        "Id": "arn:aws:states:eu-west-1:123456789012:execution:waybill-subject-access:poll-1",
        "Name": "poll-1",
    }
    machine.run({"requestId": request_id}, execution | {"StartTime": "2026-11-02T09:00:00Z"})
    if machine.entered[-1] != "Completed":
        raise AssertionError(machine.entered)
    return len(machine.entered)


def _measure(services: int, memory: dict[str, int]) -> dict[str, Any]:
    office = Office(memory)
    names = [f"stub-{number:02}" for number in range(1, services + 1)]
    replies = {name: StubService([StubReply.data(sample_content(name, _RECORDS))]) for name in names}
    with StubServer(replies) as stub:
        _prepare(stub)
        # A warm function: what each imports, and what it keeps, is there.
        _whole(office, names, "warm-up")
        office.steps.clear()
        # The secrets of services are read again, as by a function that was idle for five minutes.
        for collaborator in vars(runtime).values():
            if hasattr(collaborator, "cache_clear"):
                collaborator.cache_clear()
        transitions, size = _whole(office, names, "SAR-2026-0042")
    office.steps["claim and report"].used["standard_transitions"] = transitions
    steps = {
        name: {"invocations": step.invocations, "requests": step.requests, "used": step.used}
        for name, step in office.steps.items()
    }
    return {"steps": steps, "bytes": size}


def _whole(office: Office, names: list[str], reference: str) -> tuple[int, int]:
    """Carry a request out from its creation to its delivery; return the states entered and the report's bytes."""
    body = {**_REQUEST, "services": names, "sarCaseReferenceNumber": reference}
    route = "/api/subjectAccessRequest"
    created = office.ask("creation", "POST", route, route, body=body, headers={"Content-Type": "application/json"})
    request_id = created.text
    office.invoke("poll", "sweep_requests", {})
    transitions = _carry_out(office, request_id)
    one = f"{route}s/{request_id}"
    shown = office.ask("hand over", "GET", f"{route}/{request_id}", f"{route}/{{id}}")
    if shown.json["state"] != "Completed":
        raise AssertionError(shown.json)
    query = {"id": request_id, "copy": "subject"}
    report = office.ask("hand over", "GET", "/api/report", "/api/report", query=query)
    office.ask("hand over", "PATCH", f"{one}/deliver", f"{route}s/{{id}}/deliver", body={},
               headers={"Content-Type": "application/json"})  # fmt: skip
    return transitions, report.json["bytes"]


def main() -> None:
    """Read the job, measure, and write what was counted."""
    real_output, job = sys.stdout, json.load(sys.stdin)
    with redirect_stdout(sys.stderr), mock_aws():
        counted = _measure(job["services"], job["memory"])
    json.dump(counted, real_output)


if __name__ == "__main__":
    main()
