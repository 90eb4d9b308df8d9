"""Runs that meet faults, die or are stopped, and what is tried again."""

from typing import Any

from tests.workflow.minting.conftest import Minter
from tests.workflow.support.gate import Gate, Refusal
from waybill.minting.domain.minter import Policy

UNAVAILABLE = Refusal(500, "InternalServerError")
SLOW_DOWN = Refusal(400, "ThrottlingException")


def pairs(minter: Minter, label: str) -> dict[str, str]:
    """The registry of a test's own identifiers, which has no half of an assignment."""
    items = list(minter.items(label))
    forward = {item["sourceId"]["S"]: item["canonicalId"]["S"] for item in items if "canonicalId" in item}
    reverse = [item["pk"]["S"].removeprefix("C#") for item in items if "owner" in item]
    assert sorted(reverse) == sorted(forward.values())
    return forward


def asked(gate: Gate, label: str) -> list[str]:
    return [call.body for call in gate.calls(label, "BatchGetItem")]


def test_what_may_pass_is_tried_again_alone(minter: Minter, gate: Gate, label: str) -> None:
    known = f"{label}-known"
    minter.mint(known)
    earlier = len(asked(gate, label))
    with gate.refusing("TransactWriteItems", label, SLOW_DOWN, times=Policy().attempts) as fault:
        ended = minter.run({"sourceIdentifiers": [known, f"{label}-new", f"{label}\x01"]}, label)
    assert fault.seen == Policy().attempts
    assert (ended.output["status"], ended.output["successes"]) == ("PARTIAL", [known, f"{label}-new"])
    assert [failure["code"] for failure in ended.output["failures"]] == ["INVALID_IDENTIFIER"]
    first, second = asked(gate, label)[earlier:]
    assert known in first
    assert known not in second
    assert ended.states.count("IdMinter") == 2


def test_a_registry_that_cannot_be_reached_is_tried_again(minter: Minter, gate: Gate, label: str) -> None:
    with gate.refusing("BatchGetItem", label, UNAVAILABLE, times=Policy().attempts) as fault:
        ended = minter.run({"sourceIdentifiers": [label]}, label)
    assert fault.seen == Policy().attempts
    assert ended.output["status"] == "ALL_SUCCEEDED"


def test_a_chunk_whose_function_is_killed_is_minted_again(minter: Minter, gate: Gate, label: str) -> None:
    names = [f"{label}-{number}" for number in range(150)]

    def kill(_: Any) -> None:
        minter.application.kill("MintChunkFunction")

    with gate.after("TransactWriteItems", label, kill) as fault:
        ended = minter.run({"sourceIdentifiers": names}, label)
    assert fault.seen == 1
    assert (ended.output["status"], ended.output["successes"]) == ("ALL_SUCCEEDED", names)
    assert pairs(minter, label) == ended.output["identifiers"]


def test_a_run_that_was_stopped_is_completed_by_another(minter: Minter, gate: Gate, label: str) -> None:
    request = {"sourceIdentifiers": [f"{label}-{number}" for number in range(150)]}
    application = minter.application
    with gate.holding("TransactWriteItems", f"{label}-149") as fault:
        arn = application.start(request, label, minter.outputs["IdMinterWorkflowArn"])
        fault.wait()
        application.sfn.stop_execution(executionArn=arn)
        assert application.ended(arn).status == "ABORTED"
    ended = minter.run(request, f"{label}-again")
    assert ended.output["status"] == "ALL_SUCCEEDED"
    assert pairs(minter, label) == ended.output["identifiers"]
