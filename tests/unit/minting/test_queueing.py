"""Requests from a queue."""

import json
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.fakes.registry import Clock, MemoryRegistry, counting
from waybill.core.notifications import Notification
from waybill.minting.domain.answers import IdentifierMinter, answer
from waybill.minting.domain.minter import Minter
from waybill.minting.domain.queued_requests import QueuedRequests, payload_of
from waybill.minting.errors import RegistryRefusedError, RegistryThrottledError, ResultsNotSentError


@dataclass
class Outside:
    """The queue of results, the records and the topic."""

    sent: list[tuple[dict[str, Any], str | None]] = field(default_factory=list)
    records: dict[str, Any] = field(default_factory=dict)
    notified: list[Notification] = field(default_factory=list)
    broken: bool = False

    def send(self, results, group) -> None:
        if self.broken:
            raise ResultsNotSentError("queue is gone")
        self.sent += [(dict(result), group) for result in results]

    def record_failure(self, message_id: str, record) -> str:
        self.records[message_id] = record
        return f"s3://bucket/{message_id}.json"

    def notify(self, notification: Notification) -> None:
        self.notified.append(notification)


@pytest.fixture
def outside() -> Outside:
    return Outside()


@pytest.fixture
def registry() -> MemoryRegistry:
    return MemoryRegistry()


@pytest.fixture
def handle(outside: Outside, registry: MemoryRegistry):
    minter = IdentifierMinter(Minter(registry, counting(), Clock().time()))
    queue = QueuedRequests(lambda payload: answer(payload, lambda mode: minter), outside, outside, outside)

    def handled(body: Any, group: str | None = None) -> bool:
        text = body if isinstance(body, str) else json.dumps(body)
        attributes = {"MessageGroupId": group} if group else {}
        return queue.handle({"messageId": "m-1", "body": text, "attributes": attributes})

    return handled


def test_a_message_per_success_in_the_group_of_the_request(handle, outside: Outside) -> None:
    assert handle({"sourceIdentifiers": ["a", "b"], "jobId": "j"}, group="sender-1")
    assert outside.sent == [
        ({"sourceIdentifier": "a", "canonicalId": "aaaaaaaa", "jobId": "j"}, "sender-1"),
        ({"sourceIdentifier": "b", "canonicalId": "aaaaaaab", "jobId": "j"}, "sender-1"),
    ]
    assert outside.notified == []


def test_lasting_failures_are_recorded_and_told_and_do_not_come_back(handle, outside: Outside) -> None:
    assert handle({"sourceIdentifiers": ["a", "b\x01"], "jobId": "j"})
    assert [result["sourceIdentifier"] for result, _ in outside.sent] == ["a"]
    assert outside.records["m-1"]["failures"][0]["code"] == "INVALID_IDENTIFIER"
    [got] = outside.notified
    assert (got.workflow, got.status, got.about, got.notification_id) == (
        "minting",
        "PARTIAL",
        "j",
        "m-1",
    )
    assert "s3://bucket/m-1.json" in got.body
    assert "INVALID_IDENTIFIER" in got.body


@pytest.mark.parametrize("body", [{}, {"sourceIdentifiers": []}, {"sourceIdentifiers": ["a"], "jobId": ""}])
def test_a_broken_contract_is_a_lasting_failure(handle, outside: Outside, body: dict) -> None:
    assert handle(body)
    assert outside.records["m-1"]["failures"][0]["code"] == "INVALID_INPUT"
    assert outside.notified[0].status == "NONE_SUCCEEDED"


def test_passing_failures_come_back_and_nobody_is_told_yet(handle, outside: Outside, registry: MemoryRegistry) -> None:
    registry.assign_faults = [RegistryThrottledError("slow")] * 100
    assert not handle({"sourceIdentifiers": ["a", "b\x01"]})
    assert outside.notified == []
    registry.assign_faults = []
    assert handle({"sourceIdentifiers": ["a", "b\x01"]})
    assert len(outside.notified) == 1


@pytest.mark.parametrize("fault", [ResultsNotSentError, RegistryRefusedError])
def test_what_is_not_about_one_request_raises(handle, outside, registry: MemoryRegistry, fault: type) -> None:
    outside.broken = True
    registry.find_faults = [RegistryRefusedError("denied")] if fault is RegistryRefusedError else []
    with pytest.raises(fault):
        handle({"sourceIdentifiers": ["a"]})


@pytest.mark.parametrize(
    ("body", "payload"),
    [
        ("Work[s/1]", {"sourceIdentifiers": ["Work[s/1]"]}),
        ("123", {"sourceIdentifiers": ["123"]}),
        ('"quoted"', {"sourceIdentifiers": ["quoted"]}),
        ('["a", "b"]', {"sourceIdentifiers": ["a", "b"]}),
        ('{"sourceIdentifiers": ["a"]}', {"sourceIdentifiers": ["a"]}),
        (json.dumps({"TopicArn": "t", "Message": '{"sourceIdentifiers": ["a"]}'}), {"sourceIdentifiers": ["a"]}),
        (json.dumps({"TopicArn": "t", "Message": "Work[s/1]"}), {"sourceIdentifiers": ["Work[s/1]"]}),
        ("{broken", "{broken"),
        ('{"sourceIdentifiers": ["a"', '{"sourceIdentifiers": ["a"'),
        (" [1, ", " [1, "),
        ('"half', '"half'),
        ("null", None),
        ("true", True),
        ("", {"sourceIdentifiers": [""]}),
    ],
)
def test_bodies(body: str, payload: object) -> None:
    assert payload_of(body) == payload


@pytest.mark.parametrize("body", ["{broken", "[1, ", '"half', "null", "true", ""])
def test_what_is_no_request_is_never_minted(handle, outside: Outside, registry: MemoryRegistry, body: str) -> None:
    assert handle(body)
    assert outside.records["m-1"]["failures"][0]["code"] == "INVALID_INPUT"
    assert registry.calls == 0
