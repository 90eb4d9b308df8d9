"""The algorithm of minting, against a registry in memory that breaks calls on demand."""

from collections.abc import Callable, Sequence

import pytest

from tests.fakes.registry import Clock, MemoryRegistry, counting, ids_of, mint, sources
from waybill.minting.domain.minter import Policy
from waybill.minting.domain.source_ids import key_of, parse_source_id
from waybill.minting.errors import (
    RegistryRefusedError,
    RegistryThrottledError,
    RegistryUnavailableError,
    TransactionRefusedError,
)
from waybill.minting.models import FailureCode, Method, Minted, NotMinted, Proposal, ProposalVerdict, Ruling, SourceId

type Store = Callable[[], Sequence[ProposalVerdict]]
THROTTLED = RegistryThrottledError("slow down")
UNAVAILABLE = RegistryUnavailableError("no answer")


def codes(outcomes: dict) -> set[FailureCode]:
    return {outcome.code for outcome in outcomes.values() if isinstance(outcome, NotMinted)}


def cancelled(rulings: dict[int, ProposalVerdict]):
    """A transaction that is cancelled because of the proposals at these positions."""

    def happen(store: Store, proposals: Sequence[Proposal]) -> Sequence[ProposalVerdict]:
        return [rulings.get(position, ProposalVerdict(Ruling.KEPT)) for position in range(len(proposals))]

    return happen


def conflict_while(hot: SourceId, times: int = 1_000):
    left = [times]

    def happen(store: Store, proposals: Sequence[Proposal]) -> Sequence[ProposalVerdict]:
        if left[0] and any(each.source == hot for each in proposals):
            left[0] -= 1
            return [ProposalVerdict(Ruling.CONFLICT if each.source == hot else Ruling.KEPT) for each in proposals]
        return store()

    return happen


@pytest.fixture
def registry() -> MemoryRegistry:
    return MemoryRegistry()


def test_a_hundred_known_are_one_call_and_no_write(registry: MemoryRegistry) -> None:
    wanted = sources(100)
    first = mint(registry, wanted)
    registry.finds.clear(), registry.assigns.clear()
    again = mint(registry, wanted)
    assert ids_of(again) == ids_of(first)
    assert {outcome.method for outcome in again.values()} == {Method.LOOKED_UP}
    assert (len(registry.finds), len(registry.assigns)) == (1, 0)


def test_a_hundred_new_are_three_calls(registry: MemoryRegistry) -> None:
    outcomes = mint(registry, sources(100))
    assert (len(registry.finds), len(registry.assigns)) == (1, 2)
    assert len(set(ids_of(outcomes).values())) == 100
    assert registry.sound()


@pytest.mark.parametrize("known", [0, 1, 3])
def test_what_exists_is_looked_up_and_the_rest_is_minted(registry: MemoryRegistry, known: int) -> None:
    wanted = sources(3)
    before = mint(registry, wanted[:known]) if known else {}
    outcomes = mint(registry, wanted)
    methods = [outcomes[source].method for source in wanted]
    assert methods == [Method.LOOKED_UP] * known + [Method.MINTED] * (3 - known)
    assert all(outcomes[source].canonical_id == minted.canonical_id for source, minted in before.items())


@pytest.mark.parametrize(("count", "writes"), [(1, 1), (2, 1), (50, 1), (51, 2), (100, 2)])
def test_writes_do_not_grow_with_the_batch(registry: MemoryRegistry, count: int, writes: int) -> None:
    mint(registry, sources(count))
    assert (len(registry.finds), len(registry.assigns)) == (1, writes)


def test_sources_of_every_type_are_found_together(registry: MemoryRegistry) -> None:
    wanted = [parse_source_id(text) for text in ("Work[s/1]", "Item[s/1]", "Image[t/1]", "Agent[lc/1]", "opaque")]
    first = ids_of(mint(registry, wanted))
    assert len(set(first.values())) == len(wanted)
    registry.finds.clear()
    assert ids_of(mint(registry, wanted)) == first
    assert len(registry.finds) == 1


def test_nothing_wanted_asks_nobody(registry: MemoryRegistry) -> None:
    assert mint(registry, []) == {}
    assert registry.calls == 0


