"""Cancelled transactions of every composition: what the minter makes of DynamoDB's reasons, with a stubbed client."""

import itertools
from typing import Any

import boto3
import pytest
from botocore.stub import ANY, Stubber

from tests.fakes.registry import Clock, counting
from waybill.minting.adapters.table import IdentifiersTable
from waybill.minting.domain.minter import Minter
from waybill.minting.domain.source_ids import parse_source_id
from waybill.minting.models import FailureCode, Method, Minted, NotMinted, Outcome, WantedIdentifier

A, B, C = (parse_source_id(f"Work[s/{name}]") for name in "abc")
FIRST_IDS = {"a": "aaaaaaaa", "b": "aaaaaaab", "c": "aaaaaaac"}
NEXT_ID = "aaaaaaad"
WINNER = "zzzzzzzz"

NONE, CONDITION, REFUSED = "None", "ConditionalCheckFailed", "ValidationError"
PASSING = ("TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded")
CODES = (NONE, CONDITION, REFUSED, *PASSING)
# Both None would be a cancellation for no reason at all.
COMPOSITIONS = [pair for pair in itertools.product(CODES, CODES) if pair != (NONE, NONE)]


class Stubbed:
    """A registry whose client answers what a test puts in; `writes` are the pairs that each transaction proposed."""

    def __init__(self) -> None:
        self.client = boto3.client("dynamodb")
        self.stubber = Stubber(self.client)
        self.writes: list[dict[str, str]] = []
        self.client.meta.events.register("provide-client-params.dynamodb.TransactWriteItems", self._note)

    def _note(self, params: dict[str, Any], **_: Any) -> None:
        items = [action["Put"]["Item"] for action in params["TransactItems"]]
        self.writes.append({item["sourceId"]["S"]: item["canonicalId"]["S"] for item in items if "canonicalId" in item})

    def nothing_is_known(self) -> None:
        self.stubber.add_response("batch_get_item", {"Responses": {"t": []}}, {"RequestItems": ANY})

    def cancel(self, *reasons: dict[str, Any]) -> None:
        self.stubber.add_client_error(
            "transact_write_items",
            service_error_code="TransactionCanceledException",
            modeled_fields={"CancellationReasons": list(reasons)},
        )

    def store(self) -> None:
        self.stubber.add_response("transact_write_items", {})

    def mint(self) -> list[Outcome]:
        minter = Minter(IdentifiersTable(self.client, "t"), counting(), Clock().time())
        with self.stubber:
            outcomes = minter.mint([WantedIdentifier(source) for source in (A, B, C)])
        self.stubber.assert_no_pending_responses()
        return [outcomes[source] for source in (A, B, C)]


def reason(kind: str, code: str) -> dict[str, Any]:
    if code != CONDITION:
        return {"Code": code}
    stored = {"canonicalId": {"S": WINNER}} if kind == "forward" else {"owner": {"S": "S#Work#s#other"}}
    return {"Code": code, "Item": stored}


def expected(forward: str, reverse: str) -> tuple[Outcome, dict[str, str]]:
    """The outcome of the pair in the middle, and what it proposes in the next transaction."""
    if forward == CONDITION:
        return Minted(WINNER, Method.RACE_LOST), {}
    if reverse == CONDITION:
        return Minted(NEXT_ID, Method.MINTED), {"b": NEXT_ID}
    if REFUSED in (forward, reverse):
        return NotMinted(FailureCode.INVALID_IDENTIFIER, "DynamoDB takes its item for invalid"), {}
    return Minted(FIRST_IDS["b"], Method.MINTED), {"b": FIRST_IDS["b"]}


@pytest.mark.parametrize(("forward", "reverse"), COMPOSITIONS)
def test_one_further_write_settles_it(forward: str, reverse: str) -> None:
    stubbed = Stubbed()
    stubbed.nothing_is_known()
    untouched = {"Code": NONE}
    stubbed.cancel(untouched, untouched, reason("forward", forward), reason("reverse", reverse), untouched, untouched)
    stubbed.store()
    outcome, proposed = expected(forward, reverse)
    assert stubbed.mint() == [
        Minted(FIRST_IDS["a"], Method.MINTED),
        outcome,
        Minted(FIRST_IDS["c"], Method.MINTED),
    ]
    assert stubbed.writes == [FIRST_IDS, {name: FIRST_IDS[name] for name in "ac"} | proposed]


def test_a_loss_a_collision_and_the_rest_untouched_are_one_further_write() -> None:
    stubbed = Stubbed()
    stubbed.nothing_is_known()
    untouched = {"Code": NONE}
    stubbed.cancel(
        reason("forward", CONDITION), untouched, untouched, reason("reverse", CONDITION), untouched, untouched
    )
    stubbed.store()
    assert stubbed.mint() == [
        Minted(WINNER, Method.RACE_LOST),
        Minted(NEXT_ID, Method.MINTED),
        Minted(FIRST_IDS["c"], Method.MINTED),
    ]
    assert stubbed.writes == [FIRST_IDS, {"b": NEXT_ID, "c": FIRST_IDS["c"]}]


def test_every_pair_lost_needs_no_further_write() -> None:
    stubbed = Stubbed()
    stubbed.nothing_is_known()
    stubbed.cancel(*[reason("forward", CONDITION), {"Code": NONE}] * 3)
    assert stubbed.mint() == [Minted(WINNER, Method.RACE_LOST)] * 3
    assert len(stubbed.writes) == 1
