"""Records with anything in any attribute: they make events, or are refused, and never stop what stands beside them."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes.custody import Custody
from waybill.custody.domain.interpreting import Intake, Interpreter, RefusedRecord, Workflow
from waybill.custody.domain.records.change import NO_RECORD, BucketNames, ItemChange

_COPIES = {"copy": {"versionId": "v", "sha256": "ab" * 32}, "removed": {"place": "quarantine", "versionId": "m"}}
RECORDS: Mapping[Workflow, dict[str, Any]] = {
    Workflow.REPLICATION: {
        "fileKey": "a/b",
        "sourceBucket": "source#dest#copies",
        "destinationKey": "a/b",
        "status": "COMPLETED",
        "code": "COPIED",
        "executionId": "arn:x:run",
        "timestamp": "2026-11-29T10:00:00.000Z",
        "bytes": 3,
        "versionId": "v",
        "sourceChecksumAlgorithm": "SHA256",
        "sourceChecksum": "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=",
    },
    Workflow.MINTING: {"pk": "S#Work#s#1", "canonicalId": "kx7dn2ph", "createdAt": "2026-11-29T10:00:00.000000Z"},
    Workflow.CONSIGNMENTS: {
        "pk": "c-1",
        "sk": "FILE#f-1",
        "size": 3,
        "sha256": "ab" * 32,
        "run": 1,
        "runStartedAt": "2026-11-29T10:00:00.000Z",
        "waivers": {"FFID": {"statusName": "FFID", "value": "x", "by": "c", "at": "2026-11-29T11:00:00.000Z"}},
        "results": json.dumps(
            {"verdicts": [{"statusName": "FFID", "value": "Success"}], "copiedTo": "clean", **_COPIES}
        ),
    },
    Workflow.SCANNING: {
        "pk": "JOB#j",
        "sk": "OBJ#h",
        "key": "a",
        "size": 1,
        "status": "SCANNED",
        "recorded_at": "2026-11-29T10:00:00.000Z",
    },
    Workflow.SUBJECT_ACCESS: {
        "pk": "SAR#1",
        "sk": "AUD#00000001",
        "number": 1,
        "hash": "a",
        "action": "REPORT_STORED",
        "actor": "w",
        "at": "2026-11-29T10:00:00.000Z",
        "detail": {"sha256": "ab" * 32, "generation": 1, "bytes": 2},
    },
}
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30) | st.binary(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=5,
)


class Others:
    """Every consignment and every job is there."""

    def consignment(self, consignment_id: str) -> dict[str, object]:
        return {"userId": "u", "createdAt": "2026-11-29T09:00:00.000Z"}

    def scan(self, job_id: str) -> dict[str, object]:
        return {"bucket": "scanned"}


class Refused:
    """Keeps what is refused."""

    def __init__(self) -> None:
        self.records: list[RefusedRecord] = []

    def refuse(self, records: Iterator[RefusedRecord]) -> None:
        self.records += records


def intake(custody: Custody, refused: Refused) -> Intake:
    buckets = BucketNames("uploads", "clean", "quarantine", "reports")
    return Intake(Interpreter(Others(), buckets), custody.recorder, refused)  # type: ignore[arg-type]


@pytest.mark.parametrize("workflow", list(Workflow))
def test_each_of_them_makes_events(workflow: Workflow) -> None:
    custody, refused = Custody(), Refused()
    taken = intake(custody, refused).take([(workflow, ItemChange(NO_RECORD, RECORDS[workflow]))], "a")
    assert taken.recorded.new > 0
    assert refused.records == []


@given(st.sampled_from(list(Workflow)), st.data(), VALUES)
def test_any_value_of_any_attribute_stops_nothing(workflow: Workflow, data: st.DataObject, value: Any) -> None:
    custody, refused = Custody(), Refused()
    name = data.draw(st.sampled_from(sorted(RECORDS[workflow])))
    broken = {**RECORDS[workflow], name: value}
    good = RECORDS[Workflow.MINTING] | {"pk": "S#Work#s#good", "canonicalId": "goodgood"}
    changes = [(workflow, ItemChange(NO_RECORD, broken)), (Workflow.MINTING, ItemChange(NO_RECORD, good))]
    taken = intake(custody, refused).take(changes, "a")
    assert ("I#goodgood") in {pk for pk, _ in custody.ledger.kept}
    assert taken.refused == len(refused.records) <= 1
    for one in refused.records:
        assert "ungWv48" not in one.problem


@given(st.dictionaries(st.text(max_size=12), VALUES, max_size=5) | st.just({}))
def test_any_results_of_a_consignment_stop_nothing(results: dict[str, Any]) -> None:
    try:
        document = json.dumps(results)
    except (TypeError, ValueError):
        return
    custody, refused = Custody(), Refused()
    change = ItemChange(NO_RECORD, RECORDS[Workflow.CONSIGNMENTS] | {"results": document})
    intake(custody, refused).take([(Workflow.CONSIGNMENTS, change)], "a")
    assert len(custody.ledger.kept) + len(refused.records) > 0
