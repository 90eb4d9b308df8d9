"""How a large object is cut into parts.

Limits (Amazon S3 user guide, "Amazon S3 multipart upload limits"): 10,000 parts of 5 MiB to 5 GiB each, the last may be
smaller; hence objects up to 48.8 TiB. One CopyObject takes up to 5 GiB, inclusive.
"""

from dataclasses import dataclass

from waybill.replication.models import (
    MAX_OBJECT_SIZE,
    MAX_PART_SIZE,
    MAX_PARTS,
    MIB,
    MIN_PART_SIZE,
    SINGLE_COPY_LIMIT,
    CopyLimits,
    ObjectFacts,
    PartRange,
    SourceDescription,
    Strategy,
)


@dataclass(frozen=True)
class PartPlan:
    """Parts of `part_size` bytes, numbered from 1 to `count`; the last ends with the object."""

    size: int
    part_size: int

    @property
    def count(self) -> int:
        """The number of parts."""
        return -(-self.size // self.part_size)

    def byte_range(self, number: int) -> tuple[int, int]:
        """Return the first and the last byte of part `number`, both included."""
        first = (number - 1) * self.part_size
        return first, min(first + self.part_size, self.size) - 1

    def length(self, number: int) -> int:
        """Return the bytes of part `number`."""
        first, last = self.byte_range(number)
        return last - first + 1

    def batches(self, parts_per_batch: int) -> tuple[PartRange, ...]:
        """Return all parts in runs of at most `parts_per_batch`."""
        return tuple(
            PartRange(first_part=first, last_part=min(first + parts_per_batch - 1, self.count))
            for first in range(1, self.count + 1, parts_per_batch)
        )


def plan_parts(size: int, preferred_part_size: int) -> PartPlan:
    """Return the plan for an object of `size` bytes: the preferred part size, or what keeps it to 10,000 parts.

    Raises
    ------
    ValueError
        `size` is not between 1 byte and 48.8 TiB.
    """
    if not 0 < size <= MAX_OBJECT_SIZE:
        raise ValueError(f"a multipart upload holds 1 to {MAX_OBJECT_SIZE} bytes, not {size}")
    needed = -(-size // MAX_PARTS)
    whole_mib = -(-max(preferred_part_size, needed, MIN_PART_SIZE) // MIB) * MIB
    return PartPlan(size, min(whole_mib, MAX_PART_SIZE))


def describe(source: ObjectFacts, limits: CopyLimits) -> SourceDescription:
    """Return `source` with the strategy for its size.

    What has its checksum over parts is copied in the same parts, whatever its size: only then can the copy be compared.
    """
    if source.size <= min(limits.single_copy_max, SINGLE_COPY_LIMIT) and source.part_size is None:
        return SourceDescription(source=source, strategy=Strategy.COPY)
    plan = PartPlan(source.size, source.part_size) if source.part_size else plan_parts(source.size, limits.part_size)
    if source.size <= limits.one_function_max:
        return SourceDescription(source=source, strategy=Strategy.MULTIPART, part_size=plan.part_size)
    return SourceDescription(
        source=source,
        strategy=Strategy.MULTIPART_BATCHES,
        part_size=plan.part_size,
        batches=plan.batches(limits.parts_per_batch),
    )
