"""Requests and responses, word for word."""

import json
from typing import Any

import pytest

from tests.fakes.registry import Clock, MemoryRegistry, counting
from waybill.minting.domain.answers import IdentifierMinter, answer
from waybill.minting.domain.minter import Minter, Policy
from waybill.minting.domain.requests import EARLIER_REFUSED, NO_TEXT, Mode
from waybill.minting.domain.source_ids import examine
from waybill.minting.errors import RegistryThrottledError


@pytest.fixture
def registry() -> MemoryRegistry:
    return MemoryRegistry()


@pytest.fixture
def ask(registry: MemoryRegistry):
    def answers_of(mode: Mode) -> IdentifierMinter:
        return IdentifierMinter(Minter(registry, counting(), Clock().time()))

    return lambda payload, **more: answer(payload, answers_of, **more).document


def rejection(message: str, **more) -> dict:
    failure = {
        "sourceIdentifier": "",
        "error": f"Invalid input: {message}",
        "code": "INVALID_INPUT",
        "retryable": False,
    }
    return {"successes": [], "failures": [failure], "identifiers": {}, **more}


EMPTY = "sourceIdentifiers cannot be empty"
BLANK = "sourceIdentifiers cannot contain empty strings"
MANY = "sourceIdentifiers cannot contain more than 100 items"


@pytest.mark.parametrize(
    ("payload", "message"),
    [
        ({"sourceIdentifiers": []}, EMPTY),
        ({"sourceIdentifiers": [""]}, BLANK),
        ({"sourceIdentifiers": ["good", "   "]}, BLANK),
        ({"sourceIdentifiers": ["good", "\n"]}, BLANK),
        ({"sourceIdentifiers": ["a"] * 101}, MANY),
        ({"sourceIdentifiers": ["a"] * 10_000}, MANY),
        ({"sourceIdentifiers": ["a"] * 101 + [""]}, BLANK),
        ({}, "sourceIdentifiers is required"),
        ({"sourceIdentifiers": None}, "sourceIdentifiers must be an array of strings"),
        ({"sourceIdentifiers": "abc"}, "sourceIdentifiers must be an array of strings"),
        ({"sourceIdentifiers": {"a": 1}}, "sourceIdentifiers must be an array of strings"),
        ({"sourceIdentifiers": ["a"], "predecesors": {"a": "b"}}, "unknown field predecesors"),
        ({"sourceIdentifiers": ["a"], "jobID": "j", "Mode": 1}, "unknown fields jobID, Mode"),
        ({"sourceIdentifier": "a"}, "unknown field sourceIdentifier"),
        ({"sourceIdentifiers": ["a"], "x\u202ey": 1}, "unknown field x\\u202ey"),
        ({"sourceIdentifiers": ["a"], "executionId": "e"}, "unknown field executionId"),
        (None, "the request must be a JSON object"),
        (7, "the request must be a JSON object"),
        ("text", "the request must be a JSON object"),
        ([], "the request must be a JSON object"),
        ({"sourceIdentifiers": ["a"], "jobId": 7}, "jobId must be a string"),
        ({"sourceIdentifiers": ["a"], "predecessors": []}, "predecessors must be an object of strings"),
        ({"sourceIdentifiers": ["a"], "predecessors": {"a": 1}}, "predecessors must be an object of strings"),
        ({"sourceIdentifiers": ["a"], "predecessors": {"a": " "}}, "predecessors cannot contain empty strings"),
        (
            {"sourceIdentifiers": ["a"], "predecessors": {"b": "c"}},
            "predecessors names an identifier that is not in sourceIdentifiers: b",
        ),
        ({"sourceIdentifiers": ["a"], "identifiersUri": "s3://b/k"}, "identifiersUri is for the workflow alone"),
        ({"mode": "documents", "full": True}, "full is for the workflow alone"),
        ({"sourceIdentifiers": ["good", "half\ud800"]}, f"sourceIdentifiers {NO_TEXT}"),
        ({"sourceIdentifiers": ["a"], "predecessors": {"a": "\ud800"}}, f"predecessors {NO_TEXT}"),
        ({"sourceIdentifiers": ["a"], "predecessors": {"\ud800": "a"}}, f"predecessors {NO_TEXT}"),
        # Neither is it echoed: the answer could not be sent.
        ({"sourceIdentifiers": ["a"], "jobId": "half\ud800"}, f"jobId {NO_TEXT}"),
        ({"sourceIdentifiers": [""], "jobId": "half\ud800"}, BLANK),
        ({"sourceIdentifiers": ["a"], "earlier": {"failures": [], "identifiers": {}}}, EARLIER_REFUSED),
        ({"sourceIdentifiers": ["a"], "mode": "x"}, "mode must be one of: identifiers, documents"),
    ],
)
def test_a_broken_rule_is_told_and_nothing_is_asked(ask, registry: MemoryRegistry, payload, message: str) -> None:
    assert ask(payload) == rejection(message)
    assert registry.calls == 0


