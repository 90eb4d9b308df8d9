"""The registry's invariants."""

from typing import Any

import pytest

from waybill.minting.auditing import audit

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
