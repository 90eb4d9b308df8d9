"""Whether a copy is what its source is, and what proves it."""

from waybill.replication.errors import VerificationFailedError
from waybill.replication.models import CopyProof, ObjectFacts

# With these the ETag is no digest of the content (Amazon S3 API Reference, "Object", ETag).
_OPAQUE_ETAG_ENCRYPTIONS = frozenset({"aws:kms", "aws:kms:dsse", "SSE-C"})


def comparable(source: ObjectFacts, copy: ObjectFacts) -> CopyProof:
    """Return the best proof that the two objects' facts allow: checksum, else ETag, else size.

    Checksums compare when both are of one algorithm and over the whole object; ETags when both are digests of the
    content, which those of multipart (`…-N`) and KMS-encrypted objects are not. Those over parts prove what is equal
    when they are equal themselves: different ones may only be of other parts.
    """
    ours, theirs = source.checksum, copy.checksum
    if ours and theirs and ours.algorithm == theirs.algorithm:
        over_parts = ours.composite or theirs.composite
        if not over_parts or ours == theirs:
            return CopyProof.CHECKSUM
    if _etag_is_digest(source) and _etag_is_digest(copy):
        return CopyProof.ETAG
    if _etag_is_of_content(source) and _etag_is_of_content(copy) and source.e_tag == copy.e_tag:
        return CopyProof.ETAG
    return CopyProof.SIZE


def equal(source: ObjectFacts, copy: ObjectFacts) -> bool:
    """Return whether the copy equals the source by the best proof available."""
    if source.size != copy.size:
        return False
    match comparable(source, copy):
        case CopyProof.CHECKSUM:
            return source.checksum == copy.checksum
        case CopyProof.ETAG:
            return source.e_tag == copy.e_tag
        case CopyProof.SIZE:
            return True


def proven_equal(source: ObjectFacts, copy: ObjectFacts) -> bool:
    """Return whether the contents are known to be equal; equal sizes alone prove nothing here."""
    return comparable(source, copy) is not CopyProof.SIZE and equal(source, copy)


def verify(source: ObjectFacts, copy: ObjectFacts) -> CopyProof:
    """Return what proves that `copy`, which has just been made, equals `source`.

    Raises
    ------
    VerificationFailedError
        It does not.
    """
    proof = CopyProof.CHECKSUM if _differs_part_by_part(source, copy) else comparable(source, copy)
    if not equal(source, copy) or _differs_part_by_part(source, copy):
        raise VerificationFailedError(
            f"{copy.bucket}/{copy.key} differs from {source.bucket}/{source.key} by {proof.lower()}"
        )
    return proof


def _differs_part_by_part(source: ObjectFacts, copy: ObjectFacts) -> bool:
    """Return whether a copy in the parts of its source has other checksums of them."""
    ours, theirs = source.checksum, copy.checksum
    if not (source.part_size and ours and theirs and ours.composite and theirs.composite):
        return False
    return ours.algorithm == theirs.algorithm and ours.value != theirs.value


def _etag_is_digest(facts: ObjectFacts) -> bool:
    return "-" not in facts.e_tag and _etag_is_of_content(facts)


def _etag_is_of_content(facts: ObjectFacts) -> bool:
    return facts.encryption not in _OPAQUE_ETAG_ENCRYPTIONS
