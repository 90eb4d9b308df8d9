"""The registry as readers see it."""

from collections.abc import Sequence
from typing import Any, Protocol

from waybill.core.errors import FieldError, InvalidInputError, NotFoundError
from waybill.minting.domain.source_ids import parse_source_id
from waybill.minting.errors import InvalidIdentifierError
from waybill.minting.models import Assignment, SourceId


class Assignments(Protocol):
    """Read access to the registry."""

    def owner(self, canonical_id: str) -> SourceId | None:
        """Return the source that the canonical ID was minted for."""
        ...

    def assignment(self, source: SourceId) -> Assignment | None:
        """Return the assignment of a source."""
        ...

    def aliases(self, canonical_id: str) -> Sequence[Assignment]:
        """Return the sources that inherited the canonical ID, oldest first."""
        ...


def of_canonical_id(assignments: Assignments, canonical_id: str) -> dict[str, Any]:
    """Return the mapping of a canonical ID: its original source, and under `identifiers` all of its sources.

    Raises
    ------
    NotFoundError
        It was never assigned.
    """
    owner = assignments.owner(canonical_id)
    original = assignments.assignment(owner) if owner else None
    if original is None:
        raise NotFoundError(f"there is no canonical ID {canonical_id}")
    everyone = [original, *assignments.aliases(canonical_id)]
    return readable(original) | {"identifiers": [readable(each) for each in everyone]}


def of_source(assignments: Assignments, text: str, field: str, *, siblings: bool = False) -> dict[str, Any]:
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
    if not siblings:
        return readable(found)
    return readable(found) | {"identifiers": of_canonical_id(assignments, found.canonical_id)["identifiers"]}


def readable(assignment: Assignment) -> dict[str, Any]:
    """Return an assignment as JSON."""
    shown: dict[str, Any] = {
        "canonicalId": assignment.canonical_id,
        "sourceIdentifier": str(assignment.source),
        "ontologyType": assignment.source.ontology_type,
        "sourceSystem": assignment.source.source_system,
        "sourceId": assignment.source.source_id,
        "createdAt": assignment.created_at,
        "origin": assignment.origin,
        "isAlias": assignment.is_alias,
    }
    if assignment.predecessor:
        shown["predecessor"] = str(assignment.predecessor)
    return shown


def entity_tag(mapping: dict[str, Any]) -> str:
    """Return the weak ETag of a mapping: how many sources it shows, and when the newest of them came."""
    shown = mapping.get("identifiers", [mapping])
    newest = max(each["createdAt"] for each in shown)
    return f'W/"{len(shown)}-{newest}"'
