"""What pages say, before they are pages: what needs somebody, what is known of a file, how names are shown."""

import re
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from jinja2 import DictLoader, Environment

from tests.fakes.console import example
from waybill.console import rendering
from waybill.console.domain import copying, decisions, needs
from waybill.console.domain.custody import entries_of, known_of, sentence_of
from waybill.console.domain.format import name_of, plain_name_of
from waybill.console.domain.words import notice_of
from waybill.console.settings import PlaceSettings

LONDON = ZoneInfo("Europe/London")
TODAY = date(2027, 2, 26)
NOW = datetime(2027, 2, 26, 12, tzinfo=UTC)


def task(**changes: Any) -> dict[str, Any]:
    return {**example("listTasks")["tasks"][0], "dueDate": "2027-06-01", **changes}


def rights(**changes: Any) -> needs.Rights:
    return needs.Rights(**{"own": frozenset(), "works": True, "approves": False, "administers": False, **changes})


def test_a_request_of_31_january_is_due_on_1_march_and_late_the_day_after() -> None:
    """The ICO's guidance: one month, and where the next month has no such day, its last; a Sunday moves to Monday."""
    due = task(state="Pending", dueDate="2027-03-01")
    (soon,) = needs.of_requests([due], rights(), TODAY)
    assert (soon.time, soon.note) == ("3 days left", "due Monday 1 March 2027")
    (late,) = needs.of_requests([{**due, "overdue": True}], rights(), date(2027, 3, 2))
    assert (late.time, late.rank, late.tone) == ("1 day late", 0, "red")


@pytest.mark.parametrize(
    ("state", "who", "said"),
    [
        ("ReadyForReview", rights(works=False, approves=True), "Read the report, then approve exactly that file"),
        ("ReadyForReview", rights(approves=True, own=frozenset({task()["id"]})), "Then somebody else approves it"),
        ("ReadyForReview", rights(), "Then somebody else approves it"),
        ("Completed", rights(), "Give the report to the person"),
        ("NeedsAttention", rights(), "somebody with the role sar-admin can start it again"),
        ("NeedsAttention", rights(administers=True), "Start it again, or issue the report without that part"),
        ("OnHold", rights(), "Let the clock run again"),
    ],
)
def test_each_role_is_told_its_own_next_step(state: str, who: needs.Rights, said: str) -> None:
    (need,) = needs.of_requests([task(state=state)], who, TODAY)
    assert said in need.why


@pytest.mark.parametrize(
    "changes",
    [
        {"state": "OnHold", "clockStopped": True},
        {"state": "ReadyForReview", "clockStopped": True},
        {"provisional": True},
    ],
)
def test_home_says_that_the_date_of_a_stopped_clock_will_move(changes: dict[str, Any]) -> None:
    """UK GDPR Article 12A: the days of clarification do not count, nor does any day before proof or fee has come."""
    (need,) = needs.of_requests([task(dueDate="2027-03-01", **changes)], rights(), TODAY)
    assert need.note == "due Monday 1 March 2027, which will move: the clock is stopped"
    (need,) = needs.of_requests([task(dueDate="2027-03-01", state="ReadyForReview")], rights(), TODAY)
    assert need.note == "due Monday 1 March 2027"


def request(state: str, *statuses: str, **changes: Any) -> dict[str, Any]:
    """Return a request whose services have answered so; the first one's name is that of the example."""
    found = example("showSubjectAccessRequest")
    service = found["services"][0]
    names = [service["serviceName"], "another-api"]
    services = [
        {**service, "serviceName": name, "renderStatus": each} for name, each in zip(names, statuses, strict=False)
    ]
    return {**found, "state": state, "services": services, "issuedWithout": [], "holds": [], **changes}


