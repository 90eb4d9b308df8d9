"""`waybill replicate --backfill`: what it shows, starts and says when it is stopped."""

import json
import shlex
from collections.abc import Callable
from typing import Any

import pytest
from moto.s3.models import s3_backends

from tests.fakes.executions import FakeExecutions
from tests.fakes.runs import DESTINATIONS, SOURCE, failure, result
from tests.fakes.wire import Wire
from tests.functional.cli.conftest import Program, Ran, lines, plain, recorded, run_of
from waybill.cli import watch
from waybill.core.clock import Clock
from waybill.core.errors import PermanentError, RateLimitedError
from waybill.replication.adapters.table import TrackingTable

A, B = DESTINATIONS
ALL = f"s3://{SOURCE}"
BACKFILL = ("replicate", "--backfill")


@pytest.fixture(autouse=True)
def without_pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """What throttled calls would have waited at most."""
    pauses: list[float] = []
    clock = Clock(uniform=lambda _, longest: pauses.append(longest) or 0.0)
    monkeypatch.setattr(watch, "Clock", lambda **_: clock)
    return pauses


def keys_of(executions: FakeExecutions) -> list[str]:
    return sorted(payload["sourceKey"] for payload in executions.inputs.values())


def test_only_what_is_missing_or_different_is_started_and_only_where(
    waybill: Program, executions: FakeExecutions, upload: Callable[..., None]
) -> None:
    upload("a", "b/", "c +é", "d")
    upload("a", "c +é", bucket=A)
    upload("a", "b/", "d", "only here", bucket=B)
    upload("d", bucket=A, body=b"abcd")

    ran = waybill(*BACKFILL, ALL, "--json")

    assert {payload["sourceKey"]: payload["destinationBuckets"] for payload in executions.inputs.values()} == {
        "b/": [A],
        "c +é": [B],
        "d": [A],
    }
    assert ran.status == 0
    assert ran.json == ran.json | {
        "status": "STARTED",
        "compared": 4,
        "identical": 1,
        "inProgress": 0,
        "started": 3,
        "copies": 3,
        "bytes": 9,
        "failed": 0,
        "pending": 3,
        "complete": True,
        "lastKey": "d",
    }


def test_a_prefix_destinations_and_a_beginning_can_be_named(
    waybill: Program, executions: FakeExecutions, upload: Callable[..., None]
) -> None:
    upload("a/1", "a/2", "a/3", "b/1")
    assert waybill(*BACKFILL, f"{ALL}/a/", "--to", B, "--start-after", "a/1").status == 0
    assert keys_of(executions) == ["a/2", "a/3"]
    assert all(payload["destinationBuckets"] == [B] for payload in executions.inputs.values())


def test_a_dry_run_shows_everything_and_starts_nothing(
    waybill: Program, executions: FakeExecutions, upload: Callable[..., None]
) -> None:
    upload("a", "b\x1b[31m", "c", "d")
    upload("c", "d", bucket=A, body=b"abcd")
    upload("c", bucket=B)

    human = waybill(*BACKFILL, ALL, "--dry-run")
    machine = waybill(*BACKFILL, ALL, "--dry-run", "--json")

    assert executions.inputs == {}
    assert lines(human) == [
        "   3 bytes  missing       a",
        "   3 bytes  missing       b\\x1b[31m",
        f"   3 bytes  size differs  c  → {A}",
        f"   3 bytes  size differs  d  → {A}",
        f"   3 bytes  missing       d  → {B}",
        "Compared     4",
        "Identical    0",
        "In progress  0",
        "Would start  4",
        "Copies       7 (21 bytes)",
    ]
    assert machine.json["objects"][2:] == [
        {"sourceKey": "c", "size": 3, "destinations": {A: "SIZE_DIFFERS"}},
        {"sourceKey": "d", "size": 3, "destinations": {A: "SIZE_DIFFERS", B: "MISSING"}},
    ]
    assert (machine.json["wouldStart"], machine.json["copies"], machine.json["complete"]) == (4, 7, True)


