"""The registry as readers see it."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol

from waybill.core.errors import FieldError, GoneError, InvalidInputError, NotFoundError
from waybill.minting.domain.canonical_ids import folded, is_canonical_id
from waybill.minting.domain.lifecycle import Lives
from waybill.minting.domain.source_ids import examine, trimmed
from waybill.minting.errors import InvalidIdentifierError
from waybill.minting.models import Assignment, Life, LifeStatus, SourceId


class Assignments(Protocol):
    """Read access to the registry: a source's assignment, and the aliases of a canonical ID, oldest first."""

    def assignment(self, source: SourceId) -> Assignment | None: ...  # noqa: D102 - as the class says

    def aliases(self, canonical_id: str) -> Sequence[Assignment]: ...  # noqa: D102


@dataclass(frozen=True)
class Destination:
    """Where an identifier leads: an address, relative to the resolver's own for a successor (`permanent`)."""

    location: str
    permanent: bool


@dataclass(frozen=True)
class IdentifierMapping:
    """A canonical ID with its life, what was asked for, and where wanted all its sources, the original first.

    A reserved ID has no assignment yet.
    """

    life: Life
    assignment: Assignment | None
    siblings: tuple[Assignment, ...] | None = None

    @property
    def entity_tag(self) -> str:
        """The weak ETag (RFC 9110, 8.8.3): how many sources it shows, when the newest came, what changed since."""
        shown = self.siblings or ((self.assignment,) if self.assignment else ())
        newest = max([each.created_at for each in shown], default=self.life.created_at)
        return f'W/"{len(shown)}-{newest}-{len(self.life.events)}"'


@dataclass(frozen=True)
class Lookup:
    """Answers questions about the registry."""

    assignments: Assignments
    lives: Lives

    def canonical_id(self, canonical_id: str) -> IdentifierMapping:
        """Return the mapping of a canonical ID: its original source, with all of its sources.

        Raises
        ------
        NotFoundError
            It was never given away.
        """
        life = self.lives.life(canonical_id)
        if life is None:
            raise NotFoundError(f"there is no canonical ID {canonical_id}")
        original = self.assignments.assignment(life.owner) if life.owner else None
        return IdentifierMapping(life, original, self._everyone(original) if original else ())

    def anything(self, text: str, field: str) -> IdentifierMapping:
        """Return the mapping of a canonical ID, or of a source; who has the ID where a text may be either.

        What is no ID until its hyphens or blanks are left out may be a source: that is looked for first.

        Raises
        ------
        InvalidInputError, NotFoundError
            As `source`.
        """
        canonical_id, typed = folded(text), text.strip().lower()
        if not is_canonical_id(canonical_id):
            return self.source(text, field, siblings=True)
        if canonical_id != typed:
            with suppress(NotFoundError, InvalidInputError):
                return self.source(text, field, siblings=True)
        if self.lives.life(canonical_id):
            return self.canonical_id(canonical_id)
        return self.source(text, field, siblings=True)

    def source(self, text: str, field: str, *, siblings: bool = False) -> IdentifierMapping:
        """Return the mapping of a source as a request writes it; with `siblings`, all sources of its canonical ID.

        Raises
        ------
        InvalidInputError
            It cannot be a source identifier; names `field`.
        NotFoundError
            It has no canonical ID.
        """
        if not trimmed(text):
            raise InvalidInputError(FieldError(field, "must not be empty"))
        try:
            examined = examine(text)
        except InvalidIdentifierError as error:
            raise InvalidInputError(FieldError(field, str(error))) from None
        found = self.assignments.assignment(examined.source)
        if found is None and examined.fault:
            raise InvalidInputError(FieldError(field, examined.fault))
        life = self.lives.life(found.canonical_id) if found else None
        if found is None or life is None:
            raise NotFoundError(f"{examined.source} has no canonical ID")
        original = self.assignments.assignment(life.owner) if siblings and life.owner else None
        return IdentifierMapping(life, found, self._everyone(original) if original else None)

    def resolve(self, canonical_id: str, template: str) -> Destination:
        """Return where a canonical ID leads; an empty `template` leads nowhere.

        Raises
        ------
        NotFoundError
            It was never given away, is only reserved, or the resolver is off.
        GoneError
            It has been withdrawn.
        """
        canonical_id = folded(canonical_id)
        life = self.lives.life(canonical_id) if template and is_canonical_id(canonical_id) else None
        if life is None or life.status is LifeStatus.RESERVED:
            raise NotFoundError("there is no such identifier here")
        if life.status is LifeStatus.WITHDRAWN:
            raise GoneError(f"{canonical_id} has been withdrawn: {life.reason}")
        if life.replaced_by:
            return Destination(life.replaced_by, permanent=True)
        return Destination(template.replace("{canonicalId}", canonical_id), permanent=False)

    def _everyone(self, original: Assignment) -> tuple[Assignment, ...]:
        return (original, *self.assignments.aliases(original.canonical_id))
