"""The life of a canonical ID. Rules: README of the ID minter."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import pytest

from waybill.core.errors import ConflictError, InvalidInputError, NotFoundError
from waybill.minting.domain.lifecycle import RESERVE_LIMIT, IdentifierLives, KeyTakenError, reserve
from waybill.minting.domain.source_ids import parse_source_id
from waybill.minting.models import Life, LifeEvent, LifeStatus

A, B, C = "aaaaaaaa", "bbbbbbbb", "cccccccc"


@dataclass
class MemoryLives:
    """`Lives` and `Reservations` in memory; `meanwhile` happens before the next write."""

    known: dict[str, Life] = field(default_factory=dict)
    keys: dict[str, tuple[Sequence[str], str]] = field(default_factory=dict)
    meanwhile: list = field(default_factory=list)

    def life(self, canonical_id: str) -> Life | None:
        return self.known.get(canonical_id)

    def record(self, event: LifeEvent, unchanged: Sequence[Life]) -> bool:
        if self.meanwhile:
            self.meanwhile.pop(0)()
        life = self.known[event.canonical_id]
        if event.number != len(life.events) + 1 or any(self.known[each.canonical_id] != each for each in unchanged):
            return False
        self.known[event.canonical_id] = replace(life, events=(*life.events, event))
        return True

    def reserve(self, canonical_ids, purpose, *, at, by, key) -> bool:
        if key in self.keys:
            raise KeyTakenError(*self.keys[key])
        if any(each in self.known for each in canonical_ids):
            return False
        self.known |= {each: Life(each, at, purpose=purpose) for each in canonical_ids}
        if key:
            self.keys[key] = (canonical_ids, purpose)
        return True


@pytest.fixture
def lives() -> MemoryLives:
    return MemoryLives({each: Life(each, "2026-01-01T00:00:00Z", parse_source_id(each)) for each in (A, B, C)})


def test_what_is_replaced_names_its_successor_and_keeps_its_source(lives: MemoryLives) -> None:
    life = IdentifierLives(lives).replace(A, B, " two records of one book ", by="alice")
    assert (life.status, life.replaced_by, life.reason) == (LifeStatus.REPLACED, B, "two records of one book")
    assert life.owner == parse_source_id(A)


def test_the_same_replacement_again_changes_nothing(lives: MemoryLives) -> None:
    first = IdentifierLives(lives).replace(A, B, "why")
    assert IdentifierLives(lives).replace(A, B, "why") == first


@pytest.mark.parametrize(("old", "new"), [(B, A), (C, A), (C, B)])
def test_there_are_no_circles(lives: MemoryLives, old: str, new: str) -> None:
    IdentifierLives(lives).replace(A, B, "why")
    IdentifierLives(lives).replace(B, C, "why") if old == C else None
    with pytest.raises(ConflictError, match="replaced by"):
        IdentifierLives(lives).replace(old, new, "back")
    assert lives.known[old].status is LifeStatus.ACTIVE


def test_a_circle_that_two_people_close_at_once_stays_open(lives: MemoryLives) -> None:
    lives.meanwhile = [lambda: IdentifierLives(lives).replace(B, A, "the other way")]
    with pytest.raises(ConflictError, match="somebody else"):
        IdentifierLives(lives).replace(A, B, "one way")
    assert (lives.known[A].status, lives.known[B].status) == (LifeStatus.ACTIVE, LifeStatus.REPLACED)


def test_of_two_who_replace_the_same_one_at_once_one_is_told_of_the_other(lives: MemoryLives) -> None:
    lives.meanwhile = [lambda: IdentifierLives(lives).replace(A, C, "first")]
    with pytest.raises(ConflictError, match=f"{A} is replaced by {C} already: first"):
        IdentifierLives(lives).replace(A, B, "second")
    assert lives.known[A].replaced_by == C


def test_nothing_is_replaced_by_itself_by_nothing_or_by_what_is_withdrawn(lives: MemoryLives) -> None:
    with pytest.raises(InvalidInputError, match="by: is the identifier itself"):
        IdentifierLives(lives).replace(A, A, "why")
    with pytest.raises(NotFoundError):
        IdentifierLives(lives).replace(A, "zzzzzzzz", "why")
    with pytest.raises(NotFoundError):
        IdentifierLives(lives).replace("zzzzzzzz", A, "why")
    IdentifierLives(lives).replace(B, C, "merged")
    IdentifierLives(lives).withdraw(C, "mistake")
    for successor in (B, C):
        with pytest.raises(ConflictError, match=f"{C} has been withdrawn"):
            IdentifierLives(lives).replace(A, successor, "why")


def test_a_tombstone_is_the_end(lives: MemoryLives) -> None:
    gone = IdentifierLives(lives).withdraw(A, "mistake")
    assert (gone.status, gone.reason) == (LifeStatus.WITHDRAWN, "mistake")
    assert IdentifierLives(lives).withdraw(A, "mistake") == gone
    with pytest.raises(ConflictError, match="has been withdrawn: mistake"):
        IdentifierLives(lives).withdraw(A, "another reason")
    with pytest.raises(ConflictError, match="has been withdrawn"):
        IdentifierLives(lives).replace(A, B, "why")


def test_what_is_replaced_may_be_withdrawn(lives: MemoryLives) -> None:
    IdentifierLives(lives).replace(A, B, "merged")
    assert IdentifierLives(lives).withdraw(A, "printed nowhere").status is LifeStatus.WITHDRAWN


@pytest.mark.parametrize("reason", ["", "  ", "two\nlines", "a\u202eb", "x" * 501])
def test_a_reason_is_a_line_for_people(lives: MemoryLives, reason: str) -> None:
    with pytest.raises(InvalidInputError, match="reason"):
        IdentifierLives(lives).withdraw(A, reason)
    with pytest.raises(InvalidInputError, match="reason"):
        IdentifierLives(lives).replace(A, B, reason)


def drawing(*ids: str):
    left = list(ids)
    return lambda: left.pop(0)


def test_reserved_ids_are_nobody_elses(lives: MemoryLives) -> None:
    assert reserve(lives, drawing(A, "dddddddd", "dddddddd", "eeeeeeee"), 2, "for later") == ("dddddddd", "eeeeeeee")
    assert lives.known["dddddddd"].status is LifeStatus.RESERVED
    assert lives.known["dddddddd"].purpose == "for later"


def test_the_same_key_is_answered_with_the_same_ids(lives: MemoryLives) -> None:
    first = reserve(lives, drawing("dddddddd"), 1, "for later", key="k")
    assert reserve(lives, drawing("eeeeeeee"), 1, "for later", key="k") == first
    with pytest.raises(ConflictError, match="key"):
        reserve(lives, drawing("eeeeeeee", "ffffffff"), 2, "for later", key="k")
    assert "eeeeeeee" not in lives.known


@pytest.mark.parametrize("count", [0, -1, RESERVE_LIMIT + 1])
def test_how_many_may_be_reserved(lives: MemoryLives, count: int) -> None:
    with pytest.raises(InvalidInputError, match="count"):
        reserve(lives, drawing(), count, "for later")


def test_a_reservation_needs_a_purpose(lives: MemoryLives) -> None:
    with pytest.raises(InvalidInputError, match="purpose"):
        reserve(lives, drawing(), 1, " ")
