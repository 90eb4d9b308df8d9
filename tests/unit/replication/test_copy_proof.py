"""What proves that a copy is what its source is."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes.runs import DESTINATIONS, E_TAG, facts
from waybill.replication.domain.copy_proof import comparable, equal, proven_equal, verify
from waybill.replication.errors import VerificationFailedError
from waybill.replication.models import Checksum, CopyProof, ObjectFacts

_CRC = Checksum(algorithm="CRC64NVME", value="aaa")
_OTHER_CRC = Checksum(algorithm="CRC64NVME", value="bbb")
_SHA = Checksum(algorithm="SHA256", value="aaa")
_COMPOSITE = Checksum(algorithm="SHA256", value="aaa-3", composite=True)
_OTHER_COMPOSITE = Checksum(algorithm="SHA256", value="bbb-3", composite=True)
_KMS = {"encryption": "aws:kms"}


@pytest.mark.parametrize(
    ("source", "copy", "level", "same"),
    [
        ({"checksum": _CRC}, {"checksum": _CRC}, CopyProof.CHECKSUM, True),
        ({"checksum": _CRC}, {"checksum": _OTHER_CRC}, CopyProof.CHECKSUM, False),
        ({"checksum": _CRC}, {"checksum": _CRC, "e_tag": "other", **_KMS}, CopyProof.CHECKSUM, True),
        ({"checksum": _CRC}, {"checksum": _OTHER_CRC, "e_tag": E_TAG}, CopyProof.CHECKSUM, False),
        ({"checksum": _CRC}, {"checksum": _SHA}, CopyProof.ETAG, True),
        # S3 user guide, "Checking object integrity": a digest of the parts' digests; equal ones are of equal parts.
        ({"checksum": _COMPOSITE}, {"checksum": _COMPOSITE, "e_tag": "other"}, CopyProof.CHECKSUM, True),
        ({"checksum": _COMPOSITE, **_KMS}, {"checksum": _OTHER_COMPOSITE, "e_tag": "other"}, CopyProof.SIZE, True),
        ({"checksum": _COMPOSITE}, {"checksum": _SHA, "e_tag": "other"}, CopyProof.ETAG, False),
        ({"checksum": _CRC}, {}, CopyProof.ETAG, True),
        ({}, {"e_tag": "other"}, CopyProof.ETAG, False),
        ({"e_tag": "abc-3"}, {"e_tag": "def-4"}, CopyProof.SIZE, True),
        ({"e_tag": "abc-3"}, {"e_tag": "abc-3"}, CopyProof.ETAG, True),
        ({"e_tag": "abc-3"}, {"e_tag": "abc-3", **_KMS}, CopyProof.SIZE, True),
        ({}, {"e_tag": "abc-3"}, CopyProof.SIZE, True),
        ({}, {"e_tag": "other", **_KMS}, CopyProof.SIZE, True),
        ({}, {"e_tag": "other", "encryption": "aws:kms:dsse"}, CopyProof.SIZE, True),
        ({"encryption": "SSE-C"}, {"e_tag": "other"}, CopyProof.SIZE, True),
        ({"encryption": "AES256"}, {"encryption": "AES256"}, CopyProof.ETAG, True),
    ],
)
def test_the_best_proof_decides(source: dict[str, Any], copy: dict[str, Any], level: CopyProof, same: bool) -> None:
    ours, theirs = facts(**source), facts(**copy)
    assert comparable(ours, theirs) is level
    assert comparable(theirs, ours) is level
    assert equal(ours, theirs) is same
    assert proven_equal(ours, theirs) is (same and level is not CopyProof.SIZE)
    if same:
        assert verify(ours, theirs) is level
    else:
        with pytest.raises(VerificationFailedError, match=f"by {level.lower()}"):
            verify(ours, theirs)


@pytest.mark.parametrize("changes", [{}, {"checksum": _CRC}, _KMS])
def test_another_size_is_another_object_whatever_else_is_equal(changes: dict[str, Any]) -> None:
    source, copy = facts(**changes), facts(**changes, size=4, bucket=DESTINATIONS[0])
    assert not equal(source, copy)
    assert not proven_equal(source, copy)
    with pytest.raises(VerificationFailedError, match=rf"^{DESTINATIONS[0]}/build-123.zip differs from global-builds/"):
        verify(source, copy)


_CHECKSUMS = st.none() | st.builds(
    Checksum,
    algorithm=st.sampled_from(["CRC64NVME", "SHA256"]),
    value=st.sampled_from("ab"),
    composite=st.booleans(),
)
_FACTS = st.builds(
    ObjectFacts,
    bucket=st.just("b"),
    key=st.just("k"),
    size=st.integers(0, 2),
    e_tag=st.sampled_from(["a", "b", "a-1"]),
    encryption=st.sampled_from([None, "AES256", "aws:kms"]),
    checksum=_CHECKSUMS,
)


@given(_FACTS, _FACTS)
def test_it_does_not_matter_which_is_which(one: ObjectFacts, other: ObjectFacts) -> None:
    assert comparable(one, other) is comparable(other, one)
    assert equal(one, other) is equal(other, one)


@given(_FACTS)
def test_everything_equals_itself(one: ObjectFacts) -> None:
    assert equal(one, one)


@pytest.mark.parametrize("algorithm", ["SHA1", "SHA256", "CRC32", "CRC32C"])
def test_a_copy_in_the_parts_of_its_source_has_their_checksums(algorithm: str) -> None:
    ours, other = (Checksum(algorithm=algorithm, value=f"{text}-3", composite=True) for text in ("aaa", "bbb"))
    source = facts(checksum=ours, e_tag="abc-3", part_size=5)
    copied = {"bucket": DESTINATIONS[0], "e_tag": "def-3", **_KMS}
    assert verify(source, facts(checksum=ours, **copied)) is CopyProof.CHECKSUM
    with pytest.raises(VerificationFailedError, match="by checksum"):
        verify(source, facts(checksum=other, **copied))
