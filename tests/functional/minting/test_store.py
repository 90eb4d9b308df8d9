"""The identifiers table: its items, and what is read out of every kind of error."""

from typing import Any

import boto3
import pytest
from botocore.exceptions import ConnectTimeoutError
from botocore.stub import Stubber

from tests.functional.minting.conftest import Aws
from waybill.minting.adapters.table import IdentifiersTable
from waybill.minting.domain.source_ids import parse_source_id
from waybill.minting.errors import (
    RegistryRefusedError,
    RegistryThrottledError,
    RegistryUnavailableError,
    TransactionRefusedError,
)
from waybill.minting.models import Found, Proposal, ProposalVerdict, Ruling, SourceId

A, B, C = (parse_source_id(f"Work[s/{name}]") for name in "abc")


AT = "2026-01-01T00:00:00.000Z"


def assign(table: IdentifiersTable, *proposals: Proposal, token: str = "t") -> list[ProposalVerdict]:
    return list(table.assign(proposals, token=token, at=AT, job_id="job-1"))


def test_an_assignment_is_two_items(aws: Aws, table: IdentifiersTable) -> None:
    assert assign(table, Proposal(A, "aaaaaaaa")) == [ProposalVerdict(Ruling.STORED)]
    forward, reverse = sorted(aws.items(), key=lambda item: item["pk"]["S"], reverse=True)
    created = forward.pop("createdAt")
    assert forward == {
        "pk": {"S": "S#Work#s#a"},
        "canonicalId": {"S": "aaaaaaaa"},
        "ontologyType": {"S": "Work"},
        "sourceSystem": {"S": "s"},
        "sourceId": {"S": "a"},
        "origin": {"S": "minted"},
        "jobId": {"S": "job-1"},
    }
    assert reverse == {"pk": {"S": "C#aaaaaaaa"}, "owner": {"S": "S#Work#s#a"}, "createdAt": created}


def test_an_heir_is_one_item_beside_its_predecessors(aws: Aws, table: IdentifiersTable) -> None:
    assign(table, Proposal(A, "aaaaaaaa"))
    heirs = [Proposal(B, "aaaaaaaa", A), Proposal(C, "aaaaaaaa", A)]
    assert assign(table, *heirs, token="u") == [ProposalVerdict(Ruling.STORED)] * 2
    assert len(aws.items()) == 4
    assert [each.source for each in table.aliases("aaaaaaaa")] == [B, C]
    assert table.owner("aaaaaaaa") == A


def test_verdicts_name_the_winner_and_the_owner(table: IdentifiersTable) -> None:
    assign(table, Proposal(A, "aaaaaaaa"))
    verdicts = assign(table, Proposal(A, "bbbbbbbb"), Proposal(B, "aaaaaaaa"), Proposal(C, "cccccccc"), token="u")
    assert verdicts == [
        ProposalVerdict(Ruling.LOST, canonical_id="aaaaaaaa"),
        ProposalVerdict(Ruling.TAKEN, owner="S#Work#s#a"),
        ProposalVerdict(Ruling.KEPT),
    ]
    assert table.find([A, B, C]) == Found({A: "aaaaaaaa"})


def test_a_predecessor_without_that_id_is_an_orphaned_heir(table: IdentifiersTable) -> None:
    assert assign(table, Proposal(B, "aaaaaaaa", A), Proposal(C, "cccccccc")) == [
        ProposalVerdict(Ruling.ORPHANED),
        ProposalVerdict(Ruling.KEPT),
    ]


def test_reading_back(table: IdentifiersTable) -> None:
    assign(table, Proposal(A, "aaaaaaaa"))
    found = table.assignment(A)
    assert found
    assert (found.source, found.canonical_id, found.origin, found.job_id) == (A, "aaaaaaaa", "minted", "job-1")
    assert table.assignment(B) is None
    assert table.owner("bbbbbbbb") is None


@pytest.fixture
def stubbed():
    client = boto3.client("dynamodb")
    with Stubber(client) as stubber:
        yield IdentifiersTable(client, "identifiers"), stubber


def cancel(stubber: Stubber, *reasons: dict[str, Any]) -> None:
    stubber.add_client_error(
        "transact_write_items",
        service_error_code="TransactionCanceledException",
        http_status_code=400,
        modeled_fields={"CancellationReasons": list(reasons)},
    )


NONE: dict[str, Any] = {"Code": "None"}
FAILED: dict[str, Any] = {"Code": "ConditionalCheckFailed"}


