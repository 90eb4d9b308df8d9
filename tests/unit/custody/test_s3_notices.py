"""What S3 tells of watched buckets: every change once, however often and in whatever order it is told."""

import json
from dataclasses import replace
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes.custody import NOON, Custody
from tests.unit.custody.samples import SHA256, UPLOAD, copied
from waybill.core.errors import NotFoundError
from waybill.custody.adapters.notices import notices_of
from waybill.custody.domain.records.s3 import happening
from waybill.custody.domain.standing import standing_of
from waybill.custody.domain.tracing import ByPlace, TracedEvent
from waybill.custody.errors import UnknownRecordError
from waybill.custody.models import EventType, Happening, Outcome, Place

FILE = Place("archive", "reports/a b#é.pdf")
ADDRESS = "203.0.113.7"
# In which it happened, all within the second that S3 tells: a shorter sequencer is padded on the right.
CREATED, REPLACED, REMOVED = "0055AED6DCD90281E5", "0055AED6DCD90281E6", "0055AED6DCD9028"


def told(kind: str = "Object Created", *, at: str = "2026-11-29T10:00:00Z", **more: Any) -> dict[str, Any]:
    """An event as the Amazon S3 user guide has it ("EventBridge event message structure")."""
    object_ = {"key": FILE.key, "size": 5, "etag": "b1946ac92492d2347c6235b4d2611184", "sequencer": CREATED}
    detail = {"request-id": "N4N7GDK58NMKJ12R", "requester": "123456789012", "source-ip-address": ADDRESS}
    return {
        "version": "0",
        "id": "17793124-05d4-b198-2fde-7ededc63b103",
        "detail-type": kind,
        "source": "aws.s3",
        "time": at,
        "detail": {
            "bucket": {"name": FILE.bucket},
            "object": object_ | {name: value for name, value in more.items() if name in {"sequencer", "version-id"}},
            **detail,
            **{name: value for name, value in more.items() if name not in {"sequencer", "version-id"}},
        },
    }


def events(custody: Custody) -> tuple[TracedEvent, ...]:
    return custody.tracer.trace(ByPlace(FILE), limit=50).events


def test_an_upload_is_a_creation_with_what_s3_knows_of_it_and_no_address() -> None:
    one = happening(told(**{"version-id": "IYV3p45BT0", "reason": "PutObject"}))
    assert (one.type, one.outcome, one.at) == (EventType.CREATION, Outcome.SUCCESS, "2026-11-29T10:00:00.000Z")
    assert one.about == replace(UPLOAD, place=FILE, version_id="IYV3p45BT0", sha256=None, size=5)
    assert one.detail == {
        "change": "Object Created",
        "sequencer": CREATED,
        "reason": "PutObject",
        "requester": "123456789012",
    }
    assert ADDRESS not in repr(one)


@pytest.mark.parametrize(
    ("kind", "type_"),
    [
        ("Object Deleted", EventType.DELETION),
        ("Object Restore Completed", EventType.RECOVERY),
        ("Object Tags Added", EventType.METADATA_MODIFICATION),
        ("Object Tags Deleted", EventType.METADATA_MODIFICATION),
        ("Object ACL Updated", EventType.METADATA_MODIFICATION),
        ("Object Storage Class Changed", EventType.METADATA_MODIFICATION),
    ],
)
def test_each_kind_is_a_term_of_the_vocabulary(kind: str, type_: EventType) -> None:
    assert happening(told(kind)).type is type_


def test_a_lifecycle_rule_s_removal_says_so() -> None:
    """The example of the guide for an expiration: its requester is the service."""
    one = happening(
        told(
            "Object Deleted",
            **{
                "requester": "s3.amazonaws.com",
                "reason": "Lifecycle Expiration",
                "deletion-type": "Delete Marker Created",
            },
        )
    )
    assert one.detail["reason"] == "Lifecycle Expiration"
    assert (one.detail["deletion"], one.detail["requester"]) == ("Delete Marker Created", "s3.amazonaws.com")
    assert one.about == replace(UPLOAD, place=FILE, version_id=None, sha256=None, size=None)


