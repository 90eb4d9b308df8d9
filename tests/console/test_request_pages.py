"""What the pages of subject access requests show and send."""

import re

from tests.console.pages import ID
from tests.fakes.console import Console, ExampleApi, Problem, example


def test_marks_elsewhere_stay_when_one_part_is_saved(signed_in: Console, api: ExampleApi) -> None:
    other = {"reason": "name of staff", "exemption": None, "service": "other", "path": "a.b", "text": None,
             "everywhere": True, "kind": None, "givenName": False}  # fmt: skip
    api.answers["showRedactions"] = {"values": [other], "pages": [], "attachments": []}
    service = api.answers["listParts"]["parts"][0]["serviceName"]
    page = f"requests/{ID}/redact?service={service}"
    shown = {"service": service, "shown": ["notes[0].author", "notes[0].text"], "take.1": "yes",
             "reason.1": "about somebody else", "words": "Daniel Okoro\n", "pages": "7, 3",
             "reason": "legal privilege"}  # fmt: skip
    answer = signed_in.post(page, shown, page=page)
    assert answer.status == 303, answer.text
    sent = api.of("redactRequest")[0].body
    assert [(each.get("path"), each.get("text"), each["reason"]) for each in sent["values"]] == [
        ("a.b", None, "name of staff"),
        ("notes[0].text", None, "about somebody else"),
        (None, "Daniel Okoro", "legal privilege"),
    ]
    assert [each["page"] for each in sent["pages"]] == [3, 7]


def test_parts_that_could_not_be_asked_for_have_no_near_misses_known(signed_in: Console, api: ExampleApi) -> None:
    api.answers["listParts"] = Problem(503)
    text = signed_in.get(f"requests/{ID}").text
    assert "We could not ask what is in the parts just now" in text
    assert re.search(r'data-label="Near misses">–<', text)


MARK = {"reason": "name of staff", "exemption": None, "service": "keyworker-api", "path": "notes[0].author",
        "text": None, "everywhere": True, "kind": None, "givenName": False}  # fmt: skip


def test_redactions_of_another_window_are_not_overwritten(signed_in: Console, api: ExampleApi) -> None:
    page = f"requests/{ID}/redact?service=keyworker-api"
    value = api_value("notes[0].author")
    api.answers["showPartContent"] = {**api_content(), "values": [value]}
    api.answers["showRedactions"] = {"values": [], "pages": [], "attachments": []}
    opened = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', signed_in.get(page).text))
    # The other window saves that the author is taken out.
    api.answers["showRedactions"] = {"values": [MARK], "pages": [], "attachments": []}
    mine = {**opened, "shown": value["path"], "reason.0": "name of staff", "words": "Daniel Okoro", "pages": "3"}
    answer = signed_in.send(page, mine)
    assert (answer.status, api.of("redactRequest")) == (409, [])
    assert "These redactions were changed in another window." in answer.text
    assert "still taken out, until you save" in answer.text
    assert "Daniel Okoro" in answer.text
    assert 'value="3"' in answer.text
    fresh = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', answer.text))
    assert signed_in.send(page, {**mine, **fresh}).status == 303
    assert [each.get("path") for each in api.of("redactRequest")[0].body["values"]] == [None]


def api_content() -> dict[str, object]:
    found: dict[str, object] = example("showPartContent")
    return found


def api_value(path: str) -> dict[str, str]:
    return {**example("showPartContent")["values"][0], "path": path}


def test_what_was_ticked_is_kept_where_something_else_is_wrong(signed_in: Console, api: ExampleApi) -> None:
    value = api_value("notes[0].text")
    api.answers["showPartContent"] = {**api_content(), "values": [value]}
    api.answers["showRedactions"] = {"values": [], "pages": [], "attachments": []}
    page = f"requests/{ID}/redact?service=keyworker-api"
    sent = {"service": "keyworker-api", "shown": value["path"], "take.0": "yes", "reason.0": "legal privilege"}
    answer = signed_in.post(page, {**sent, "pages": "three"})
    assert answer.status == 400
    assert re.search(r'name="take.0"[^>]*checked', answer.text)
    assert "<option selected>legal privilege</option>" in answer.text
    assert "not taken out yet: save first" in answer.text


