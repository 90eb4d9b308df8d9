"""An existing map, brought in."""

import json

import pytest

from tests.fakes.registry import Clock, MemoryRegistry
from waybill.core.errors import InvalidInputError
from waybill.minting.domain.map_import import Importer, exported_line, parse_line
from waybill.minting.domain.source_ids import parse_source_id
from waybill.minting.errors import RegistryThrottledError
from waybill.minting.models import Assignment, Proposal, ProposalVerdict, Ruling

A, B, C, D, E, F = (parse_source_id(f"Work[s/{name}]") for name in "abcdef")


@pytest.fixture
def registry() -> MemoryRegistry:
    return MemoryRegistry(forward={A: "aaaaaaaa"}, reverse={"aaaaaaaa": A})


def load(registry: MemoryRegistry, *proposals: Proposal) -> tuple[int, int, list[str]]:
    done = list(Importer(registry, Clock().time()).load(proposals))
    refused = [each.reason for some in done for each in some.refused]
    return sum(some.stored for some in done), sum(some.present for some in done), refused


def test_new_assignments_are_stored_and_a_second_run_finds_them(registry: MemoryRegistry) -> None:
    new = [
        Proposal(parse_source_id(f"n{number}"), f"bbbbb{number:03}".replace("0", "z").replace("1", "y"))
        for number in range(120)
    ]
    assert load(registry, *new) == (120, 0, [])
    assert load(registry, *new) == (0, 120, [])
    assert registry.sound()


def test_conflicts_in_both_directions_are_refused_and_nothing_is_overwritten(registry: MemoryRegistry) -> None:
    before = dict(registry.forward), dict(registry.reverse)
    stored, present, refused = load(registry, Proposal(A, "bbbbbbbb"), Proposal(B, "aaaaaaaa"), Proposal(A, "aaaaaaaa"))
    assert (stored, present) == (0, 1)
    assert refused == ["the source has aaaaaaaa", "the canonical ID belongs to Work[s/a]"]
    assert (registry.forward, registry.reverse) == before


def test_one_file_cannot_contradict_itself(registry: MemoryRegistry) -> None:
    stored, _, refused = load(registry, Proposal(B, "bbbbbbbb"), Proposal(C, "bbbbbbbb"), Proposal(B, "cccccccc"))
    assert stored == 1
    assert len(refused) == 2
    assert registry.sound()


def test_a_cycle_is_refused_and_the_rest_is_stored(registry: MemoryRegistry) -> None:
    circle = [Proposal(one, "bbbbbbbb", before) for one, before in ((B, C), (C, D), (D, B), (E, E))]
    stored, present, refused = load(registry, Proposal(F, "cccccccc"), *circle)
    assert (stored, present) == (1, 0)
    orphaned = "its predecessor does not have that canonical ID"
    assert sorted(refused) == ["it is named as its own predecessor", *[orphaned] * 3]
    assert registry.sound()


def test_a_transaction_that_is_cancelled_without_a_reason_is_not_repeated_for_ever(registry: MemoryRegistry) -> None:
    registry.assign_faults = [lambda store, proposals: [ProposalVerdict(Ruling.KEPT)] * len(proposals)] * 20
    assert load(registry, Proposal(B, "bbbbbbbb"))[2] == ["DynamoDB was too busy; start the import again"]


@pytest.mark.parametrize(("busy", "stored"), [(11, 1), (12, 0)])
@pytest.mark.parametrize("ruling", [Ruling.CONFLICT, Ruling.THROTTLED, Ruling.KEPT])
def test_a_busy_table_is_asked_twelve_times_and_then_left(
    registry: MemoryRegistry, ruling: Ruling, busy: int, stored: int
) -> None:
    """As often as a call that fails, and never fewer: an import of a million meets a busy table."""
    registry.assign_faults = [lambda store, proposals: [ProposalVerdict(ruling)] * len(proposals)] * busy
    refused = [] if stored else ["DynamoDB was too busy; start the import again"]
    assert load(registry, Proposal(B, "bbbbbbbb")) == (stored, 0, refused)


def test_heirs_come_with_their_predecessors(registry: MemoryRegistry) -> None:
    assert load(registry, Proposal(B, "bbbbbbbb"), Proposal(C, "bbbbbbbb", B)) == (2, 0, [])
    assert load(registry, Proposal(parse_source_id("d"), "cccccccc", A))[2] == [
        "its predecessor does not have that canonical ID"
    ]


def test_throttling_is_waited_out(registry: MemoryRegistry) -> None:
    registry.find_faults = [RegistryThrottledError("slow")] * 3
    registry.assign_faults = [RegistryThrottledError("slow")] * 3
    assert load(registry, Proposal(B, "bbbbbbbb")) == (1, 0, [])


def test_an_exported_line_can_be_imported() -> None:
    line = exported_line(Assignment(B, "bbbbbbbb", "2026-01-01T00:00:00.000Z", "minted", predecessor=A, job_id="j"))
    assert parse_line(line, 1) == Proposal(B, "bbbbbbbb", A, "2026-01-01T00:00:00.000Z", imported=True)


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("2026-02-10T12:00:00Z", "2026-02-10T12:00:00.000Z"),
        ("2026-02-10T13:30:00.123456+01:30", "2026-02-10T12:00:00.123Z"),
        ("2026-02-10 12:00:00", "2026-02-10T12:00:00.000Z"),
        (None, None),
    ],
)
def test_times_are_kept_as_the_registry_writes_them(given: str | None, kept: str | None) -> None:
    line = json.dumps({"sourceIdentifier": "a", "canonicalId": "aaaaaaaa", "createdAt": given})
    assert parse_line(line, 1).created_at == kept


@pytest.mark.parametrize(
    "line",
    [
        "x",
        "[]",
        "{}",
        json.dumps({"sourceIdentifier": "a", "canonicalId": "nope"}),
        json.dumps({"sourceIdentifier": 5, "canonicalId": "aaaaaaaa"}),
        json.dumps({"sourceIdentifier": "a", "canonicalId": 5}),
        json.dumps({"sourceIdentifier": "a\x00", "canonicalId": "aaaaaaaa"}),
        json.dumps({"sourceIdentifier": "a", "canonicalId": "aaaaaaaa", "createdAt": 5}),
        json.dumps({"sourceIdentifier": "a", "canonicalId": "aaaaaaaa", "createdAt": "yesterday"}),
        json.dumps({"sourceIdentifier": "a", "canonicalId": "aaaaaaaa", "createdAt": "9999-12-31T23:59:59-01:00"}),
    ],
)
def test_wrong_lines_are_named(line: str) -> None:
    with pytest.raises(InvalidInputError, match="line 7"):
        parse_line(line, 7)


def test_what_is_never_read_is_an_error_after_growing_pauses(registry: MemoryRegistry) -> None:
    """DynamoDB API Reference, BatchGetItem: retry unprocessed keys with exponential backoff, not at once."""
    clock = Clock()
    registry.find_faults = [0] * 1000
    with pytest.raises(RegistryThrottledError, match="1 sources unprocessed"):
        list(Importer(registry, clock.time()).load([Proposal(B, "bbbbbbbb")]))
    assert clock.slept == sorted(clock.slept)
    assert 0 < len(clock.slept) < 20
    assert registry.assigns == []
