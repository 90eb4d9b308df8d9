"""What the pages of consignments show and send."""

import re

from tests.console.pages import FILE, ID, prepared
from tests.fakes.console import Console, ExampleApi, Problem, example


def test_whom_a_file_waits_for_is_said_as_the_api_says_it(signed_in: Console, api: ExampleApi) -> None:
    """The words are those of the checks' own table of sentences, version of TDR's table and ours."""
    from waybill.consignments.domain.tables import shipped
    from waybill.console.domain.verdicts import verdict_of

    told = shipped().sentences
    for key, who in (("ffid.zeroByteFile", "sender"), ("antivirus.failed", "us")):
        sentence = told[key]
        explained = {"statusName": "FFID", "value": "x", "sentence": sentence.sentence, "action": sentence.action}
        assert verdict_of({"accepted": False, "explanations": [explained]}).who == who


def test_files_that_could_not_be_asked_for_are_not_counted(signed_in: Console, api: ExampleApi) -> None:
    api.answers["showConsignment"] = {**example("showConsignment"), "status": "CompletedWithIssues"}
    api.answers["listConsignmentFiles"] = Problem(503)
    text = signed_in.get(f"consignments/{ID}").text
    assert "We could not ask for the files just now" in text
    assert "Some files cannot be accepted yet" in text
    assert not re.search(r"\d+ of \d+ files? cannot|app-figures|looks at 200", text)


def test_a_file_that_was_not_checked_is_not_called_right(signed_in: Console, api: ExampleApi) -> None:
    file = {**example("listConsignmentFiles")["files"][0], "explanations": []}
    for accepted, said in ((False, "Not checked yet."), (True, "Nothing wrong.")):
        api.answers["listConsignmentFiles"] = {"files": [{**file, "accepted": accepted}], "cursor": None}
        text = signed_in.get(f"consignments/{ID}?show=all").text
        assert [each for each in ("Not checked yet.", "Nothing wrong.") if each in text] == [said]


def test_files_are_left_out_by_those_who_sent_them(signed_in: Console, api: ExampleApi) -> None:
    prepared(api)
    page = f"consignments/{ID}/corrections"
    text = signed_in.get(page).text
    assert "minutes_1921.zip" in text
    # What malware was found in, and what is for us to look at, is no sender's to put right.
    assert "minutes_1934.doc" not in text
    assert "Choose which files to leave out" in signed_in.post(page, {"leave": "x"}).text
    assert signed_in.post(page, {"leave": [FILE, FILE]}).headers["Location"].endswith("corrections?done=left-out.1")
    assert [each.body for each in api.of("correctConsignment")] == [{"leaveOut": [FILE]}]
    api.answers["correctConsignment"] = Problem(409, "the checks are under way")
    assert "the checks are under way" in signed_in.post(page, {"leave": FILE}).text


def test_a_page_that_only_reads_corrects_nothing(console: Console, api: ExampleApi) -> None:
    prepared(api)
    console.sign_in("consignments-approver")
    assert "Send corrected files" not in console.get(f"consignments/{ID}").text
    assert console.get(f"consignments/{ID}/corrections").status == 403
