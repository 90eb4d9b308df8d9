"""What an event names, in whatever it is wrapped."""

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes.runs import E_TAG, KEY, SOURCE
from tests.workflow.support.events import eventbridge_event, in_sns, in_sqs, s3_event, s3_record
from waybill.replication.domain.events import Ignored, ObjectCreated, TagsChanged, Unusable, records, sqs_messages

_FACTS = {"eTag": E_TAG, "size": 3, "sequencer": "0055AED6DCD90281E5", "versionId": "v1"}
_DETAIL = {"etag": E_TAG, "size": 3, "sequencer": "0055AED6DCD90281E5", "version-id": "v1"}
_CREATED = ObjectCreated(bucket=SOURCE, key=KEY, e_tag=E_TAG, version_id="v1", size=3, sequencer="0055AED6DCD90281E5")
_NOTIFICATION = s3_event(SOURCE, KEY, **_FACTS)
_EVENTBRIDGE = eventbridge_event(SOURCE, KEY, **_DETAIL)
# Characters of XML, which is what S3 keys can hold, without lone surrogates.
_KEYS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=60)


def failure_record(payload: Any) -> dict[str, Any]:
    """What Lambda hands to an on-failure destination."""
    return {
        "version": "1.0",
        "requestContext": {"condition": "RetriesExhausted", "approximateInvokeCount": 3},
        "requestPayload": payload,
        "responsePayload": {"errorType": "EventNotHandledError"},
    }


def only(payload: object) -> object:
    (found,) = records(payload)
    return found


def removed(record: dict[str, Any], *path: str) -> dict[str, Any]:
    """`record` without the field at `path`."""
    copied = json.loads(json.dumps(record))
    holder = copied
    for name in path[:-1]:
        holder = holder[name]
    del holder[path[-1]]
    return dict(copied)


@pytest.mark.parametrize("event", [_NOTIFICATION, _EVENTBRIDGE], ids=["S3", "EventBridge"])
@pytest.mark.parametrize(
    "wrap",
    [
        pytest.param(lambda event: event, id="bare"),
        pytest.param(json.dumps, id="text"),
        pytest.param(lambda event: json.dumps(event).encode(), id="bytes"),
        pytest.param(in_sns, id="SNS"),
        pytest.param(in_sqs, id="SQS"),
        pytest.param(lambda event: in_sqs(in_sns(event)["Records"][0]["Sns"]), id="SNS in SQS"),
        pytest.param(lambda event: in_sqs(in_sns(event)), id="SNS records in SQS"),
        pytest.param(failure_record, id="failure record"),
        pytest.param(lambda event: in_sqs(failure_record(event)), id="failure record in SQS"),
        pytest.param(lambda event: in_sqs(failure_record(in_sns(event))), id="SNS in a failure record in SQS"),
        pytest.param(lambda event: failure_record(failure_record(event)), id="a failure that failed"),
    ],
)
def test_every_wrapping_holds_the_same(wrap: Callable[[Any], Any], event: dict[str, Any]) -> None:
    assert only(wrap(event)) == _CREATED


def test_all_records_are_read_in_their_order() -> None:
    batch = in_sqs(
        {"Records": [s3_record(SOURCE, "a"), s3_record(SOURCE, "b")]}, eventbridge_event(SOURCE, "c"), _NOTIFICATION
    )
    assert [record.key for record in records(batch) if isinstance(record, ObjectCreated)] == ["a", "b", "c", KEY]


@pytest.mark.parametrize("version", [f"2.{minor}" for minor in range(10)] + ["2.17"])
def test_every_minor_version_of_the_format_is_understood(version: str) -> None:
    assert only({"Records": [s3_record(SOURCE, KEY) | {"eventVersion": version}]}) == ObjectCreated(SOURCE, KEY, size=7)


@pytest.mark.parametrize("version", ["3.0", "1.0", "20", "2", "", None, 2.1e9])
def test_other_versions_are_not_guessed_at(version: object) -> None:
    assert only({"Records": [s3_record(SOURCE, KEY) | {"eventVersion": version}]}) == Unusable(
        "eventVersion is not 2.x"
    )


