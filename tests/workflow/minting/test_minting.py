"""Whole requests on the running stack: by function, workflow, queue and document."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from tests.workflow.minting.conftest import Minter
from tests.workflow.support.gate import Gate, Refusal
from tests.workflow.support.mailbox import Mailbox
from tests.workflow.support.polling import until

INVOCATIONS = 50


@pytest.mark.long
def test_fifty_invocations_at_once_agree_on_every_identifier(minter: Minter, label: str) -> None:
    names = [f"{label}-{number}" for number in range(300)]
    overlapping = [[names[(start * 20 + offset) % 300] for offset in range(100)] for start in range(INVOCATIONS)]
    with ThreadPoolExecutor(INVOCATIONS) as threads:
        answers = list(threads.map(lambda some: minter.mint(*some), overlapping))
    answered: dict[str, str] = {}
    for answer in answers:
        assert answer["failures"] == []
        for name, canonical_id in answer["identifiers"].items():
            assert answered.setdefault(name, canonical_id) == canonical_id
    items = list(minter.items(label))
    forward = {item["sourceId"]["S"]: item["canonicalId"]["S"] for item in items if "canonicalId" in item}
    reverse = {item["pk"]["S"].removeprefix("C#") for item in items if "owner" in item}
    assert forward == answered
    assert reverse == set(answered.values())
    assert len(reverse) == len(names)


@pytest.mark.parametrize(
    ("names", "more", "status", "counts"),
    [
        (["a", "b"], {}, "ALL_SUCCEEDED", (2, 0)),
        (["a", "b", "c"], {"predecessors": {"c": "nobody"}, "jobId": "job"}, "PARTIAL", (2, 1)),
        (["a"], {"predecessors": {"a": "nobody"}}, "NONE_SUCCEEDED", (0, 1)),
        ([], {}, "NONE_SUCCEEDED", (0, 1)),
    ],
)
def test_three_outcomes(minter: Minter, label: str, names: list[str], more: Any, status: str, counts: Any) -> None:
    mine = json.loads(json.dumps({"sourceIdentifiers": names, **more}).replace('"a"', f'"{label}"'))
    ended = minter.run(mine, label)
    assert (ended.status, ended.output["status"]) == ("SUCCEEDED", status)
    assert (ended.output["successCount"], ended.output["failureCount"]) == counts
    assert ended.output.get("jobId") == more.get("jobId")
    assert "PlanMinting" not in ended.states


def test_odd_entries_are_refused_by_themselves(minter: Minter, label: str) -> None:
    # The same by function and by workflow.
    odd = [f"{label}\u200b", f"Work[{label}/b", None, 5]
    for answer in (minter.run({"sourceIdentifiers": [label, *odd]}, label).output, minter.mint(label, *odd)):
        assert answer["successes"] == [label]
        assert [each["code"] for each in answer["failures"]] == ["INVALID_IDENTIFIER"] * len(odd)


@pytest.mark.parametrize("request_", [{}, [], "text", {"sourceIdentifiers": None}, {"sourceIdentifier": ["a"]}])
def test_nonsense_ends_with_a_reason(minter: Minter, label: str, request_: Any) -> None:
    ended = minter.run(request_, label)
    assert ended.output["status"] == "NONE_SUCCEEDED"
    assert ended.output["failures"][0]["code"] == "INVALID_INPUT"


def test_250_are_three_chunks(minter: Minter, label: str) -> None:
    names = [f"{label}-{number}" for number in range(250)]
    ended = minter.run({"sourceIdentifiers": names}, label)
    assert ended.output["status"] == "ALL_SUCCEEDED"
    assert ended.output["successes"] == names
    assert ended.states.count("MintChunk") <= 3
    results = minter.application.s3.list_objects_v2(
        Bucket=minter.outputs["DocumentsBucketName"], Prefix=f"minting/{label}/results/"
    )
    assert results["KeyCount"] == 3


def test_what_does_not_fit_the_state_goes_through_s3_both_ways(minter: Minter, label: str) -> None:
    names = [f"{label}-{number}-{'é' * 900}" for number in range(150)]
    address = minter.upload(f"requests/{label}.txt", "\n".join(names))
    ended = minter.run({"identifiersUri": address, "jobId": label}, label)
    assert ended.output["status"] == "ALL_SUCCEEDED"
    assert "MintManifest" in ended.states
    assert set(ended.output) == {"status", "successCount", "failureCount", "jobId", "reportUri"}
    report = minter.read(ended.output["reportUri"])
    assert report["successes"] == names
    assert len(set(report["identifiers"].values())) == 150


def test_a_table_that_refuses_fails_the_execution_and_people_are_told(
    minter: Minter, gate: Gate, mailbox: Mailbox, label: str
) -> None:
    with gate.refusing("BatchGetItem", label, Refusal(400, "AccessDeniedException")):
        ended = minter.run({"sourceIdentifiers": [label]}, label)
    assert (ended.status, ended.error) == ("FAILED", "RegistryRefusedError")
    assert "AccessDeniedException" in str(ended.cause)
    until(lambda: mailbox.about(label), f"a notification about {label}")


def test_throttling_that_passes_is_not_seen(minter: Minter, gate: Gate, label: str) -> None:
    with gate.refusing("TransactWriteItems", label, Refusal(400, "ThrottlingException"), times=2) as fault:
        answer = minter.mint(label)
    assert fault.seen == 2
    assert answer["successes"] == [label]


def test_a_lost_answer_is_asked_for_again(minter: Minter, gate: Gate, label: str) -> None:
    with gate.losing_answers("TransactWriteItems", label, times=1) as fault:
        answer = minter.mint(label)
    assert fault.seen == 1
    assert len(list(minter.items(label))) == 2
    assert answer["identifiers"] == minter.mint(label)["identifiers"]


def test_the_queue_answers_every_success_and_tells_of_lasting_failures(
    minter: Minter, mailbox: Mailbox, label: str
) -> None:
    minter.send({"sourceIdentifiers": [label, f"{label}-2", f"{label}\x01"], "jobId": label}, group="sender")
    results = minter.results(label, 2)
    assert {result["sourceIdentifier"] for result in results} == {label, f"{label}-2"}
    known = minter.mint(label, f"{label}-2")["identifiers"]
    assert {result["sourceIdentifier"]: result["canonicalId"] for result in results} == known
    letters = until(lambda: mailbox.about(label), f"a notification about {label}")
    assert letters[0].attributes["workflow"] == "minting"
    assert "INVALID_IDENTIFIER" in letters[0].body


def test_documents_are_stored_with_their_ids(minter: Minter, label: str) -> None:
    identifier = {"identifierType": {"id": "sierra"}, "ontologyType": "Work", "value": label}
    minter.upload(f"upstream/Work[sierra/{label}].json", json.dumps({"sourceIdentifier": identifier, "items": []}))
    answer = minter.mint(f"Work[sierra/{label}]", "absent", mode="documents")
    canonical_id = answer["identifiers"][f"Work[sierra/{label}]"]
    stored = minter.read(f"s3://{minter.outputs['DocumentsBucketName']}/downstream/{canonical_id}.json")
    assert stored["canonicalId"] == canonical_id
    assert [failure["code"] for failure in answer["failures"]] == ["NOT_FOUND"]


def test_documents_are_chosen_by_the_time_at_which_they_were_written(minter: Minter, label: str) -> None:
    identifier = {"identifierType": {"id": "sierra"}, "ontologyType": "Work", "value": label}
    address = minter.upload(f"upstream/{label}.json", json.dumps({"sourceIdentifier": identifier}))
    bucket, _, key = address.removeprefix("s3://").partition("/")
    written = minter.application.s3.head_object(Bucket=bucket, Key=key)["LastModified"]
    window = {"startTime": written.isoformat(), "endTime": (written + timedelta(seconds=1)).isoformat()}
    ended = minter.run({"mode": "documents", "window": window}, label)
    canonical_id = ended.output["identifiers"][label]
    assert minter.read(f"s3://{bucket}/downstream/{canonical_id}.json")["canonicalId"] == canonical_id
    nothing = minter.run({"mode": "documents", "window": {"endTime": "2000-01-01T00:00:00Z"}}, f"{label}-nothing")
    assert (nothing.output["status"], nothing.output["successCount"]) == ("ALL_SUCCEEDED", 0)
    mistyped = minter.run({"mode": "documents", "full": "yes"}, f"{label}-mistyped")
    assert mistyped.output["failures"][0]["error"] == "Invalid input: full must be true"