WITHOUT = {"issuedWithout": example("showSubjectAccessRequest")["issuedWithout"]}


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (request("Pending", "PENDING"), "Its services are asked within minutes"),
        (request("InProgress", "COMPLETE", "PENDING"), "Its services are being asked"),
        # Asked to be drawn again: its parts are as they were fetched, and the poll starts the drawing.
        (request("Pending", "FETCHED", "NO_DATA"), "The report is made from them within minutes, without you"),
        (request("InProgress", "COMPLETE", "NOT_SUPPORTED"), "The report is made from them within minutes"),
        (request("Pending", "ERRORED", "FETCHED", **WITHOUT), "The report is made from them within minutes"),
        (request("Pending", "ERRORED", "FETCHED"), "Its services are asked within minutes"),
        (request("Pending", "SUSPENDED", "COMPLETE"), "A service is suspended"),
        (request("NeedsAttention", "SUSPENDED"), "A part could not be fetched"),
    ],
)
def test_what_happens_next_is_said_of_what_is_left_to_be_done(found: dict[str, Any], said: str) -> None:
    step = decisions.next_step(found, ())
    assert step is not None
    assert said in step.sentence


def test_a_report_that_is_older_than_what_is_taken_out_is_made_again_next() -> None:
    found, possible = request("ReadyForReview", "COMPLETE"), list(decisions.DECISIONS.values())
    part = example("listParts")["parts"][0]
    for current, name in ((False, "render"), (True, "approve")):
        step = decisions.next_step(found, possible, [{**part, "current": current}])
        assert step is not None
        assert step.decision is decisions.DECISIONS[name]
    assert "can be approved when that is done" in decisions.blocked(
        decisions.DECISIONS["approve"], request("Pending", "FETCHED"), "bob"
    )


@pytest.mark.parametrize(
    ("state", "until", "moves"),
    [
        ("OnHold", None, True),
        ("ReadyForReview", None, True),
        ("Pending", "2026-11-09", False),
        ("Refused", None, False),
    ],
)
def test_the_date_moves_while_something_is_waited_for(state: str, until: str | None, moves: bool) -> None:
    hold = {**example("showSubjectAccessRequest")["holds"][0], "reason": "clarification", "until": until}
    assert decisions.will_move(request(state, "COMPLETE", holds=[hold])) is moves


@pytest.mark.parametrize(
    ("state", "who"),
    [
        ("Completed", rights(works=False, approves=True)),
        ("ReadyForReview", rights(works=False, approves=True, own=frozenset({task()["id"]}))),
        ("Pending", rights()),
    ],
)
def test_what_somebody_cannot_do_does_not_need_them(state: str, who: needs.Rights) -> None:
    assert needs.of_requests([task(state=state)], who, TODAY) == []


def test_an_approver_of_exceptions_is_asked_for_no_sending() -> None:
    row = example("listConsignments")["consignments"][0]
    rows = [{**row, "status": status} for status in ("Registered", "Failed", "CompletedWithIssues", "Completed")]
    assert len(needs.of_consignments(rows, NOW, sends=True)) == 3
    (need,) = needs.of_consignments(rows, NOW, sends=False)
    assert need.why == "See which of them you can make an exception for."


def event(kind: str = "replication", at: str = "2026-07-01T23:30:00.000Z", **changes: Any) -> dict[str, Any]:
    found = {**example("traceFile")["events"][0], "type": kind, "at": at, "intact": True, "detail": {"code": "COPIED"}}
    return {**found, "related": [], **changes}


def state(bucket: str, sha256: str | None = "a" * 64) -> dict[str, Any]:
    found: dict[str, Any] = example("traceFile")["events"][0]["object"]
    return {**found, "bucket": bucket, "key": "k", "sha256": sha256, "size": 5}


def test_copies_to_several_places_are_one_step_that_loses_nothing() -> None:
    first = event(object=state("source"), related=[state("eu")], agent={"run": "one"})
    second = event(object=state("source"), related=[state("us")], agent={"run": "two"}, index=None)
    second["detail"] = {"code": "COPIED", "attempts": 3}
    (entry,) = entries_of([first, second], LONDON)
    assert [bucket for bucket, _ in entry.places] == ["source", "eu", "us"]
    assert entry.agents == [("run", "one"), ("run", "two")]
    assert ("attempts", "3") in entry.details
    assert not entry.is_sealed
    assert entry.until == second["at"]


def test_a_step_that_was_written_over_stands_alone() -> None:
    steps = [event(object=state("source")), event(object=state("source"), intact=False)]
    assert [entry.intact for entry in entries_of(steps, LONDON)] == [True, False]