def test_the_first_broken_rule_wins_and_the_job_is_echoed(ask) -> None:
    assert ask({"sourceIdentifiers": ["a", ""], "jobId": "job-123"}) == rejection(BLANK, jobId="job-123")
    for job_id, message in (
        (" ", "jobId cannot be empty"),
        ("é" * 129, "jobId cannot be longer than 256 bytes of UTF-8"),
    ):
        assert ask({"sourceIdentifiers": ["a"], "jobId": job_id}) == rejection(message, jobId=job_id)


@pytest.mark.parametrize("count", [1, 100])
@pytest.mark.parametrize("job", [{}, {"jobId": "job-1"}])
def test_all_succeed(ask, registry: MemoryRegistry, count: int, job: dict) -> None:
    wanted = [f"id-{number}" for number in range(count)]
    got = json.loads(json.dumps(ask({"sourceIdentifiers": wanted, **job})))
    assert got["successes"] == wanted
    assert got["failures"] == []
    assert got.get("jobId") == job.get("jobId")
    assert ("jobId" in got) == bool(job)
    assert got["identifiers"] == {str(source): kept for source, kept in registry.forward.items()}


def test_some_fail_each_once_with_its_reason(ask) -> None:
    got = ask({"sourceIdentifiers": ["a", " bad\x00id\n", "b", "heir"], "predecessors": {"heir": "nobody"}})
    assert got["successes"] == ["a", "b"]
    assert got["failures"] == [
        {
            "sourceIdentifier": "bad\x00id",
            "error": "Failed to mint ID for bad\x00id",
            "code": "INVALID_IDENTIFIER",
            "retryable": False,
            "reason": "it contains control characters",
        },
        {
            "sourceIdentifier": "heir",
            "error": "Failed to mint ID for heir",
            "code": "PREDECESSOR_NOT_FOUND",
            "retryable": False,
            "reason": "Predecessor not found: Work//nobody",
        },
    ]


def test_all_fail(ask, registry: MemoryRegistry) -> None:
    registry.find_faults = [RegistryThrottledError("slow")] * 100
    got = ask({"sourceIdentifiers": [" x\n", "y", "x"], "jobId": "j"})
    assert got["successes"] == []
    assert [failure["error"] for failure in got["failures"]] == [
        "Failed to mint ID for x",
        "Failed to mint ID for y",
    ]
    assert {(failure["code"], failure["retryable"]) for failure in got["failures"]} == {("THROTTLED", True)}
    assert got["jobId"] == "j"


def test_duplicates_and_white_space_are_one_identifier(ask, registry: MemoryRegistry) -> None:
    got = ask({"sourceIdentifiers": ["b", " a\n", "b ", "a"]})
    assert got["successes"] == ["b", "a"]
    assert len(registry.forward) == 1 + 1


