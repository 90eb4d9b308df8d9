"""The registry's invariants."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from waybill.minting.domain.audit import audit, confirmed

OLD, NEW = "S#Work#sierra#b1", "S#Work#folio#f1"


def forward(key: str, canonical_id: str, **more: Any) -> dict[str, Any]:
    return {"pk": key, "canonicalId": canonical_id, **more}


def reverse(canonical_id: str, owner: str) -> dict[str, Any]:
    return {"pk": f"C#{canonical_id}", "owner": owner}


SOUND = [forward(OLD, "aaaaaaaa"), reverse("aaaaaaaa", OLD), forward(NEW, "aaaaaaaa", predecessor=OLD)]


def test_a_sound_registry() -> None:
    found = audit(SOUND)
    assert (found.forward, found.reverse, found.violations) == (2, 1, ())


@pytest.mark.parametrize(
    ("items", "subject", "problem"),
    [
        ([forward(OLD, "aaaaaaaa")], "Work[sierra/b1]", "has canonical ID aaaaaaaa, which has no reverse item"),
        ([reverse("aaaaaaaa", OLD)], "aaaaaaaa", "belongs to Work[sierra/b1], whose canonical ID is missing"),
        (
            [*SOUND[:2], forward(NEW, "aaaaaaaa")],
            "Work[folio/f1]",
            "has canonical ID aaaaaaaa, which belongs to Work[sierra/b1]",
        ),
        (
            [forward(OLD, "bbbbbbbb"), reverse("aaaaaaaa", OLD), reverse("bbbbbbbb", OLD)],
            "aaaaaaaa",
            "belongs to Work[sierra/b1], whose canonical ID is bbbbbbbb",
        ),
        (
            [*SOUND, forward("S#Work#x#1", "aaaaaaaa", predecessor="S#Work#gone#1")],
            "Work[x/1]",
            "inherited aaaaaaaa from Work[gone/1], which does not have it",
        ),
        ([*SOUND, {"pk": "X#1"}], "X#1", "is neither a source nor a canonical ID"),
        ([*SOUND, {"pk": "S#only#two"}], "S#only#two", "is malformed"),
        ([*SOUND, {"pk": "C#cccccccc"}], "C#cccccccc", "is malformed"),
        ([*SOUND, SOUND[0]], "Work[sierra/b1]", "comes twice"),
        ([forward(OLD, "0000"), reverse("0000", OLD)], "Work[sierra/b1]", "has 0000, which is no canonical ID"),
    ],
)
def test_violations(items: list[dict[str, Any]], subject: str, problem: str) -> None:
    violations = audit(items).violations
    assert [each for each in violations if each.subject == subject and each.problem.startswith(problem)], violations


def reading(items: list[dict[str, Any]]):
    stored = {item["pk"]: item for item in items}
    return lambda keys: [stored[key] for key in keys if key in stored]


@given(st.sets(st.integers(0, 2)))
def test_what_a_scan_has_missed_is_no_violation(seen: set[int]) -> None:
    found = confirmed(audit([SOUND[index] for index in sorted(seen)]), reading(SOUND))
    assert found.violations == ()


@given(st.sets(st.integers(0, 3)))
def test_what_is_wrong_stands_whatever_else_a_scan_has_missed(seen: set[int]) -> None:
    stored = [*SOUND, forward("S#Work#lost#1", "bbbbbbbb")]
    found = confirmed(audit([stored[index] for index in sorted(seen)]), reading(stored))
    expected = [("Work[lost/1]", "has canonical ID bbbbbbbb, which has no reverse item")] if 3 in seen else []
    assert [(each.subject, each.problem) for each in found.violations] == expected


def test_what_has_gone_since_is_no_violation() -> None:
    assert confirmed(audit([forward(OLD, "aaaaaaaa")]), reading([])).violations == ()
