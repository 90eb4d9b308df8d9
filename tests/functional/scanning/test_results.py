"""What is read of a job: findings page by page, and nothing in any store that gives a value away."""

import gzip
from typing import Any

import pytest

from tests.functional.scanning.conftest import Scanner
from waybill.core.errors import ConflictError, InvalidInputError, NotFoundError
from waybill.scanning.domain.detection.models import Finding
from waybill.scanning.errors import BucketDeniedError, BucketNotFoundError
from waybill.scanning.request_models import ScanRequest

CANARIES = [f"219-45-{number}" for number in range(6700, 6725)] + [
    f"AKIAQ7RLWKZT4XMN{letters}" for letters in ("B2PD", "C3QE", "D4RF", "E5SG", "F6TH")
]


def finding(number: int, detector: str = "IP") -> Finding:
    return Finding(detector, "HIGH", number, 9, 1, number + 1, "****", "f", "c")


def pages(scanner: Scanner, job_id: str, limit: int, **wanted: Any) -> list[list[str]]:
    job, cursor, found = scanner.jobs.find(job_id), None, []
    while True:
        answer = scanner.results.page(job, limit, cursor, wanted)
        found.append([each["id"] for each in answer["findings"]])
        assert answer["has_more"] == (answer["next_cursor"] is not None)
        cursor = answer["next_cursor"]
        if cursor is None:
            return found


@pytest.mark.long
def test_paging_repeats_and_misses_nothing_and_knows_its_end(scanner: Scanner) -> None:
    job = scanner.create()
    scanner.table.findings.save(job.job_id, "k", "e" * 32, map(finding, range(2500)))
    for limit in (100, 250, 999, 1000):
        found = pages(scanner, job.job_id, limit)
        flat = [each for page in found for each in page]
        assert len(flat) == len(set(flat)) == 2500
        assert flat == sorted(flat)
        assert [len(page) for page in found] == [limit] * (2500 // limit) + ([2500 % limit] if 2500 % limit else [])


def test_findings_that_come_in_between_disturb_nothing(scanner: Scanner) -> None:
    job = scanner.create()
    scanner.table.findings.save(job.job_id, "k", "e" * 32, map(finding, range(0, 300, 2)))
    first = scanner.results.page(job, 100, None, {})
    scanner.table.findings.save(job.job_id, "k", "e" * 32, map(finding, range(1, 300, 2)))
    second = scanner.results.page(job, 1000, first["next_cursor"], {})
    offsets = [each["byte_offset"] for each in first["findings"] + second["findings"]]
    assert len(offsets) == len(set(offsets))
    assert set(range(0, 300, 2)) <= set(offsets)


def test_filters_are_to_the_letter(scanner: Scanner) -> None:
    job = scanner.create()
    for key in ("a_1", "ab1", "a%1"):
        scanner.table.findings.save(job.job_id, key, "e" * 32, [finding(1), finding(2, "EMAIL")])
    assert sum(map(len, pages(scanner, job.job_id, 10, key="a_"))) == 2
    assert sum(map(len, pages(scanner, job.job_id, 10, key="a_", detector="EMAIL"))) == 1
    assert sum(map(len, pages(scanner, job.job_id, 10, certainty=3))) == 6
    assert pages(scanner, job.job_id, 10, detector="NONE") == [[]]


def test_a_cursor_is_of_one_job_and_cannot_be_made_up(scanner: Scanner) -> None:
    job, other = scanner.create(), scanner.create()
    scanner.table.findings.save(job.job_id, "k", "e" * 32, map(finding, range(5)))
    cursor = scanner.results.page(job, 2, None, {})["next_cursor"]
    for wrong_job, wrong, wanted in (
        (other, cursor, {}),
        (job, cursor[:-4] + "AAAA", {}),
        (job, cursor, {"detector": "IP"}),
        (job, cursor, {"certainty": 1}),
        (job, "x", {}),
    ):
        with pytest.raises(InvalidInputError):
            scanner.results.page(wrong_job, 2, wrong, wanted)


def test_one_idempotency_key_is_one_job(scanner: Scanner) -> None:
    request = ScanRequest(bucket="archive", prefix="a/")
    first = scanner.jobs.create(request, "alice", "key")
    assert scanner.jobs.create(request, "alice", "key").job_id == first.job_id
    assert scanner.jobs.create(request, "bob", "key").job_id != first.job_id
    with pytest.raises(ConflictError):
        scanner.jobs.create(ScanRequest(bucket="archive", prefix="b/"), "alice", "key")
    assert len(scanner.table.jobs.newest(10, None)[0]) == 2


def test_a_bucket_that_cannot_be_listed_makes_no_job(scanner: Scanner) -> None:
    with pytest.raises(BucketNotFoundError):
        scanner.jobs.create(ScanRequest(bucket="no-such-bucket"), "alice", None)
    scanner.bucket.denied = True
    with pytest.raises(BucketDeniedError):
        scanner.create()
    assert scanner.table.jobs.newest(10, None) == ([], None)
    with pytest.raises(NotFoundError):
        scanner.jobs.report("unknown")


def test_a_job_that_has_ended_cannot_be_cancelled(scanner: Scanner) -> None:
    report = scanner.run()
    with pytest.raises(ConflictError, match="completed"):
        scanner.jobs.cancel(report["job_id"])


def test_one_secret_in_many_objects_has_one_fingerprint(scanner: Scanner) -> None:
    scanner.bucket.objects = {f"k{number}": b"ssn 219-45-6789" for number in range(37)}
    job_id = scanner.run()["job_id"]
    found = scanner.findings(job_id)
    assert (len(found), len({each["fingerprint"] for each in found})) == (37, 1)


def test_no_canary_is_in_any_store_or_message(scanner: Scanner) -> None:
    text = "\n".join(f"user {number}: {canary} {CANARIES[-1]}" for number, canary in enumerate(CANARIES)).encode()
    scanner.bucket.objects = {
        "plain.txt": text,
        "packed.gz": gzip.compress(text),
        "wide.txt": text.decode().encode("utf-16"),
    }
    job = scanner.create()
    scanner.list_all(job)
    messages = repr(scanner.queue.slices)
    scanner.work_all()
    assert scanner.jobs.report(job.job_id)["total_findings"] > 100
    everything = scanner.everything_stored() + messages + repr(scanner.findings(job.job_id))
    assert [canary for canary in CANARIES if canary in everything or canary[4:] in everything] == []
