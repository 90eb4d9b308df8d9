"""What comes of the sample events of subject access."""

import hashlib
import os
from dataclasses import replace
from typing import Any

from tests.fakes.api import answer_of
from tests.fakes.samples import Invoke
from tests.fakes.subject_access import (
    BUCKET,
    CATALOGUED,
    CREATED,
    TABLE,
    a_part,
    a_request,
    a_service,
    make_bucket,
    make_table,
)
from tests.fakes.wire import Wire
from tests.functional.core.samples import make_failure_topic
from waybill.cli.subject_access.stub_service import StubReply, StubServer, StubService
from waybill.core.aws.clients import client
from waybill.subject_access import runtime
from waybill.subject_access.domain.audit import Action
from waybill.subject_access.domain.claims import claimed
from waybill.subject_access.domain.handovers import RenderedReport
from waybill.subject_access.domain.keys import answer_key, report_key
from waybill.subject_access.domain.ports import Change
from waybill.subject_access.models import Claim, PartStatus, RequestState

REQUEST, TOKEN, SERVICE = (
    "6f0c6f5e-5f6b-4a51-9a55-0c4b5a3c1a11",
    "8d7c0f1e-0a53-4b8e-9f0a-3f2b6f0c9d11",
    "keyworker-api",
)
PDF = b"%PDF-1.7 a report"
ANSWER = b'{"content": {"keyworker": "A. Name"}}'


def make_resources(url: str = "https://keyworker.service.example") -> None:
    """Make the table, the bucket and one service, and set the environment of all functions."""
    for value in vars(runtime).values():
        if hasattr(value, "cache_clear"):
            value.cache_clear()
    make_table(client("dynamodb"))
    make_bucket(client("s3"))
    machine = client("stepfunctions").create_state_machine(
        name="waybill-subject-access", definition="{}", roleArn="arn:aws:iam::123456789012:role/any"
    )
    os.environ.update(
        SUBJECT_ACCESS_TABLE=TABLE,
        SUBJECT_ACCESS_REPORTS_BUCKET=BUCKET,
        SUBJECT_ACCESS_WORKFLOW_ARN=machine["stateMachineArn"],
        FAILURE_TOPIC_ARN=make_failure_topic(),
        SUBJECT_ACCESS_HOSTS="http://127.0.0.1:*,*.example",
        UPSTREAM_PRIVATE_RANGES="127.0.0.0/8",
        UPSTREAM_SECRET_PREFIX="waybill/sar/",
    )
    runtime.catalogue().save_service(a_service(SERVICE, url=url), CATALOGUED, new=True)


def make_claimed(*, status: PartStatus = PartStatus.PENDING, url: str = "https://keyworker.service.example") -> None:
    """Make the resources, and the request of the samples, claimed, with its one part as it is by then."""
    make_resources(url)
    claim = Claim(request_id=REQUEST, claim_token=TOKEN, generation=1)
    runtime.store().create(a_request(REQUEST), [a_part(SERVICE)], CREATED)
    runtime.store().change(
        REQUEST,
        lambda request: Change(claimed(request, TOKEN, "worker", runtime.now()), Action("worker", "CLAIMED", {})),
    )
    if status is not PartStatus.PENDING:
        key = answer_key(REQUEST, 1, SERVICE)
        client("s3").put_object(Bucket=BUCKET, Key=key, Body=ANSWER)
        part = replace(a_part(SERVICE, 0, status), generation=1, answer_key=key, bytes=len(ANSWER))
        runtime.store().save_part(claim, part)


def make_reported() -> None:
    """Make the request of the samples, its only part without data, and its report in the bucket."""
    make_claimed(status=PartStatus.NO_DATA)
    key = report_key(REQUEST, 1, hashlib.sha256(PDF).hexdigest())
    client("s3").put_object(Bucket=BUCKET, Key=key, Body=PDF, ChecksumAlgorithm="SHA256")


def state_now() -> RequestState:
    found = runtime.store().request(REQUEST)
    assert found is not None
    return found.state


def claim_request(event: Any, invoke: Invoke, wire: Wire) -> None:
    make_resources()
    assert invoke(event) == {"claimed": False}
    runtime.store().create(a_request(REQUEST), [a_part(SERVICE)], CREATED)
    taken = invoke(event)
    assert (taken["claimed"], taken["requestId"], taken["generation"]) == (True, REQUEST, 1)
    assert taken["services"] == [{"service": SERVICE, "rank": 0, "renderStatus": "PENDING"}]
    assert invoke(event) == {"claimed": False}


