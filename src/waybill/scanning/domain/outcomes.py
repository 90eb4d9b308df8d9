"""Outcomes on their way into the table: several at a time, in one transaction with their sums."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import batched
from typing import Protocol, Self

from waybill.core.errors import WaybillError
from waybill.scanning.models import REPEATED, Entry, Job, ObjectOutcome, ObjectStatus

_AT_ONCE = 50
# Progress is not held back for longer, and a worker that dies leaves no more than that to do again.
_SECONDS = 10.0
_READ_AND_SKIPPED = frozenset({"UNSUPPORTED_TYPE", "ENCRYPTED"})
# What had to do with the run and not with the object: another run may look at more.
_OF_THE_RUN = frozenset({"TIME_LIMIT", "MEMORY", "PARSER_FAILED"})


class _RecordedOutcomes(Protocol):
    def record(self, job_id: str, outcomes: Sequence[ObjectOutcome]) -> dict[str, ObjectOutcome]: ...


class _Outcomes(_RecordedOutcomes, Protocol):
    def save_cached(self, job_id: str, bucket: str, outcomes: Iterable[ObjectOutcome], cache_name: str) -> None: ...


class _Findings(Protocol):
    def delete_others(self, job_id: str, key: str, etag: str) -> None: ...


@dataclass
class Recorder:
    """Stores the outcomes of objects of a job's `page`; a context, at whose end everything is stored.

    A fault of ours (`WaybillError`) stores what was done before it; the rest waits for another delivery.
    """

    outcomes: _Outcomes
    findings: _Findings
    job: Job
    page: str
    cache_name: str
    time_left: Callable[[], float]
    _waiting: dict[str, ObjectOutcome] = field(default_factory=dict)
    _doubtful: set[str] = field(default_factory=set)
    _since: float = 0.0

    def add(self, outcome: ObjectOutcome, *, doubtful: bool = False) -> None:
        """Store an outcome, now or soon; `doubtful` that an earlier delivery may have seen the object otherwise."""
        if not self._waiting:
            self._since = self.time_left()
        self._waiting[outcome.key] = replace(outcome, page=self.page)
        if doubtful:
            self._doubtful.add(outcome.key)
        if len(self._waiting) >= _AT_ONCE or self._since - self.time_left() > _SECONDS:
            self.flush()

    def flush(self) -> None:
        """Store what waits."""
        waiting, self._waiting = self._waiting, {}
        if not waiting:
            return
        job_id = self.job.job_id
        earlier = self.outcomes.record(job_id, [*waiting.values()])
        for key, outcome in waiting.items():
            final = earlier.get(key, outcome)
            if final.looked_at != outcome.looked_at or (key in self._doubtful and key not in earlier):
                # The outcome that was recorded first counts, and only findings about that state.
                self.findings.delete_others(job_id, key, final.looked_at)
        skip_repeats(self.outcomes, self.job, self.page, waiting.values(), earlier)
        worth = [outcome for key, outcome in waiting.items() if key not in earlier and _may_be_cached(outcome)]
        self.outcomes.save_cached(job_id, self.job.request.bucket, worth, self.cache_name)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _kind: object, error: BaseException | None, _traceback: object) -> None:
        if error is None or isinstance(error, WaybillError):
            self.flush()


def skip_repeats(
    outcomes: _RecordedOutcomes,
    job: Job,
    page: str,
    listed: Iterable[Entry | ObjectOutcome],
    recorded: Mapping[str, ObjectOutcome],
) -> None:
    """Give those of `listed`, rows of an inventory's `page`, whose outcome is another page's one of their own.

    An inventory may tell of an object more than once, and every row counts in the job's total: without an outcome for
    each of them the job would never end. A bucket's own listing tells of an object once.
    """
    if job.request.source != "inventory":
        return
    repeats = [
        ObjectOutcome(each.key, each.etag, each.size, ObjectStatus.SKIPPED, REPEATED, page=page)
        for each in listed
        if each.key in recorded and recorded[each.key].page != page
    ]
    for batch in batched(repeats, _AT_ONCE, strict=False):
        outcomes.record(job.job_id, batch)


def _may_be_cached(outcome: ObjectOutcome) -> bool:
    """Whether the same bytes under the same rules end the same way."""
    if outcome.from_cache or _OF_THE_RUN & {outcome.reason, *outcome.not_read}:
        return False
    return outcome.bytes_scanned > 0 or outcome.reason in _READ_AND_SKIPPED
