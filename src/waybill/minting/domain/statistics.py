"""What the registry comes to: how many identifiers, since when, by which job, of which source system."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from waybill.minting.domain.source_ids import EVENT_KEYS, FORWARD_KEYS, REVERSE_KEYS
from waybill.minting.models import LifeStatus

# Jobs are as many as somebody makes: those with the most identifiers are kept, and the others counted together.
SHOWN = 100


@dataclass
class Statistics:
    """Counts of one pass over the registry; `months` are of UTC, as `2026-11`."""

    items: int = 0
    assignments: int = 0
    canonical_ids: int = 0
    reserved: int = 0
    replaced: int = 0
    withdrawn: int = 0
    origins: Counter[str] = field(default_factory=Counter)
    months: Counter[str] = field(default_factory=Counter)
    systems: Counter[str] = field(default_factory=Counter)
    jobs: Counter[str] = field(default_factory=Counter)


def statistics_of(items: Iterable[Mapping[str, object]]) -> Statistics:
    """Return the counts of `items`, plain attributes of every item of the table.

    An identifier counts once, by how it stands: one that was reserved and is withdrawn is reserved no more.
    """
    counts, last, ownerless = Statistics(), dict[str, tuple[int, str]](), set[str]()
    for item in items:
        counts.items += 1
        key = str(item["pk"])
        if key.startswith(FORWARD_KEYS):
            counts.assignments += 1
            counts.origins[str(item["origin"])] += 1
            counts.months[str(item["createdAt"])[:7]] += 1
            counts.systems[str(item.get("sourceSystem") or "")] += 1
            if item.get("jobId"):
                counts.jobs[str(item["jobId"])] += 1
        elif key.startswith(REVERSE_KEYS):
            counts.canonical_ids += 1
            if "owner" not in item:
                ownerless.add(key.removeprefix(REVERSE_KEYS))
        elif key.startswith(EVENT_KEYS):
            canonical_id, _, number = key.removeprefix(EVENT_KEYS).partition("#")
            # The last change says how it stands; a replaced one may be withdrawn later.
            last[canonical_id] = max(last.get(canonical_id, (0, "")), (int(number), str(item["status"])))
    statuses = Counter(status for _, status in last.values())
    ended = {LifeStatus.REPLACED.value, LifeStatus.WITHDRAWN.value}
    counts.reserved = sum(last.get(each, (0, ""))[1] not in ended for each in ownerless)
    counts.replaced, counts.withdrawn = statuses[LifeStatus.REPLACED], statuses[LifeStatus.WITHDRAWN]
    return counts


def most(counted: Counter[str]) -> dict[str, int]:
    """Return the names with the highest counts, highest first."""
    return dict(sorted(counted.items(), key=lambda each: (-each[1], each[0]))[:SHOWN])
