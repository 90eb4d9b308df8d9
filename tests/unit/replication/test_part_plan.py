import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.fakes.runs import facts
from waybill.replication.domain.part_plan import PartPlan, describe, plan_parts
from waybill.replication.models import (
    GIB,
    MAX_OBJECT_SIZE,
    MAX_PART_SIZE,
    MAX_PARTS,
    MIB,
    MIN_PART_SIZE,
    SINGLE_COPY_LIMIT,
    CopyLimits,
    Strategy,
)

_SIZES = st.integers(1, MAX_OBJECT_SIZE) | st.integers(1, 40 * MIB)
_PART_SIZES = st.integers(1, 2 * MAX_PART_SIZE)


def test_the_limits_are_those_of_s3() -> None:
    assert (MIN_PART_SIZE, MAX_PART_SIZE, SINGLE_COPY_LIMIT) == (5_242_880, 5_368_709_120, 5_368_709_120)
    assert MAX_PARTS == 10_000
    assert f"{MAX_OBJECT_SIZE / 1024**4:.1f} TiB" == "48.8 TiB"


@given(_SIZES, _PART_SIZES)
@example(5 * GIB, 256 * MIB)
@example(5 * GIB + 1, 256 * MIB)
@example(4 * 256 * MIB, 256 * MIB)
@example(4 * 256 * MIB + 1, 256 * MIB)
@example(MAX_OBJECT_SIZE, 256 * MIB)
@example(MAX_OBJECT_SIZE - 1, 5 * MIB)
@example(MAX_PARTS * 5 * MIB, 5 * MIB)
@example(MAX_PARTS * 5 * MIB + 1, 5 * MIB)
def test_parts_cover_the_object_exactly_within_the_limits_of_s3(size: int, preferred: int) -> None:
    plan = plan_parts(size, preferred)
    assert plan.count <= MAX_PARTS
    assert MIN_PART_SIZE <= plan.part_size <= MAX_PART_SIZE
    assert plan.part_size % MIB == 0
    numbers = {1, 2, plan.count // 2, plan.count - 1, plan.count} & set(range(1, plan.count + 1))
    for number in numbers:
        first, last = plan.byte_range(number)
        assert first == (plan.byte_range(number - 1)[1] + 1 if number > 1 else 0)
        assert plan.length(number) == last - first + 1
        assert plan.length(number) == (plan.part_size if number < plan.count else size - first)
        assert 0 < plan.length(number) <= MAX_PART_SIZE
    assert plan.byte_range(plan.count)[1] == size - 1


@given(st.integers(1, 60 * MIB))
def test_every_byte_is_in_one_part(size: int) -> None:
    plan = plan_parts(size, 5 * MIB)
    assert sum(plan.length(number) for number in range(1, plan.count + 1)) == size


@given(_SIZES, _PART_SIZES)
def test_no_part_is_larger_than_it_has_to_be(size: int, preferred: int) -> None:
    plan = plan_parts(size, preferred)
    if plan.part_size > max(preferred, MIN_PART_SIZE) + MIB:
        assert -(-size // (plan.part_size - MIB)) > MAX_PARTS


@pytest.mark.parametrize(
    ("size", "preferred", "count", "part_size"),
    [
        (5 * GIB + 1, 256 * MIB, 21, 256 * MIB),
        (10 * 256 * MIB, 256 * MIB, 10, 256 * MIB),
        (10 * 256 * MIB + 1, 256 * MIB, 11, 256 * MIB),
        (MAX_OBJECT_SIZE, 256 * MIB, 10_000, 5 * GIB),
        (MAX_PARTS * 256 * MIB + 1, 256 * MIB, 9962, 257 * MIB),
        (1, 1, 1, 5 * MIB),
        (20 * MIB, 6 * MIB + 1, 3, 7 * MIB),
        (GIB, 9 * GIB, 1, 5 * GIB),
    ],
)
def test_boundaries(size: int, preferred: int, count: int, part_size: int) -> None:
    plan = plan_parts(size, preferred)
    assert (plan.count, plan.part_size) == (count, part_size)


@pytest.mark.parametrize("size", [0, -1, MAX_OBJECT_SIZE + 1])
def test_what_no_upload_can_hold_is_refused(size: int) -> None:
    with pytest.raises(ValueError, match=f"a multipart upload holds 1 to {MAX_OBJECT_SIZE} bytes, not {size}"):
        plan_parts(size, 5 * MIB)


@given(st.integers(1, MAX_PARTS), st.integers(1, 1000))
def test_batches_hold_every_part_once_and_in_order(count: int, per_batch: int) -> None:
    batches = PartPlan(count * 5 * MIB, 5 * MIB).batches(per_batch)
    numbers = [number for batch in batches for number in range(batch.first_part, batch.last_part + 1)]
    assert numbers == list(range(1, count + 1))
    assert all(batch.last_part - batch.first_part < per_batch for batch in batches)


@pytest.mark.parametrize(
    ("size", "limits", "strategy", "batches"),
    [
        (0, CopyLimits(), Strategy.COPY, 0),
        (5 * GIB, CopyLimits(), Strategy.COPY, 0),
        (5 * GIB + 1, CopyLimits(), Strategy.MULTIPART, 0),
        (5 * GIB + 1, CopyLimits(single_copy_max=6 * GIB), Strategy.MULTIPART, 0),
        (6 * MIB, CopyLimits(single_copy_max=6 * MIB), Strategy.COPY, 0),
        (6 * MIB + 1, CopyLimits(single_copy_max=6 * MIB), Strategy.MULTIPART, 0),
        (64 * GIB, CopyLimits(), Strategy.MULTIPART, 0),
        (64 * GIB + 1, CopyLimits(), Strategy.MULTIPART_BATCHES, 3),
        (MAX_OBJECT_SIZE, CopyLimits(), Strategy.MULTIPART_BATCHES, 100),
        (11 * MIB, CopyLimits(single_copy_max=MIB, one_function_max=MIB), Strategy.MULTIPART_BATCHES, 1),
    ],
)
def test_the_strategy_follows_from_the_size(size: int, limits: CopyLimits, strategy: Strategy, batches: int) -> None:
    described = describe(facts(size=size), limits)
    assert described.strategy is strategy
    assert len(described.batches) == batches
    assert (described.part_size > 0) is (strategy is not Strategy.COPY)


@pytest.mark.parametrize("per_batch", [1, 100])
@pytest.mark.parametrize("destinations", [1, 2, 22, 100, 700, 1000])
def test_a_run_stays_within_its_history(destinations: int, per_batch: int) -> None:
    """Step Functions developer guide, "Service quotas": 25,000 events, a state about five and a Map's turn two more.

    A turn with a batch has seven (of the Map, of the task: entered, scheduled, started, succeeded, exited), a
    destination 22 besides, and what is around them some 60.
    """
    described = describe(facts(size=MAX_OBJECT_SIZE), CopyLimits(parts_per_batch=per_batch), destinations)
    numbers = [number for one in described.batches for number in range(one.first_part, one.last_part + 1)]
    assert numbers in ([], list(range(1, 10_001)))
    assert (described.strategy is Strategy.MULTIPART_BATCHES) is bool(numbers)
    assert 60 + destinations * (22 + 7 * len(described.batches)) <= 25_000
    # The description goes from state to state, which have 256 KiB.
    assert len(described.model_dump_json().encode()) <= 128 * 1024