@pytest.mark.parametrize(
    ("forward", "reverse", "verdict"),
    [
        (NONE, NONE, ProposalVerdict(Ruling.KEPT)),
        (
            FAILED | {"Item": {"canonicalId": {"S": "winnerxx"}}},
            NONE,
            ProposalVerdict(Ruling.LOST, canonical_id="winnerxx"),
        ),
        (NONE, FAILED | {"Item": {"owner": {"S": "S#o"}}}, ProposalVerdict(Ruling.TAKEN, owner="S#o")),
        (
            FAILED | {"Item": {"canonicalId": {"S": "winnerxx"}}},
            FAILED | {"Item": {"owner": {"S": "S#o"}}},
            ProposalVerdict(Ruling.LOST, canonical_id="winnerxx"),
        ),
        ({"Code": "TransactionConflict"}, NONE, ProposalVerdict(Ruling.CONFLICT)),
        (NONE, {"Code": "TransactionConflict"}, ProposalVerdict(Ruling.CONFLICT)),
        ({"Code": "ThrottlingError"}, NONE, ProposalVerdict(Ruling.THROTTLED)),
        (NONE, {"Code": "ProvisionedThroughputExceeded"}, ProposalVerdict(Ruling.THROTTLED)),
        ({"Code": "ValidationError"}, {"Code": "TransactionConflict"}, ProposalVerdict(Ruling.REFUSED)),
        ({"Code": "SomethingNew"}, NONE, ProposalVerdict(Ruling.CONFLICT)),
    ],
)
def test_reasons_of_a_cancelled_transaction(stubbed, forward: dict, reverse: dict, verdict: ProposalVerdict) -> None:
    table, stubber = stubbed
    cancel(stubber, NONE, NONE, forward, reverse, NONE, NONE)
    proposals = [Proposal(A, "aaaaaaaa"), Proposal(B, "bbbbbbbb"), Proposal(C, "cccccccc")]
    assert assign(table, *proposals) == [ProposalVerdict(Ruling.KEPT), verdict, ProposalVerdict(Ruling.KEPT)]


@pytest.mark.parametrize(
    ("operation", "code", "status", "expected"),
    [
        ("batch_get_item", "ProvisionedThroughputExceededException", 400, RegistryThrottledError),
        ("batch_get_item", "ThrottlingException", 400, RegistryThrottledError),
        ("batch_get_item", "RequestLimitExceeded", 400, RegistryThrottledError),
        ("batch_get_item", "InternalServerError", 500, RegistryUnavailableError),
        ("batch_get_item", "Unknown", 503, RegistryUnavailableError),
        ("batch_get_item", "ResourceNotFoundException", 400, RegistryRefusedError),
        ("batch_get_item", "AccessDeniedException", 400, RegistryRefusedError),
        ("batch_get_item", "ValidationException", 400, RegistryRefusedError),
        ("transact_write_items", "TransactionInProgressException", 400, RegistryUnavailableError),
        ("transact_write_items", "ValidationException", 400, TransactionRefusedError),
        ("transact_write_items", "AccessDeniedException", 400, RegistryRefusedError),
    ],
)
def test_errors_of_a_whole_call(stubbed, operation: str, code: str, status: int, expected: type[Exception]) -> None:
    table, stubber = stubbed
    stubber.add_client_error(operation, service_error_code=code, http_status_code=status)
    with pytest.raises(expected, match=code):
        table.find([A]) if operation == "batch_get_item" else assign(table, Proposal(A, "aaaaaaaa"))


def test_unprocessed_keys_come_back_as_sources(stubbed) -> None:
    table, stubber = stubbed
    stubber.add_response(
        "batch_get_item",
        {
            "Responses": {"identifiers": [{"pk": {"S": "S#Work#s#a"}, "canonicalId": {"S": "aaaaaaaa"}}]},
            "UnprocessedKeys": {"identifiers": {"Keys": [{"pk": {"S": "S#Work#s#b"}}]}},
        },
    )
    assert table.find([A, B]) == Found({A: "aaaaaaaa"}, (B,))


def test_a_connection_that_times_out(monkeypatch: pytest.MonkeyPatch) -> None:
    client = boto3.client("dynamodb")

    def time_out(**_: Any) -> None:
        raise ConnectTimeoutError(endpoint_url="https://dynamodb")

    monkeypatch.setattr(client, "transact_write_items", time_out)
    with pytest.raises(RegistryUnavailableError, match="ConnectTimeoutError"):
        assign(IdentifiersTable(client, "identifiers"), Proposal(A, "aaaaaaaa"))


def test_hostile_keys_stay_apart(aws: Aws, table: IdentifiersTable) -> None:
    hostile = [
        SourceId("Work", *parts) for parts in (("a#b", "c"), ("a", "b#c"), ("a%23b", "c"), ("é", "é"), ("a", "%"))
    ]
    assign(table, *(Proposal(source, f"aaaaaaa{char}") for source, char in zip(hostile, "abcde", strict=True)))
    assert len(table.find(hostile).canonical_ids) == len(hostile)
    assert [table.owner(f"aaaaaaa{char}") for char in "abcde"] == hostile
