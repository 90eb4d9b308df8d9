"""The chain of audit entries: whatever is changed in it is found, where it was changed."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from waybill.subject_access.domain.audit import Action, AuditEntry, first_break, link

ABOUT = "SAR#request-1"


def chain(length: int, about: str = ABOUT) -> list[AuditEntry]:
    entries: list[AuditEntry] = []
    for number in range(1, length + 1):
        action = Action("alice", f"ACTION_{number}", {"generation": number, "nothing": None})
        entries.append(link(about, number, f"2026-11-02T09:00:0{number % 10}.000Z", action, _head(entries)))
    return entries


def _head(entries: list[AuditEntry]) -> str:
    return entries[-1].hash if entries else ""


@pytest.mark.parametrize("length", [0, 1, 2, 10])
def test_a_chain_holds(length: int) -> None:
    entries = chain(length)
    assert first_break(ABOUT, entries, length, _head(entries)) is None


@given(st.integers(1, 6), st.data())
def test_an_entry_that_is_altered_breaks_the_chain_there(length: int, data: st.DataObject) -> None:
    entries = chain(length)
    number = data.draw(st.integers(1, length))
    field, value = data.draw(
        st.sampled_from(
            [
                ("actor", "mallory"),
                ("action", "NOTHING"),
                ("at", "2026-11-02T10:00:00.000Z"),
                ("detail", {"generation": 99}),
                ("detail", {}),
                ("hash", "0" * 64),
                ("previous", "0" * 64),
            ]
        )
    )
    altered = [replace(each, **{field: value}) if each.number == number else each for each in entries]
    found = first_break(ABOUT, altered, length, entries[-1].hash)
    assert found is not None
    assert found.number == number


@given(st.integers(1, 6), st.data())
def test_an_entry_that_is_removed_is_missed(length: int, data: st.DataObject) -> None:
    entries = chain(length)
    number = data.draw(st.integers(1, length))
    left = [each for each in entries if each.number != number]
    found = first_break(ABOUT, left, length, entries[-1].hash)
    assert found is not None
    assert found.number == number


@pytest.mark.parametrize(
    "tamper",
    [
        lambda entries: [*entries, entries[-1]],
        lambda entries: [entries[1], entries[0], *entries[2:]],
        lambda entries: chain(3, about="SAR#request-2"),
        lambda entries: chain(4),
    ],
)
def test_entries_that_are_added_swapped_or_of_another_chain_are_found(tamper: Any) -> None:
    entries = chain(3)
    assert first_break(ABOUT, tamper(list(entries)), 3, entries[-1].hash) is not None


def test_a_chain_that_was_written_anew_does_not_end_as_it_should() -> None:
    entries = chain(3)
    forged: list[AuditEntry] = []
    for each in entries:
        action = Action("mallory", each.action, each.detail)
        forged.append(link(ABOUT, each.number, each.at, action, _head(forged)))
    found = first_break(ABOUT, forged, 3, entries[-1].hash)
    assert found is not None
    assert found.number == 3
