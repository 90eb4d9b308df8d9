"""The records as people and scripts read them."""

from collections.abc import Iterable, Iterator
from typing import Any

import pytest

from tests.fakes.runs import KEY, SOURCE
from waybill.core.errors import NotFoundError
from waybill.replication.domain.records import RecordStatus, position_of
from waybill.replication.models import FileId
from waybill.replication.views import RecordPage, file_report, is_position, list_records

_FILE = FileId(SOURCE, KEY)


def record(minute: int, status: RecordStatus = RecordStatus.FAILED, **changes: Any) -> dict[str, Any]:
    return {
        "fileKey": f"key {minute}",
        "sourceBucket": SOURCE,
        "status": status.value,
        "startTime": f"2026-03-01T12:{minute:02}:00.000Z",
        "executionId": f"arn:{minute}",
        "destinationBuckets": '["b"]',
        "totalDestinationBuckets": 1,
        **changes,
    }


def ended(number: int) -> dict[str, Any]:
    return {
        "fileKey": KEY,
        "executionId": f"run {number}",
        "startTime": "2026-03-01T12:00:00.000Z",
        "status": "COMPLETED",
        "outcome": "SUCCESS",
        "destinationBuckets": '["b"]',
        "totalBuckets": 1,
        "successfulCopies": 1,
        "failedCopies": 0,
        "successfulBuckets": '["b"]',
        "failedBuckets": "[]",
    }


class Stored:
    """Records, newest first."""

    def __init__(self, *items: dict[str, Any]) -> None:
        self.items = sorted(items, key=position_of, reverse=True)
        self.read = 0

    def newest(self, statuses: Iterable[RecordStatus], *, before: str | None) -> Iterator[dict[str, Any]]:
        for item in self.items:
            if item["status"] in set(statuses) and (before is None or position_of(item) < before):
                self.read += 1
                yield item

    def record(self, file: FileId) -> dict[str, Any] | None:
        return next((item for item in self.items if item["fileKey"] == file.source_key), None)

    def destinations(self, file: FileId) -> list[dict[str, Any]]:
        return [{"destinationBucket": "b", "sourceBucket": f"{file.source_bucket}#dest#b", "code": "COPIED"}]

    def history(self, file: FileId, limit: int) -> list[dict[str, Any]]:
        return [ended(n) | {"sourceBucket": f"{file.source_bucket}#exec#{n}", "expiresAt": 1} for n in range(limit)]


def test_pages_follow_each_other_without_gaps() -> None:
    stored = Stored(*(record(minute) for minute in range(7)))
    position, seen = None, []
    while True:
        page = list_records(stored, None, 3, position)
        seen.append([item.file_key for item in page.items])
        position = page.position
        if position is None:
            break
        assert is_position(position)
    assert seen == [["key 6", "key 5", "key 4"], ["key 3", "key 2", "key 1"], ["key 0"]]


def test_a_last_page_that_is_full_says_that_it_is_the_last() -> None:
    stored = Stored(*(record(minute) for minute in range(3)))
    assert list_records(stored, None, 3, None).position is None
    assert list_records(Stored(), None, 3, None) == RecordPage(items=(), position=None)


def test_no_more_is_read_than_is_shown_and_one() -> None:
    stored = Stored(*(record(minute) for minute in range(30)))
    list_records(stored, None, 5, None)
    assert stored.read == 6


def test_a_status_selects() -> None:
    stored = Stored(record(1), record(2, RecordStatus.COMPLETED), record(3))
    assert [item.file_key for item in list_records(stored, RecordStatus.COMPLETED, 9, None).items] == ["key 2"]


def test_a_file_is_shown_with_its_destinations_and_its_history() -> None:
    stored = Stored(
        record(
            1, fileKey=KEY, copyResults='[{"destinationBucket":"b","code":"COPIED"}]', generation=3, newestEventRun="x"
        )
    )
    report = file_report(stored, _FILE).wire()
    assert report["copyResults"] == [{"destinationBucket": "b", "code": "COPIED"}]
    assert "generation" not in report
    assert "newestEventRun" not in report
    assert report["destinations"] == [{"destinationBucket": "b", "sourceBucket": SOURCE, "code": "COPIED"}]
    assert [run["executionId"] for run in report["history"]] == [f"run {number}" for number in range(20)]
    assert report["history"][0]["sourceBucket"] == SOURCE
    assert report["history"][0]["successfulBuckets"] == ["b"]
    assert "expiresAt" not in report["history"][0]


def test_a_file_without_a_record_is_not_found() -> None:
    with pytest.raises(NotFoundError, match=f"there is no record of s3://{SOURCE}/{KEY}"):
        file_report(Stored(), _FILE)


def test_lists_are_lists_and_the_tables_own_fields_are_left_out() -> None:
    item = record(1, destinationBuckets='["a"]', failedBuckets="[]", statusPartition="FAILED", sequencer="00")
    [shown] = list_records(Stored(item), None, 1, None).items
    assert shown.wire() == record(1, destinationBuckets=["a"], failedBuckets=[])


@pytest.mark.parametrize(
    ("text", "valid"),
    [
        (position_of(record(1)), True),
        (position_of(record(1, fileKey="a|b\nc")), True),
        ("", False),
        ("||", False),
        ("2026-03-01T12:00:00.000Z|bucket|", False),
        ("2026-03-01T12:00:00.000Z||key", False),
        ("yesterday|bucket|key", False),
    ],
)
def test_positions_have_a_form(text: str, valid: bool) -> None:
    assert is_position(text) is valid
