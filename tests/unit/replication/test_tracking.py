"""The table in memory does what the real one does, for any sequence of calls; so the tests on it mean something."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from moto import mock_aws

from tests.fakes.clock import Clock
from tests.fakes.functions import PHYSICAL, tracking_table_definition
from tests.fakes.probe import Probe
from tests.fakes.runs import DESTINATIONS, a_run, ended, facts, failure, result
from tests.fakes.tracking import FakeTracking, Table
from waybill.core.aws.clients import client
from waybill.replication.adapters.table import TrackingTable
from waybill.replication.domain.records import Claimed
from waybill.replication.models import ReplicationRun, RunOutcome, RunTotals

_TABLE = PHYSICAL["FileCopyTrackingTable"]
_LABELS = st.sampled_from("abc")
_BUCKETS = st.sampled_from(DESTINATIONS)
_STATES = st.sampled_from(["e-tag 1", "e-tag 2"])
# One sequencer per run, or none; "c" repeats the event of "b".
_SEQUENCERS: dict[str, list[str | None]] = {"a": [None, "01"], "b": [None, "02"], "c": [None, "02", "03"]}
_RUNS = st.fixed_dictionaries({label: st.sampled_from(found) for label, found in _SEQUENCERS.items()})
_CALLS = st.lists(
    st.one_of(
        st.tuples(st.just("claim"), _LABELS),
        st.tuples(st.just("record_upload"), _LABELS, _BUCKETS, _STATES),
        st.tuples(st.just("record_destination"), _LABELS, _BUCKETS, _STATES, st.booleans()),
        st.tuples(st.just("finish"), _LABELS, st.booleans()),
    ),
    min_size=3,
    max_size=12,
)


class Both:
    """A file in both tables; each has runs of its own, since each counts its claims."""

    def __init__(self, table: TrackingTable, sequencers: dict[str, str | None], express: bool) -> None:
        self.real, self.fake = table, FakeTracking(Table(Clock()), Probe())
        self.runs = {
            label: a_run(
                label,
                start=f"2026-03-01T12:00:0{number}.000Z",
                sequencer=sequencer,
                **({"execution_name": "one name", "execution_id": label} if express and label != "a" else {}),
            )
            for number, (label, sequencer) in enumerate(sequencers.items())
        }
        self.claimed = {id(self.real): dict(self.runs), id(self.fake): dict(self.runs)}

    def do(self, tracking: Any, call: tuple[Any, ...]) -> object:
        runs = self.claimed[id(tracking)]
        name, run = call[0], runs[call[1]]
        if name == "claim":
            claimed = tracking.claim(run)
            runs[call[1]] = run.model_copy(update={"generation": claimed.generation})
            return claimed
        if name == "record_upload":
            return tracking.record_upload(run, call[2], facts(e_tag=call[3]), f"upload of {call[1]}")
        if name == "record_destination":
            outcome = result(run, call[2]) if call[4] else failure(run, call[2])
            return tracking.record_destination(run, outcome, facts(e_tag=call[3]) if call[4] else None)
        return tracking.finish(run, *self.totals(run, call[2]))

    @staticmethod
    def totals(run: ReplicationRun, success: bool) -> tuple[RunTotals, RunOutcome]:
        return ended(*((result if success else failure)(run, bucket) for bucket in DESTINATIONS))

    def seen(self, tracking: Any) -> object:
        """All that the port shows."""
        file = self.runs["a"].file
        return (
            tracking.latest_run(file),
            [tracking.destination(file, bucket) for bucket in DESTINATIONS],
            [{item["destinationBucket"] for item in tracking.destinations_of(run)} for run in self.runs.values()],
            [
                (record["executionId"], json.loads(record["destinationBuckets"]))
                for record in tracking.open_runs(started_before="2026-03-01T12:00:01.500Z")
            ],
        )


@pytest.fixture(scope="module")
def dynamodb() -> Iterator[Any]:
    """A client of moto's DynamoDB, with the tracking table."""
    with pytest.MonkeyPatch.context() as patch, mock_aws():
        patch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
        dynamodb = client("dynamodb", "eu-west-1")
        dynamodb.create_table(**tracking_table_definition())
        yield dynamodb


def emptied(dynamodb: Any) -> TrackingTable:
    """The real table, without what an earlier example has written."""
    for item in dynamodb.scan(TableName=_TABLE)["Items"]:
        dynamodb.delete_item(TableName=_TABLE, Key={name: item[name] for name in ("fileKey", "sourceBucket")})
    return TrackingTable(dynamodb, _TABLE, history_days=90, now=Clock().now)


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(sequencers=_RUNS, express=st.booleans(), calls=_CALLS)
def test_any_calls_have_the_same_answers(
    dynamodb: Any, sequencers: dict[str, str | None], express: bool, calls: list[tuple[Any, ...]]
) -> None:
    both = Both(emptied(dynamodb), sequencers, express)
    for call in calls:
        assert both.do(both.fake, call) == both.do(both.real, call), call
    assert both.seen(both.fake) == both.seen(both.real)


_EVENTS: dict[str, str | None] = {"a": "01", "b": None, "c": "02", "C": "02"}


@pytest.mark.parametrize(
    ("labels", "answers"),
    [
        pytest.param("aca", "STARTED STARTED STALE", id="a later event stays"),
        pytest.param("ca", "STARTED STALE", id="an earlier event comes too late"),
        pytest.param("cC", "STARTED DUPLICATE", id="an event comes twice, under another name"),
        pytest.param("cbC", "STARTED STARTED DUPLICATE", id="an event comes again after a run by hand"),
        pytest.param("aba", "STARTED STARTED STARTED", id="an event's run whose first claim went unheard"),
        pytest.param("abca", "STARTED STARTED STARTED STALE", id="a later event after a run by hand"),
        pytest.param("bb", "STARTED STARTED", id="a run by hand whose first claim went unheard"),
        pytest.param("cba", "STARTED STARTED STALE", id="a run by hand keeps the order of events"),
    ],
)
def test_who_may_claim_after_whom(dynamodb: Any, labels: str, answers: str) -> None:
    both = Both(emptied(dynamodb), _EVENTS, express=False)
    for tracking in (both.fake, both.real):
        claimed = [both.do(tracking, ("claim", label)) for label in labels]
        assert [one.claim for one in claimed if isinstance(one, Claimed)] == answers.split()
    assert both.seen(both.fake) == both.seen(both.real)


def test_a_file_without_a_record(dynamodb: Any) -> None:
    both = Both(emptied(dynamodb), {"a": None}, express=False)
    assert both.seen(both.fake) == both.seen(both.real) == (None, [None, None], [set()], [])
