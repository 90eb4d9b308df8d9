"""A worker's slice: every object of it gets one outcome, whatever happens."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Protocol

from waybill.core.prefetch import Prefetch
from waybill.scanning.domain.completion import JobCompletion
from waybill.scanning.domain.detection.models import Finding
from waybill.scanning.domain.detection.scanner import Checkpoint, ObjectScanner, Outcome, Report
from waybill.scanning.domain.outcomes import Recorder, skip_repeats
from waybill.scanning.domain.slices import SliceQueue
from waybill.scanning.domain.small_objects import ObjectReader, Opened, prefetched
from waybill.scanning.domain.triage import Triage
from waybill.scanning.errors import ObjectRefusedError
from waybill.scanning.models import Attempts, Entry, Job, ObjectOutcome, ObjectStatus, Slice, Status

# Fifty outcomes go into one transaction, which DynamoDB takes 4 MB of; a name has a thousand characters at most.
UNREAD_STORED = 20
_STATUSES = {
    Outcome.PARTIAL: ObjectStatus.PARTIAL,
    Outcome.SKIPPED: ObjectStatus.SKIPPED,
    Outcome.FAILED: ObjectStatus.FAILED,
}
ARCHIVED = frozenset({"GLACIER", "DEEP_ARCHIVE"})

type MakeScanner = Callable[[Job], ObjectScanner]
type _Ahead = Prefetch[Entry, Opened]
type Known = Mapping[str, tuple[str, ObjectOutcome]]


class _Jobs(Protocol):
    def get(self, job_id: str) -> Job | None: ...


class _Outcomes(Protocol):
    def begin(self, job_id: str, work: Slice) -> Attempts: ...
    def add_fault(self, job_id: str, work: Slice) -> None: ...
    def save_cached(self, job_id: str, bucket: str, outcomes: Iterable[ObjectOutcome], cache_name: str) -> None: ...
    def record(self, job_id: str, outcomes: Sequence[ObjectOutcome]) -> dict[str, ObjectOutcome]: ...
    def count_begun(self, job_id: str, work: Slice) -> None: ...
    def get(self, job_id: str, keys: Sequence[str]) -> dict[str, ObjectOutcome]: ...
    def cached(
        self, bucket: str, entries: Sequence[Entry], cache_name: str
    ) -> dict[str, tuple[str, ObjectOutcome]]: ...


class _Findings(Protocol):
    def save(self, job_id: str, key: str, etag: str, findings: Iterable[Finding]) -> None: ...
    def delete_others(self, job_id: str, key: str, etag: str) -> None: ...
    def copy(self, source_job: str, job_id: str, key: str, etag: str) -> list[str]: ...


class _Values(Protocol):
    def note(self, job_id: str, bucket: str, key: str, findings: Iterable[Finding]) -> None: ...


@dataclass(frozen=True)
class Worker:
    """Scans slices; leaves what it has no time for (`reserve`, in seconds) to a follow-up message.

    `reads_at_once` small objects are read while another one is scanned. `rules` names what a job is scanned by,
    `cache_name` all that an outcome depends on beside the object.
    """

    jobs: _Jobs
    outcomes: _Outcomes
    findings: _Findings
    values: _Values
    triage: Triage
    bucket: ObjectReader
    queue: SliceQueue
    completion: JobCompletion
    make_scanner: MakeScanner
    rules: Callable[[Job], str]
    cache_name: Callable[[Job], str]
    time_left: Callable[[], float]
    reserve: float = 30
    reads_at_once: int = 8

    def work(self, work: Slice, deliveries: int = 1) -> int:
        """Give the objects of a slice their outcomes; return how many were read from S3.

        Objects that have an outcome are left alone, so a message may come as often as it likes. A slice that has killed
        its worker is taken apart: each of its objects gets a message of its own, and one that kills a worker alone has
        failed. So a hostile object costs itself.
        """
        job = self.jobs.get(work.job_id)
        if job is None or job.status == Status.CANCELLED:
            return 0
        recorded = self.outcomes.get(job.job_id, [entry.key for entry in work.entries])
        for key, outcome in recorded.items():
            # An earlier delivery may have died between the outcome and the removal of what it is not about.
            self.findings.delete_others(job.job_id, key, outcome.looked_at)
        if not job.scanned_on:
            return 0
        skip_repeats(self.outcomes, job, work.page, work.entries, recorded)
        if not work.resume and not work.rest:
            self.outcomes.count_begun(job.job_id, work)
        waiting = [entry for entry in work.entries if entry.key not in recorded]
        if waiting and (deliveries > 1 or work.alone) and self._killed(job, work, waiting, deliveries):
            return 0
        cache_name = self.cache_name(job)
        known = {} if work.resume else self.outcomes.cached(work.bucket, waiting, cache_name)
        to_read = (entry for entry in waiting if self._skipped(job, entry) is None and entry.key not in known)
        with (
            prefetched(self.bucket, work.bucket, () if work.resume else to_read, self.reads_at_once) as objects,
            Recorder(self.outcomes, self.findings, job, work.page, cache_name, self.time_left) as recorder,
        ):
            read = self._objects(job, work, waiting, known, objects, recorder)
        self.completion.finish_if_done(job.job_id)
        return read

    def _objects(
        self, job: Job, work: Slice, waiting: list[Entry], known: Known, objects: _Ahead, recorder: Recorder
    ) -> int:
        read = 0
        for index, entry in enumerate(waiting):
            if index and self.time_left() < self.reserve:
                self._leave(work, waiting[index:])
                break
            outcome = self._without_reading(job, entry, known)
            if outcome is not None:
                recorder.add(outcome)
                continue
            if read % 10 == 9 and self._cancelled(job):
                break
            read += 1
            self._scan(job, work, entry, objects, recorder, alone=index == 0)
        return read

    def _killed(self, job: Job, work: Slice, waiting: list[Entry], deliveries: int) -> bool:
        """Return whether a slice that has killed a worker was dealt with: taken apart, or recorded as failed."""
        attempts = self.outcomes.begin(job.job_id, work)
        if len(waiting) > 1 and deliveries - 1 > attempts.faults:
            self.queue.send(
                Slice(work.job_id, work.bucket, work.page, (entry,), rest=True, alone=True) for entry in waiting
            )
            return True
        if len(waiting) > 1 or attempts.deaths < 1:
            return False
        with Recorder(self.outcomes, self.findings, job, work.page, "", self.time_left) as recorder:
            [entry] = waiting
            failed = ObjectOutcome(entry.key, entry.etag, entry.size, ObjectStatus.FAILED, "WORKER_FAILED")
            recorder.add(failed, doubtful=True)
        self.completion.finish_if_done(job.job_id)
        return True

    def add_fault(self, work: Slice) -> None:
        """Note that work on a slice ended with a fault which was handled: its worker has not died."""
        self.outcomes.add_fault(work.job_id, work)

    def _leave(self, work: Slice, entries: list[Entry]) -> None:
        self.queue.send([Slice(work.job_id, work.bucket, work.page, tuple(entries), rest=True)])

    def _cancelled(self, job: Job) -> bool:
        now = self.jobs.get(job.job_id)
        return now is None or not now.scanned_on

    def _skipped(self, job: Job, entry: Entry) -> ObjectOutcome | None:
        reason = job.request.reason_to_skip(entry.key, entry.size)
        if reason is None and entry.storage_class in ARCHIVED:
            reason = "STORAGE_CLASS"
        if reason is not None:
            return ObjectOutcome(entry.key, entry.etag, entry.size, ObjectStatus.SKIPPED, reason)
        if entry.size == 0:
            return ObjectOutcome(entry.key, entry.etag, 0, ObjectStatus.SCANNED)
        return None

    def _without_reading(self, job: Job, entry: Entry, known: Known) -> ObjectOutcome | None:
        skipped = self._skipped(job, entry)
        if skipped is not None or entry.key not in known:
            return skipped
        source_job, outcome = known[entry.key]
        if not outcome.counts:
            return outcome
        fingerprints = self.findings.copy(source_job, job.job_id, entry.key, entry.etag)
        return replace(outcome, triaged=self.triage.counted(fingerprints))

    def _scan(self, job: Job, work: Slice, entry: Entry, objects: _Ahead, recorder: Recorder, *, alone: bool) -> None:
        """Read one object; `alone` that this run has done nothing else before."""
        rules = self.rules(job)
        if work.resume and work.resume["rules"] != rules:
            # The first part was read by other rules, before a deployment: all of it again.
            self.findings.delete_others(job.job_id, entry.key, "")
            self._leave(work, [entry])
            return
        resume = Checkpoint(**work.resume["checkpoint"]) if work.resume else None
        before = int(work.resume["bytes_scanned"]) if work.resume else 0
        try:
            opened = (None if resume else objects.take(entry)) or self.bucket.open(
                work.bucket, entry, resume.offset if resume else 0
            )
            try:
                if opened.changed and resume:
                    # The first part was another state's: all of it again.
                    self._leave(work, [entry._replace(etag=opened.etag, size=opened.size)])
                    return
                report = self.make_scanner(job).scan(
                    opened.read, resume=resume, stop=lambda: self.time_left() < self.reserve
                )
            finally:
                opened.close()
        except ObjectRefusedError as refused:
            status = ObjectStatus.SKIPPED if refused.skips else ObjectStatus.FAILED
            outcome = ObjectOutcome(entry.key, entry.etag, entry.size, status, refused.reason)
            recorder.add(outcome, doubtful=True)
            return
        if not alone and "TIME_LIMIT" in report.reasons:
            # An archive cannot be left in the middle: all of it again, with the time of a whole run.
            self._leave(work, [entry])
            return
        self.findings.save(job.job_id, entry.key, opened.etag, report.findings)
        triaged = Counter(work.resume.get("triaged", {}) if work.resume else {})
        if report.findings:
            self.values.note(job.job_id, work.bucket, entry.key, report.findings)
            triaged.update(self.triage.counted(finding.fingerprint for finding in report.findings))
        if report.checkpoint:
            follow_up = {"checkpoint": asdict(report.checkpoint), "bytes_scanned": before + report.bytes_scanned}
            follow_up |= {"triaged": dict(triaged), "rules": rules}
            current = entry._replace(etag=opened.etag, size=opened.size)
            self.queue.send([Slice(work.job_id, work.bucket, work.page, (current,), follow_up)])
            return
        # Behind another message there may be findings of another state than this one's.
        doubtful = opened.changed or work.rest or resume is not None
        outcome = replace(_outcome(entry, opened, report, before), triaged=dict(triaged), rules=rules)
        recorder.add(outcome, doubtful=doubtful)


def _outcome(entry: Entry, opened: Opened, report: Report, before: int) -> ObjectOutcome:
    status = _STATUSES.get(report.outcome) or (ObjectStatus.FINDINGS if report.counts else ObjectStatus.SCANNED)
    return ObjectOutcome(
        key=entry.key,
        etag=opened.etag,
        size=entry.size,
        status=status,
        reason=report.reasons.most_common(1)[0][0] if report.reasons else "",
        bytes_scanned=before + report.bytes_scanned,
        counts=dict(report.counts),
        truncated=report.truncated,
        not_read=dict(report.reasons),
        unread=tuple((each.member, each.reason) for each in report.unread[:UNREAD_STORED]),
    )