def test_one_loss_and_one_collision_are_settled_by_one_more_write(registry: MemoryRegistry) -> None:
    wanted = sources(50)
    registry.assign_faults = [
        cancelled(
            {
                3: ProposalVerdict(Ruling.LOST, canonical_id="winnerxx"),
                7: ProposalVerdict(Ruling.TAKEN, owner="S#Work##other"),
            }
        )
    ]
    outcomes = mint(registry, wanted)
    assert len(registry.assigns) == 2
    assert outcomes[wanted[3]] == Minted("winnerxx", Method.RACE_LOST)
    assert wanted[3] not in {each.source for each in registry.assigns[1]}
    assert len(registry.assigns[1]) == 49
    first, second = ({each.source: each.canonical_id for each in call} for call in registry.assigns)
    assert [source for source in second if first[source] != second[source]] == [wanted[7]]
    assert len(ids_of(outcomes)) == 50


def test_taken_ids_are_drawn_again(registry: MemoryRegistry) -> None:
    registry.reverse = {f"aaaaaaa{char}": parse_source_id("other") for char in "abcd"}
    registry.forward = {parse_source_id("other"): "aaaaaaaa"}
    [outcome] = mint(registry, sources(1)).values()
    assert outcome == Minted("aaaaaaae", Method.MINTED)


def test_a_generator_without_free_ids_fails_one_by_one_and_leaves_the_others(registry: MemoryRegistry) -> None:
    registry.reverse, registry.forward = {"takenxxx": parse_source_id("o")}, {parse_source_id("o"): "takenxxx"}
    drawn = iter(["freeaaaa", "freebbbb"])
    outcomes = mint(registry, sources(3), draw=lambda _: next(drawn, "takenxxx"))
    assert len(ids_of(outcomes)) == 2
    assert codes(outcomes) == {FailureCode.COLLISION}
    assert registry.calls < 20


def test_one_hot_key_does_not_hold_back_the_others(registry: MemoryRegistry) -> None:
    wanted = sources(50)
    registry.assign_faults = [conflict_while(wanted[0])] * 1000
    outcomes = mint(registry, wanted)
    assert outcomes[wanted[0]].code is FailureCode.CONFLICT
    assert outcomes[wanted[0]].retryable
    assert len(ids_of(outcomes)) == 49
    assert len(registry.assigns[-1]) == 1


def test_a_passing_conflict_is_waited_out_with_growing_pauses(registry: MemoryRegistry) -> None:
    [source] = sources(1)
    clock = Clock()
    registry.assign_faults = [conflict_while(source, 4)] * 10
    assert ids_of(mint(registry, [source], clock=clock))
    assert clock.slept == sorted(clock.slept)
    assert len(clock.slept) == 4


def test_stored_pairs_are_never_written_again(registry: MemoryRegistry) -> None:
    wanted = sources(100)
    registry.assign_faults = [None, conflict_while(wanted[60], 6)] + [conflict_while(wanted[60], 6)] * 3
    mint(registry, wanted)
    assert all(each.source not in wanted[:50] for call in registry.assigns[1:] for each in call)


@pytest.mark.parametrize("done", [True, False])
def test_an_unknown_outcome_is_asked_again_with_the_same_token(registry: MemoryRegistry, done: bool) -> None:
    def lose_answer(store: Store, proposals: Sequence[Proposal]) -> Sequence[ProposalVerdict]:
        if done:
            store()
        raise UNAVAILABLE

    registry.assign_faults = [lose_answer]
    outcomes = mint(registry, sources(5))
    assert {outcome.method for outcome in outcomes.values()} == {Method.MINTED}
    assert len(registry.tokens) == 1
    assert registry.sound()


def test_after_a_last_unknown_outcome_the_table_is_read_consistently(registry: MemoryRegistry) -> None:
    def lose_answer(store: Store, proposals: Sequence[Proposal]) -> Sequence[ProposalVerdict]:
        if not registry.forward:
            store()
        raise UNAVAILABLE

    registry.assign_faults = [lose_answer] * 20
    outcomes = mint(registry, sources(5), policy=Policy(attempts=3))
    assert registry.finds[-1][1] is True
    assert {outcome.method for outcome in outcomes.values()} == {Method.MINTED}


