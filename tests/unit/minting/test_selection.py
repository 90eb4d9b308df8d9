"""What a request to the workflow is about."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from waybill.minting.domain.selection import Listed, Named, Written, parse_selection
from waybill.minting.errors import InvalidRequestError

NOON = datetime(2026, 2, 10, 12, tzinfo=UTC)


def documents(**more: Any) -> dict[str, Any]:
    return {"mode": "documents", **more}


@pytest.mark.parametrize(
    ("payload", "selection"),
    [
        ({"sourceIdentifiers": ["a"], "predecessors": {}}, Listed()),
        ({}, Listed()),
        ({"identifiersUri": "s3://b/k"}, Named("s3://b/k")),
        (documents(full=True), Written()),
        (documents(window={"endTime": "2026-02-10T12:00:00Z"}), Written(NOON - timedelta(minutes=15), NOON)),
        (documents(window={"endTime": "2026-02-10T12:00:00"}), Written(NOON - timedelta(minutes=15), NOON)),
        (
            documents(window={"startTime": "2026-02-10T13:00:00+02:00", "endTime": "2026-02-10T12:00:00Z"}),
            Written(NOON - timedelta(hours=1), NOON),
        ),
        (documents(window={"endTime": "0001-01-01T00:00:00Z"}), Written(None, datetime(1, 1, 1, tzinfo=UTC))),
        (
            documents(window={"startTime": "2026-02-10T12:00:00Z", "endTime": "2026-02-10T12:00:00Z"}),
            Written(NOON, NOON),
        ),
    ],
)
def test_selections(payload: dict[str, Any], selection: object) -> None:
    assert parse_selection(payload) == selection


@pytest.mark.parametrize(
    ("payload", "message"),
    [
        ({"sourceIdentifiers": ["a"], "identifiersUri": "u"}, "identifiersUri cannot go with sourceIdentifiers"),
        (documents(sourceIdentifiers=["a"], window={}), "window cannot go with sourceIdentifiers"),
        (documents(window={}, full=True), "full cannot go with window"),
        ({"identifiersUri": "u", "predecessors": {"a": "b"}}, "identifiersUri cannot go with predecessors"),
        ({"identifiersUri": 5}, "identifiersUri must be a string"),
        ({"identifiersUri": "s3://b/\ud800"}, "identifiersUri contains half a surrogate pair"),
        ({"sourceIdentifiers": ["a"], "earlier": {}}, "earlier is for the workflow's own repetitions"),
        ({"full": True}, "full is for the mode documents"),
        ({"window": {"endTime": "2026-02-10T12:00:00Z"}}, "window is for the mode documents"),
        (documents(full=False), "full must be true"),
        (documents(full="true"), "full must be true"),
        (documents(full=1), "full must be true"),
        (documents(window=None), "window must be an object of startTime and endTime"),
        (documents(window={"end": "2026-02-10T12:00:00Z"}), "window must be an object of startTime and endTime"),
        (documents(window={}), "window needs endTime"),
        (documents(window={"startTime": "2026-02-10T12:00:00Z"}), "window needs endTime"),
        (documents(window={"endTime": "yesterday"}), "endTime must be a time"),
        (documents(window={"endTime": "0001-01-01T00:00:00+01:00"}), "endTime must be a time"),
        (documents(window={"endTime": 5}), "endTime must be a time"),
        (
            documents(window={"startTime": "2026-02-10T12:00:01Z", "endTime": "2026-02-10T12:00:00Z"}),
            "startTime must not be after endTime",
        ),
    ],
)
def test_broken_rules(payload: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidRequestError, match=message):
        parse_selection(payload)


def test_a_window_begins_with_its_start_and_ends_before_its_end() -> None:
    window = Written(NOON, NOON + timedelta(minutes=1))
    assert [window.holds(NOON + timedelta(seconds=each)) for each in (-1, 0, 59, 60)] == [False, True, True, False]
    assert Written().holds(NOON)
