"""How long a request over many services takes, and what a large answer costs in memory."""

import json
import time
import uuid
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from benchmarks.harness import Benchmark, Figure, Lab
from benchmarks.harness.deployment import Deployment
from benchmarks.harness.report import breakdown
from benchmarks.subject_access.requests import bench_request
from waybill.cli.subject_access.stub_service import StubReply, StubServer, StubService, sample_content
from waybill.core.clock import now
from waybill.subject_access.adapters.catalogue_table import ServiceCatalogue
from waybill.subject_access.adapters.table import SubjectAccessTable
from waybill.subject_access.domain.audit import Action
from waybill.subject_access.domain.claims import claimed
from waybill.subject_access.domain.ports import Change
from waybill.subject_access.models import Part, RequestState
from waybill.subject_access.service_models import Service

_SERVICES = 30
_SECONDS = 0.2
# One after the other in turn, so that what else the machine does is in both.
_PAIRS = 4
_AT_MOST = 8
_ANSWER_BYTES = 60_000_000
_AT_MOST_MB = 512
_FETCH = "waybill.subject_access.handlers.fetch_service"


def _store(deployment: Deployment) -> SubjectAccessTable:
    return SubjectAccessTable(deployment.client("dynamodb"), deployment.outputs["SubjectAccessTableName"], now=now)


def _request(deployment: Deployment, stub: StubServer) -> str:
    """Register the stub's services, and store a request over all of them; return its id."""
    catalogue = ServiceCatalogue(deployment.client("dynamodb"), deployment.outputs["SubjectAccessTableName"], now=now)
    parts = []
    for rank, name in enumerate(stub.services):
        known = catalogue.service(name)
        service = replace(known or Service(name, name, "", enabled=True, category="PRISON"), url=stub.url(name))
        assert catalogue.save_service(service, Action("bench", "SERVICE_CHANGED", {}), new=known is None)
        parts.append(Part(name, name, rank, "PRISON"))
    request_id = str(uuid.uuid4())
    request = bench_request(request_id, datetime.now(UTC))
    _store(deployment).create(request, parts, Action("bench", "CREATED", {}))
    return request_id


def _run(deployment: Deployment, delay: float) -> float:
    """Return the seconds that the workflow takes for a request over services that answer after `delay` seconds."""
    names = [f"stub-{number:02}" for number in range(1, _SERVICES + 1)]
    replies = {name: StubReply.data(sample_content(name, 12), delay=delay) for name in names}
    with StubServer({name: StubService([reply]) for name, reply in replies.items()}) as stub:
        request_id = _request(deployment, stub)
        steps = deployment.client("stepfunctions")
        execution = steps.start_execution(
            stateMachineArn=deployment.outputs["SubjectAccessWorkflowArn"],
            input=json.dumps({"requestId": request_id}),
        )["executionArn"]
        deadline = time.monotonic() + 600
        while (described := steps.describe_execution(executionArn=execution))["status"] == "RUNNING":
            if time.monotonic() > deadline:
                raise AssertionError("the execution does not end")
            time.sleep(0.05)
        found = _store(deployment).request(request_id)
        if found is None or found.state is not RequestState.COMPLETED:
            raise AssertionError(f"not completed: {described['status']}, {found and found.error_code}")
        if len(stub.calls) != _SERVICES:
            raise AssertionError(f"{len(stub.calls)} calls for {_SERVICES} services")
    return float((described["stopDate"] - described["startDate"]).total_seconds())


def _wall(lab: Lab) -> Iterator[Figure]:
    deployment = lab.deployment
    _run(deployment, 0.0)  # the processes start
    pairs = [(_run(deployment, 0.0), _run(deployment, _SECONDS)) for _ in range(_PAIRS)]
    at_once, slow = (min(times) for times in zip(*pairs, strict=True))
    waited = slow - at_once
    rows = [
        ["services that answer after 200 ms", slow],
        ["services that answer at once (functions, machine, report: the overhead)", at_once],
        ["what the services' time adds", waited],
        ["  in times of one service", waited / _SECONDS],
    ]
    lab.show(breakdown(f"One request over {_SERVICES} services, five at a time, in seconds", ["", "s"], rows))
    how = f"execution on the embedded AWS, {_SERVICES} stub services of 200 ms on loopback, the best of {_PAIRS}"
    beside = {"overhead": round(at_once, 2), "times_one_service": round(waited / _SECONDS, 1)}
    target = f"≤ {_AT_MOST} × 0.2 s + overhead"
    yield Figure("disclosure.seconds_30_services", slow, "s", how, beside, target=target)


def _claim(deployment: Deployment, request_id: str) -> dict[str, Any]:
    token = str(uuid.uuid4())
    taken = _store(deployment).change(
        request_id,
        lambda found: Change(claimed(found, token, "bench", now()), Action("bench", "CLAIMED", {})),
    )
    return {"requestId": request_id, "claimToken": token, "generation": taken.request.generation}


def _memory(lab: Lab) -> Iterator[Figure]:
    deployment = lab.deployment
    function = deployment.functions[_FETCH]
    records = sample_content("large", 1000)["records"]
    size = len(json.dumps(records))
    body = StubReply.data(records * (_ANSWER_BYTES // size + 1))
    peaks: dict[str, float] = {}
    for name, reply in {"small": StubReply.data(records[:1]), "large": body}.items():
        with StubServer({name: StubService([reply])}) as stub:
            request_id = _request(deployment, stub)
            event = _claim(deployment, request_id) | {"service": name, "rank": 0, "renderStatus": "PENDING"}
            told = lab.runtime.call(function, event, deployment.described.environment())
        if told.answer["renderStatus"] != "FETCHED":
            raise AssertionError(told.answer)
        peaks[name] = round(told.peak, 1)
    lab.say(f"The small answer has {size // 1000} bytes, the large one {len(body.body):,}.")
    how = f"FetchService in a new process, an answer of {len(body.body) // 1_000_000} MB; the function has 512 MB"
    yield Figure(
        "disclosure.peak_mb_60mb_fetch",
        peaks["large"],
        "MB",
        how,
        {"small_answer": peaks["small"]},
        target=f"≤ {_AT_MOST_MB}",
    )


BENCHMARKS = (
    Benchmark(("disclosure.seconds_30_services",), _wall),
    Benchmark(("disclosure.peak_mb_60mb_fetch",), _memory),
)
