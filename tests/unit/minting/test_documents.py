"""Works as documents."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.fakes.registry import Clock, MemoryRegistry, counting
from waybill.minting.domain.documents import DocumentMinter, embed, read_work
from waybill.minting.domain.minter import Minter
from waybill.minting.domain.requests import MintRequest
from waybill.minting.domain.source_ids import parse_source_id
from waybill.minting.errors import DocumentsUnavailableError, InvalidIdentifierError, RegistryThrottledError
from waybill.minting.models import FailureCode, Minted, NotMinted, Outcome, StoredDocument


def block(value: str, kind: str = "Subject", system: str = "lc-subjects") -> dict[str, Any]:
    return {"identifierType": {"id": system}, "ontologyType": kind, "value": value}


def work(value: str, **more: Any) -> dict[str, Any]:
    return {"sourceIdentifier": block(value, "Work", "sierra"), "type": "Visible", **more}


@dataclass
class MemoryDocuments:
    """`Documents` in dicts; keys in `broken` cannot be written now."""

    upstream: dict[str, Any] = field(default_factory=dict)
    downstream: dict[str, Any] = field(default_factory=dict)
    broken: bool = False

    def read(self, source: str) -> bytes | None:
        content = self.upstream.get(source)
        if isinstance(content, Exception):
            raise content
        return content if content is None or isinstance(content, bytes) else json.dumps(content).encode()

    def write(self, canonical_id: str, document: bytes) -> StoredDocument:
        if self.broken:
            raise DocumentsUnavailableError("SlowDown from S3")
        self.downstream[canonical_id] = json.loads(document)
        return StoredDocument(canonical_id, "documents", canonical_id, "0" * 64, len(document), "v1")


@dataclass
class MemoryRecords:
    """`DocumentRecords` in a list; with `broken` nothing can be recorded now."""

    recorded: list[tuple[str, str, str | None]] = field(default_factory=list)
    broken: bool = False

    def record(self, document: StoredDocument, at: str, job_id: str | None) -> None:
        if self.broken:
            raise RegistryThrottledError("slow down")
        self.recorded.append((document.canonical_id, at, job_id))


@pytest.fixture
def registry() -> MemoryRegistry:
    return MemoryRegistry()


@pytest.fixture
def documents() -> MemoryDocuments:
    return MemoryDocuments()


@pytest.fixture
def records() -> MemoryRecords:
    return MemoryRecords()


@pytest.fixture
def mint(registry: MemoryRegistry, documents: MemoryDocuments, records: MemoryRecords):
    minter = DocumentMinter(Minter(registry, counting(), Clock().time()), documents, records)
    return lambda *names: minter.outcomes(MintRequest(names))


def test_a_document_that_was_stored_and_not_recorded_comes_again(
    documents: MemoryDocuments, records: MemoryRecords, mint: Callable[..., dict[str, Outcome]]
) -> None:
    """A record for every effect: custody tells of what a record says, and of nothing else."""
    documents.upstream["a"] = work("b1")
    records.broken = True
    [outcome] = mint("a").values()
    assert isinstance(outcome, NotMinted)
    assert (outcome.code, outcome.retryable, len(documents.downstream)) == (FailureCode.INDEX_FAILED, True, 1)
    records.broken = False
    [outcome] = mint("a").values()
    assert isinstance(outcome, Minted)
    assert [canonical_id for canonical_id, _, _ in records.recorded] == [outcome.canonical_id]


def test_the_worked_example() -> None:
    node = {"sourceIdentifier": block("sh85002427"), "identifiedType": "Identified", "type": "Identifiable"}
    known = {parse_source_id("Subject[lc-subjects/sh85002427]"): "jsywryz7"}
    assert embed(node, known) == {
        "sourceIdentifier": block("sh85002427"),
        "canonicalId": "jsywryz7",
        "type": "Identified",
    }


@pytest.mark.parametrize(
    ("node", "promoted"),
    [
        ({"identifiedType": "X", "type": "Y"}, {"type": "X"}),
        ({"type": "Identifiable"}, {"type": "Identified"}),
        ({"type": "Other"}, {"type": "Other"}),
        ({"identifiedType": None, "type": "Identifiable"}, {"identifiedType": None, "type": "Identified"}),
        ({"canonicalId": None}, {}),
        ({}, {}),
    ],
)
def test_types_are_promoted_where_an_id_was_minted(node: dict, promoted: dict) -> None:
    source = {"sourceIdentifier": block("1")}
    known = {parse_source_id("Subject[lc-subjects/1]"): "aaaaaaaa"}
    assert embed(source | node, known) == source | promoted | {"canonicalId": "aaaaaaaa"}
    assert embed(source | node, {}) == source | node


def test_every_depth_is_minted_and_stored_under_its_own_id(mint, registry, documents) -> None:
    documents.upstream["w1"] = work(
        "b1",
        items=[{"sourceIdentifier": block("i1", "Item"), "deep": [[{"sourceIdentifier": block("p", "Person")}]]}],
        agent={"sourceIdentifier": block("p", "Agent"), "type": "Identifiable"},
    )
    outcome = mint("w1")["w1"]
    stored = documents.downstream[outcome.canonical_id]
    assert stored["canonicalId"] == outcome.canonical_id
    [item] = stored["items"]
    person = item["deep"][0][0]
    assert person["canonicalId"] == stored["agent"]["canonicalId"]
    assert stored["agent"]["type"] == "Identified"
    assert stored["agent"]["sourceIdentifier"]["ontologyType"] == "Agent"
    assert len(registry.forward) == 3


def test_works_that_keep_their_identifier_in_their_state(mint, documents) -> None:
    documents.upstream["w"] = {"state": {"sourceIdentifier": block("b", "Work")}, "type": "Redirected"}
    outcome = mint("w")["w"]
    assert documents.downstream[outcome.canonical_id]["state"]["canonicalId"] == outcome.canonical_id


@pytest.mark.parametrize("kind", ["Invisible", "Deleted", "Redirected"])
def test_works_of_every_kind_are_minted(mint, documents, kind: str) -> None:
    documents.upstream["w"] = work("b") | {"type": kind}
    assert isinstance(mint("w")["w"], Minted)


def test_two_documents_share_an_identifier(mint, documents) -> None:
    shared = {"sourceIdentifier": block("same")}
    documents.upstream |= {"a": work("a", subject=shared), "b": work("b", subject=shared)}
    mint("a", "b")
    assert len({document["subject"]["canonicalId"] for document in documents.downstream.values()}) == 1


@pytest.mark.parametrize(
    "bad",
    [
        b"not json",
        json.dumps(work("b")).encode()[:-1] + b', "n": NaN}',
        json.dumps(work("b")).encode()[:-1] + b', "n": 1e400}',
        b"[]",
        {"type": "no identifier"},
        work("b", x={"sourceIdentifier": None}),
        work("b", x={"sourceIdentifier": {"identifierType": {"id": "s"}, "ontologyType": "Work"}}),
        work("b", x={"sourceIdentifier": block("ctrl\x00")}),
        work("b", x={"sourceIdentifier": block(" ")}),
        work("b", x={"sourceIdentifier": block("v", system="a/b")}),
        work("b", x={"sourceIdentifier": block("v"), "predecessorIdentifier": {"value": "v"}}),
        b'{"a":' * 100_000,
    ],
)
def test_a_malformed_document_fails_alone_and_is_not_stored(mint, registry, documents, bad: Any) -> None:
    documents.upstream |= {"bad": bad, "good": work("g")}
    outcomes = mint("bad", "good", "absent")
    assert outcomes["bad"].code is FailureCode.INVALID_IDENTIFIER
    assert outcomes["absent"] == NotMinted(FailureCode.NOT_FOUND, "there is no such document upstream")
    assert list(documents.downstream) == [outcomes["good"].canonical_id]
    assert len(registry.forward) == 1


def test_names_that_no_store_takes_fail_alone(mint, documents) -> None:
    documents.upstream |= {"a\x00": work("a"), "half\ud800": work("h"), "good": work("g")}
    outcomes = mint("a\x00", "half\ud800", "good")
    assert [outcomes[name].code for name in ("a\x00", "half\ud800")] == [FailureCode.INVALID_IDENTIFIER] * 2
    assert list(documents.downstream) == [outcomes["good"].canonical_id]


def test_what_json_can_escape_and_utf_8_not_is_stored_as_it_came(mint, documents) -> None:
    documents.upstream["w"] = work("w", title="é half\ud800")
    canonical_id = mint("w")["w"].canonical_id
    assert documents.downstream[canonical_id]["title"] == "é half\ud800"


def test_a_downstream_failure_is_a_failure_and_the_replay_has_the_same_ids(mint, registry, documents) -> None:
    documents.upstream["w"], documents.broken = work("b"), True
    outcome = mint("w")["w"]
    assert outcome.code is FailureCode.INDEX_FAILED
    assert outcome.retryable
    kept, documents.broken = dict(registry.forward), False
    assert mint("w")["w"].canonical_id in kept.values()
    assert registry.forward == kept


def test_a_document_whose_identifiers_are_throttled_may_be_tried_again(mint, registry, documents) -> None:
    documents.upstream["w"] = work("b")
    registry.assign_faults = [RegistryThrottledError("slow")] * 100
    assert mint("w")["w"].code is FailureCode.THROTTLED
    assert documents.downstream == {}


def test_a_document_whose_identifier_cannot_be_minted_does_not_hold_back_its_neighbours(mint, documents) -> None:
    documents.upstream |= {
        "heir": work("heir", predecessorIdentifier=block("nobody", "Work", "sierra")),
        "other": work("other"),
    }
    outcomes = mint("heir", "other")
    assert outcomes["heir"].code is FailureCode.PREDECESSOR_NOT_FOUND
    assert list(documents.downstream) == [outcomes["other"].canonical_id]


def test_upstream_that_cannot_be_read_now(mint, documents) -> None:
    documents.upstream["w"] = DocumentsUnavailableError("S3 fails")
    assert mint("w")["w"] == NotMinted(FailureCode.INTERNAL, "S3 fails")


def test_predecessors_stand_beside_their_heirs(mint, registry, documents) -> None:
    old = parse_source_id("Work[sierra/old]")
    registry.forward[old], registry.reverse["oldidaaa"] = "oldidaaa", old
    documents.upstream["w"] = work("new", predecessorIdentifier=block("old", "Work", "sierra"))
    assert mint("w")["w"].canonical_id == "oldidaaa"


def test_reading_tells_what_is_wrong() -> None:
    with pytest.raises(InvalidIdentifierError, match="needs identifierType"):
        read_work(b'{"sourceIdentifier": 1}')