def test_days_are_those_of_the_times_beside_them() -> None:
    """23:30 UTC on 1 July is 00:30 on 2 July in London."""
    (entry,) = entries_of([event(object=state("source"))], LONDON)
    assert entry.day == "2 July 2026"


def test_what_is_known_is_what_the_last_events_say_of_each_place() -> None:
    events = [
        event(object=state("source"), related=[state("eu")]),
        event(object=state("source"), related=[state("us")]),
        event("fixity check", "2026-08-01T10:00:00.000Z", object=state("source"), related=[state("eu")]),
        event("deletion", "2026-08-02T10:00:00.000Z", object=state("source"), related=[state("us")]),
        event("replication", "2026-08-03T10:00:00.000Z", object=state("source"), related=[], outcome="failure"),
    ]
    known = {each.bucket: each for each in known_of(events)}
    assert known["us"].is_removed
    assert not known["source"].is_removed
    assert known["eu"].compared == "2026-08-01T10:00:00.000Z"
    said = sentence_of(known.values(), LONDON)
    assert said == "Known in 2 places, with the same content in all of them, last compared on 1 August 2026."


@pytest.mark.parametrize(
    ("events", "said"),
    [
        ([event("accession", object=state("one"))], "Known in 1 place, and no comparison is recorded."),
        (
            [event("virus check", object=state("one")), event("virus check", object=state("two", "b" * 64))],
            "Known in 2 places, not with the same content in all of them, and no comparison is recorded.",
        ),
        (
            [event("virus check", object=state("one")), event("virus check", object=state("two", None))],
            "Known in 2 places, with the same content where it is known: of 1 place it is not, "
            "and no comparison is recorded.",
        ),
        ([event("deletion", object=state("one"))], "No event names a place that it was not removed from."),
        ([], "No event names a place that it was not removed from."),
    ],
)
def test_the_sentence_over_a_file_says_no_more_than_its_events(events: list[dict[str, Any]], said: str) -> None:
    assert sentence_of(known_of(events), LONDON) == said


def test_a_copy_that_was_found_different_is_not_called_the_same() -> None:
    failed = event("fixity check", object=state("source"), related=[state("eu", None)], outcome="failure")
    known = known_of([event(object=state("source"), related=[state("eu")]), failed])
    assert "not with the same content" in sentence_of(known, LONDON)
    copied = event(at="2026-07-02T10:00:00.000Z", object=state("source"), related=[state("eu")])
    assert "with the same content in all" in sentence_of(known_of([failed, copied]), LONDON)


def test_what_was_known_of_a_place_is_not_said_of_what_was_put_over_it() -> None:
    """S3 tells of a watched bucket that somebody has put something there, and not what."""
    compared = event("fixity check", object=state("source"), related=[state("eu")])
    over = event("creation", "2026-07-02T10:00:00.000Z", object=state("eu", None))
    known = {each.bucket: each for each in known_of([compared, over])}
    assert (known["eu"].sha256, known["eu"].compared, known["source"].sha256) == ("", "", state("source")["sha256"])
    removed = event("deletion", object=state("eu"))
    assert not known_of([removed, over])[0].is_removed


@pytest.mark.parametrize(
    ("deletion", "version", "is_removed"),
    [
        ("Permanently Deleted", "v1", False),  # of which another may be the current one
        ("Permanently Deleted", None, True),
        ("Delete Marker Created", "m1", True),
    ],
)
def test_a_version_that_is_gone_for_good_is_not_the_file(deletion: str, version: str | None, is_removed: bool) -> None:
    gone = event("deletion", object=state("one") | {"versionId": version})
    gone["detail"] = {"deletion": deletion}
    (known,) = known_of([event("creation", object=state("one")), gone])
    assert known.is_removed is is_removed


def test_names_are_made_visible_once() -> None:
    assert name_of(name_of("a\u202eb")) == name_of("a\u202eb")
    assert plain_name_of("a\u202eb\n") == "aU+202EbU+000A"


