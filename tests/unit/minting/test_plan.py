"""Large requests, cut into chunks."""

import json

import pytest

from waybill.minting.domain import plan
from waybill.minting.domain.plan import (
    STATE_BYTES,
    ChunkPlan,
    MintingRun,
    RequestedIdentifier,
    chunks,
    fitting_chunks,
    plan_lines,
    plan_request,
)
from waybill.minting.domain.requests import Mode
from waybill.minting.errors import InvalidRequestError

RUN = MintingRun("run-1", "arn:run-1")


def cut(entries: list[RequestedIdentifier], job_id: str | None = None) -> list[dict]:
    return list(chunks(ChunkPlan(entries, Mode.IDENTIFIERS, job_id), RUN))


def test_a_run_is_about_two_million_identifiers_at_most(monkeypatch: pytest.MonkeyPatch) -> None:
    """The README of the workflow, "2,000,000" by request; with three of them it costs nothing to see."""
    assert plan.ENTRIES_LIMIT == 2_000_000
    monkeypatch.setattr(plan, "ENTRIES_LIMIT", 3)
    assert len(plan_lines({}, ["a", "b", "a", "c", "b"]).entries) == 3
    with pytest.raises(InvalidRequestError, match="more than 3 identifiers"):
        plan_lines({}, ["a", "b", "a", "c", "d"])


def test_250_are_three_chunks_in_order() -> None:
    made = cut([RequestedIdentifier(f"i{n}") for n in range(250)], "job")
    assert [len(chunk["sourceIdentifiers"]) for chunk in made] == [100, 100, 50]
    assert [chunk["index"] for chunk in made] == [0, 1, 2]
    assert [name for chunk in made for name in chunk["sourceIdentifiers"]] == [f"i{n}" for n in range(250)]
    assert made[0]["jobId"] == "job"
    assert made[0]["executionId"] == "arn:run-1"


def test_long_identifiers_make_smaller_chunks() -> None:
    made = cut([RequestedIdentifier(f"{'é' * 1000}{n}") for n in range(100)])
    assert len(made) > 1
    assert all(len(json.dumps(chunk)) < STATE_BYTES for chunk in made)


def test_what_is_linked_by_predecessors_stays_together() -> None:
    linked = {0: "i149", 149: "Work[s/1]", 77: "s/1"}
    made = cut([RequestedIdentifier(f"i{n}", linked.get(n)) for n in range(150)])
    [chunk] = [chunk for chunk in made if "predecessors" in chunk]
    assert chunk["predecessors"] == {"i0": "i149", "i149": "Work[s/1]", "i77": "s/1"}
    assert sum(len(chunk["sourceIdentifiers"]) for chunk in made) == 150


def test_a_chain_too_long_for_one_state_is_refused() -> None:
    entries = [RequestedIdentifier(f"{'x' * 500}{n}", f"{'x' * 500}{n - 1}") for n in range(400)]
    with pytest.raises(InvalidRequestError, match="too many"):
        cut(entries)


def test_only_what_fits_the_state_goes_into_it() -> None:
    assert fitting_chunks(ChunkPlan([RequestedIdentifier("a")], Mode.IDENTIFIERS, None), RUN)
    assert (
        fitting_chunks(
            ChunkPlan([RequestedIdentifier(f"{'x' * 1000}{n}") for n in range(500)], Mode.IDENTIFIERS, None), RUN
        )
        is None
    )


def test_lines_of_text() -> None:
    plan = plan_lines({"identifiersUri": "s3://b/k", "jobId": "j"}, ["a", "", " b \r", "a"])
    assert plan == ChunkPlan([RequestedIdentifier("a"), RequestedIdentifier("b")], Mode.IDENTIFIERS, "j")


@pytest.mark.parametrize(("line", "as_json"), [("\ufeffa\r", False), ('\ufeff"a"\r', True)])
def test_a_byte_order_mark_before_the_first_line_is_no_part_of_it(line: str, as_json: bool) -> None:
    # Unicode Standard, 23.8.
    plan = plan_lines({"identifiersUri": "s3://b/k"}, [line], as_json=as_json)
    assert plan.entries == [RequestedIdentifier("a")]


def test_a_predecessor_that_is_null_is_none() -> None:
    plan = plan_lines({}, ['{"sourceIdentifier": "a", "predecessor": null}'], as_json=True)
    assert plan.entries == [RequestedIdentifier("a")]


