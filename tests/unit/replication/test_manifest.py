"""Manifests of S3 Batch Operations and of S3 Inventory.

Sources: Amazon S3 user guide, "Specifying a manifest" and "Amazon S3 Inventory list".
"""

import json
from typing import Any
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from waybill.core.errors import InvalidInputError
from waybill.replication.domain.backfill_job import Entry
from waybill.replication.domain.key_filter import KeyFilter
from waybill.replication.domain.manifest import entries_of, inventory_of

SOURCE = "global-builds"
INVENTORY = {
    "sourceBucket": SOURCE,
    "destinationBucket": "arn:aws:s3:::inventories",
    "fileFormat": "CSV",
    "fileSchema": "Bucket, Key, VersionId, IsLatest, IsDeleteMarker, Size",
    "files": [{"key": "data/1.csv.gz", "size": 3, "MD5checksum": "abc"}],
}


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40), st.sampled_from([quote, quote_plus]))
def test_every_key_is_read_as_it_was_encoded(key: str, encode: Any) -> None:
    (entry,) = entries_of([f"{SOURCE},{encode(key)}\r\n"], SOURCE)
    assert entry == Entry(key=key)


def test_versions_quotes_blank_lines_and_a_byte_order_mark() -> None:
    lines = [f"\ufeff{SOURCE},a,v1\n", "\n", f'"{SOURCE}","b%2Cc"\n', f"{SOURCE},d,"]
    assert list(entries_of(lines, SOURCE)) == [Entry(key="a", version_id="v1"), Entry(key="b,c"), Entry(key="d")]


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("nonsense", "line 2: has 1 fields, not bucket,key or bucket,key,versionId"),
        (f"{SOURCE},a,v,more", "line 2: has 4 fields, not bucket,key or bucket,key,versionId"),
        (f"{SOURCE},", "line 2: names no key"),
        (f"{SOURCE},100%", "line 2: has a key that is not URL-encoded"),
        (f"{SOURCE},%ff", "line 2: has a key that is not UTF-8"),
        (f"{SOURCE},\udcff", "line 2: has a key that is not UTF-8"),
        (f'{SOURCE},"a', "line 2: is no line of CSV"),
        (f"{SOURCE},{'a' * 1025}", "line 2: has a key of 1025 bytes, which is over 1024"),
    ],
)
def test_a_broken_line_is_named_and_the_others_are_read(line: str, problem: str) -> None:
    first, broken, last = entries_of([f"{SOURCE},a\n", f"{line}\n", f"{SOURCE},z\n"], SOURCE)
    assert (first.key, last.key, first.problem, last.problem) == ("a", "z", None, None)
    assert broken.problem == problem
    assert len(broken.key) <= 1024
    assert broken.key.encode()


def test_a_line_of_another_bucket_is_a_mistake_of_the_whole() -> None:
    with pytest.raises(InvalidInputError) as refused:
        list(entries_of([f"{SOURCE},a", "other-builds,b"], SOURCE))
    assert [error.message for error in refused.value.errors] == [
        "line 2 is of bucket other-builds, not of global-builds"
    ]


def test_an_inventory_is_about_what_is_current() -> None:
    inventory = inventory_of(json.dumps(INVENTORY), SOURCE)
    assert (inventory.bucket, inventory.files) == ("inventories", (("data/1.csv.gz", "abc"),))
    rows = [
        f'"{SOURCE}","a+b","v2","true","false","3"',
        f'"{SOURCE}","a+b","v1","false","false","3"',
        f'"{SOURCE}","gone","v3","true","true",""',
        f'"{SOURCE}","short"',
    ]
    found = list(entries_of(rows, SOURCE, inventory.columns))
    assert found[0] == Entry(key="a b")
    assert [entry.problem for entry in found[1:]] == ["line 4: has 2 fields, not 6"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("nonsense", "is no manifest of S3 Inventory"),
        ("[]", "is no manifest of S3 Inventory"),
        ("{}", "is no manifest of S3 Inventory"),
        (json.dumps(INVENTORY | {"fileFormat": "ORC"}), "is an inventory in the format ORC: only CSV is read"),
        (json.dumps(INVENTORY | {"sourceBucket": "others"}), "is an inventory of others, not of global-builds"),
    ],
)
def test_what_is_no_inventory_of_this_bucket_is_refused(text: str, message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        inventory_of(text, SOURCE)


# Python library reference, "fnmatch": the patterns of a shell, where a slash is a character like any other.
@pytest.mark.parametrize(
    ("include", "exclude", "accepted"),
    [
        ((), (), ["a.zip", "a/b.ZIP", "a/b.zip", "x\ny.zip"]),
        (("*.zip",), (), ["a.zip", "a/b.zip", "x\ny.zip"]),
        (("a/*", "x*"), (), ["a/b.ZIP", "a/b.zip", "x\ny.zip"]),
        ((), ("a/*",), ["a.zip", "x\ny.zip"]),
        (("*.zip",), ("?/*",), ["a.zip", "x\ny.zip"]),
        (("[ab].zip",), (), ["a.zip"]),
    ],
)
def test_patterns_say_which_keys_are_meant(
    include: tuple[str, ...], exclude: tuple[str, ...], accepted: list[str]
) -> None:
    keys = KeyFilter(include, exclude)
    assert [key for key in ("a.zip", "a/b.ZIP", "a/b.zip", "x\ny.zip") if keys.accepts(key)] == accepted
