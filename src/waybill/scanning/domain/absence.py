"""What it says that a job has no finding of a detector in an object: that there is none, or that nobody has looked."""

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from waybill.scanning.models import Job, ObjectOutcome, ObjectStatus, Status
from waybill.scanning.request_models import WindowRequest

NOT_ASKED, NOT_LISTED, NOT_ENDED, TRUNCATED = "NOT_ASKED", "NOT_LISTED", "NOT_ENDED", "TRUNCATED"
_LISTED_ALL = frozenset({Status.COMPLETED, Status.COMPLETED_WITH_ERRORS})
_READ_ALL = frozenset({ObjectStatus.SCANNED, ObjectStatus.FINDINGS})


class Outcomes(Protocol):
    """How the objects of a job ended."""

    def get(self, job_id: str, keys: Sequence[str]) -> Mapping[str, ObjectOutcome]:
        """Return the outcomes of those of `keys` that have one."""
        ...


def why_not_known(
    job: Job,
    key: str,
    outcome: ObjectOutcome | None,
    detector: str,
    own: Collection[str],
    regions: Collection[str] = (),
) -> str:
    """Return why a job cannot say that an object has nothing of a detector; empty where it can.

    Parameters
    ----------
    outcome
        How the object ended in the job; None where it has no outcome there.
    own
        The ids of detectors that are the stack's own: a job knows those alone that counted when it was made.
    regions
        Those of whose values the job that has found something was asked: what is looked for in a region alone, a job
        that was not asked of it cannot have.
    """
    if (job.request.detectors and detector not in job.request.detectors) or (
        detector in own and detector not in job.own
    ):
        return NOT_ASKED
    if not set(regions) <= set(job.request.regions) and detector in _regional():
        return NOT_ASKED
    if outcome is None:
        return _why_not_listed(job, key)
    if outcome.truncated and outcome.counts.get(detector):
        return TRUNCATED
    if outcome.status in _READ_ALL or outcome.reason == "GONE":
        return ""
    return outcome.reason or outcome.status.value


def _regional() -> set[str]:
    """Return the detectors some of whose values are looked for where a region is asked for alone."""
    from waybill.scanning.domain.detection.rules import detectors

    return {each.id for each in detectors() if any(rule.needs_region for rule in each.rules)}


def _why_not_listed(job: Job, key: str) -> str:
    """Return why the list of a job may lack an object that is there; empty where it would have it."""
    request = job.request
    if not key.startswith(request.prefix) or request.sample or isinstance(request, WindowRequest):
        return NOT_LISTED
    if request.source != "list" or request.reason_to_skip(key, 0):
        return NOT_LISTED
    return "" if job.status in _LISTED_ALL and not job.truncated else NOT_ENDED
