"""A source that takes over the canonical ID of its predecessor."""

import pytest

from tests.fakes.registry import MemoryRegistry, ids_of, mint
from waybill.minting.domain.source_ids import parse_source_id
from waybill.minting.errors import RegistryThrottledError
from waybill.minting.models import FailureCode, Method, Minted, Note, NotMinted, SourceId, WantedIdentifier

OLD, NEW, OTHER = (parse_source_id(text) for text in ("Work[sierra/b1]", "Work[folio/f1]", "Item[folio/f2]"))


@pytest.fixture
def registry() -> MemoryRegistry:
    return MemoryRegistry(forward={OLD: "aaaaaaaa"}, reverse={"aaaaaaaa": OLD})


def heir(source: SourceId, *predecessors: SourceId | None) -> WantedIdentifier:
    return WantedIdentifier(source, predecessors)


def test_it_inherits_and_so_do_others_whatever_their_type(registry: MemoryRegistry) -> None:
    outcomes = mint(registry, [heir(NEW, OLD), heir(OTHER, OLD)])
    assert outcomes == {NEW: Minted("aaaaaaaa", Method.INHERITED), OTHER: Minted("aaaaaaaa", Method.INHERITED)}
    assert registry.reverse == {"aaaaaaaa": OLD}


@pytest.mark.parametrize("later", [heir(NEW, None), heir(NEW, OTHER), heir(NEW, OLD), heir(NEW, OLD, OTHER)])
def test_the_link_matters_at_the_first_mint_alone(registry: MemoryRegistry, later: WantedIdentifier) -> None:
    mint(registry, [heir(NEW, OLD)])
    [outcome] = mint(registry, [later]).values()
    assert isinstance(outcome, Minted)
    assert (outcome.canonical_id, outcome.method) == ("aaaaaaaa", Method.LOOKED_UP)
    assert (outcome.note is Note.PREDECESSOR_IGNORED) == (OTHER in later.predecessors)


def test_an_unknown_predecessor_mints_nothing(registry: MemoryRegistry) -> None:
    registry.forward.clear(), registry.reverse.clear()
    outcome = mint(registry, [heir(NEW, OLD)])[NEW]
    assert outcome == NotMinted(FailureCode.PREDECESSOR_NOT_FOUND, "Predecessor not found: Work/sierra/b1")
    assert not outcome.retryable
    assert registry.forward == {}


@pytest.mark.parametrize("given", [(OLD, OTHER), (OLD, None)])
def test_conflicting_predecessors_mint_nothing(registry: MemoryRegistry, given: tuple) -> None:
    outcome = mint(registry, [heir(NEW, *given)])[NEW]
    assert outcome == NotMinted(FailureCode.CONFLICTING_PREDECESSOR, "Conflicting predecessors for Work/folio/f1")
    assert NEW not in registry.forward


def test_a_predecessor_in_the_same_request_is_minted_first() -> None:
    registry = MemoryRegistry()
    outcomes = mint(registry, [heir(OTHER, NEW), heir(NEW, OLD), heir(OLD, None)])
    assert [outcomes[source].method for source in (OLD, NEW, OTHER)] == ["minted", "inherited", "inherited"]
    assert len(set(ids_of(outcomes).values())) == 1
    assert registry.sound()


@pytest.mark.parametrize("cycle", [[heir(NEW, NEW)], [heir(NEW, OTHER), heir(OTHER, NEW)]])
def test_a_cycle_mints_nothing_and_leaves_the_others(registry: MemoryRegistry, cycle: list[WantedIdentifier]) -> None:
    bystander = parse_source_id("bystander")
    outcomes = mint(registry, [*cycle, heir(bystander, None)])
    assert {outcomes[each.source].code for each in cycle} == {FailureCode.CONFLICTING_PREDECESSOR}
    assert isinstance(outcomes[bystander], Minted)


def test_a_known_member_breaks_the_cycle(registry: MemoryRegistry) -> None:
    outcomes = mint(registry, [heir(NEW, OLD), heir(OLD, NEW)])
    assert set(ids_of(outcomes).values()) == {"aaaaaaaa"}


def test_the_heir_of_a_throttled_predecessor_may_be_tried_again() -> None:
    registry = MemoryRegistry(assign_faults=[RegistryThrottledError("slow")] * 100)
    outcomes = mint(registry, [heir(OLD, None), heir(NEW, OLD)])
    assert {outcome.code for outcome in outcomes.values()} == {FailureCode.THROTTLED}
    assert outcomes[NEW].retryable


def test_whoever_loses_the_race_is_told_what_is_stored(registry: MemoryRegistry) -> None:
    def someone_else_first(store, proposals):
        registry.forward[NEW], registry.reverse["bbbbbbbb"] = "bbbbbbbb", NEW
        return store()

    registry.assign_faults = [someone_else_first]
    assert mint(registry, [heir(NEW, OLD)]) == {NEW: Minted("bbbbbbbb", Method.RACE_LOST, Note.PREDECESSOR_IGNORED)}
