"""What became of each object, by name."""

import gzip

import pytest

from tests.functional.scanning.conftest import Scanner
from waybill.core.errors import InvalidInputError
from waybill.scanning.domain.objects import Objects
from waybill.scanning.models import Job


def listed(
    scanner: Scanner, job: Job, limit: int, status: str | None = None, reason: str | None = None
) -> list[dict[str, object]]:
    """Return all pages of the list."""
    objects = Objects(scanner.table.ranges, scanner.table.outcomes, b"secret")
    found: list[dict[str, object]] = []
    cursor: str | None = None
    while True:
        page = objects.page(job, limit, cursor, status, reason)
        assert len(page["objects"]) <= limit
        found += page["objects"]
        cursor = page["cursor"]
        if cursor is None:
            return found


@pytest.mark.parametrize(("limit", "batch", "fan_out"), [(1, 1000, 1), (7, 4, 8), (200, 1000, 1)])
def test_every_object_is_there_once_in_the_order_of_keys(
    scanner: Scanner, limit: int, batch: int, fan_out: int
) -> None:
    scanner.bucket.objects = {f"k{number:02}": b"nothing" for number in range(40)} | {"~": b"ssn 219-45-6789"}
    job = scanner.create()
    scanner.list_all(job, scanner.lister_of(batch, fan_out))
    assert {each["status"] for each in listed(scanner, job, limit)} == {"PENDING"}
    scanner.work_all()
    found = listed(scanner, job, limit)
    assert [each["key"] for each in found] == sorted(scanner.bucket.objects)
    assert (found[-1]["status"], found[-1]["findings"]) == ("FINDINGS", 1)
    assert {each["status"] for each in found[:-1]} == {"SCANNED"}


def test_what_was_not_read_is_named_with_its_reason(scanner: Scanner) -> None:
    scanner.bucket.objects = {
        "a.gz": gzip.compress(b"ssn 219-45-6789\n" * 40)[:-9],
        "b.gif": b"GIF89a",
        "c.txt": b"nothing",
        "d.log": b"left out",
    }
    job = scanner.create(exclude=["*.log"])
    scanner.list_all(job)
    scanner.work_all()
    found = {each["key"]: each for each in listed(scanner, job, 50)}
    assert (found["a.gz"]["status"], found["a.gz"]["reason"]) == ("PARTIAL", "ARCHIVE_TRUNCATED")
    assert found["a.gz"]["unread"] == [{"member": "gzip", "reason": "ARCHIVE_TRUNCATED"}]
    assert (found["b.gif"]["status"], found["b.gif"]["reason"]) == ("SKIPPED", "UNSUPPORTED_TYPE")
    assert (found["d.log"]["status"], found["d.log"]["reason"]) == ("SKIPPED", "EXCLUDED")
    assert [each["key"] for each in listed(scanner, job, 1, status="SKIPPED")] == ["b.gif", "d.log"]
    assert [each["key"] for each in listed(scanner, job, 1, reason="ARCHIVE_TRUNCATED")] == ["a.gz"]
    coverage = scanner.jobs.coverage(job.job_id)
    assert coverage["members_not_read"] == {"ARCHIVE_TRUNCATED": 1, "UNSUPPORTED_TYPE": 1}


def test_what_is_left_out_of_a_sample_is_there(scanner: Scanner) -> None:
    scanner.bucket.objects = {f"k{number:02}": b"nothing" for number in range(20)}
    job = scanner.create(sample={"objects": 5})
    scanner.list_all(job)
    scanner.work_all()
    found = listed(scanner, scanner.jobs.find(job.job_id), 50)
    assert sorted(str(each["status"]) for each in found) == ["SCANNED"] * 5 + ["SKIPPED"] * 15
    assert {each["reason"] for each in found if each["status"] == "SKIPPED"} == {"NOT_SAMPLED"}


def test_a_cursor_is_for_its_own_list(scanner: Scanner) -> None:
    scanner.bucket.objects = {f"k{number:02}": b"nothing" for number in range(3)}
    job = scanner.create()
    scanner.list_all(job)
    objects = Objects(scanner.table.ranges, scanner.table.outcomes, b"secret")
    cursor = objects.page(job, 1, None)["cursor"]
    with pytest.raises(InvalidInputError):
        objects.page(job, 1, cursor, status="FAILED")
