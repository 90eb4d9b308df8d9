"""Every version on the S3 and DynamoDB of moto, through the function that copies."""

from datetime import UTC, datetime
from typing import Any

import pytest

from tests.fakes.functions import PHYSICAL
from tests.fakes.runs import DESTINATIONS, SOURCE, a_run
from tests.functional.replication.conftest import NOW, Invoke
from waybill.core.aws.clients import client
from waybill.replication.adapters.s3 import S3Buckets
from waybill.replication.adapters.s3_versions import in_order
from waybill.replication.adapters.table import TrackingTable
from waybill.replication.adapters.versions_table import VersionsTable
from waybill.replication.domain.copier import describe_source
from waybill.replication.domain.every_version import VersionsAt
from waybill.replication.models import CopyLimits, CopyTask, FileId, SourceVersion

KEY = "ledger é+.csv"
FILE = FileId(SOURCE, KEY)


@pytest.fixture
def keeping(s3: Any) -> Any:
    """S3, whose buckets keep versions."""
    for bucket in (SOURCE, *DESTINATIONS):
        s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    return s3


@pytest.fixture
def table(tracking: TrackingTable) -> VersionsTable:
    dynamodb = client("dynamodb")
    return VersionsTable(dynamodb, PHYSICAL["FileCopyTrackingTable"], tracking, history_days=90, now=lambda: NOW)


def bodies(s3: Any, bucket: str) -> list[bytes | None]:
    """What the versions of the file hold, the oldest first; None for a marker."""
    page = s3.list_object_versions(Bucket=bucket, Prefix=KEY)
    found = [(one["LastModified"], one["VersionId"], True) for one in page.get("Versions", [])][::-1]
    return [s3.get_object(Bucket=bucket, Key=KEY, VersionId=version)["Body"].read() for _, version, _ in found]


def to_one_destination(buckets: S3Buckets) -> CopyTask:
    """The copy of the file, as it is now, by its first run."""
    run = a_run(key=KEY, destination_buckets=DESTINATIONS[:1], generation=1)
    return CopyTask(
        run=run, destination_bucket=DESTINATIONS[0], description=describe_source(buckets, run, CopyLimits())
    )


def copied(invoke: Invoke, buckets: S3Buckets, **changes: str) -> dict[str, Any]:
    answer: dict[str, Any] = invoke("copy_file", to_one_destination(buckets).wire(), **changes)
    return answer


def test_the_function_brings_all_versions_where_the_parameter_says_so(
    keeping: Any, dynamodb: Any, buckets: S3Buckets, invoke: Invoke
) -> None:
    for number in range(5):
        keeping.put_object(Bucket=SOURCE, Key=KEY, Body=f"{number}".encode())
        keeping.put_object(Bucket=SOURCE, Key=f"{KEY}.bak", Body=b"another file")
    answer = copied(invoke, buckets, REPLICATE_EVERY_VERSION="true")
    assert (answer["code"], answer["versions"]) == ("COPIED", 5)
    assert bodies(keeping, DESTINATIONS[0]) == [b"0", b"1", b"2", b"3", b"4"]
    assert copied(invoke, buckets, REPLICATE_EVERY_VERSION="true")["code"] == "SKIPPED_IDENTICAL"
    assert len(bodies(keeping, DESTINATIONS[0])) == 5


def test_without_the_parameter_the_current_version_is_copied(
    keeping: Any, dynamodb: Any, buckets: S3Buckets, invoke: Invoke
) -> None:
    for number in range(3):
        keeping.put_object(Bucket=SOURCE, Key=KEY, Body=f"{number}".encode())
    assert copied(invoke, buckets)["code"] == "COPIED"
    assert bodies(keeping, DESTINATIONS[0]) == [b"2"]


def test_versions_come_as_s3_orders_them(keeping: Any, buckets: S3Buckets) -> None:
    written = []
    for number in range(3):
        written.append(keeping.put_object(Bucket=SOURCE, Key=KEY, Body=f"{number}".encode())["VersionId"])
        keeping.put_object(Bucket=SOURCE, Key=f"{KEY}~", Body=b"another")
    assert [found.version_id for found in buckets.versions(SOURCE, KEY)] == written[::-1]


@pytest.mark.parametrize("order", ["VMV", "MVV", "VVM", "MVM"])
def test_what_was_written_within_one_second_is_asked_about(order: str) -> None:
    """S3 API, ListObjectVersions: versions and markers are one sequence, the newest first; the SDK makes two of it."""
    moment = datetime(2026, 11, 21, 10, 0, 0, tzinfo=UTC)
    sequence = [f"{kind}{number}" for number, kind in enumerate(order)]
    entries = [{"Key": KEY, "VersionId": name, "LastModified": moment} for name in sequence]
    page: Any = {
        "Versions": [entry for entry in entries if str(entry["VersionId"]).startswith("V")],
        "DeleteMarkers": [entry for entry in entries if str(entry["VersionId"]).startswith("M")],
    }
    found = in_order(page, KEY, lambda marker: set(sequence[sequence.index(marker) + 1 :]))
    assert [one.version_id for one in found] == sequence


def test_what_has_no_id_of_its_own_is_left_out() -> None:
    moment = datetime(2026, 11, 21, 10, 0, 0, tzinfo=UTC)
    page: Any = {"Versions": [{"Key": KEY, "VersionId": "null", "LastModified": moment}]}
    assert list(in_order(page, KEY, lambda _: set())) == []


def test_turns_are_kept_by_one_run_at_a_time(table: VersionsTable) -> None:
    bucket = DESTINATIONS[0]
    assert table.versions_at(FILE, bucket) is None
    first = VersionsAt(("v1", "v2"), ("v0 (denied)",), "2026", "arn:one", "2027", "v3", None, "upload", revision=1)
    assert table.save_versions(FILE, bucket, first)
    assert table.versions_at(FILE, bucket) == first
    # Whoever has looked before somebody else has changed it loses.
    assert not table.save_versions(FILE, bucket, first)
    assert table.save_versions(FILE, bucket, VersionsAt(("v1",), revision=2))
    assert table.versions_at(FILE, bucket) == VersionsAt(("v1",), revision=2)


def test_what_became_of_a_version_is_found_by_its_id(table: VersionsTable, keeping: Any, buckets: S3Buckets) -> None:
    keeping.put_object(Bucket=SOURCE, Key=KEY, Body=b"abc")
    table.record_version(to_one_destination(buckets), SourceVersion("v1", "2026"), "KMS_DENIED", None)
    assert table.has_version(FILE, DESTINATIONS[0], "v1")
    assert not table.has_version(FILE, DESTINATIONS[0], "v2")
    assert not table.has_version(FILE, DESTINATIONS[1], "v1")
