"""Which requests are the same run: those with equal execution names."""

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes.runs import DESTINATIONS, KEY, SOURCE
from waybill.replication.domain.run_identity import execution_name_of
from waybill.replication.models import ReplicationRequest

_KEYS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=200)
_BUCKETS = st.lists(st.from_regex(r"[a-z][a-z0-9-]{2,20}", fullmatch=True), min_size=1, max_size=6, unique=True)


def request(**changes: Any) -> ReplicationRequest:
    fields = {"source_bucket": SOURCE, "source_key": KEY, "destination_buckets": DESTINATIONS, **changes}
    return ReplicationRequest(**fields)


@given(_KEYS, _BUCKETS, st.data())
def test_names_are_names_whatever_the_key(key: str, buckets: list[str], data: st.DataObject) -> None:
    name = execution_name_of(request(source_key=key, destination_buckets=buckets))
    assert re.fullmatch(r"[A-Za-z0-9_-]{32,80}", name)
    shuffled = data.draw(st.permutations(buckets))
    assert execution_name_of(request(source_key=key, destination_buckets=shuffled)) == name


@given(_KEYS, _KEYS)
def test_two_keys_share_a_name_only_when_they_are_equal(first: str, second: str) -> None:
    same = execution_name_of(request(source_key=first)) == execution_name_of(request(source_key=second))
    assert same is (first == second)


def test_the_longest_key_has_a_valid_name() -> None:
    assert len(execution_name_of(request(source_key="x" * 1024))) == 80


@pytest.mark.parametrize(
    "changes",
    [
        {"source_bucket": "other"},
        {"source_key": "other.zip"},
        {"source_key": f"folder/{KEY}"},
        {"destination_buckets": DESTINATIONS[:1]},
        {"destination_buckets": (*DESTINATIONS, "third")},
        {"destination_prefix": "copies/"},
        {"version_id": "v2"},
        {"sequencer": "02"},
        {"nonce": "again"},
    ],
)
def test_what_makes_another_run(changes: dict[str, Any]) -> None:
    event = {"version_id": None, "sequencer": "01"}
    assert execution_name_of(request(**{**event, **changes})) != execution_name_of(request(**event))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param({"sequencer": "AB"}, {"sequencer": "ab00"}, id="the same sequencer, written otherwise"),
        pytest.param({"sequencer": "AB", "size": 3}, {"sequencer": "AB", "size": None}, id="size says nothing"),
        pytest.param({"version_id": "v1", "sequencer": "1"}, {"version_id": "v1", "sequencer": "2"}, id="version wins"),
        pytest.param({"sequencer": "1", "e_tag": "a"}, {"sequencer": "1", "e_tag": "b"}, id="sequencer before ETag"),
        pytest.param({"e_tag": '"a"'}, {"e_tag": "a"}, id="quotes of the ETag"),
        pytest.param({"version_id": "null", "e_tag": "a"}, {"e_tag": "a"}, id="no version"),
    ],
)
def test_what_makes_no_other_run(one: dict[str, Any], other: dict[str, Any]) -> None:
    assert execution_name_of(request(**one)) == execution_name_of(request(**other))


def test_a_manual_run_is_about_the_state_that_was_seen() -> None:
    assert execution_name_of(request(), "state 1") != execution_name_of(request(), "state 2")
    assert execution_name_of(request(), "state 1") == execution_name_of(request(), "state 1")
    pinned = request(version_id="v1")
    assert execution_name_of(pinned, "state 1") == execution_name_of(pinned, "state 2")


def test_the_name_begins_with_the_file() -> None:
    assert execution_name_of(request(source_key="builds/2026/my file.zip")).startswith("my-file-zip-")
