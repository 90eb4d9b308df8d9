"""Time as others write it."""

import pytest

from waybill.core.clock import iso, moment_of


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("2026-02-10T12:00:00Z", "2026-02-10T12:00:00.000Z"),
        ("2026-02-10T12:00:00", "2026-02-10T12:00:00.000Z"),
        ("2026-02-10T13:30:00.5+01:30", "2026-02-10T12:00:00.500Z"),
        ("2026-02-10", "2026-02-10T00:00:00.000Z"),
    ],
)
def test_what_names_a_time(text: str, read: str) -> None:
    moment = moment_of(text)
    assert moment is not None
    assert iso(moment) == read


@pytest.mark.parametrize("text", [None, 5, "", "yesterday", "0001-01-01T00:00:00+01:00", "9999-12-31T23:59:59-01:00"])
def test_what_names_none(text: object) -> None:
    assert moment_of(text) is None