def test_two_spellings_of_one_source_have_one_id(ask, registry: MemoryRegistry) -> None:
    got = ask({"sourceIdentifiers": ["Work[s/1]", "s/1", "Person[lc/1]", "Agent[lc/1]", "Item[s/1]"]})
    ids = got["identifiers"]
    assert ids["Work[s/1]"] == ids["s/1"]
    assert ids["Person[lc/1]"] == ids["Agent[lc/1]"]
    assert len(set(ids.values())) == 3
    assert len(registry.forward) == 3


def test_case_tells_identifiers_apart(ask) -> None:
    assert len(set(ask({"sourceIdentifiers": ["b13026252", "B13026252"]})["identifiers"].values())) == 2


def test_two_spellings_with_different_predecessors_conflict(ask) -> None:
    got = ask({"sourceIdentifiers": ["old", "Work[s/1]", "s/1"], "predecessors": {"s/1": "old"}})
    assert got["successes"] == ["old"]
    assert [failure["code"] for failure in got["failures"]] == ["CONFLICTING_PREDECESSOR"] * 2


def test_every_distinct_identifier_is_in_exactly_one_list(ask) -> None:
    given = ["a", "a ", "b\x01", " b\x01", "c", "x" * 2049]
    got = ask({"sourceIdentifiers": given})
    listed = [*got["successes"], *(failure["sourceIdentifier"] for failure in got["failures"])]
    assert sorted(listed) == sorted({each.strip() for each in given})


def test_the_cap_is_a_setting(ask) -> None:
    assert len(ask({"sourceIdentifiers": [f"i{n}" for n in range(150)]}, cap=150)["successes"]) == 150


def test_same_request_three_times(ask, registry: MemoryRegistry) -> None:
    answers = [ask({"sourceIdentifiers": ["once"]}) for _ in range(3)]
    assert answers[0] == answers[1] == answers[2]
    assert len(registry.assigns) == 1


def test_another_attempt_tries_again_what_may_pass_and_nothing_else(ask, registry: MemoryRegistry) -> None:
    request = {
        "sourceIdentifiers": ["b\x01", "known", "new", "heir", "orphan"],
        "predecessors": {"heir": "new", "orphan": "nobody"},
        "jobId": "j",
    }
    ask({"sourceIdentifiers": ["known"]})
    registry.assign_faults = [RegistryThrottledError("slow")] * Policy().attempts
    earlier = ask(request)
    assert [(failure["sourceIdentifier"], failure["retryable"]) for failure in earlier["failures"]] == [
        ("b\x01", False),
        ("new", True),
        ("heir", True),
        ("orphan", False),
    ]
    registry.finds.clear(), registry.assigns.clear()
    got = ask(request | {"earlier": earlier}, resumes=True)
    assert got["successes"] == ["known", "new", "heir"]
    assert [failure["sourceIdentifier"] for failure in got["failures"]] == ["b\x01", "orphan"]
    assert got["identifiers"]["heir"] == got["identifiers"]["new"]
    assert (got["jobId"], got["identifiers"]["known"]) == ("j", earlier["identifiers"]["known"])
    assert {str(source) for asked, _ in registry.finds for source in asked} == {"new", "heir"}
    assert {str(each.source) for call in registry.assigns for each in call} == {"new", "heir"}
    registry.finds.clear()
    assert ask(request | {"earlier": got}, resumes=True) == got
    assert registry.finds == []


@pytest.mark.parametrize(
    "earlier",
    [
        None,
        5,
        {},
        {"failures": [], "identifiers": []},
        {"failures": [1], "identifiers": {}},
        {"failures": [], "identifiers": {"a": 1}},
    ],
)
def test_an_earlier_answer_that_is_none(ask, registry: MemoryRegistry, earlier: Any) -> None:
    request = {"sourceIdentifiers": ["a"], "earlier": earlier}
    assert ask(request, resumes=True) == rejection("earlier must be an answer to the same request")
    assert registry.calls == 0


