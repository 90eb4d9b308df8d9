"""Files in groups: small ones together, each group small enough to travel."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from waybill.consignments.domain.intake import GROUP_FILES, GROUP_OBJECT_BYTES, GROUP_STATE_BYTES, groups, record_of
from waybill.consignments.models import Consignment, ConsignmentType, RegisteredFile, StoredObject

CONSIGNMENT = Consignment(
    "0f8fad5b-d9cb-469f-a165-70867728950e", ConsignmentType.STANDARD, "R", "B", "alice", 1, "Registered", "now"
)


def record(number: int, size: int, path: str = "a") -> dict[str, Any]:
    file = RegisteredFile(f"id-{number}", path, size, "0" * 64)
    stored = StoredObject(file.file_id, size, '"tag"', "version")
    return record_of(CONSIGNMENT, file, stored, "uploads", "alice/c/")


FILES = st.lists(
    st.tuples(
        st.sampled_from([0, 1, 1000, 10_000_000, 63_999_999, 64_000_000, 64_000_001, 10**10]), st.text(max_size=40)
    ),
    max_size=250,
)


@given(FILES)
def test_every_file_is_in_one_group_and_every_group_is_small(files: list[tuple[int, str]]) -> None:
    records = [record(number, size, path) for number, (size, path) in enumerate(files)]
    made = list(groups(records))
    assert [each for group in made for each in group] == records
    for group in made:
        assert 1 <= len(group) <= GROUP_FILES
        assert len(group) == 1 or sum(each["objectSize"] for each in group) <= GROUP_OBJECT_BYTES
        assert len(group) == 1 or len(json.dumps(group)) <= GROUP_STATE_BYTES + 2 * len(group) + 2


def test_groups_may_be_of_other_sizes() -> None:
    records = [record(number, 60) for number in range(5)]
    assert [len(group) for group in groups(records, 120)] == [2, 2, 1]
    assert [len(group) for group in groups(records, 10)] == [1, 1, 1, 1, 1]


def test_the_longest_paths_travel_too() -> None:
    # 4,096 bytes of UTF-8 that are six characters each in JSON.
    records = [record(number, 1, "\u00e9" * 2048) for number in range(100)]
    made = list(groups(records))
    assert len(made) > 10
    assert max(len(json.dumps(group)) for group in made) < 100_000


def test_a_record_has_the_shape_of_the_reference() -> None:
    assert record(1, 1024, "folder/sub/file.docx") == {
        "consignmentId": CONSIGNMENT.consignment_id,
        "fileId": "id-1",
        "userId": "alice",
        "consignmentType": "standard",
        "fileSize": "1024",
        "clientChecksum": "0" * 64,
        "originalPath": "folder/sub/file.docx",
        "s3SourceBucket": "uploads",
        "s3SourceBucketKey": "alice/c/id-1",
        "fileCheckResults": {"antivirus": [], "checksum": [], "fileFormat": []},
        "objectSize": 1024,
        "eTag": '"tag"',
        "versionId": "version",
    }
