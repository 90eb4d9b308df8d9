"""What may be asked for, and what the answer to a mistake names."""

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes.runs import DESTINATIONS, E_TAG, KEY, SOURCE, a_run, facts, failure, result, totals
from waybill.core.errors import InvalidInputError
from waybill.replication.domain.records import LatestRun
from waybill.replication.models import CopyTask, ReplicationRequest

GOOD: dict[str, Any] = {"sourceBucket": SOURCE, "sourceKey": KEY, "destinationBuckets": list(DESTINATIONS)}

_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
_FIELDS = [
    "sourceBucket", "sourceKey", "destinationBuckets", "destinationPrefix", "versionId", "eTag", "size", "sequencer",
    "force", "nonce",
]  # fmt: skip


def parse(**changes: Any) -> ReplicationRequest:
    return ReplicationRequest.parse({**GOOD, **changes})


def problems(payload: object) -> list[tuple[str, str]]:
    with pytest.raises(InvalidInputError) as caught:
        ReplicationRequest.parse(payload)
    return [(error.field, error.message) for error in caught.value.errors]


def test_a_request_says_what_is_copied_where() -> None:
    request = parse()
    assert (request.source_bucket, request.source_key, request.destination_buckets) == (SOURCE, KEY, DESTINATIONS)
    assert request.destination_key == KEY
    assert request.wire() == {**GOOD, "force": False}


def test_a_single_destination_may_be_a_string() -> None:
    assert parse(destinationBuckets="region-a-builds").destination_buckets == ("region-a-builds",)


def test_duplicates_are_merged_in_the_order_they_came() -> None:
    assert parse(destinationBuckets=["bbb", "aaa", "bbb", "ccc", "aaa"]).destination_buckets == ("bbb", "aaa", "ccc")


def test_fields_of_others_are_ignored() -> None:
    assert parse(generation=7, comment="…") == parse()


@pytest.mark.parametrize(
    ("changes", "field", "message"),
    [
        ({"sourceBucket": None}, "sourceBucket", "Input should be a valid string"),
        ({"sourceBucket": ""}, "sourceBucket", "must not be blank"),
        ({"sourceBucket": " "}, "sourceBucket", "must not be blank"),
        ({"sourceBucket": "a/b"}, "sourceBucket", "must be an S3 bucket name"),
        ({"sourceBucket": "ab"}, "sourceBucket", "must be an S3 bucket name"),
        ({"sourceBucket": "builds#exec"}, "sourceBucket", "must be an S3 bucket name"),
        ({"sourceBucket": "builds\n"}, "sourceBucket", "must be an S3 bucket name"),
        ({"sourceBucket": 7}, "sourceBucket", "Input should be a valid string"),
        ({"sourceKey": ""}, "sourceKey", "must not be empty"),
        ({"sourceKey": "x" * 1025}, "sourceKey", "must be at most 1024 bytes of UTF-8"),
        ({"sourceKey": "é" * 513}, "sourceKey", "must be at most 1024 bytes of UTF-8"),
        ({"sourceKey": ["k"]}, "sourceKey", "Input should be a valid string"),
        ({"sourceKey": "\ud800"}, "sourceKey", "must be text that UTF-8 can hold"),
        ({"destinationBuckets": []}, "destinationBuckets", "at least 1 item"),
        ({"destinationBuckets": None}, "destinationBuckets", "valid tuple"),
        ({"destinationBuckets": {"a": 1}}, "destinationBuckets", "valid tuple"),
        ({"destinationBuckets": 7}, "destinationBuckets", "valid tuple"),
        ({"destinationBuckets": ""}, "destinationBuckets[0]", "must not be blank"),
        ({"destinationBuckets": ["good", "", "good"]}, "destinationBuckets[1]", "must not be blank"),
        ({"destinationBuckets": ["good", None]}, "destinationBuckets[1]", "Input should be a valid string"),
        ({"destinationBuckets": [["good"]]}, "destinationBuckets[0]", "Input should be a valid string"),
        ({"destinationBuckets": [f"b-{n}" for n in range(1001)]}, "destinationBuckets", "at most 1000 items"),
        ({"destinationBuckets": [SOURCE]}, "destinationBuckets", f"{SOURCE} is the source itself"),
        ({"destinationBuckets": ["aaa", SOURCE]}, "destinationBuckets", f"{SOURCE} is the source itself"),
        ({"destinationBuckets": [SOURCE], "destinationPrefix": ""}, "destinationBuckets", "is the source itself"),
        ({"destinationPrefix": 7}, "destinationPrefix", "Input should be a valid string"),
        ({"destinationPrefix": "x" * 1012}, "destinationPrefix", "with the key it is over 1024 bytes"),
        ({"versionId": 7}, "versionId", "Input should be a valid string"),
        ({"eTag": {}}, "eTag", "Input should be a valid string"),
        ({"size": -1}, "size", "greater than or equal to 0"),
        ({"size": "many"}, "size", "valid integer"),
        ({"size": 1.5}, "size", "valid integer"),
        ({"sequencer": "xyz"}, "sequencer", "must be hexadecimal"),
        ({"sequencer": 12}, "sequencer", "Input should be a valid string"),
        ({"force": "perhaps"}, "force", "valid boolean"),
        ({"nonce": 1}, "nonce", "Input should be a valid string"),
    ],
)
def test_a_mistake_is_named_by_its_field(changes: dict[str, Any], field: str, message: str) -> None:
    (found,) = problems({**GOOD, **changes})
    told = ": ".join(found)
    assert told.startswith(field)
    assert message in told