@pytest.mark.parametrize(
    ("region", "suffix"), [("eu-west-2", "amazonaws.com"), ("cn-north-1", "amazonaws.com.cn"), ("", "amazonaws.com")]
)
def test_endpoints_in_china_have_another_name(region: str, suffix: str) -> None:
    """AWS, "Endpoints and ARNs for AWS in China": `service.region.amazonaws.com.cn`."""
    assert PlaceSettings(aws_region=region).suffix == suffix


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("left-out.1", "1 file is left out. Start the checks again when everything else is put right."),
        (
            "marked-false_positive.1234",
            "1,234 findings are marked as not real. They are counted apart from now on, in every scan.",
        ),
        ("scan-started", "The scan has started."),
        ("scan-started.3", ""),
        ("left-out", ""),
        ("left-out.9999999", ""),
        ("left-out.\u0663", ""),
        ("<b>", ""),
    ],
)
def test_an_address_names_a_sentence_and_holds_none(name: str, said: str) -> None:
    assert notice_of(name) == said


def test_how_long_copies_took_is_drawn_by_the_hour_and_said_in_words() -> None:
    """Each chart has its figures as a table, and is drawn once for wide screens and once for narrow ones."""
    hours = [
        {"hour": f"2027-02-26T{hour:02}:00:00.000Z", "files": files, "failed": 0, "p50": 0.4, "p95": 2.0, "max": 1200.0}
        for hour, files in ((9, 4), (10, 0), (11, 3))
    ]
    found = {"hours": hours, "since": "", "pendingObjects": 2, "pendingBytes": 3_000_000}
    drawn = str(copying.arrivals(found, LONDON))
    said = "half took 1 second at most, 95 of 100 took 2 seconds at most, the slowest took 20 minutes"
    assert drawn.count(said) == 2
    assert [name for name in ("wide", "narrow") if f'class="app-chart__{name}" role="img"' in drawn] == [
        "wide",
        "narrow",
    ]
    assert re.findall(r'row" class="govuk-table__header">([^<]+)<', drawn) == ["09:00", "11:00"]
    assert drawn.count("<polyline") == 2 * 3
    assert copying.arrivals({**found, "hours": hours[:2]}, LONDON) == ""
    assert [(each["value"], each["note"]) for each in copying.figures(found)][0::2] == [
        ("7", "everywhere they go"),
        ("2", "3.0 MB"),
    ]


def test_what_waits_is_drawn_by_how_long_and_said_to_be_cut() -> None:
    rows = [{**example("listReplications")["replications"][0], "startTime": NOW.isoformat()}] * 3
    drawn = str(copying.waiting({"replications": rows, "cursor": "c"}, NOW + timedelta(hours=2)))
    assert "3 or more on their way, the oldest for 2 hours" in drawn
    assert copying.waiting({"replications": [], "cursor": None}, NOW) == ""


def test_parts_of_a_path_stand_in_their_order_whatever_they_are_written_in() -> None:
    """UAX 9: without isolates the parts of a path would change places around letters from right to left."""
    assert str(name_of("תיק/تقرير 1934.docx")) == (
        '<bdi class="app-name" dir="ltr"><bdi>תיק</bdi>/<bdi>تقرير 1934.docx</bdi></bdi>'
    )
    assert str(name_of("תיק.docx")) == '<bdi class="app-name">תיק.docx</bdi>'
    assert str(name_of("a/b.docx")) == '<bdi class="app-name">a/b.docx</bdi>'


def test_templates_are_compiled_ahead_and_anew_where_their_source_is_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Jinja2, "Bytecode Cache": what was compiled counts for its source and its Python alone."""
    compiled = rendering.compile_all(tmp_path)
    assert compiled > 80
    made = rendering.environment().overlay(bytecode_cache=rendering.Compiled(tmp_path), cache_size=400)
    names = made.list_templates(extensions=["html"])

    def refused(*_: Any, **__: Any) -> Any:
        raise AssertionError("compiled at a request")

    with monkeypatch.context() as patched:
        patched.setattr(Environment, "compile", refused)
        assert [made.get_template(name).name for name in names] != []
        with pytest.raises(AssertionError, match="at a request"):
            made.overlay(loader=DictLoader({"a": "another {{ 1 }}"}), cache_size=0).get_template("a")
    damaged = next(tmp_path.iterdir())
    damaged.write_bytes(damaged.read_bytes()[:40])
    again = rendering.environment().overlay(bytecode_cache=rendering.Compiled(tmp_path), cache_size=400)
    assert len([again.get_template(name) for name in names]) == len(names)
