"""Copying with one call, and what is known of a copy that has landed."""

from typing import NamedTuple

from waybill.replication.domain.buckets import Buckets
from waybill.replication.domain.copy_proof import comparable, verify
from waybill.replication.errors import VerificationFailedError
from waybill.replication.models import CopyProof, CopyTask, Expected, ObjectFacts


class CopyResult(NamedTuple):
    """A copy that is at its destination, and what proves that it equals the source."""

    facts: ObjectFacts
    verification: CopyProof


def copy_in_one_call(buckets: Buckets, task: CopyTask, expected: Expected | None = None) -> CopyResult:
    """Copy the source of `task` with one CopyObject; look at the copy only where the answer alone proves too little.

    Raises
    ------
    SupersededError
        The source is no longer in the state of the task.
    DestinationUnsettledError
        Something else than what is `expected` is there.
    VerificationFailedError
        The copy is not what the source is.
    """
    answered = buckets.copy(task.source, task.place, expected)
    best = CopyProof.CHECKSUM if task.source.checksum else CopyProof.ETAG
    if comparable(task.source, answered) is best:
        return CopyResult(answered, verify(task.source, answered))
    found = buckets.find(task.place)
    if found is None:
        raise VerificationFailedError(f"{task.place.bucket}/{task.place.key} is not there after the copy")
    return CopyResult(found, verify(task.source, found))