def test_a_dry_run_without_anything_to_do_is_json_too(waybill: Program, executions: FakeExecutions) -> None:
    assert waybill(*BACKFILL, ALL, "--dry-run", "--json").json["objects"] == []
    # A mistyped prefix is told as without --dry-run.
    ran = waybill(*BACKFILL, f"{ALL}/no\n/", "--dry-run")
    assert (ran.status, ran.err.strip()) == (1, rf"waybill: there is no such object below {ALL}/no\n/")


def test_a_second_backfill_starts_nothing_twice_and_mends_what_failed(
    waybill: Program, executions: FakeExecutions, upload: Callable[..., None], tracking: TrackingTable
) -> None:
    upload("fails", "runs", "works")
    waybill(*BACKFILL, ALL)
    for arn, payload in list(executions.inputs.items()):
        run = run_of(arn, payload)
        if run.source_key == "runs":
            recorded(tracking, run, end=False)
            continue
        upload(run.source_key, bucket=A)
        outcome = failure if run.source_key == "fails" else result
        recorded(tracking, run, result(run, A), outcome(run, B))
        executions.end(arn)
    upload("works", bucket=B)

    second = waybill(*BACKFILL, ALL)

    assert "In progress  1" in lines(second)
    assert lines(second)[-1].startswith("Their runs are under way. To wait for them")
    assert keys_of(executions) == ["fails", "fails", "runs", "works"]
    assert list(executions.inputs.values())[-1]["destinationBuckets"] == [B]


def test_throttling_is_waited_for(
    waybill: Program, executions: FakeExecutions, upload: Callable[..., None], without_pauses: list[float]
) -> None:
    upload("a", "b")
    executions.refusals = [RateLimitedError("ThrottlingException while starting")] * 5
    assert waybill(*BACKFILL, ALL).status == 0
    assert keys_of(executions) == ["a", "b"]
    assert len(without_pauses) == 5


def go_on_command(ran: Ran) -> list[str]:
    (hint,) = (line for line in ran.err.splitlines() if line.startswith("Stopped. To go on: "))
    return shlex.split(hint.removeprefix("Stopped. To go on: "))


@pytest.mark.parametrize(
    ("error", "status"),
    [(KeyboardInterrupt(), 130), (PermanentError("AccessDenied"), 1), (RateLimitedError("slow down"), 1)],
)
def test_a_stopped_backfill_says_how_to_go_on(
    waybill: Program,
    executions: FakeExecutions,
    upload: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
    error: BaseException,
    status: int,
) -> None:
    monkeypatch.setattr("waybill.replication.domain.backfill_comparing._WINDOW", 8)
    keys = [f"it's {number:03}" for number in range(40)]
    upload(*keys)
    start = executions.start

    def fail(arn: str, name: str, payload: Any) -> Any:
        if payload["sourceKey"] == keys[20]:
            raise error
        return start(arn, name, payload)

    with monkeypatch.context() as patched:
        patched.setattr(executions, "start", fail)
        ran = waybill(*BACKFILL, f"{ALL}/it", "--to", A, "--stack", "waybill")

    assert ran.status == status
    assert "Compared     20" in lines(ran)
    assert len(executions.inputs) < 40
    (job,) = waybill("backfills", "list", "--json").json["backfills"]
    assert (job["status"], job["lastKey"], job["destinationBuckets"]) == ("STOPPED", keys[19], [A])
    assert go_on_command(ran) == ["waybill", "backfills", "resume", job["backfillId"], "--stack", "waybill"]

    resumed = waybill(*go_on_command(ran)[1:])
    assert resumed.status == 0
    assert "Compared     40" in lines(resumed)
    assert keys_of(executions) == keys


