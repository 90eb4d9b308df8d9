"""`waybill replications`: the records, listed, watched and looked into; and the reconciler."""

import io
import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.fakes.executions import FakeExecutions
from tests.fakes.runs import DESTINATIONS, KEY, SOURCE, a_run, failure, result
from tests.functional.cli.conftest import MACHINE, Program, Ran, lines, plain, recorded
from waybill.cli.context import Cli
from waybill.cli.replication import showing
from waybill.core.clock import Clock, iso, now
from waybill.core.executions import ExecutionState
from waybill.replication.adapters.table import TrackingTable

A, B = DESTINATIONS
URI = f"s3://{SOURCE}/{KEY}"
LONG = f"deep/{'x' * 300}/\x1b]0;title\x07 file.zip"


@pytest.fixture
def runs(tracking: TrackingTable) -> None:
    """Four files, a second apart: one is in progress, one has failed, two are done."""
    month = iso(now())[:7]
    for second, (key, outcome) in enumerate(
        {"done": result, "broken": failure, LONG: result, "under way": None}.items()
    ):
        run = a_run(key, key=key, start=f"{month}-01T00:00:0{second}.123Z")
        results = [result(run, A), outcome(run, B)] if outcome else []
        recorded(tracking, run, *results, end=bool(outcome))


def test_records_are_listed_newest_first(waybill: Program, runs: None) -> None:
    ran = waybill("replications")
    assert ran.status == 0
    assert [line.split(maxsplit=2)[2:] for line in lines(ran)] == [
        ["Status       Copies  File"],
        [f"IN_PROGRESS  …/2     s3://{SOURCE}/under way"],
        [f"COMPLETED    2/2     s3://{SOURCE}/deep/{'x' * 300}/\\x1b]0;title\\x07 file.zip"],
        [f"FAILED       1/2     s3://{SOURCE}/broken"],
        [f"COMPLETED    2/2     s3://{SOURCE}/done"],
    ]


def test_copies_are_counted_of_all_destinations_and_not_of_the_last_run(
    waybill: Program, tracking: TrackingTable
) -> None:
    run = a_run("first", key="k")
    recorded(tracking, run, result(run, A), result(run, B))
    later = a_run("later", key="k", destination_buckets=("elsewhere",))
    recorded(tracking, later, failure(later, "elsewhere"))
    assert lines(waybill("replications"))[1].split(maxsplit=2)[2] == f"FAILED  2/3     s3://{SOURCE}/k"


@pytest.mark.parametrize(
    ("options", "keys"),
    [
        ([], ["under way", LONG, "broken", "done"]),
        (["--limit", "2"], ["under way", LONG]),
        (["--status", "COMPLETED"], [LONG, "done"]),
        (["--status", "failed"], ["broken"]),
        (["--status", "SUPERSEDED"], []),
    ],
)
def test_scripts_get_the_records_that_they_ask_for(
    waybill: Program, runs: None, options: list[str], keys: list[str]
) -> None:
    ran = waybill("replications", *options, "--json")
    assert [record["fileKey"] for record in ran.json["replications"]] == keys


def test_scripts_can_go_on_where_a_list_ended(waybill: Program, runs: None) -> None:
    found: list[str] = []
    cursor: list[str] = []
    for _ in range(2):
        page = waybill("replications", "--limit", "2", "--json", *cursor).json
        found += [record["fileKey"] for record in page["replications"]]
        cursor = ["--cursor", page["cursor"]]
    assert found == ["under way", LONG, "broken", "done"]
    assert page["cursor"] is None


@pytest.mark.parametrize("cursor", ["x", "e30", "eyJwb3NpdGlvbiI6IngifQ"])
def test_another_cursor_is_bad_usage(waybill: Program, runs: None, cursor: str) -> None:
    ran = waybill("replications", "--cursor", cursor)
    assert ran.status == 2
    assert ran.err.startswith("waybill: --cursor: is not a cursor of this list")


def test_a_list_without_records_says_so(waybill: Program) -> None:
    assert waybill("replications").out == "no records\n"
    assert waybill("replications", "--json").json == {"replications": [], "cursor": None}


@pytest.mark.parametrize("columns", [60, 80, 120])
def test_the_list_fits_the_terminal_and_cannot_command_it(
    on_terminal: Callable[..., Ran], runs: None, columns: int
) -> None:
    ran = on_terminal(columns, "replications")
    assert max(len(line) for line in plain(ran.out).splitlines()) <= columns
    assert "\x1b]0" not in ran.out