def changes() -> list[Happening]:
    return [
        happening(told(sequencer=CREATED, **{"version-id": "v1"})),
        happening(told(sequencer=REPLACED, **{"version-id": "v2"})),
        happening(told("Object Tags Added", sequencer="", **{"version-id": "v2", "request-id": "T1"})),
        happening(told("Object Tags Added", sequencer="0", **{"version-id": "v2", "request-id": "T2"})),
    ]


@given(st.permutations(changes() * 3), st.lists(st.integers(1, 4), max_size=6))
def test_each_change_is_one_event_in_any_order_and_however_often(several: list[Happening], cuts: list[int]) -> None:
    custody = Custody()
    left = list(several)
    for number, cut in enumerate([*cuts, len(left)]):
        custody.recorder.record(left[:cut], [], f"batch {number}")
        left = left[cut:]
    assert len(events(custody)) == len(changes())
    custody.wait(hours=2)
    assert custody.seal() == len(changes())
    assert custody.verify().findings == []


def test_what_s3_tells_of_one_second_is_in_the_order_of_its_sequencers() -> None:
    """Amazon S3 user guide, "Event message structure": the shorter one is padded with zeros on the right."""
    three = [
        happening(told("Object Deleted", sequencer=REMOVED)),
        happening(told(sequencer=CREATED, **{"version-id": "v1"})),
        happening(told(sequencer=REPLACED, **{"version-id": "v2"})),
    ]
    for order in permutations(three):
        custody = Custody()
        custody.recorder.record(order, [], "a")
        assert [one.said["type"] for one in events(custody)] == ["deletion", "creation", "creation"]
        assert [one.states[0].version_id for one in events(custody)] == [None, "v1", "v2"]


@pytest.mark.parametrize(
    "event",
    [
        {},
        told("Object Restore Initiated"),
        told() | {"source": "custom.s3"},
        told() | {"time": "yesterday"},
        told() | {"detail": None},
        told() | {"detail": {"bucket": {"name": "b"}, "object": {"key": ""}, "request-id": "r"}},
        told() | {"detail": {"bucket": "b", "object": {"key": "k"}, "request-id": "r"}},
        told() | {"detail": {"bucket": {"name": "b"}, "object": {"key": "k", "size": -1}, "request-id": "r"}},
        # More digits than a number of DynamoDB has (38): one such would bring its whole batch back again and again.
        told() | {"detail": {"bucket": {"name": "b"}, "object": {"key": "k", "size": 10**39}, "request-id": "r"}},
        told() | {"detail": {"bucket": {"name": "b"}, "object": {"key": "é" * 513}, "request-id": "r"}},
    ],
)
def test_what_nobody_understands_is_refused(event: dict[str, Any]) -> None:
    with pytest.raises(UnknownRecordError):
        happening(event)


@pytest.mark.parametrize("canary", ["arn:aws:iam::1:user/alice", "alice@example.org", "Alice", 5, {"a": "alice"}])
@pytest.mark.parametrize("name", ["requester", "deletion-type", "reason"])
def test_whoever_asked_is_an_account_or_a_service_and_nothing_else_goes_in(name: str, canary: object) -> None:
    one = happening(told("Object Deleted", **{name: canary}))
    kept = json.dumps(one.detail)
    assert "@" not in kept
    assert "arn:" not in kept
    assert name != "requester" or "lice" not in kept


