"""The deployed application, as its own AWS describes it."""

import json
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from waybill.cli.local.stack import LocalStack
from waybill.cli.local.stack_file import StackFile

# The application marks its requests: `user_agent_appid` in waybill.core.aws.clients.
_APPLICATION = "app/waybill"
# Its LookupEvents has no second page.
_TOLD = 50
_RECORDER = "waybill.custody.handlers.record_events"
_REST_SECONDS = 60


@dataclass(frozen=True)
class Function:
    """One deployed function; `layers` are the folders that the runtime puts on its path, `memory` is in MB."""

    name: str
    arn: str
    module: str
    memory: int
    layers: tuple[Path, ...]
    environment: Mapping[str, str]

    @property
    def step(self) -> str:
        """The last part of its module's name, such as ``copy_file``."""
        return self.module.rpartition(".")[2]


class Deployment:
    """The application on one embedded AWS."""

    def __init__(self, stack: LocalStack) -> None:
        self._stack = stack
        self.endpoint = stack.ministack.endpoint
        self.region = stack.ministack.region

    @cached_property
    def described(self) -> StackFile:
        """Where it is, and the stack's outputs."""
        found = StackFile.read(self._stack.stack_file)
        if found is None:
            raise LookupError(f"{self._stack.stack_file} is gone")
        return found

    @property
    def outputs(self) -> Mapping[str, str]:
        """The stack's outputs."""
        return self.described.outputs

    @property
    def destinations(self) -> list[str]:
        """The buckets that every upload is replicated to."""
        return self.outputs["DestinationBucketNames"].split(",")

    def resource(self, logical_name: str) -> str:
        """Return the physical name of a resource of the stack."""
        described = self.client("cloudformation").describe_stack_resource(
            StackName=self.described.stack_name, LogicalResourceId=logical_name
        )
        return str(described["StackResourceDetail"]["PhysicalResourceId"])

    def token(self, *roles: str) -> str:
        """Return a token of the API for somebody with these roles."""
        return self._stack.signing_key.token(subject="bench", roles=roles)

    def client(self, service: Any) -> Any:
        """Return a boto3 client with all rights."""
        return self._stack.client(service)

    @cached_property
    def functions(self) -> Mapping[str, Function]:
        """Every function by its handler's module."""
        pages = self.client("lambda").get_paginator("list_functions").paginate()
        described = (self._function(one) for page in pages for one in page["Functions"])
        return {function.module: function for function in described}

    def _function(self, described: Mapping[str, Any]) -> Function:
        layers = (layer["Arn"].split(":")[6] for layer in described.get("Layers", []))
        return Function(
            name=described["FunctionName"],
            arn=described["FunctionArn"],
            module=described["Handler"].removesuffix(".lambda_handler"),
            memory=described["MemorySize"],
            layers=tuple(self._stack.sam.built_template.parent / layer / "python" for layer in layers),
            environment=described.get("Environment", {}).get("Variables", {}),
        )

    def invoke(self, arn: str, event: Any) -> Any:
        """Return what a function answers to `event`.

        Raises
        ------
        RuntimeError
            It failed; holds its error.
        """
        answer = self.client("lambda").invoke(FunctionName=arn, Payload=json.dumps(event).encode())
        document = json.load(answer["Payload"])
        if "FunctionError" in answer:
            raise RuntimeError(f"{arn}: {document}")
        return document

    def metric(self, function: Function, name: str) -> tuple[float, float]:
        """Return sum and number of all data points of an `AWS/Lambda` metric so far (here: of direct invocations)."""
        points = self.client("cloudwatch").get_metric_statistics(
            Namespace="AWS/Lambda",
            MetricName=name,
            Dimensions=[{"Name": "FunctionName", "Value": function.name}],
            StartTime="2020-01-01T00:00:00Z",
            EndTime="2100-01-01T00:00:00Z",
            Period=86_400,
            Statistics=["Sum", "SampleCount"],
        )["Datapoints"]
        return sum(point["Sum"] for point in points), sum(point["SampleCount"] for point in points)

    @contextmanager
    def recorded_calls(self) -> Iterator[Counter[str]]:
        """Count the requests that functions make meanwhile, by ``<service>.<operation>``; complete after the block.

        What custody records of it, in its own time, is left out.

        Raises
        ------
        LookupError
            There were more than the embedded AWS tells of.
        """
        counted: Counter[str] = Counter()
        trail = self.client("cloudtrail")
        earlier = {event["EventId"] for event in _events(trail)}
        self._configure("cloudtrail._recording_enabled", "true")
        try:
            yield counted
        finally:
            self._configure("cloudtrail._recording_enabled", "false")
            recorded = _events(trail)
            if len(recorded) >= _TOLD and not any(event["EventId"] in earlier for event in recorded):
                raise LookupError(f"the embedded AWS tells of the last {_TOLD} requests alone")
            for event in recorded:
                told = event["CloudTrailEvent"]
                of_custody = self.outputs["CustodyTableName"] in told
                if event["EventId"] not in earlier and _APPLICATION in told and not of_custody:
                    service = event["EventSource"].partition(".")[0]
                    counted[f"{service}.{event['EventName']}"] += 1

    @contextmanager
    def without_recorder(self) -> Iterator[None]:
        """Keep custody's recorder off meanwhile: it works, in its own time, on what the others have done before.

        Raises
        ------
        TimeoutError
            Functions are still at work after a minute.
        """
        client = self.client("lambda")
        pages = client.get_paginator("list_event_source_mappings").paginate(FunctionName=self.functions[_RECORDER].name)
        mappings = [mapping["UUID"] for page in pages for mapping in page["EventSourceMappings"]]
        for mapping in mappings:
            client.update_event_source_mapping(UUID=mapping, Enabled=False)
        try:
            self._rest()
            yield
        finally:
            for mapping in mappings:
                client.update_event_source_mapping(UUID=mapping, Enabled=True)

    def _rest(self) -> None:
        deadline = time.monotonic() + _REST_SECONDS
        while time.monotonic() < deadline:
            try:
                with self.recorded_calls() as counted:
                    time.sleep(1)
            except LookupError:
                continue
            if not counted:
                return
        raise TimeoutError(f"functions are still at work after {_REST_SECONDS} s")

    def _configure(self, name: str, value: str) -> None:
        request = urllib.request.Request(
            f"{self.endpoint}/_ministack/config", json.dumps({name: value}).encode(), method="POST"
        )
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=10) as answer:
            if name not in json.load(answer)["applied"]:
                raise LookupError(f"the embedded AWS does not know {name}")


def _events(trail: Any) -> list[dict[str, Any]]:
    pages = trail.get_paginator("lookup_events").paginate()
    return [event for page in pages for event in page["Events"]]