@pytest.fixture
def refreshes(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Let these things happen between refreshes; then somebody presses Ctrl-C."""

    def plan(*happenings: Callable[[], Any]) -> None:
        coming = list(happenings)

        def sleep(_: float) -> None:
            if not coming:
                raise KeyboardInterrupt
            coming.pop(0)()

        monkeypatch.setattr(showing, "Clock", lambda: Clock(sleep=sleep))

    return plan


def test_watching_prints_every_change_once(
    waybill: Program, tracking: TrackingTable, refreshes: Callable[..., None]
) -> None:
    run = a_run(start=iso(now()))
    refreshes(
        lambda: None,
        lambda: recorded(tracking, run, end=False),
        lambda: None,
        lambda: recorded(tracking, run, result(run, A), failure(run, B)),
    )
    ran = waybill("replications", "--watch")
    assert ran.status == 0
    assert [
        word for word in ran.out.replace("no records", "none").split() if word in {"none", "IN_PROGRESS", "FAILED"}
    ] == ["none", "IN_PROGRESS", "FAILED"]


def test_watching_redraws_a_terminal(
    on_terminal: Callable[..., Ran], tracking: TrackingTable, refreshes: Callable[..., None]
) -> None:
    run = a_run(start=iso(now()))
    refreshes(lambda: recorded(tracking, run, end=False))
    ran = on_terminal(80, "replications", "--watch")
    assert ran.status == 0
    assert "no records" in ran.out
    assert "IN_PROGRESS" in ran.out.split("no records")[-1]


def test_a_file_is_shown_with_destinations_causes_and_history(waybill: Program, tracking: TrackingTable) -> None:
    for label, hour in (("1", "10"), ("2", "11")):
        run = a_run(label, start=f"2026-11-21T{hour}:00:00.000Z")
        cause = "s3:PutObject on both: AccessDenied\x1b[2J"
        recorded(tracking, run, *(failure(run, bucket, code="ACCESS_DENIED", cause=cause) for bucket in DESTINATIONS))

    ran = waybill("replications", "show", f"s3://{SOURCE}/{KEY}")

    shown = lines(ran)
    assert ran.status == 0
    assert f"File           s3://{SOURCE}/{KEY}" in shown
    assert "Status         FAILED" in shown
    assert [line.split()[:3] for line in shown if " ACCESS_DENIED" in line] == [
        [bucket, "FAILED", "ACCESS_DENIED"] for bucket in DESTINATIONS
    ]
    assert ran.out.count("AccessDenied\\x1b[2J") == 1
    assert [line for line in shown if line.startswith("2026-11-21 1")] == [
        f"2026-11-21 {hour}:00:00  FAILED   0/2     {A}, {B}" for hour in ("11", "10")
    ]


def test_scripts_get_the_whole_record(waybill: Program, tracking: TrackingTable) -> None:
    run = a_run()
    recorded(tracking, run, result(run, A), failure(run, B))
    shown = waybill("replications", "show", f"s3://{SOURCE}/{KEY}", "--json").json
    assert (shown["status"], shown["failedBuckets"]) == ("FAILED", [B])
    assert [item["destinationBucket"] for item in shown["destinations"]] == [A, B]
    assert [item["executionId"] for item in shown["history"]] == [run.execution_id]


def test_a_file_in_progress_is_shown_too(waybill: Program, tracking: TrackingTable) -> None:
    recorded(tracking, a_run(), end=False)
    ran = waybill("replications", "show", f"s3://{SOURCE}/{KEY}")
    assert "Status         IN_PROGRESS" in lines(ran)


def test_a_file_without_a_record_is_told(waybill: Program) -> None:
    ran = waybill("replications", "show", f"s3://{SOURCE}/none")
    assert (ran.status, ran.err) == (1, f"waybill: there is no record of s3://{SOURCE}/none\n")


class Lambda:
    """Lambda with one function, which gives these answers."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.invoked: list[str] = []

    def invoke(self, FunctionName: str, Payload: bytes) -> dict[str, Any]:  # noqa: N803 - boto3's names
        self.invoked.append(FunctionName)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        failed = {"FunctionError": "Unhandled"} if "errorType" in answer else {}
        return {"Payload": io.BytesIO(json.dumps(answer).encode()), **failed}


@pytest.fixture
def reconciler(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Lambda]:
    """Let the reconciler give these answers."""

    def make(*answers: Any) -> Lambda:
        function = Lambda(*answers)
        monkeypatch.setattr(Cli, "client", lambda cli, service, region=None: function)
        monkeypatch.setattr("random.uniform", lambda *_: 0.0)
        return function

    return make


@pytest.mark.parametrize(
    ("closed", "told"), [(0, "0 abandoned runs closed"), (1, "1 abandoned run closed"), (7, "7 abandoned runs closed")]
)
def test_reconciling_tells_how_many_runs_were_closed(
    waybill: Program, reconciler: Callable[..., Lambda], closed: int, told: str
) -> None:
    function = reconciler({"abandoned": closed}, {"abandoned": closed})
    assert waybill("replications", "reconcile").out == f"{told}\n"
    assert waybill("replications", "reconcile", "--json").json == {"closed": closed}
    assert function.invoked == ["reconcile", "reconcile"]


def test_a_reconciler_that_fails_is_told(waybill: Program, reconciler: Callable[..., Lambda]) -> None:
    reconciler({"errorType": "TrackingUnavailableError", "errorMessage": "ThrottlingException from DynamoDB"})
    ran = waybill("replications", "reconcile")
    assert (ran.status, ran.err) == (
        1,
        "waybill: reconcile failed: TrackingUnavailableError: ThrottlingException from DynamoDB\n",
    )


def test_a_reconciler_without_room_is_waited_for(waybill: Program, reconciler: Callable[..., Lambda]) -> None:
    from botocore.exceptions import ClientError

    throttled = ClientError({"Error": {"Code": "TooManyRequestsException", "Message": "Rate exceeded"}}, "Invoke")
    reconciler(throttled, throttled, {"abandoned": 2})
    assert waybill("replications", "reconcile").out == "2 abandoned runs closed\n"


class TestDismissing:
    """`waybill replications dismiss` ends a failure that nobody will mend, with a reason, and nothing else."""

    @pytest.fixture(autouse=True)
    def failed(self, tracking: TrackingTable) -> None:
        run = a_run()
        recorded(tracking, run, result(run, A), failure(run, B))

    def test_it_leaves_the_failures_and_is_listed_as_dismissed(self, waybill: Program) -> None:
        ran = waybill("replications", "dismiss", URI, "--to", B, "--reason", "typo", "--json")
        assert (ran.status, ran.json) == (
            0,
            {"sourceBucket": SOURCE, "sourceKey": KEY, "destinationBuckets": [B], "status": "DISMISSED"},
        )
        assert waybill("replications", "--status", "FAILED", "--json").json["replications"] == []
        listed = waybill("replications", "--status", "DISMISSED", "--json").json["replications"]
        assert [record["fileKey"] for record in listed] == [KEY]
        shown = plain(waybill("replications", "show", URI).out)
        assert f"Dismissed at {B}" in shown
        assert "typo (waybill:" in shown

    @pytest.mark.parametrize(
        ("arguments", "status", "words"),
        [
            ((URI,), 2, "--reason"),
            ((URI, "--reason", " "), 2, "--reason must have 1 to 500 characters"),
            ((f"s3://{SOURCE}/none", "--reason", "typo"), 1, f"there is no record of s3://{SOURCE}/none"),
            ((URI, "--to", A, "--reason", "typo"), 1, f"has no failure at {A}"),
        ],
    )
    def test_mistakes_change_nothing(
        self, waybill: Program, arguments: tuple[str, ...], status: int, words: str
    ) -> None:
        ran = waybill("replications", "dismiss", *arguments)
        assert ran.status == status
        assert words in plain(ran.err)
        assert len(waybill("replications", "--status", "FAILED", "--json").json["replications"]) == 1


def test_a_dead_run_is_named_as_one(waybill: Program, tracking: TrackingTable, executions: FakeExecutions) -> None:
    """Shown as dead, not as in progress; the record only says what its run said last."""
    run = a_run(start=iso(now()))
    recorded(tracking, run, end=False)
    executions.states[run.execution_id] = ExecutionState("RUNNING")
    assert "dead" not in waybill("replications").out
    executions.end(run.execution_id, "ABORTED")
    for words in (("replications",), ("replications", "show", f"s3://{SOURCE}/{KEY}")):
        assert "IN_PROGRESS (dead: ABORTED)" in waybill(*words).out
    assert waybill("replications", "show", f"s3://{SOURCE}/{KEY}", "--json").json["runEnded"] == "ABORTED"
    # What another stack has started, nobody here can say anything about.
    executions.refused.add(run.execution_id)
    assert "dead" not in waybill("replications").out


def test_what_is_pending_is_listed_the_oldest_first_and_the_dead_are_named(
    waybill: Program, tracking: TrackingTable, executions: FakeExecutions
) -> None:
    arns = {}
    for key, start in (("new", "2026-11-21T10:00:00.000Z"), ("old", "2026-11-21T09:00:00.000Z")):
        arns[key] = executions.start(MACHINE, key, {}).execution_arn
        recorded(tracking, a_run(key=key, start=start, execution_id=arns[key], size=5), end=False)
    executions.end(arns["old"])
    found = waybill("replications", "--pending", "--json").json
    assert [item["fileKey"] for item in found["replications"]] == ["old", "new"]
    assert (found["pending"]["objects"], found["pending"]["bytes"], found["pending"]["overdue"]) == (2, 10, 2)
    shown = waybill("replications", "--pending").out.splitlines()
    assert ["dead" in line for line in shown if "s3://" in line] == [True, False]
    assert waybill("replications", "--pending", "--status", "FAILED").status == 2