def test_a_stopped_backfill_tells_scripts_how_far_it_got(
    waybill: Program, executions: FakeExecutions, upload: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    upload("a", "b")

    def fail(arn: str, name: str, payload: Any) -> Any:
        if payload["sourceKey"] == "b":
            raise PermanentError("no")
        return FakeExecutions().start(arn, name, payload)

    monkeypatch.setattr(executions, "start", fail)
    ran = waybill(*BACKFILL, ALL, "--json")
    assert (ran.status, ran.json["complete"], ran.json["lastKey"]) == (1, False, "a")
    assert json.loads(ran.err) == {"error": {"code": PermanentError.code, "message": "no", "exitStatus": 1}}


def test_a_destination_that_is_not_there_fails_and_the_others_get_theirs(
    waybill: Program, executions: FakeExecutions, upload: Callable[..., None]
) -> None:
    """Source: replication's README, "Backfills": a failure per object there, the others get theirs, exit status 1."""
    upload("a", "b")
    ran = waybill(*BACKFILL, ALL, "--to", A, "--to", "nowhere-builds", "--json")
    assert (ran.status, ran.json["started"], ran.json["failed"]) == (1, 2, 2)
    assert [payload["destinationBuckets"] for payload in executions.inputs.values()] == [[A], [A]]


def test_a_source_that_is_not_there_is_named_and_makes_no_job(waybill: Program, executions: FakeExecutions) -> None:
    """Source: replication's README, "Started by": a bucket that is not there is named, and nothing is started."""
    ran = waybill(*BACKFILL, "s3://nowhere-builds")
    assert (ran.status, ran.out) == (1, "")
    assert "nowhere-builds: NoSuchBucket" in ran.err
    assert waybill("backfills", "list").out == "no backfills\n"


def test_a_prefix_below_which_there_is_nothing_is_named(
    waybill: Program, executions: FakeExecutions, upload: Callable[..., None]
) -> None:
    """Source: replication's README, "Backfills": a prefix below which there is nothing is exit status 1."""
    upload("builds/a")
    ran = waybill(*BACKFILL, f"{ALL}/bulids/", "--json")
    assert (ran.status, ran.json["compared"], f"below {ALL}/bulids/" in ran.err) == (1, 0, True)


def test_identical_objects_cost_their_listings_and_what_those_cannot_tell(
    waybill: Program, executions: FakeExecutions, upload: Callable[..., None], wire: Wire
) -> None:
    """Source: Amazon S3 API Reference, ListObjectsV2: an object's size and ETag, neither headers nor tags."""
    upload("a", "b", "missing")
    for bucket in DESTINATIONS:
        upload("a", "b", bucket=bucket)
    for options, heads in (((), 2 * 3), (("--content-only",), 0)):
        wire.clear()
        waybill(*BACKFILL, ALL, "--dry-run", *options)
        seen = wire.counts
        assert (seen.pop("s3.ListObjectsV2"), seen.pop("s3.GetBucketLocation"), seen.pop("s3.HeadObject", 0)) == (
            3,
            3,
            heads,
        )
        assert seen == {"dynamodb.GetItem": 1}  # what is missing may have arrived since


def test_a_listing_costs_one_call_per_1000_keys_and_place(
    waybill: Program, executions: FakeExecutions, wire: Wire
) -> None:
    """Source: Amazon S3 API Reference, ListObjectsV2: up to 1,000 keys per answer."""
    backend = s3_backends["123456789012"]["aws"]
    for number in range(2_001):
        for bucket in (SOURCE, *DESTINATIONS):
            backend.put_object(bucket, f"{number:04}", b"abc")
    wire.clear()
    ran = waybill(*BACKFILL, ALL, "--content-only", "--dry-run", "--json")
    assert (ran.json["compared"], ran.json["identical"]) == (2_001, 2_001)
    assert wire.counts == {"s3.GetBucketLocation": 3, "s3.ListObjectsV2": 3 * 3}


def test_a_terminal_shows_lines_and_progress_apart(
    on_terminal: Callable[..., Ran], executions: FakeExecutions, upload: Callable[..., None]
) -> None:
    upload("a", "b")
    ran = on_terminal(80, *BACKFILL, ALL, "--dry-run")
    assert ran.status == 0
    # Both are on one terminal: the lines go where the progress bar is, which keeps out of their way.
    shown = plain(ran.err)
    assert shown.count("missing") == 2
    assert "comparing" in shown
    assert "Would start  2" in plain(ran.out)
    assert json.loads(on_terminal(80, *BACKFILL, ALL, "--dry-run", "--json").out)["wouldStart"] == 2
