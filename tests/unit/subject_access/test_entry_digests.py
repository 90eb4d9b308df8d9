"""What a request says is what its trail seals: whatever is changed beside the trail is found, by its name.

NIST SP 800-92: a log proves something only against what its writer cannot rewrite.
"""

from collections.abc import Mapping
from typing import Any

import pytest

from waybill.subject_access.domain.audit import Action, AuditEntry, ChainBreak, link
from waybill.subject_access.domain.entry_digests import part_digest, part_name, statements, unlike

FIRST = {"seal_salt": "salt", "received": "2026-11-02", "holds": [], "extended": False, "services": {"G1": {"rank": 0}}}
HELD = FIRST | {"holds": [{"since": "2026-11-03", "reason": "fee", "until": None, "note": None}]}
# As DynamoDB gives it back: without what is null.
STORED = HELD | {"holds": [{"since": "2026-11-03", "reason": "fee"}], "version": 9, "claim_expires_at": 5, "pk": "x"}
PART = {"service": "G1", "sha256": "a" * 64, "error_code": None}


def trail(*said: Mapping[str, str], last: str = "HELD") -> list[AuditEntry]:
    """A trail whose entries seal this."""
    entries: list[AuditEntry] = []
    for number, each in enumerate(said, 1):
        previous = entries[-1].hash if entries else ""
        action = Action("alice", last if number == len(said) else "CREATED", {})
        entries.append(link("SAR#request-1", number, "2026-11-02T09:00:00.000Z", action, previous, each))
    return entries


CREATED = statements({}, FIRST) | {part_name("G1"): part_digest("G1", PART, "salt")}
ENTRIES = trail(CREATED, statements(FIRST, HELD))


def test_what_lies_there_is_what_was_sealed() -> None:
    assert set(ENTRIES[1].says) == {"holds"}
    assert unlike(ENTRIES, STORED, {"G1": PART}) is None
    assert unlike(trail({}, {}), STORED, {}) is None, "entries from before seal nothing"


@pytest.mark.parametrize(
    ("changes", "number"),
    [
        ({"received": "2026-10-02"}, 1),
        ({"received": None}, 1),
        ({"holds": []}, 2),
        ({"holds": [{"since": "2026-11-03", "reason": "identity"}]}, 2),
        ({"services": {"G1": {"rank": 1}}}, 1),
        ({"extended": True}, 2),
        ({"approved_by": "mallory"}, 2),
        ({"seal_salt": "other"}, 1),
        ({"seal_salt": None}, 1),
    ],
)
def test_a_change_beside_the_trail_is_found(changes: dict[str, Any], number: int) -> None:
    found = unlike(ENTRIES, STORED | changes, {"G1": PART})
    assert found == ChainBreak(number, f"says something else than the request does: {next(iter(changes))}")


@pytest.mark.parametrize("parts", [{}, {"G1": PART | {"sha256": "b" * 64}}, {"G1": PART, "G2": PART}])
def test_a_part_that_was_changed_removed_or_added_is_found(parts: dict[str, Any]) -> None:
    assert unlike(ENTRIES, STORED, parts) is not None


def test_an_archived_request_is_sealed_anew_without_the_salt_of_its_names() -> None:
    """UK GDPR Article 5(1)(e): who has the salt could try names until one has the digest."""
    left = FIRST | {"state": "Archived", "seal_salt": "another"}
    archived = trail(CREATED, statements(FIRST, left), last="ARCHIVED")
    # Its parts are on their way out.
    for parts in ({"G1": PART}, {}):
        assert unlike(archived, left, parts) is None
    assert unlike(archived, left | {"received": "2026-10-02"}, {}) is not None


def test_a_request_goes_only_where_its_trail_says_so() -> None:
    assert unlike(trail(CREATED, {}, last="DELETED"), None, {}) is None
    found = unlike(ENTRIES, None, {})
    assert found is not None
    assert "not there" in found.problem


def test_what_was_sealed_is_not_sealed_anew() -> None:
    again = FIRST | {"seal_salt": "new", "received": "2026-10-02"}
    found = unlike(trail(CREATED, statements({**FIRST, "seal_salt": ""}, again)), again, {})
    assert found is not None
    assert (found.number, "anew" in found.problem) == (2, True)


def test_what_is_no_longer_said_is_sealed_as_such() -> None:
    ended = trail(CREATED, statements(FIRST, HELD), statements(HELD, FIRST))
    assert ended[2].says == {"holds": ""}
    assert unlike(ended, FIRST, {"G1": PART}) is None
    assert unlike(ended, STORED, {"G1": PART}) is not None


def test_nothing_is_sealed_that_could_be_guessed_once_the_salt_is_gone() -> None:
    assert statements({}, FIRST)["received"] != statements({}, FIRST | {"seal_salt": "other"})["received"]
    assert "2026-11-02" not in repr(CREATED)