NEAR = [
    {"path": "notes[1]", "kind": "given name alone", "stays": None},
    {"path": "notes[1]", "kind": "one letter differs", "stays": None},
    {"path": "attachments[1].name", "kind": "one letter differs", "stays": None},
    {"path": "notes[4]", "kind": "given name alone", "stays": {"reason": "Another <John>", "by": "carol",
                                                               "at": "2026-11-02T09:00:00+00:00"}},
]  # fmt: skip


def with_near_misses(api: ExampleApi) -> str:
    parts = example("listParts")
    counts = {"nearMisses": 4, "nearMissesOpen": 3, "notSearched": 2, "near": NEAR}
    parts["parts"][0] |= {"renderStatus": "COMPLETE", **counts}
    api.answers["listParts"] = parts
    api.answers["showRedactions"] = {"values": [], "pages": [], "attachments": []}
    return f"requests/{ID}/redact?service={parts['parts'][0]['serviceName']}"


def test_near_misses_are_decided_about_in_the_workbench(signed_in: Console, api: ExampleApi) -> None:
    """`PUT …/redactions`; what stays is noted with its reason, what goes is marked."""
    page = with_near_misses(api)
    shown = signed_in.get(page).text
    assert re.findall(r'name="near" value="([^"]*)"', shown) == ["notes[1]", "attachments[1].name", ""]
    assert "given name alone, one letter differs" in shown
    assert "2 attachments of this part were not searched" in shown
    assert "Another &lt;John&gt;" in shown
    # What is in no value cannot be taken out as one.
    assert shown.count("Take it out</option>") == 1
    chosen = {"service": "keyworker-api", "near": ["notes[1]", "attachments[1].name", ""],
              "near.0": "take", "nearWhy.0": "third party", "near.1": "keep"}  # fmt: skip
    refused = signed_in.post(page, chosen)
    assert (refused.status, api.of("redactRequest")) == (400, [])
    assert 'href="#near-why-1"' in refused.text
    assert 'value="third party"' in refused.text
    assert signed_in.post(page, {**chosen, "nearWhy.1": "A form's title"}).status == 303
    sent = api.of("redactRequest")[0].body
    assert sent["values"] == [
        {"service": "keyworker-api", "path": "notes[1]", "reason": "third party", "everywhere": False}
    ]
    assert sent["nearMisses"] == [
        {"service": "keyworker-api", "path": "attachments[1].name", "reason": "A form's title"}
    ]


def test_a_page_of_a_request_on_hold_says_that_its_date_will_move(signed_in: Console, api: ExampleApi) -> None:
    found = example("showSubjectAccessRequest")
    hold = {**found["holds"][0], "reason": "clarification", "until": None}
    api.answers["showSubjectAccessRequest"] = {**found, "state": "OnHold", "holds": [hold]}
    api.answers["listTasks"] = {"tasks": [{**example("listTasks")["tasks"][0], "clockStopped": True}], "cursor": None}
    for path in (f"requests/{ID}", f"requests/{ID}/decide?what=release"):
        assert "(the clock is stopped: the date will move)" in signed_in.get(path).text
    assert "which will move: the clock is stopped</title>" in signed_in.get(f"requests/{ID}").text
    assert "due Wednesday 2 December 2026, which will move" in signed_in.get("requests").text


def test_who_approves_says_how_much_was_seen(console: Console, api: ExampleApi) -> None:
    with_near_misses(api)
    state = {"state": "ReadyForReview", "requestedBy": "alice", "redactedBy": [], "reportSha256": "9f" * 32}
    api.answers["showSubjectAccessRequest"] = {**example("showSubjectAccessRequest"), **state}
    console.sign_in("sar-approver", subject="bob")
    page = f"requests/{ID}/decide?what=approve"
    shown = console.get(page).text
    assert "I have looked at the 3 near misses that nobody has decided about" in shown
    assert "I have looked at the 2 attachments that no search has read" in shown
    sent = {"read": "yes", "sha256": "9f" * 32, "nearMisses": "3", "notSearched": "2"}
    assert console.post(page, sent).status == 303
    assert api.of("approveReport")[0].body == {"sha256": "9f" * 32, "nearMisses": 3, "notSearched": 2}
