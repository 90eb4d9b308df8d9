"""Copies of objects that CopyObject does not take, in parts."""

import itertools
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes.wire import Wire
from tests.functional.consignments.bench import CLEAN, QUARANTINE, UPLOADS, Workbench
from waybill.consignments.adapters import copy_targets
from waybill.consignments.adapters.copy_targets import S3CopyTargets, part_ranges
from waybill.consignments.errors import RunBucketRefusedError, RunBucketUnavailableError
from waybill.core.aws.clients import client

MIB = 1024**2
# S3 takes no smaller part than this but the last.
CONTENT = b"".join(bytes([number]) * MIB for number in range(11)) + b"end"


@pytest.fixture
def large(bench: Workbench, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The copy of an object of three parts that is over the limit, to the clean bucket."""
    monkeypatch.setattr(copy_targets, "_SINGLE_COPY_BYTES", 10 * MIB)
    monkeypatch.setattr(copy_targets, "_PART_BYTES", 5 * MIB)
    told = client("s3").put_object(
        Bucket=UPLOADS, Key="alice/c/f", Body=CONTENT, Metadata={"sha256": "1"}, ContentType="image/tiff"
    )
    client("s3").put_object_tagging(
        Bucket=UPLOADS, Key="alice/c/f", Tagging={"TagSet": [{"Key": "scan", "Value": "clean"}]}
    )
    return {
        "place": "clean",
        "bucket": UPLOADS,
        "key": "alice/c/f",
        "versionId": told["VersionId"],
        "eTag": told["ETag"],
        "objectSize": len(CONTENT),
        "to": "c/f",
    }


@pytest.fixture
def targets(large: dict[str, Any]) -> S3CopyTargets:
    """Both buckets."""
    return S3CopyTargets(client("s3"), CLEAN, QUARANTINE)


def uploads() -> list[Any]:
    """The uploads in parts that nobody has ended."""
    found: list[Any] = client("s3").list_multipart_uploads(Bucket=CLEAN).get("Uploads", [])
    return found


def test_a_large_object_is_copied_in_parts_as_it_was_checked(
    targets: S3CopyTargets, large: dict[str, Any], wire: Wire
) -> None:
    client("s3").put_object(Bucket=UPLOADS, Key=large["key"], Body=b"later")
    wire.clear()
    assert targets.place(large)
    copied = client("s3").get_object(Bucket=CLEAN, Key="c/f")
    assert copied["Body"].read() == CONTENT
    assert (copied["Metadata"], copied["ContentType"]) == ({"sha256": "1"}, "image/tiff")
    assert client("s3").get_object_tagging(Bucket=CLEAN, Key="c/f")["TagSet"] == []
    parts = wire.of("s3.UploadPartCopy")
    assert sorted(part.headers["x-amz-copy-source-range"] for part in parts) == [
        f"bytes=0-{5 * MIB - 1}",
        f"bytes={10 * MIB}-{len(CONTENT) - 1}",
        f"bytes={5 * MIB}-{10 * MIB - 1}",
    ]
    assert {part.headers["x-amz-copy-source-if-match"] for part in parts} == {large["eTag"]}
    assert all(large["versionId"] in part.headers["x-amz-copy-source"] for part in parts)
    assert wire.of("s3.CopyObject") == []


def test_a_copy_that_is_repeated_is_the_same(targets: S3CopyTargets, large: dict[str, Any]) -> None:
    client("s3").put_bucket_versioning(Bucket=CLEAN, VersioningConfiguration={"Status": "Enabled"})
    done = [targets.place(large), targets.place(large)]
    versions = client("s3").list_object_versions(Bucket=CLEAN)["Versions"]
    # Of an object that was written in parts S3 has no SHA-256 of the whole.
    answers = [{"fileId": "f", "copy": {"eTag": each["ETag"], "versionId": each["VersionId"]}} for each in versions]
    assert len(answers) == 2
    assert all(answer in done for answer in answers)
    assert client("s3").get_object(Bucket=CLEAN, Key="c/f")["Body"].read() == CONTENT
    assert uploads() == []


@pytest.mark.parametrize(
    ("operation", "code", "status"),
    [
        ("s3.HeadObject", "404", 404),
        ("s3.HeadObject", "412", 412),
        ("s3.UploadPartCopy", "NoSuchVersion", 404),
        ("s3.UploadPartCopy", "PreconditionFailed", 412),
    ],
)
def test_a_large_object_that_is_gone_or_changed_is_not_copied(
    targets: S3CopyTargets, large: dict[str, Any], wire: Wire, operation: str, code: str, status: int
) -> None:
    wire.refuse(operation, code, status=status)
    assert not targets.place(large)
    assert client("s3").list_objects_v2(Bucket=CLEAN)["KeyCount"] == 0
    assert uploads() == []


@pytest.mark.parametrize(
    ("operation", "code", "status", "error"),
    [
        ("s3.UploadPartCopy", "SlowDown", 503, RunBucketUnavailableError),
        ("s3.UploadPartCopy", "AccessDenied", 403, RunBucketRefusedError),
        ("s3.CompleteMultipartUpload", "InternalError", 500, RunBucketUnavailableError),
    ],
)
def test_a_copy_that_fails_leaves_no_parts(
    targets: S3CopyTargets, large: dict[str, Any], wire: Wire, operation: str, code: str, status: int, error: Any
) -> None:
    wire.refuse(operation, code, status=status)
    with pytest.raises(error):
        targets.place(large)
    assert uploads() == []


@given(st.integers(5 * 1024**3 + 1, 50 * 1000**4))
def test_parts_cover_every_byte_once_within_the_limits_of_s3(size: int) -> None:
    parts = part_ranges(size)
    assert len(parts) <= 10_000
    assert [number for number, _, _ in parts] == list(range(1, len(parts) + 1))
    assert (parts[0][1], parts[-1][2]) == (0, size - 1)
    assert all(after[1] == before[2] + 1 for before, after in itertools.pairwise(parts))
    assert all(last - first + 1 <= 5 * 1024**3 for _, first, last in parts)
