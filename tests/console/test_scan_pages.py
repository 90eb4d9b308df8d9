"""What the pages of scans, schedules and detectors show and send."""

import re

import pytest
from markupsafe import escape

from tests.console.pages import ID
from tests.fakes.console import Console, ExampleApi, Problem, example


def test_a_list_of_findings_that_is_cut_says_so(signed_in: Console, api: ExampleApi) -> None:
    found = example("showVerification")
    api.answers["showVerification"] = {**found, "findings": found["findings"] * 200}
    assert "These are the first 200" in signed_in.get(f"replication/verification?id={found['verificationId']}").text


WHOLE = {
    "bytes_scanned": 52428800,
    "reasons": {},
    "members_not_read": {},
    "objects_pending": 0,
    "listing_complete": True,
}


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ({}, "Nothing was left out."),
        ({"listing_complete": False}, "Not everything was listed"),
        ({"objects_pending": 3}, "3 objects have no outcome"),
        ({"members_not_read": {"ENCRYPTED": 2}}, "encrypted: 2 members, attachments or parts"),
        ({"reasons": {"OVERSIZE": {"objects": 2, "bytes_not_scanned": 8}}}, "What was not looked at, and why"),
    ],
)
def test_a_scan_left_nothing_out_where_the_api_says_so_of_everything(
    signed_in: Console, api: ExampleApi, told: dict[str, object], said: str
) -> None:
    api.answers["showCoverage"] = {**example("showCoverage"), **WHOLE, **told}
    text = signed_in.get(f"scans/{ID}").text
    assert said in text
    assert ("Nothing was left out." in text) is (not told)


def test_a_scan_is_named_by_what_it_looked_at_and_never_rounded_up(signed_in: Console, api: ExampleApi) -> None:
    api.answers["showJob"] = {**example("showJob"), "status": "completed", "bucket": "b-1", "prefix": "in/"}
    nearly = {"bytes_total": 100_000, "bytes_scanned": 99_999, "truncated_findings": 1}
    api.answers["showCoverage"] = {**example("showCoverage"), **nearly}
    text = signed_in.get(f"scans/{ID}").text
    assert re.search(r"<title>99\.9 % of b-1/in/ was looked at", text)
    assert "1 object holds more findings than are kept" in text


def test_a_detector_is_saved_as_it_was_typed_and_not_over_somebody_elses(signed_in: Console, api: ExampleApi) -> None:
    page = "detectors/TOWN_HALL_BADGE"
    definition = '{"description": "x", "rules": []}'
    api.answers["putDetector"] = Problem(400, "It does not hold", (("examples[0]", "finds nothing"),))
    answer = signed_in.post(page, {"what": "save", "version": "1", "definition": definition})
    assert answer.status == 400
    assert "examples[0]: finds nothing" in answer.text
    assert escape(definition) in answer.text
    del api.answers["putDetector"]
    assert signed_in.post(page, {"what": "save", "version": "1", "definition": definition}).status == 303
    assert api.of("putDetector")[-1].body == {"description": "x", "rules": []}
    answer = signed_in.post(page, {"what": "delete", "version": "7"})
    assert (answer.status, api.of("deleteDetector")) == (409, [])
    assert "Somebody else has changed it meanwhile" in answer.text


@pytest.mark.parametrize("definition", ["{", "[1]", "nothing", "9" * 5000, "[" * 20_000])
def test_what_is_no_definition_is_not_sent(signed_in: Console, api: ExampleApi, definition: str) -> None:
    api.answers["showDetector"] = Problem(404)
    answer = signed_in.post("detectors/new", {"id": "NEW_ONE", "definition": definition})
    assert (answer.status, api.of("putDetector")) == (400, [])


def test_a_new_detector_takes_no_id_that_is_taken(signed_in: Console, api: ExampleApi) -> None:
    answer = signed_in.post("detectors/new", {"id": "TOWN_HALL_BADGE", "definition": "{}"})
    assert "There is a detector of this id already" in answer.text
    assert signed_in.post("detectors/new", {"id": "small", "definition": "{}"}).status == 400
    assert api.of("putDetector") == []


def test_schedules_are_made_and_ended(signed_in: Console, api: ExampleApi) -> None:
    page = "scans/schedules"
    assert "Enter the bucket" in signed_in.post(page, {"every": "week"}).text
    assert "Choose how often" in signed_in.post(page, {"bucket": "b", "every": "year"}).text
    answer = signed_in.post(page, {"bucket": "exports", "prefix": "2027/", "every": "day", "first": "2027-01-31"})
    assert answer.status == 303
    sent = {"bucket": "exports", "prefix": "2027/", "every": "day", "first_at": "2027-01-31"}
    assert [each.body for each in api.of("createSchedule")] == [sent]
    assert signed_in.post(page, {"end": "5d0f"}).status == 303
    assert [each.query for each in api.of("deleteSchedule")] == [{"id": "5d0f"}]


def test_findings_are_none_only_where_everything_was_looked_at(signed_in: Console, api: ExampleApi) -> None:
    found = {"findings": [], "passed_over": {"accepted": 1, "false_positive": 14}, "cursor": None}
    api.answers["listValues"] = found
    text = signed_in.get("findings").text
    assert "No open findings." in text
    assert "1 is accepted, 14 are marked as not real: counted apart, in every scan." in text
    assert len(api.of("listValues")) == 1
    api.answers["listValues"] = {**found, "cursor": "further"}
    text = signed_in.get("findings").text
    assert "No open findings." not in text
    assert "14 or more are marked as not real" in text
    assert 'cursor=further"' in text


def test_a_schedule_is_suspended_and_resumed(signed_in: Console, api: ExampleApi) -> None:
    page = "scans/schedules"
    (shown,) = example("listSchedules")["schedules"]
    for suspended, button in ((False, "suspend"), (True, "resume")):
        api.answers["listSchedules"] = {"schedules": [shown | {"suspended": suspended}], "cursor": None}
        text = signed_in.get(page).text
        assert f'name="{button}" value="{shown["id"]}"' in text
        assert (">Suspended</strong>" in text) is suspended
        assert signed_in.post(page, {button: shown["id"]}).status == 303
        asked = api.of("changeSchedule")[-1]
        assert (asked.query, asked.body) == ({"id": shown["id"]}, {"suspended": not suspended})


def test_a_detector_is_tried_on_a_text_that_no_address_and_no_table_holds(signed_in: Console, api: ExampleApi) -> None:
    page, typed = "detectors/TOWN_HALL_BADGE/test", "badge B-QWERTZUI\r\nand <b>more</b>"
    # That of the header's form, which signs out.
    assert signed_in.get(page).text.count('name="once"') == 1
    answer = signed_in.post(page, {"text": typed})
    assert (answer.status, api.of("testDetector")[-1].body) == (200, {"text": typed.replace("\r\n", "\n")})
    assert "1 value found" in answer.text
    assert escape("<b>more</b>") in answer.text
    assert "Enter a text" in signed_in.post(page, {"text": "  "}).text
    api.answers["testDetector"] = {"findings": [], "total": 0, "allowed": 2}
    assert "Nothing is found in this text, 2 more on an allow list." in signed_in.post(page, {"text": "x"}).text
    api.answers["testDetector"] = Problem(400, "", (("text", "must have at most 10000 characters"),))
    refused = signed_in.post(page, {"text": typed})
    assert (refused.status, "must have at most 10000 characters" in refused.text) == (400, True)
