"""The tracking records over HTTP."""

from datetime import UTC, datetime
from typing import Any

import pytest

from tests.fakes.api import Answer, ask
from tests.fakes.functions import functions
from tests.fakes.runs import DESTINATIONS, KEY, SOURCE, a_run, ended, facts, failure, result
from tests.fakes.wire import Wire
from waybill.core.api import encode_cursor, list_cursor
from waybill.replication.adapters.table import TrackingTable
from waybill.replication.api import app
from waybill.replication.models import ReplicationRun

A, B = DESTINATIONS


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, tracking: TrackingTable) -> None:
    """What ReplicationApiFunction has; the table is there, and empty."""
    for name, value in functions()["waybill.replication.handlers.replication_api"].environment.items():
        monkeypatch.setenv(name, value)


def get(path: str, **query: str) -> Answer:
    return ask(app, "GET", path, query=query)


def run_of(tracking: TrackingTable, key: str, minute: int = 0) -> ReplicationRun:
    run = a_run(key, key=key, start=f"2026-11-21T10:{minute:02}:00.000Z", sequencer="01")
    return run.model_copy(update={"generation": tracking.claim(run).generation})


def test_an_empty_list_is_a_list() -> None:
    answer = get("/replications")
    assert (answer.status, answer.json) == (200, {"replications": [], "cursor": None})


@pytest.mark.parametrize("limit", [1, 2, 3, 5, 200])
def test_cursors_lead_through_all_records_newest_first(tracking: TrackingTable, limit: int) -> None:
    keys = ["é|1", "b", "c", "d", "e"]
    for minute, key in enumerate(keys):
        run_of(tracking, key, minute)
    seen, query = [], {"limit": str(limit)}
    for _ in range(len(keys) + 1):
        answer = get("/replications", **query)
        assert len(answer.json["replications"]) <= limit
        seen += [item["fileKey"] for item in answer.json["replications"]]
        if answer.json["cursor"] is None:
            break
        query["cursor"] = answer.json["cursor"]
    assert seen == keys[::-1]


def test_records_of_one_status_are_listed_with_lists_as_lists(tracking: TrackingTable) -> None:
    run_of(tracking, "running")
    failed = run_of(tracking, "failed")
    tracking.finish(failed, *ended(result(failed, A), failure(failed, B)))
    (item,) = get("/replications", status="FAILED").json["replications"]
    assert item == {
        "fileKey": "failed",
        "sourceBucket": SOURCE,
        "status": "FAILED",
        "outcome": "PARTIAL_FAILURE",
        "executionId": failed.execution_id,
        "executionName": failed.execution_name,
        "startTime": "2026-11-21T10:00:00.000Z",
        "completedAt": "2026-11-21T10:00:05.000Z",
        "totalDestinationBuckets": 2,
        "destinationBuckets": [A, B],
        "totalBuckets": 2,
        "successfulCopies": 1,
        "failedCopies": 1,
        "failedBuckets": [B],
    }


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"status": "BROKEN"}, "status"),
        ({"limit": "0"}, "limit"),
        ({"limit": "201"}, "limit"),
        ({"limit": "many"}, "limit"),
        ({"cursor": ""}, "cursor"),
        ({"cursor": "!"}, "cursor"),
        ({"cursor": "x" * 9000}, "cursor"),
        ({"cursor": encode_cursor({})}, "cursor"),
        ({"cursor": list_cursor({"position": 1}, "replications", None)}, "cursor"),
        ({"cursor": list_cursor({"position": "a|b|c"}, "replications", None)}, "cursor"),
        ({"cursor": list_cursor({"position": "2026-11-21T10:00:00.000Z|a"}, "replications", None)}, "cursor"),
        # Of the same list with another filter.
        ({"cursor": list_cursor({"position": "2026-11-21T10:00:00.000Z|a|b"}, "replications", "FAILED")}, "cursor"),
    ],
)
def test_a_wrong_parameter_is_named_and_nothing_is_read(wire: Wire, query: dict[str, str], field: str) -> None:
    wire.clear()
    answer = get("/replications", **query)
    assert (answer.status, answer.json["code"]) == (400, "INVALID_INPUT")
    assert answer.fields == [field]
    assert wire.requests == []


