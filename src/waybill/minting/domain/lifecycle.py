"""The life of a canonical ID: reserved before its record exists, assigned, replaced by another one, withdrawn.

Nothing is deleted, used again or written over: what changes is a further event. An event is written together with the
conditions that it rests on, so that of two changes at once one is done and the other is told of it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from waybill.core.clock import iso, now
from waybill.core.errors import ConflictError, FieldError, InvalidInputError, NotFoundError
from waybill.minting.models import Life, LifeEvent, LifeStatus

# A transaction has 100 actions (DynamoDB developer guide), two per ID and one for the key.
RESERVE_LIMIT = 45
TEXT_LIMIT = 500
_CHAIN_LIMIT = 40
_DRAWS = 8


class Reservations(Protocol):
    """Keeps reserved canonical IDs."""

    def reserve(self, canonical_ids: Sequence[str], purpose: str, *, at: str, by: str | None, key: str | None) -> bool:
        """Reserve all of them or, where one is taken, none; return whether they are. Raises `KeyTakenError`."""
        ...


class Lives(Protocol):
    """Knows the lives of canonical IDs."""

    def life(self, canonical_id: str) -> Life | None:
        """Return the life of a canonical ID; None for one that was never given away."""
        ...

    def record(self, event: LifeEvent, unchanged: Sequence[Life]) -> bool:
        """Write the event unless it is there or one of `unchanged` has changed; return whether it was written."""
        ...


class KeyTakenError(Exception):
    """An earlier request had this idempotency key: the IDs that it has got, and for what."""

    def __init__(self, canonical_ids: Sequence[str], purpose: str) -> None:
        super().__init__("the key is taken")
        self.canonical_ids = tuple(canonical_ids)
        self.purpose = purpose


def reserve(
    reservations: Reservations,
    draw: Callable[[], str],
    count: int,
    purpose: str,
    *,
    by: str | None = None,
    key: str | None = None,
) -> tuple[str, ...]:
    """Return `count` new canonical IDs that nobody else gets; the same `key` again is the same IDs again.

    Raises
    ------
    InvalidInputError
        Count or purpose are wrong; names them.
    ConflictError
        The key was used for something else.
    """
    if not 0 < count <= RESERVE_LIMIT:
        raise InvalidInputError(FieldError("count", f"must be from 1 to {RESERVE_LIMIT}"))
    checked = _text(purpose, "purpose")
    for _ in range(_DRAWS):
        drawn: dict[str, None] = {}
        while len(drawn) < count:
            drawn[draw()] = None
        try:
            if reservations.reserve(list(drawn), checked, at=iso(now()), by=by, key=key):
                return tuple(drawn)
        except KeyTakenError as taken:
            if (len(taken.canonical_ids), taken.purpose) != (count, checked):
                raise ConflictError("the idempotency key was used for another reservation") from None
            return taken.canonical_ids
    raise ConflictError(f"{_DRAWS} times one of {count} random IDs was taken")


@dataclass(frozen=True)
class IdentifierLives:
    """Changes the lives of canonical IDs."""

    lives: Lives

    def replace(self, canonical_id: str, successor: str, reason: str, by: str | None = None) -> Life:
        """Let the record of `successor` stand in place of this one; the same again changes nothing.

        Raises
        ------
        NotFoundError
            One of the two was never given away.
        ConflictError
            One of them has been withdrawn, this one has another successor, or they would lead in a circle.
        """
        if canonical_id == successor:
            raise InvalidInputError(FieldError("by", "is the identifier itself"))
        old, checked = self._known(canonical_id), _text(reason, "reason")
        if (old.status, old.replaced_by, old.reason) == (LifeStatus.REPLACED, successor, checked):
            return old
        _still_open(old)
        chain = self._chain(self._known(successor))
        if chain[-1].status is LifeStatus.WITHDRAWN:
            raise ConflictError(f"{chain[-1].canonical_id} has been withdrawn")
        if canonical_id in {each.canonical_id for each in chain}:
            raise ConflictError(f"{successor} is itself replaced by {canonical_id}")
        return self._recorded(old, LifeStatus.REPLACED, checked, chain, by, successor)

    def withdraw(self, canonical_id: str, reason: str, by: str | None = None) -> Life:
        """Take an ID back, and leave its tombstone; the same again changes nothing.

        Raises
        ------
        NotFoundError
            It was never given away.
        ConflictError
            It has been withdrawn for another reason.
        """
        old, checked = self._known(canonical_id), _text(reason, "reason")
        if (old.status, old.reason) == (LifeStatus.WITHDRAWN, checked):
            return old
        if old.status is LifeStatus.WITHDRAWN:
            _still_open(old)
        return self._recorded(old, LifeStatus.WITHDRAWN, checked, (), by)

    def _known(self, canonical_id: str) -> Life:
        life = self.lives.life(canonical_id)
        if life is None:
            raise NotFoundError(f"there is no canonical ID {canonical_id}")
        return life

    def _chain(self, first: Life) -> list[Life]:
        """Return the life and those that it leads to."""
        chain = [first]
        while (following := chain[-1].replaced_by) is not None:
            if len(chain) == _CHAIN_LIMIT:
                raise ConflictError(f"more than {_CHAIN_LIMIT} replacements lead on from {first.canonical_id}")
            chain.append(self._known(following))
        return chain

    def _recorded(
        self,
        old: Life,
        status: LifeStatus,
        reason: str,
        unchanged: Sequence[Life],
        by: str | None,
        successor: str | None = None,
    ) -> Life:
        event = LifeEvent(old.canonical_id, len(old.events) + 1, status, reason, iso(now()), successor, by)
        written = self.lives.record(event, unchanged)
        current = self._known(old.canonical_id)
        if written:
            return current
        _still_open(current)
        raise ConflictError("somebody else has changed one of the identifiers just now: look, and try again")


def _still_open(life: Life) -> None:
    """Raise `ConflictError` where the life has come to its end, or somebody has said how it goes on."""
    if life.status is LifeStatus.WITHDRAWN:
        raise ConflictError(f"{life.canonical_id} has been withdrawn: {life.reason}")
    if life.status is LifeStatus.REPLACED:
        raise ConflictError(f"{life.canonical_id} is replaced by {life.replaced_by} already: {life.reason}")


def _text(given: str, field: str) -> str:
    text = given.strip()
    if not text:
        raise InvalidInputError(FieldError(field, "must not be empty"))
    if len(text) > TEXT_LIMIT or not text.isprintable():
        raise InvalidInputError(FieldError(field, f"must be one line of at most {TEXT_LIMIT} printable characters"))
    return text
