"""The registry as readers see it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from waybill.core.errors import FieldError, InvalidInputError, NotFoundError
from waybill.minting.domain.source_ids import parse_source_id
from waybill.minting.errors import InvalidIdentifierError
from waybill.minting.models import Assignment, SourceId


class Assignments(Protocol):
    """Read access to the registry: who has a canonical ID, a source's assignment, and an ID's aliases, oldest first."""

    def owner(self, canonical_id: str) -> SourceId | None: ...  # noqa: D102 - as the class says

    def assignment(self, source: SourceId) -> Assignment | None: ...  # noqa: D102

    def aliases(self, canonical_id: str) -> Sequence[Assignment]: ...  # noqa: D102


@dataclass(frozen=True)
class IdentifierMapping:
    """What was asked for, and where wanted all sources of the same canonical ID, the original first."""

    assignment: Assignment
    siblings: tuple[Assignment, ...] | None = None

    @property
    def entity_tag(self) -> str:
        """The weak ETag (RFC 9110, 8.8.3): how many sources it shows, and when the newest of them came."""
        shown = self.siblings or (self.assignment,)
        return f'W/"{len(shown)}-{max(each.created_at for each in shown)}"'


def of_canonical_id(assignments: Assignments, canonical_id: str) -> IdentifierMapping:
    """Return the mapping of a canonical ID: its original source, with all of its sources.

    Raises
    ------
    NotFoundError
        It was never assigned.
    """
    owner = assignments.owner(canonical_id)
    original = assignments.assignment(owner) if owner else None
    if original is None:
        raise NotFoundError(f"there is no canonical ID {canonical_id}")
    return IdentifierMapping(original, (original, *assignments.aliases(canonical_id)))


def of_source(assignments: Assignments, text: str, field: str, *, siblings: bool = False) -> IdentifierMapping:
    """Return the mapping of a source as a request writes it; with `siblings`, all sources of its canonical ID.

    Raises
    ------
    InvalidInputError
        It cannot be a source identifier; names `field`.
    NotFoundError
        It has no canonical ID.
    """
    try:
        source = parse_source_id(text)
    except InvalidIdentifierError as error:
        raise InvalidInputError(FieldError(field, str(error))) from None
    if not source.source_id:
        raise InvalidInputError(FieldError(field, "must not be empty"))
    found = assignments.assignment(source)
    if found is None:
        raise NotFoundError(f"{source} has no canonical ID")
    everyone = of_canonical_id(assignments, found.canonical_id).siblings if siblings else None
    return IdentifierMapping(found, everyone)
