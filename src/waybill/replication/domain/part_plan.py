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

# Step Functions developer guide, "Service quotas": the history of an execution. A batch takes seven events, and three
# more where it is tried again; a destination 22 and those of a failure; the states around them some 60.
_HISTORY_EVENTS = 25_000
_EVENTS_OF_A_RUN, _EVENTS_OF_A_DESTINATION, _EVENTS_OF_A_BATCH = 100, 40, 10


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


def describe(source: ObjectFacts, limits: CopyLimits, destinations: int = 1) -> SourceDescription:
    """Return `source` with the strategy for its size.

    What has its checksum over parts is copied in the same parts, whatever its size: only then can the copy be compared.
    The more `destinations` there are, the more parts a batch has, and where their history has no room for any batch,
    one function copies all of them, in as many calls as it takes.
    """
    if source.size <= min(limits.single_copy_max, SINGLE_COPY_LIMIT) and source.part_size is None:
        return SourceDescription(source=source, strategy=Strategy.COPY)
    plan = PartPlan(source.size, source.part_size) if source.part_size else plan_parts(source.size, limits.part_size)
    most = most_batches(destinations)
    if source.size <= limits.one_function_max or limits.every_version or not most:
        return SourceDescription(source=source, strategy=Strategy.MULTIPART, part_size=plan.part_size)
    return SourceDescription(
        source=source,
        strategy=Strategy.MULTIPART_BATCHES,
        part_size=plan.part_size,
        batches=plan.batches(max(limits.parts_per_batch, -(-plan.count // most))),
    )


def most_batches(destinations: int) -> int:
    """Return the most batches for each of so many destinations that the history of one run has room for."""
    events = (_HISTORY_EVENTS - _EVENTS_OF_A_RUN) // destinations - _EVENTS_OF_A_DESTINATION
    return max(0, events // _EVENTS_OF_A_BATCH)