def fetch_service(event: Any, invoke: Invoke, wire: Wire) -> None:
    with StubServer(
        {SERVICE: StubService([StubReply(body=ANSWER, headers={"Content-Type": "application/json"})])}
    ) as stub:
        make_claimed(url=stub.url(SERVICE))
        credentials = '{"token": "a-token"}'
        client("secretsmanager").create_secret(Name=f"waybill/sar/{SERVICE}", SecretString=credentials)
        told = invoke(event)
    assert (told["service"], told["renderStatus"]) == (SERVICE, "FETCHED")
    part = runtime.store().part(REQUEST, 0, SERVICE)
    assert part is not None
    assert client("s3").get_object(Bucket=BUCKET, Key=part.answer_key)["Body"].read() == ANSWER


def render_part(event: Any, invoke: Invoke, wire: Wire) -> None:
    make_claimed(status=PartStatus.FETCHED)
    assert invoke(event)["renderStatus"] == "COMPLETE"
    part = runtime.store().part(REQUEST, 0, SERVICE)
    assert part is not None
    assert client("s3").get_object(Bucket=BUCKET, Key=part.part_key)["Body"].read(5) == b"%PDF-"
    assert (part.generation, part.pages) == (1, 1)


def check_parts(event: Any, invoke: Invoke, wire: Wire) -> None:
    make_claimed()
    assert invoke(event) == {**event, "ready": False, "missing": [SERVICE]}


def render_report(event: Any, invoke: Invoke, wire: Wire) -> None:
    make_claimed(status=PartStatus.NO_DATA)
    told = invoke(event)
    report = client("s3").get_object(Bucket=BUCKET, Key=told["reportKey"])["Body"].read()
    assert (len(report), hashlib.sha256(report).hexdigest()) == (told["bytes"], told["sha256"])
    assert told["pages"] > 1


def store_report(event: Any, invoke: Invoke, wire: Wire) -> None:
    make_reported()
    assert invoke(event) == event
    found = runtime.store().request(REQUEST)
    assert found is not None
    assert (found.report_key, found.pages) == (event["reportKey"], 3)


def complete_request(event: Any, invoke: Invoke, wire: Wire) -> None:
    make_reported()
    claim = Claim.parse(event)
    stored = runtime.reports()
    stored.save_document("work/left.txt", b"of another request")
    runtime.fulfilment().save_report(claim, RenderedReport.parse(event).stored)
    for _ in range(2):
        assert invoke(event) == {"requestId": REQUEST, "status": "Completed", "pages": 3}
    assert state_now() is RequestState.COMPLETED
    left = [entry["Key"] for entry in client("s3").list_objects_v2(Bucket=BUCKET)["Contents"]]
    # A later decision about what is taken out draws the part again, from what the service answered.
    answer = f"work/{REQUEST}/1/keyworker-api/answer.json"
    assert left == [event["reportKey"], answer, "work/left.txt"]


def fail_attempt(event: Any, invoke: Invoke, wire: Wire) -> None:
    make_claimed()
    told = invoke(event)
    assert told == {
        "requestId": REQUEST,
        "state": "Pending",
        "code": "request_10106",
        "counted": True,
        "notified": True,
    }
    assert wire.published == []


def sweep_requests(event: Any, invoke: Invoke, wire: Wire) -> None:
    make_resources()
    runtime.store().create(a_request(REQUEST, at=runtime.now()), [a_part(SERVICE)], CREATED)
    for _ in range(2):
        polled = invoke(event)
        assert (polled["pending"], polled["started"]) == (1, 1)
    machine = os.environ["SUBJECT_ACCESS_WORKFLOW_ARN"]
    assert len(client("stepfunctions").list_executions(stateMachineArn=machine)["executions"]) == 1


def subject_access_api(event: Any, invoke: Invoke, wire: Wire) -> None:
    make_resources()
    answer = answer_of(invoke(event))
    assert answer.status == 201
    made = runtime.store().request(answer.text)
    assert made is not None
    assert (made.requested_by, made.nomis_id, list(made.services)) == ("JSMITH_GEN", "A1234AA", [SERVICE])


def subject_access_admin_api(event: Any, invoke: Invoke, wire: Wire) -> None:
    make_resources()
    answer = answer_of(invoke(event))
    assert (answer.status, answer.json["id"], answer.json["suspended"]) == (201, "court-register", False)
    assert [service.name for service in runtime.catalogue().services()] == ["court-register", SERVICE]
