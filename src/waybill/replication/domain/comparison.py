"""Whether a destination has the file: the one place that decides it, for runs, backfills and verification.

Equal means content, content headers, user metadata and tags. Not ETag, storage class, encryption, owner or time: they
belong to the copy. Source: Amazon S3 user guide, "What does Amazon S3 replicate?".
"""

from dataclasses import dataclass

from waybill.core.clock import iso, now
from waybill.replication.domain.buckets import Buckets
from waybill.replication.domain.copy_proof import comparable, equal
from waybill.replication.models import CopyProof, ObjectFacts, ObjectPlace

CONTENT, TAGS = "content", "tags"
# The order of strength (S3 user guide, "Object Lock"): what is in compliance mode nobody can shorten.
_LOCK_MODES = (None, "GOVERNANCE", "COMPLIANCE")


@dataclass(frozen=True)
class CopyState:
    """How a copy stands beside its source: `differences` by name, and `proof` of its content.

    Contents of which nothing but the size can be compared do not differ, and are not proven either.
    """

    differences: tuple[str, ...]
    proof: CopyProof

    @property
    def equal(self) -> bool:
        """Whether everything that counts is known to be equal."""
        return not self.differences and self.proof is not CopyProof.SIZE

    @property
    def lacks_tags_alone(self) -> bool:
        """Whether giving the copy the source's tags makes it equal."""
        return self.differences == (TAGS,) and self.proof is not CopyProof.SIZE


def compare(buckets: Buckets, source: ObjectFacts, copy: ObjectFacts, *, made_here: bool = False) -> CopyState:
    """Return how `copy` stands beside `source`; tags are read where S3 counts as many on both sides.

    `made_here`: the record proves that this very object was copied from this very state of the source, which settles
    the content where S3 keeps nothing that can be compared.
    """
    options = buckets.options(copy.bucket)
    proof = comparable(source, copy)
    if proof is CopyProof.SIZE and made_here:
        proof = CopyProof.ETAG
    differences = [
        *([] if equal(source, copy) else [CONTENT]),
        *_different_properties(source, copy),
        *([TAGS] if options.tags and _tags_differ(buckets, source, copy) else []),
        *(_weaker_locks(source, copy) if options.object_lock else []),
    ]
    return CopyState(tuple(differences), proof)


def _different_properties(source: ObjectFacts, copy: ObjectFacts) -> list[str]:
    ours, theirs = source.properties, copy.properties
    if ours is None or theirs is None:
        return []
    return sorted(name for name in ours.keys() | theirs.keys() if ours.get(name) != theirs.get(name))


def _tags_differ(buckets: Buckets, source: ObjectFacts, copy: ObjectFacts) -> bool:
    if source.tag_count != copy.tag_count:
        return True
    if not source.tag_count:
        return False
    ours = buckets.tags(ObjectPlace(source.bucket, source.key), version_id=source.version_id)
    return ours != buckets.tags(ObjectPlace(copy.bucket, copy.key))


def _weaker_locks(source: ObjectFacts, copy: ObjectFacts) -> list[str]:
    """Return what locks the copy less than the source; a longer retention is none, it cannot be taken back."""
    found = []
    shorter = (source.lock_until or "") > (copy.lock_until or "")
    # S3 keeps showing a retention that has ended, and refuses to set one.
    lasts = source.lock_mode and (source.lock_until or "") > iso(now())
    if lasts and (shorter or _strength(source.lock_mode) > _strength(copy.lock_mode)):
        found.append("retention")
    if source.legal_hold == "ON" and copy.legal_hold != "ON":
        found.append("legal hold")
    return found


def _strength(mode: str | None) -> int:
    return _LOCK_MODES.index(mode) if mode in _LOCK_MODES else 0