def test_unprocessed_keys_are_asked_for_again(registry: MemoryRegistry) -> None:
    wanted = sources(100)
    mint(registry, wanted)
    registry.finds.clear()
    registry.find_faults = [60, 20, 0, THROTTLED]
    assert len(ids_of(mint(registry, wanted))) == 100
    assert [len(asked) for asked, _ in registry.finds] == [100, 40, 20, 20, 20]


def test_throttling_until_the_deadline_answers_what_is_done(registry: MemoryRegistry) -> None:
    wanted, clock = sources(100), Clock(left=15.0)
    registry.assign_faults = [None, *[THROTTLED] * 1000]
    outcomes = mint(registry, wanted, clock=clock, policy=Policy(attempts=1000))
    assert len(ids_of(outcomes)) == 50
    assert codes(outcomes) == {FailureCode.THROTTLED}
    assert all(outcomes[source].retryable for source in wanted[50:])
    assert clock.left >= 12.0 - 1e-9


def test_without_time_nothing_is_begun(registry: MemoryRegistry) -> None:
    outcomes = mint(registry, sources(3), clock=Clock(left=1.0))
    assert codes(outcomes) == {FailureCode.THROTTLED}
    assert registry.calls == 0


def test_a_throttled_table_is_a_failure_per_identifier(registry: MemoryRegistry) -> None:
    registry.find_faults = [THROTTLED] * 100
    assert codes(mint(registry, sources(3))) == {FailureCode.THROTTLED}
    assert len(registry.finds) == Policy().attempts


@pytest.mark.parametrize(("fault", "calls"), [(UNAVAILABLE, Policy().attempts), (RegistryRefusedError("denied"), 1)])
def test_when_nothing_can_be_done_it_raises(registry: MemoryRegistry, fault: Exception, calls: int) -> None:
    registry.find_faults = [fault] * 100
    with pytest.raises(type(fault)):
        mint(registry, sources(3))
    assert len(registry.finds) == calls


def test_an_item_that_dynamodb_refuses_fails_alone(registry: MemoryRegistry) -> None:
    wanted = sources(10)
    registry.assign_faults = [cancelled({4: ProposalVerdict(Ruling.REFUSED)})]
    outcomes = mint(registry, wanted)
    assert outcomes[wanted[4]].code is FailureCode.INVALID_IDENTIFIER
    assert len(ids_of(outcomes)) == 9


def test_a_transaction_refused_as_a_whole_is_halved_until_the_culprit_is_alone(registry: MemoryRegistry) -> None:
    wanted = sources(8)

    def refuse(store: Store, proposals: Sequence[Proposal]) -> Sequence[ProposalVerdict]:
        if wanted[5] in {each.source for each in proposals}:
            raise TransactionRefusedError("too large")
        return store()

    registry.assign_faults = [refuse] * 100
    outcomes = mint(registry, wanted)
    assert codes(outcomes) == {FailureCode.INVALID_IDENTIFIER}
    assert len(ids_of(outcomes)) == 7


def test_a_cancellation_without_a_reason_ends(registry: MemoryRegistry) -> None:
    registry.assign_faults = [cancelled({})] * 1000
    assert codes(mint(registry, sources(4))) == {FailureCode.INTERNAL}


class Killed(BaseException):
    """The function's process ends."""


@pytest.mark.parametrize("after", range(3))
def test_a_function_killed_after_any_call_is_completed_by_the_replay(registry: MemoryRegistry, after: int) -> None:
    wanted = sources(150)

    def kill(store: Store, proposals: Sequence[Proposal]) -> Sequence[ProposalVerdict]:
        store()
        raise Killed

    registry.assign_faults = [*[None] * after, kill]
    try:
        mint(registry, wanted)
    except Killed:
        assert len(registry.assigns) == after + 1
    stored = dict(registry.forward)
    outcomes = mint(registry, wanted, draw=counting())
    assert registry.sound()
    assert len(registry.forward) == len(registry.reverse) == 150
    assert ids_of(outcomes) == registry.forward
    assert stored.items() <= registry.forward.items()


def test_sources_keep_their_keys_apart() -> None:
    assert len({key_of(source) for source in sources(100)}) == 100