@pytest.mark.parametrize("missing", ["sourceBucket", "sourceKey", "destinationBuckets"])
def test_what_is_missing_is_named(missing: str) -> None:
    assert problems({name: value for name, value in GOOD.items() if name != missing}) == [(missing, "Field required")]


def test_every_mistake_is_named_at_once() -> None:
    found = problems({"sourceBucket": "", "destinationBuckets": ["", "x"], "size": "a"})
    assert [field for field, _ in found] == [
        "sourceBucket", "sourceKey", "destinationBuckets[0]", "destinationBuckets[1]", "size",
    ]  # fmt: skip


@pytest.mark.parametrize("payload", [None, "text", b"{}", 7, [], [GOOD], True])
def test_anything_but_an_object_is_refused(payload: object) -> None:
    assert problems(payload) == [("input", "must be a JSON object")]


@given(st.dictionaries(st.sampled_from(_FIELDS), _JSON))
def test_no_types_make_it_crash(fields: dict[str, Any]) -> None:
    for payload in (fields, {**GOOD, **fields}):
        with suppress(InvalidInputError):
            request = ReplicationRequest.parse(payload)
            assert ReplicationRequest.parse(json.loads(json.dumps(request.wire()))) == request


@pytest.mark.parametrize(
    "changes",
    [
        {"sourceKey": "x" * 1024},
        {"sourceKey": "é" * 512},
        {"sourceKey": " "},
        {"sourceKey": "//../a\nb\x00"},
        {"destinationBuckets": [f"bucket-{number}" for number in range(1000)]},
        {"destinationBuckets": [SOURCE], "destinationPrefix": "copies/"},
        {"destinationPrefix": "x" * (1024 - len(KEY))},
        {"sourceBucket": "Old_Bucket.of.2009"},
        {"size": 0},
        {"size": 50 * 1024**4},
    ],
)
def test_the_limits_themselves_are_fine(changes: dict[str, Any]) -> None:
    assert parse(**changes)


@pytest.mark.parametrize(
    ("field", "value", "kept"),
    [
        ("version_id", "", None),
        ("version_id", "null", None),
        ("version_id", "v1", "v1"),
        ("e_tag", "", None),
        ("e_tag", f'"{E_TAG}"', E_TAG),
        ("e_tag", '""', None),
        ("destination_prefix", "", None),
        ("nonce", "", None),
        ("sequencer", "0055aeD", "0055AED".ljust(64, "0")),
        ("sequencer", None, None),
    ],
)
def test_what_says_nothing_is_as_good_as_absent(field: str, value: str, kept: str | None) -> None:
    request = ReplicationRequest(
        **{"source_bucket": SOURCE, "source_key": KEY, "destination_buckets": DESTINATIONS, field: value}
    )
    assert getattr(request, field) == kept


def test_a_run_survives_the_way_through_the_states() -> None:
    run = a_run(sequencer="AB", version_id="v1", generation=3)
    assert type(run).parse(json.loads(json.dumps(run.wire()))) == run


def test_a_task_names_its_place() -> None:
    run = a_run(destination_prefix="copies/")
    task = CopyTask.parse({"run": run.wire(), "destinationBucket": "bbb", "description": {
        "source": facts().wire(), "strategy": "COPY"}})  # fmt: skip
    assert (task.place.bucket, task.place.key) == ("bbb", f"copies/{KEY}")
    assert task.attempt == 1


class TestIdentity:
    """Which states of an object are the same."""

    def test_a_version_is_itself(self) -> None:
        assert facts(version_id="v1", last_modified="a").identity == facts(version_id="v1", last_modified="b").identity

    @pytest.mark.parametrize("changes", [{"last_modified": "later"}, {"e_tag": "other"}, {"version_id": "v1"}])
    def test_without_versions_it_takes_content_and_time(self, changes: dict[str, Any]) -> None:
        assert facts(last_modified="early").identity != facts(**{"last_modified": "early", **changes}).identity


class TestOutranking:
    """See `LatestRun.outranks`."""

    def later(self, **changes: Any) -> LatestRun:
        fields = {"in_order": True, "destination_buckets": DESTINATIONS, "destination_prefix": None, **changes}
        return LatestRun("later", "IN_PROGRESS", **fields)

    def test_a_later_event_for_the_same_place_does(self) -> None:
        assert self.later().outranks(a_run(), DESTINATIONS[0])

    @pytest.mark.parametrize(
        "changes",
        [{"in_order": False}, {"destination_buckets": DESTINATIONS[1:]}, {"destination_prefix": "elsewhere/"}],
    )
    def test_others_do_not(self, changes: dict[str, Any]) -> None:
        assert not self.later(**changes).outranks(a_run(), DESTINATIONS[0])

    def test_nobody_outranks_himself(self) -> None:
        assert not self.later().outranks(a_run(execution_id="later"), DESTINATIONS[0])


def test_totals_list_buckets_by_success_and_leave_superseded_ones_out() -> None:
    run = a_run(destination_buckets=("aaa", "bbb", "ccc"))
    counted = totals(
        result(run, "aaa"),
        failure(run, "bbb"),
        result(run, "ccc", success=False, code="SUPERSEDED"),
    )
    assert counted.buckets(success=True) == ["aaa"]
    assert counted.buckets(success=False) == ["bbb"]