def test_entries_that_are_no_strings_reach_the_minter_as_they_are() -> None:
    plan = plan_request({"sourceIdentifiers": ["a", None, 5, {"x": []}]})
    [chunk] = chunks(plan, RUN)
    assert chunk["sourceIdentifiers"] == ["a", None, 5, {"x": []}]


def test_lines_of_json() -> None:
    lines = ['"a"', '{"sourceIdentifier": "b", "predecessor": "a"}', "", '{"sourceIdentifier": " c "}']
    plan = plan_lines({"identifiersUri": "s3://b/k.jsonl"}, lines, as_json=True)
    assert plan.entries == [RequestedIdentifier("a"), RequestedIdentifier("b", "a"), RequestedIdentifier("c")]


@pytest.mark.parametrize(
    ("payload", "lines", "as_json", "message"),
    [
        ({"identifiersUri": "u"}, [], False, "cannot be empty"),
        ({"identifiersUri": "u"}, ["", " "], False, "cannot be empty"),
        ({"identifiersUri": "u"}, ["x"], True, "line 1 is neither"),
        ({"identifiersUri": "u"}, ['"a"', "5"], True, "line 2 is neither"),
        ({"identifiersUri": "u"}, ['"a"', '{"predecessor": "b"}'], True, "line 2 is neither"),
        (
            {"identifiersUri": "u"},
            ['"a"', '{"sourceIdentifier": "b", "predecesor": "a"}'],
            True,
            "line 2: unknown field predecesor",
        ),
        ({"identifiersUri": "u"}, ['{"sourceIdentifier": 5}'], True, "line 1: sourceIdentifier must be a string"),
        (
            {"identifiersUri": "u"},
            ['{"sourceIdentifier": "b", "predecessor": 5}'],
            True,
            "line 1: predecessor must be a string",
        ),
        (
            {"identifiersUri": "u"},
            ['{"sourceIdentifier": "b", "predecessor": " "}'],
            True,
            "line 1: predecessor cannot be empty",
        ),
        (
            {"identifiersUri": "u"},
            ['{"sourceIdentifier": "b", "sourceIdentifier": "a"}'],
            True,
            "line 1: sourceIdentifier is given twice",
        ),
        (
            {"identifiersUri": "u"},
            ['"a"', '{"sourceIdentifier": "a", "predecessor": "b"}'],
            True,
            "another predecessor",
        ),
        ({"identifiersUri": "u"}, ['"a"', r'"half\ud800"'], True, "line 2 contains half a surrogate pair"),
        (
            {"identifiersUri": "u"},
            [r'{"sourceIdentifier": "a", "predecessor": "\ud800"}'],
            True,
            "line 1 contains half",
        ),
        ({"identifiersUri": "u", "jobId": ""}, ["a"], False, "jobId cannot be empty"),
    ],
)
def test_broken_rules(payload: dict, lines: list[str], as_json: bool, message: str) -> None:
    with pytest.raises(InvalidRequestError, match=message):
        plan_lines(payload, lines, as_json=as_json)


def test_a_request_that_holds_its_identifiers() -> None:
    plan = plan_request({"sourceIdentifiers": ["a", "b"] * 200, "predecessors": {"b": "a"}, "jobId": "j"})
    assert plan == ChunkPlan([RequestedIdentifier("a"), RequestedIdentifier("b", "a")], Mode.IDENTIFIERS, "j")
    with pytest.raises(InvalidRequestError, match="cannot contain empty strings"):
        plan_request({"sourceIdentifiers": ["a", ""]})


def test_no_documents_are_no_chunks() -> None:
    plan = plan_lines({"mode": "documents", "full": True}, [], may_be_empty=True)
    assert plan == ChunkPlan([], Mode.DOCUMENTS, None)
    assert fitting_chunks(plan, RUN) == []


@pytest.mark.parametrize("heading", ["sourceIdentifier,predecessor", "\ufeffid;identifier", "Source ID\tPredecessor"])
def test_a_table_is_refused_as_a_whole(heading: str) -> None:
    """Issue: header lines of CSV; the lines below one of several columns would be minted with their separators."""
    with pytest.raises(InvalidRequestError, match="line 1 is the heading of a table of 2 columns"):
        plan_lines({}, [heading, "folio-1,sierra-1"])
    # Of one column, the heading alone is refused, by itself.
    assert len(plan_lines({}, ["sourceIdentifier", "folio-1"]).entries) == 2