@pytest.mark.parametrize(
    "name",
    ["ObjectCreated:Put", "ObjectCreated:CompleteMultipartUpload", "ObjectCreated:Copy", "s3:ObjectCreated:Post"],
)
def test_every_way_to_create_counts(name: str) -> None:
    assert isinstance(only({"Records": [s3_record(SOURCE, KEY) | {"eventName": name}]}), ObjectCreated)


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        ({"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": SOURCE}, "s3:TestEvent"),
        (in_sqs({"Service": "Amazon S3", "Event": "s3:TestEvent"}), "s3:TestEvent"),
        (s3_record(SOURCE, KEY) | {"eventName": "ObjectRemoved:Delete"}, "ObjectRemoved:Delete"),
        (s3_record(SOURCE, KEY) | {"eventName": "ObjectRemoved:Delete", "eventVersion": "3.0"}, "ObjectRemoved:Delete"),
        (s3_record(SOURCE, KEY) | {"eventName": "ObjectAcl:Put"}, "ObjectAcl:Put"),
        (_EVENTBRIDGE | {"detail-type": ["Object Created"]}, "aws.s3 ['Object Created']"),
        (s3_record(SOURCE, KEY) | {"eventName": ""}, "record without eventName"),
        (removed(s3_record(SOURCE, KEY), "eventName"), "record without eventName"),
        (s3_record(SOURCE, KEY) | {"eventName": ["ObjectCreated:Put"]}, "['ObjectCreated:Put']"),
        (_EVENTBRIDGE | {"detail-type": "Object Deleted"}, "aws.s3 Object Deleted"),
        (_EVENTBRIDGE | {"source": "aws.ec2"}, "aws.ec2 Object Created"),
        (_EVENTBRIDGE | {"source": None, "detail-type": []}, "None []"),
    ],
)
def test_what_asks_for_nothing_is_ignored(event: dict[str, Any], reason: str) -> None:
    assert only(event) == Ignored(reason)


# Names, and where the request id is: S3 user guide, "Event message structure", "EventBridge event message structure".
@pytest.mark.parametrize("name", ["ObjectTagging:Put", "ObjectTagging:Delete", "s3:ObjectTagging:Put"])
def test_a_notification_of_new_tags_names_the_object_and_itself(name: str) -> None:
    record = s3_record(SOURCE, "a b+c", eTag="e", versionId="v") | {
        "eventName": name,
        "responseElements": {"x-amz-request-id": "C3D13FE58DE4C810", "x-amz-id-2": "FMyUVURI"},
    }
    event_id = "2026-01-02T03:04:05.678Z/C3D13FE58DE4C810"
    assert only({"Records": [record]}) == TagsChanged(SOURCE, "a b+c", event_id)


@pytest.mark.parametrize("kind", ["Object Tags Added", "Object Tags Deleted"])
def test_an_event_of_new_tags_on_the_bus_names_the_object_and_itself(kind: str) -> None:
    event = eventbridge_event(SOURCE, "a b%2B", etag="e") | {"detail-type": kind, "time": "2026-01-02T03:04:05Z"}
    event["detail"]["request-id"] = "C3D13FE58DE4C810"
    assert only(event) == TagsChanged(SOURCE, "a b%2B", "2026-01-02T03:04:05Z/C3D13FE58DE4C810")


@pytest.mark.parametrize("broken", [None, [], "x", {"x-amz-request-id": None}])
def test_new_tags_without_a_request_id_are_told_apart_by_their_time(broken: object) -> None:
    record = s3_record(SOURCE, KEY) | {"eventName": "ObjectTagging:Put", "responseElements": broken}
    assert only({"Records": [record]}) == TagsChanged(SOURCE, KEY, "2026-01-02T03:04:05.678Z/None")


@pytest.mark.parametrize(
    ("name", "reason", "may_be_copy"),
    [
        ("ObjectCreated:Put", "PutObject", False),
        ("ObjectCreated:Post", "POST Object", False),
        ("ObjectCreated:Copy", "CopyObject", True),
        ("ObjectCreated:CompleteMultipartUpload", "CompleteMultipartUpload", True),
    ],
)
def test_what_may_be_a_replica_is_known(name: str, reason: str, may_be_copy: bool) -> None:
    notified = only({"Records": [s3_record(SOURCE, KEY) | {"eventName": name}]})
    event = eventbridge_event(SOURCE, KEY)
    event["detail"]["reason"] = reason
    reported = only(event)
    assert isinstance(notified, ObjectCreated)
    assert isinstance(reported, ObjectCreated)
    assert (notified.may_be_copy, reported.may_be_copy) == (may_be_copy, may_be_copy)


def test_an_empty_batch_holds_nothing() -> None:
    assert list(records({"Records": []})) == []