@pytest.mark.parametrize(("entry", "shown"), [({}, "{}"), (None, "null"), (5, "5"), (["x"], '["x"]'), (True, "true")])
def test_an_entry_that_is_no_string_is_refused_by_itself(ask, registry: MemoryRegistry, entry, shown: str) -> None:
    # Each refused by itself, its neighbours minted.
    got = ask({"sourceIdentifiers": ["a", entry, "b"]})
    assert got["successes"] == ["a", "b"]
    [failure] = got["failures"]
    assert (failure["sourceIdentifier"], failure["code"], failure["retryable"]) == (shown, "INVALID_IDENTIFIER", False)
    assert failure["reason"] == "it must be a string"
    assert len(registry.forward) == 2


def test_of_entries_that_are_no_strings_alone_nothing_is_minted(ask, registry: MemoryRegistry) -> None:
    assert [each["sourceIdentifier"] for each in ask({"sourceIdentifiers": [5, None]})["failures"]] == ["5", "null"]
    assert registry.calls == 0


ODD = ["b1\u200b", "cafe\u0301", "Work[a/b", "Work[ s / b ]", "/b1", "\ufeffb2"]


def test_what_nobody_meant_to_type_is_refused_and_its_neighbours_are_minted(ask, registry: MemoryRegistry) -> None:
    got = ask({"sourceIdentifiers": ["good", *ODD]})
    assert got["successes"] == ["good"]
    assert [each["sourceIdentifier"] for each in got["failures"]] == ODD
    assert {each["code"] for each in got["failures"]} == {"INVALID_IDENTIFIER"}
    assert len({each["reason"] for each in got["failures"]}) == len(ODD)
    assert [str(source) for source in registry.forward] == ["good"]


@pytest.mark.parametrize("text", ODD)
def test_what_was_minted_before_the_rule_keeps_its_id(ask, registry: MemoryRegistry, text: str) -> None:
    source = examine(text).source
    registry.forward[source] = "oldidxyz"
    registry.reverse["oldidxyz"] = source
    assert ask({"sourceIdentifiers": [text]})["identifiers"] == {text: "oldidxyz"}
    heir = ask({"sourceIdentifiers": ["new"], "predecessors": {"new": text}})
    assert heir["identifiers"] == {"new": "oldidxyz"}


@pytest.mark.parametrize("text", ODD)
def test_a_predecessor_that_nobody_meant_to_type_is_refused(ask, registry: MemoryRegistry, text: str) -> None:
    got = ask({"sourceIdentifiers": ["new"], "predecessors": {"new": text}})
    assert got["failures"][0]["code"] == "INVALID_IDENTIFIER"
    assert got["failures"][0]["reason"].startswith("predecessor: ")
    assert registry.forward == {}


def note(got: dict, text: str) -> object:
    entry = got["identifiers"][text]
    return entry["note"] if isinstance(entry, dict) else None


def test_an_ignored_predecessor_is_said(ask) -> None:
    # What was asked for and not done is said: an ID is for good, and the predecessor has come too late.
    first = ask({"sourceIdentifiers": ["old", "new"]})["identifiers"]
    late = ask({"sourceIdentifiers": ["new"], "predecessors": {"new": "old"}})
    assert late["identifiers"]["new"] == {"canonicalId": first["new"], "note": "PREDECESSOR_IGNORED"}
    assert late["predecessorsIgnored"] == 1


def test_there_is_no_note_where_the_id_is_shared_or_inherited_now(ask) -> None:
    ask({"sourceIdentifiers": ["old"]})
    for _ in range(2):
        got = ask({"sourceIdentifiers": ["new"], "predecessors": {"new": "old"}})
        assert note(got, "new") is None
        assert "predecessorsIgnored" not in got


def test_a_predecessor_that_is_unknown_or_new_is_ignored_where_the_source_has_an_id(ask) -> None:
    ask({"sourceIdentifiers": ["one", "two"]})
    assert note(ask({"sourceIdentifiers": ["one"], "predecessors": {"one": "nobody"}}), "one") == "PREDECESSOR_IGNORED"
    both = ask({"sourceIdentifiers": ["two", "three"], "predecessors": {"two": "three"}})
    assert (note(both, "two"), note(both, "three")) == ("PREDECESSOR_IGNORED", None)