def test_one_message_that_nobody_understands_stops_no_other_and_the_log_s_own_are_none() -> None:
    log = told() | {"detail": told()["detail"] | {"bucket": {"name": "custody-log"}}}
    bodies = ["no json", json.dumps(told()), "[" * 100_000, json.dumps([1]), json.dumps(log)]
    messages: Any = [{"messageId": f"m{number}", "body": body} for number, body in enumerate(bodies)]
    found = notices_of(messages, "custody-log")
    assert [one.about for one in found.happened] == [happening(told()).about]
    assert set(found.unknown) == {"m0", "m2", "m3"}


@pytest.mark.parametrize(
    "more",
    [
        {"object": {"key": "a\ud800"}},
        {"object": {"key": "k", "version-id": "\udfff"}},
        {"bucket": {"name": "b\ud800"}},
        {"request-id": "\ud800", "object": {"key": "k"}},
        {"object": {"key": "k", "version-id": "v" * 400_000}},
        {"bucket": {"name": "b" * 70_000}},
        {"request-id": "r" * 400_000, "object": {"key": "k"}},
    ],
)
def test_what_the_table_cannot_hold_is_refused_by_itself(more: dict[str, Any]) -> None:
    """An item of DynamoDB has 400 KB and its texts are UTF-8 (DynamoDB developer guide, "Constraints")."""
    wrong = told() | {"detail": told()["detail"] | more}
    messages: Any = [
        {"messageId": "wrong", "body": json.dumps(wrong)},
        {"messageId": "right", "body": json.dumps(told())},
    ]
    found = notices_of(messages, "custody-log")
    assert set(found.unknown) == {"wrong"}
    assert len(found.happened) == 1


def test_the_longest_key_is_taken_however_json_writes_it() -> None:
    """1,024 bytes of UTF-8 (Amazon S3 user guide, "Naming Amazon S3 objects")."""
    longest = told() | {"detail": told()["detail"] | {"object": {"key": "\x01" * 1024, "sequencer": CREATED}}}
    messages: Any = [{"messageId": "m", "body": json.dumps(longest)}]
    assert [one.about.place.key for one in notices_of(messages, "").happened] == ["\x01" * 1024]  # type: ignore[union-attr]


def erased() -> Custody:
    custody = Custody()
    custody.recorder.record([happening(told())], [], "a")
    custody.wait(minutes=10)
    custody.seal()
    custody.eraser.erase(FILE, by="somebody", reason="asked for")
    return custody


def test_the_removal_of_a_file_whose_name_was_erased_brings_no_name_back() -> None:
    custody = erased()
    custody.recorder.record([happening(told("Object Deleted", at="2026-11-29T13:00:00Z", sequencer="0056"))], [], "b")
    with pytest.raises(NotFoundError):
        custody.tracer.trace(ByPlace(FILE), limit=50)
    assert custody.ledger.names == {}


def test_a_new_upload_to_an_erased_place_and_its_removal_are_a_history() -> None:
    custody = erased()
    removed = happening(told("Object Deleted", at="2026-11-29T13:00:01Z", sequencer="0057"))
    custody.recorder.record([removed, happening(told(at="2026-11-29T13:00:00Z", sequencer="0056"))], [], "b")
    assert [one.said["type"] for one in events(custody)] == ["creation", "deletion"]


def test_what_was_proven_of_a_file_that_was_put_over_is_proven_no_more() -> None:
    custody = Custody()
    proven = replace(copied(1), detail={"code": "COPIED", "verification": "CHECKSUM"})
    custody.recorder.record([proven], [], "a")

    def standing() -> Any:
        trace = custody.tracer.trace(ByPlace(UPLOAD.place), limit=50)
        return standing_of(trace, UPLOAD.place, NOON)

    assert (standing().proven_at, standing().ndsa_level) == (proven.at, 2)
    assert proven.about == replace(UPLOAD, sha256=SHA256)
    over = replace(happening(told(at="2026-11-29T11:00:00Z")), about=replace(UPLOAD, version_id="v2", sha256=None))
    custody.recorder.record([over], [], "b")
    assert (standing().proven_at, standing().ndsa_level) == (None, 0)