_NAMES = [
    "Records",
    "s3",
    "bucket",
    "object",
    "name",
    "key",
    "body",
    "Sns",
    "Message",
    "requestPayload",
    "detail",
    "detail-type",
    "source",
    "eventName",
    "Event",
]
_NO_JSON = "not a JSON object"
_NOT_S3 = "neither an S3 notification nor an EventBridge event from S3"
_NO_NAMES = "s3.bucket.name and s3.object.key must be strings"


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (None, _NO_JSON),
        (7, _NO_JSON),
        ([_NOTIFICATION], _NO_JSON),
        ("", _NO_JSON),
        ("{", _NO_JSON),
        (b"\xff\xfe", _NO_JSON),
        ("[" * 200_000, _NO_JSON),
        ('"text"', _NO_JSON),
        ({"body": 7}, _NO_JSON),
        ({"requestPayload": []}, _NO_JSON),
        ({"Records": [None]}, _NO_JSON),
        ({"Sns": {"Message": "no JSON"}}, _NO_JSON),
        ({}, _NOT_S3),
        ({"body": None}, _NOT_S3),
        ({"Records": {}}, _NOT_S3),
        ({"Sns": "text"}, _NOT_S3),
        ({"Sns": {"Subject": "no message"}}, _NOT_S3),
        ({"Records": [{"eventSource": "aws:kinesis"}]}, _NOT_S3),
        ({"detail": {}}, _NOT_S3),
        (s3_record(SOURCE, KEY) | {"s3": None}, _NO_NAMES),
        (s3_record(SOURCE, KEY) | {"s3": "text"}, _NO_NAMES),
        (removed(s3_record(SOURCE, KEY), "s3", "bucket"), _NO_NAMES),
        (removed(s3_record(SOURCE, KEY), "s3", "bucket", "name"), _NO_NAMES),
        (removed(s3_record(SOURCE, KEY), "s3", "object"), _NO_NAMES),
        (removed(s3_record(SOURCE, KEY), "s3", "object", "key"), _NO_NAMES),
        (s3_record("", KEY), _NO_NAMES),
        (s3_record(SOURCE, ""), _NO_NAMES),
        (removed(_EVENTBRIDGE, "detail"), "detail.bucket.name and detail.object.key must be strings"),
        (_EVENTBRIDGE | {"detail": []}, "detail.bucket.name and detail.object.key must be strings"),
        (removed(_EVENTBRIDGE, "detail", "object", "key"), "detail.bucket.name and detail.object.key must be strings"),
    ],
)
def test_what_no_service_sends_is_told_apart(payload: object, reason: str) -> None:
    assert only(payload) == Unusable(reason)


def test_wrappings_have_an_end() -> None:
    event: Any = _NOTIFICATION
    for _ in range(20):
        event = failure_record(event)
    assert only(event) == Unusable("wrapped too many times")


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(_NAMES),
                inner | st.sampled_from(["ObjectCreated:Put", "aws.s3", "Object Created", "2.1"]),
                max_size=5,
            )
        ),
        max_leaves=25,
    )
)
def test_nothing_makes_it_crash(payload: object) -> None:
    for wrapped in (payload, {"Records": payload}, {"Records": [payload]}, s3_record(SOURCE, KEY) | {"s3": payload}):
        assert all(isinstance(found, ObjectCreated | Ignored | Unusable) for found in records(wrapped))


class TestKeys:
    """S3 notifications encode keys, EventBridge does not; both name the same object."""

    @given(_KEYS)
    def test_a_notification_is_decoded_once(self, key: str) -> None:
        for safe in ("", "/"):
            record = s3_record(SOURCE, "")
            record["s3"]["object"]["key"] = quote_plus(key, safe=safe)
            assert only(record) == ObjectCreated(SOURCE, key, size=7)

    @given(_KEYS)
    def test_an_eventbridge_event_is_taken_as_it_is(self, key: str) -> None:
        for raw in (key, quote_plus(key)):
            assert only(eventbridge_event(SOURCE, raw)) == ObjectCreated(SOURCE, raw, size=7)

    @pytest.mark.parametrize(
        ("encoded", "key"),
        [
            ("my+file%2Bv1+%28%C3%A9%29+100%25.zip", "my file+v1 (é) 100%.zip"),
            ("a%252Bb", "a%2Bb"),
            ("a%2526b", "a%26b"),
            ("%2Fleading//and/../dots", "/leading//and/../dots"),
            ("%F0%9F%93%A6%22%27%3F%23%26%3D", "📦\"'?#&="),
            ("%0A%09", "\n\t"),
            ("100%", "100%"),
        ],
    )
    def test_examples(self, encoded: str, key: str) -> None:
        record = s3_record(SOURCE, "")
        record["s3"]["object"]["key"] = encoded
        assert only(record) == ObjectCreated(SOURCE, key, size=7)


class TestSqs:
    """A batch of SQS messages is answered message by message."""

    def test_messages_have_ids_and_bodies(self) -> None:
        assert sqs_messages(in_sqs("one", {"two": 2})) == [("message-0", "one"), ("message-1", '{"two": 2}')]

    @pytest.mark.parametrize(
        "event",
        [
            _NOTIFICATION,
            _EVENTBRIDGE,
            in_sns(_NOTIFICATION),
            {"Records": []},
            {"Records": None},
            {"Records": [None]},
            {"Records": [*in_sqs("one")["Records"], s3_record(SOURCE, KEY)]},
            None,
            [],
            "text",
        ],
    )
    def test_anything_else_is_no_batch(self, event: object) -> None:
        assert sqs_messages(event) is None


def test_the_time_of_an_event_is_when_the_object_was_written() -> None:
    """Amazon S3 user guide, "Event message structure": `eventTime`, ISO 8601."""
    notified = s3_event(SOURCE, KEY)
    notified["Records"][0]["eventTime"] = "2026-11-21T10:00:00.5Z"
    assert [record.time for record in records(notified) if isinstance(record, ObjectCreated)] == [
        "2026-11-21T10:00:00.000Z"
    ]
    notified["Records"][0]["eventTime"] = "yesterday"
    assert [record.time for record in records(notified) if isinstance(record, ObjectCreated)] == [None]