def test_a_file_is_shown_with_its_destinations_and_its_history(tracking: TrackingTable) -> None:
    key = "my file+v1 (é) 100%.zip"
    run = run_of(tracking, key)
    good, bad = result(run, A, strategy="COPY", verification="CHECKSUM"), failure(run, B)
    tracking.record_destination(run, good, facts(key=key))
    tracking.record_destination(run, bad, None)
    tracking.finish(run, *ended(good, bad))
    answer = get("/replications/file", sourceBucket=SOURCE, sourceKey=key)
    shown = answer.json
    assert (answer.status, shown["fileKey"], shown["status"]) == (200, key, "FAILED")
    assert shown["copyResults"] == [good.wire(), bad.wire()]
    assert [(one["destinationBucket"], one["status"], one["code"]) for one in shown["destinations"]] == [
        (A, "COMPLETED", "COPIED"),
        (B, "FAILED", "NO_SUCH_BUCKET"),
    ]
    assert [(one["executionId"], one["status"]) for one in shown["history"]] == [(run.execution_id, "FAILED")]
    for one in (*shown["destinations"], *shown["history"]):
        assert (one["fileKey"], one["sourceBucket"]) == (key, SOURCE)
        assert not {"expiresAt", "statusPartition", "generation", "sequencer"} & set(one)


def test_a_file_without_a_record_is_404() -> None:
    answer = get("/replications/file", sourceBucket=SOURCE, sourceKey="nothing here")
    assert (answer.status, answer.json["code"]) == (404, "NOT_FOUND")
    assert f"s3://{SOURCE}/nothing here" in answer.json["detail"]


@pytest.mark.parametrize(
    ("query", "fields"),
    [
        ({}, ["sourceBucket", "sourceKey"]),
        ({"sourceBucket": SOURCE}, ["sourceKey"]),
        ({"sourceKey": KEY}, ["sourceBucket"]),
        ({"sourceBucket": "", "sourceKey": ""}, ["sourceBucket", "sourceKey"]),
        ({"sourceBucket": SOURCE, "sourceKey": "x" * 1025}, ["sourceKey"]),
        ({"sourceBucket": f"{SOURCE}#dest#{A}", "sourceKey": KEY}, ["sourceBucket"]),
    ],
)
def test_a_file_must_be_named(tracking: TrackingTable, query: dict[str, str], fields: list[str]) -> None:
    run = run_of(tracking, KEY)
    tracking.record_destination(run, result(run, A), facts())
    answer = get("/replications/file", **query)
    assert (answer.status, answer.fields) == (400, fields)


@pytest.mark.parametrize("path", ["/replications", "/replications/file"])
@pytest.mark.parametrize(("roles", "status"), [(None, 401), ("minting sar-user", 403), ("", 403)])
def test_the_role_is_needed_before_anything_else(wire: Wire, path: str, roles: str | None, status: int) -> None:
    wire.clear()
    assert ask(app, "GET", path, roles=roles, query={"limit": "x"}).status == status
    assert wire.requests == []


@pytest.mark.parametrize("roles", ["replication", "admin", "minting, replication"])
def test_these_roles_may_look(roles: str) -> None:
    assert ask(app, "GET", "/replications", roles=roles).status == 200


@pytest.mark.parametrize(
    ("code", "status"), [("ProvisionedThroughputExceededException", 503), ("ResourceNotFoundException", 500)]
)
def test_a_table_that_fails_is_no_fault_of_the_caller(wire: Wire, code: str, status: int) -> None:
    wire.refuse("dynamodb.Query", code, "Table: secret")
    wire.refuse("dynamodb.GetItem", code, "Table: secret")
    for answer in (get("/replications"), get("/replications/file", sourceBucket=SOURCE, sourceKey=KEY)):
        assert answer.status == status
        assert "secret" not in answer.text


def test_answers_are_not_kept_by_caches(tracking: TrackingTable) -> None:
    assert get("/replications").headers["cache-control"] == "no-store"


def test_unknown_routes_and_methods_are_refused() -> None:
    statuses: dict[str, Any] = {
        "GET /replications/nothing": ask(app, "GET", "/replications/nothing").status,
        "DELETE /replications": ask(app, "DELETE", "/replications").status,
    }
    assert set(statuses.values()) <= {404, 405}


def test_files_are_counted_by_the_hour_and_what_is_on_its_way(
    tracking: TrackingTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Source: the plan of the console, section 3, item 7: hour, files, p50, p95, max, pendingObjects, pendingBytes."""
    monkeypatch.setattr("waybill.replication.api.now", lambda: datetime(2026, 11, 21, 11, 30, tzinfo=UTC))
    for minute, key in enumerate(["a", "b", "c"]):
        run = run_of(tracking, key, minute)
        last = failure(run, B) if key == "c" else result(run, B)
        tracking.finish(run, *ended(result(run, A), last))
    run_of(tracking, "under way")
    counted = get("/replications/statistics", hours="2").json
    (hour,) = counted["hours"]
    assert (hour["hour"], hour["files"], hour["failed"]) == ("2026-11-21T10:00:00.000Z", 2, 1)
    assert 0 <= hour["p50"] <= hour["p95"] == hour["max"]
    assert (counted["pendingObjects"], counted["since"]) == (1, "2026-11-21T09:30:00.000Z")
    assert get("/replications/statistics", hours="1").json["hours"] == []
    assert [get("/replications/statistics", **{name: "0"}).status for name in ("hours", "hour")] == [400, 400]
