"""A verification as a job: what it was asked for, how far it has got, and what it has found.

The record says behind which key it goes on, and who works on it: `generation` counts the workers. Whoever takes a job
over raises it, and a worker whose count is no longer the record's has lost the job and stops. Findings are written
before the record that counts them, each worker's under names of its own: what one who has lost the job still writes
replaces nothing.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar, Protocol

from pydantic import Field

from waybill.core.errors import PermanentError, RetryableError
from waybill.core.notifications import Notification
from waybill.core.prefetch import Prefetch
from waybill.core.text import escaped, shell_word
from waybill.core.wire import WireModel
from waybill.replication import WORKFLOW
from waybill.replication.domain.key_filter import KeyFilter
from waybill.replication.domain.verification import (
    IN_PROGRESS,
    Sides,
    VerificationCheck,
    VerificationChecker,
    VerificationResult,
    side_by_side,
)
from waybill.replication.models import ListedObject

# What a job's record is called among the items of its id.
RECORD = "#verification"
THREADS = 16
_AHEAD = 8 * THREADS
# An item of the table holds 400 KB; a finding is at most some 2 KB.
_FINDINGS_PER_PART = 100
_KEYS_PER_SAVE = 1_000
_LISTED_FINDINGS = 20


class VerificationStatus(StrEnum):
    """How a verification stands; `COMPLETED_WITH_FINDINGS`: not every copy was found to be equal."""

    RUNNING = "RUNNING"
    STOPPED = "STOPPED"
    COMPLETED = "COMPLETED"
    COMPLETED_WITH_FINDINGS = "COMPLETED_WITH_FINDINGS"


class VerificationCounts(WireModel):
    """What was found: objects compared, and of their places (object and destination) how they stand."""

    compared: int = 0
    equal: int = 0
    differs: int = 0
    missing: int = 0
    not_proven: int = 0
    not_checked: int = 0
    without_source: int = 0
    in_progress: int = 0

    def plus(self, objects: int, checks: Iterable[VerificationCheck]) -> "VerificationCounts":
        """Return the counts with so many `objects` more, and their checks."""
        counts = self.model_dump()
        counts["compared"] += objects
        for check in checks:
            counts[check.result.value.lower()] += 1
            counts["in_progress"] += check.code == IN_PROGRESS
        return VerificationCounts(**counts)

    @property
    def findings(self) -> int:
        """How many places were not found to be equal."""
        return self.differs + self.missing + self.not_proven + self.not_checked + self.without_source


class VerificationJob(WireModel):
    """The record of a verification; `parts` counts those in which its findings are kept.

    `sample`: of so many objects in a hundred both are read, where it is `deep`. `taken_over_at`: how many parts there
    were each time that somebody took it over.
    """

    verification_id: str
    status: VerificationStatus = VerificationStatus.RUNNING
    source_bucket: str
    prefix: str = ""
    destination_buckets: tuple[str, ...]
    deep: bool = False
    sample: int = 100
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    start_time: str
    updated_at: str
    completed_at: str | None = None
    created_by: str
    last_key: str = ""
    parts: int = 0
    taken_over_at: tuple[int, ...] = ()
    counts: VerificationCounts = Field(default_factory=VerificationCounts)

    @property
    def generation(self) -> int:
        """How often the job was taken over."""
        return len(self.taken_over_at)

    def writer_of(self, part: int) -> int:
        """Return the generation of the worker that has written a part of the findings."""
        return sum(before <= part for before in self.taken_over_at)

    @property
    def ended(self) -> bool:
        """Whether everything was compared."""
        return self.status in {VerificationStatus.COMPLETED, VerificationStatus.COMPLETED_WITH_FINDINGS}

    def request(self) -> dict[str, object]:
        """Return what the workflow is asked for."""
        return {
            "sourceBucket": self.source_bucket,
            "prefix": self.prefix,
            "destinationBuckets": list(self.destination_buckets),
            "deep": self.deep,
            "sample": self.sample,
        }

    def is_about_what(self, other: "VerificationJob") -> bool:
        """Return whether both were asked for the same."""
        return self.request() == other.request()

    def completed(self, at: str) -> "VerificationJob":
        """Return the job with the status that its end has."""
        findings = self.counts.findings
        status = VerificationStatus.COMPLETED_WITH_FINDINGS if findings else VerificationStatus.COMPLETED
        return self.model_copy(update={"status": status, "completed_at": at})


class VerificationLostError(PermanentError):
    """Somebody else works on the verification by now."""

    code: ClassVar[str] = "VERIFICATION_LOST"


@dataclass(frozen=True)
class VerificationPage:
    """Some jobs, newest first, and the position to go on from; None when there are no more."""

    jobs: tuple[VerificationJob, ...]
    position: Mapping[str, str] | None


class VerificationJobs(Protocol):
    """The verifications. All methods raise `TrackingUnavailableError` when the table cannot be reached."""

    def create(self, job: VerificationJob) -> VerificationJob:
        """Write the record of a new job; return the one that is there already under its id, if there is one."""
        ...

    def read(self, verification_id: str) -> VerificationJob:
        """Return the job; raises `NotFoundError`."""
        ...

    def take_over(self, verification_id: str) -> VerificationJob:
        """Become the one who works on a job that has not ended, whoever did before; raises `NotFoundError`."""
        ...

    def save(
        self, job: VerificationJob, seen: VerificationJob, findings: Sequence[Sequence[VerificationCheck]] = ()
    ) -> VerificationJob:
        """Write parts of `findings`, then the record, which was `seen`; raises `VerificationLostError`."""
        ...

    def newest(self, limit: int, position: Mapping[str, str] | None) -> VerificationPage:
        """Return jobs, newest first."""
        ...

    def findings(self, job: VerificationJob) -> Iterator[VerificationCheck]:
        """Yield what was not found to be equal, by key."""
        ...


# The objects of a bucket below a prefix, behind a key.
type Lister = Callable[[str, str, str], Iterator[ListedObject]]


@dataclass
class VerificationRun:
    """One worker of a verification: `listed` lists a bucket, `stop` says that the time is up, `now` is the time."""

    jobs: VerificationJobs
    job: VerificationJob
    checker: VerificationChecker
    listed: Lister
    now: Callable[[], str]
    stop: Callable[[], bool] = lambda: False

    def go(self) -> Iterator[tuple[VerificationCheck, ...]]:
        """Yield the checks of each object, in order, and keep `job` as it is written; resumable at any time.

        The job is complete at the end, unless `stop` has said otherwise.
        """
        job = self.job
        buckets = (job.source_bucket, *job.destination_buckets)
        keys = KeyFilter(job.include, job.exclude)
        sides = side_by_side(job.source_bucket, {bucket: self._listed(bucket, job.last_key) for bucket in buckets})
        wanted = (each for each in sides if not each.key or keys.accepts(each.key))
        done: list[VerificationCheck] = []
        objects = 0
        with Prefetch[Sides, tuple[VerificationCheck, ...]](
            wanted, self.checker.check, threads=THREADS, depth=_AHEAD
        ) as checked:
            for side, found in checked:
                checks = found or ()
                done.extend(checks)
                objects += bool(side.key)
                yield checks
                if objects >= _KEYS_PER_SAVE or self.stop():
                    self._save(done, objects, side.key or self.job.last_key)
                    done, objects = [], 0
                    if self.stop():
                        return
        self._save(done, objects, None)

    def _listed(self, bucket: str, behind: str) -> Iterator[ListedObject]:
        """Yield a listing; one that fails for now is taken up again behind its last key."""
        course = self.checker.retry.begin()
        while True:
            try:
                for item in self.listed(bucket, self.job.prefix, behind):
                    yield item
                    behind = item.key
                return
            except RetryableError:
                if not course.pause():
                    raise

    def interrupt(self) -> None:
        """Say that nobody works on it any more; what was not saved is looked at again."""
        self.job = self.jobs.save(self.job.model_copy(update={"status": VerificationStatus.STOPPED}), self.job)

    def _save(self, done: Sequence[VerificationCheck], objects: int, last_key: str | None) -> None:
        """Write what was `done` up to `last_key`; None is the end."""
        findings = [check for check in done if check.result is not VerificationResult.EQUAL]
        parts = [findings[at : at + _FINDINGS_PER_PART] for at in range(0, len(findings), _FINDINGS_PER_PART)]
        job = self.job.model_copy(
            update={"counts": self.job.counts.plus(objects, done), "parts": self.job.parts + len(parts)}
        )
        job = job.completed(self.now()) if last_key is None else job.model_copy(update={"last_key": last_key})
        self.job = self.jobs.save(job, self.job, parts)


def verification_notification(job: VerificationJob, findings: Iterable[VerificationCheck]) -> Notification:
    """Return the one message about a verification that has found something."""
    counts, source = job.counts, f"s3://{job.source_bucket}/{job.prefix}"
    told = {
        "Equal": counts.equal,
        "Differ": counts.differs,
        "Missing": counts.missing,
        "Not proven": counts.not_proven,
        "Not checked": counts.not_checked,
        "Without a source": counts.without_source,
    }
    lines = [
        "❌ A verification has found copies that are not known to equal their source",
        "",
        f"Verification:  {job.verification_id}",
        f"Source:        {escaped(source)}",
        f"Compared:      {counts.compared} objects",
        *(f"{f'{name}:':<18} {number}" for name, number in told.items() if number),
        "",
        *(_finding_line(check) for check, _ in zip(findings, range(_LISTED_FINDINGS), strict=False)),
    ]
    if counts.findings > _LISTED_FINDINGS:
        lines.append(f"… and {counts.findings - _LISTED_FINDINGS} more")
    lines += [
        "",
        "🔎 Where to look",
        f"All:     waybill verifications show {job.verification_id} --report findings.csv",
        f"Repair:  waybill verify {shell_word(source)}{' --deep' if job.deep else ''} --repair",
    ]
    return Notification(
        workflow=WORKFLOW,
        status=job.status.value,
        about=f"verification {job.verification_id}",
        subject=f"Copies Differ: {job.source_bucket}",
        body="\n".join(lines),
        notification_id=f"verification-{job.verification_id}",
    )


def _finding_line(check: VerificationCheck) -> str:
    why = ", ".join(each for each in (check.code, check.difference) if each)
    told = f" ({why})" if why else ""
    return f"❌ {check.destination_bucket}: {check.result}{told} {escaped(check.key)}"


def new_verification_job(
    verification_id: str,
    source_bucket: str,
    prefix: str,
    destination_buckets: tuple[str, ...],
    *,
    created_by: str,
    start_time: str,
    deep: bool = False,
    sample: int = 100,
    keys: KeyFilter | None = None,
) -> VerificationJob:
    """Return a job that has not begun."""
    chosen = keys or KeyFilter()
    return VerificationJob(
        verification_id=verification_id,
        source_bucket=source_bucket,
        prefix=prefix,
        destination_buckets=destination_buckets,
        deep=deep,
        sample=sample,
        include=chosen.include,
        exclude=chosen.exclude,
        start_time=start_time,
        updated_at=start_time,
        created_by=created_by,
    )
