"""Custody on moto: the tables of all workflows, the log's bucket under lock, and keys that are known to the tests."""

import importlib
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from boto3.dynamodb.types import TypeSerializer

from tests.fakes.api import LambdaContext
from tests.fakes.custody import LocalSigner
from tests.fakes.functions import PHYSICAL, functions, table_definition
from tests.fakes.wire import Wire
from waybill.core import settings
from waybill.core.aws.clients import client
from waybill.core.aws.dynamodb import from_item
from waybill.custody import runtime
from waybill.custody.adapters.packing import unpacked_hex, unpacked_lines, unpacked_states, unpacked_text
from waybill.custody.domain.interpreting import Workflow

HANDLERS = ("record_events", "seal_events", "verify_custody", "custody_api", "erase_names")
TABLES = {
    Workflow.REPLICATION: "FileCopyTrackingTable",
    Workflow.MINTING: "IdentifiersTable",
    Workflow.CONSIGNMENTS: "ConsignmentsTable",
    Workflow.SCANNING: "ScansTable",
    Workflow.SUBJECT_ACCESS: "SubjectAccessTable",
}


class CustodyOnMoto:
    """What a test does with it: writes through the workflows' own stores, and lets custody's functions run."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.dynamodb, self.s3, self.sqs = client("dynamodb"), client("s3"), client("sqs")
        for resource in (*TABLES.values(), "CustodyTable"):
            self.dynamodb.create_table(TableName=table(resource), **table_definition(resource))
        self.s3.create_bucket(
            Bucket="custodylogbucket",
            ObjectLockEnabledForBucket=True,
            CreateBucketConfiguration={"LocationConstraint": "eu-west-1"},
        )
        self.lock(days=1)
        self.queue = self.sqs.create_queue(QueueName="refused")["QueueUrl"]
        kms: Any = client("kms")
        made = kms.create_key(KeySpec="HMAC_256", KeyUsage="GENERATE_VERIFY_MAC")["KeyMetadata"]["Arn"]
        self.environment = {
            "CUSTODY_LOG_BUCKET": "custodylogbucket",
            "CUSTODY_MAC_KEY_ARN": made,
            "CUSTODY_REFUSED_QUEUE_URL": self.queue,
            "CUSTODY_SETTLING_SECONDS": "0",
        }
        for handler in HANDLERS:
            given = functions()[f"waybill.custody.handlers.{handler}"].environment
            for name, value in {**given, **self.environment}.items():
                monkeypatch.setenv(name, value)
        settings.load.cache_clear()
        self.at = datetime(2026, 11, 29, 12, tzinfo=UTC)
        monkeypatch.setattr(runtime, "now", lambda: self.at)
        # moto has no keys of Ed25519; what KMS answers is in test_kms.
        monkeypatch.setattr(runtime, "signer", lambda: LocalSigner(name="waybill/custodylogbucket"))
        self.before: dict[str, dict[str, Any]] = {}

    def lock(self, days: int) -> None:
        rule: Any = {"Rule": {"DefaultRetention": {"Mode": "COMPLIANCE", "Days": days}}}
        self.s3.put_object_lock_configuration(
            Bucket="custodylogbucket", ObjectLockConfiguration={"ObjectLockEnabled": "Enabled", **rule}
        )

    def stream(self, workflow: Workflow) -> list[dict[str, Any]]:
        """What the stream of a table tells since it was asked last, as Lambda gets it."""
        name = table(TABLES[workflow])
        found = {}
        for page in self.dynamodb.get_paginator("scan").paginate(TableName=name):
            found |= {_key(workflow, item): item for item in page["Items"]}
        records = []
        for key, item in found.items():
            old = self.before.get(f"{name} {key}")
            if old != item:
                images = {"NewImage": item} | ({"OldImage": old} if old else {})
                arn = f"arn:aws:dynamodb:eu-west-1:123456789012:table/{name}/stream/2026-11-29T12:00:00.000"
                event = "MODIFY" if old else "INSERT"
                records.append({"eventName": event, "eventSourceARN": arn, "dynamodb": images})
                self.before[f"{name} {key}"] = item
        return records

    def call(self, handler: str, event: Any) -> Any:
        module = importlib.import_module(f"waybill.custody.handlers.{handler}")
        return module.lambda_handler(event, LambdaContext())

    def record(self, workflow: Workflow) -> list[dict[str, Any]]:
        """Let the stream of a table be recorded; return what it told."""
        records = self.stream(workflow)
        self.call("record_events", {"Records": records})
        return records

    def seal(self) -> dict[str, int]:
        self.at += timedelta(minutes=10)
        sealed: dict[str, int] = self.call("seal_events", {})
        return sealed

    def items(self) -> list[dict[str, Any]]:
        pages = self.dynamodb.get_paginator("scan").paginate(TableName=table("CustodyTable"))
        return [_readable(from_item(item)) for page in pages for item in page["Items"]]

    def refused(self) -> list[str]:
        messages = self.sqs.receive_message(QueueUrl=self.queue, MaxNumberOfMessages=10).get("Messages", [])
        return [message["Body"] for message in messages]


def _readable(item: dict[str, Any]) -> dict[str, Any]:
    """Return an item as what it says: what is packed would hide from a test what it looks for."""
    if "sealed" in item:
        states = [asdict(state) for state in unpacked_states(item.get("states", []))]
        item |= {"sealed": unpacked_text(item["sealed"]), "states": states}
        item |= {name: unpacked_hex(item.get(name, "")) for name in ("id", "mac")}
    if item["pk"] == "Q":
        item["leaves"] = unpacked_lines(item["leaves"])
    return item


def table(resource: str) -> str:
    return PHYSICAL.get(resource, resource)


def _key(workflow: Workflow, item: dict[str, Any]) -> str:
    names = ("fileKey", "sourceBucket") if workflow is Workflow.REPLICATION else ("pk", "sk")
    return "|".join(str(item.get(name)) for name in names)


def typed(item: dict[str, Any]) -> dict[str, Any]:
    return {name: TypeSerializer().serialize(value) for name, value in item.items()}


@pytest.fixture
def custody(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> Iterator[CustodyOnMoto]:
    _forget()
    yield CustodyOnMoto(monkeypatch)
    _forget()


def _forget() -> None:
    for collaborator in (runtime.table, runtime.keys, runtime.signer):
        if hasattr(collaborator, "cache_clear"):
            collaborator.cache_clear()
    settings.load.cache_clear()
