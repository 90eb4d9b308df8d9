"""What the routes answer."""

from typing import Self

from pydantic import Field

from waybill.core.views import View, optional
from waybill.minting.domain.lookup import IdentifierMapping
from waybill.minting.models import Assignment


class FailureView(View):
    """An identifier without a canonical ID."""

    source_identifier: str = Field(description="As requested; empty where the whole request was refused")
    error: str = Field(description="What happened, in one sentence")
    code: str = Field(description="Why, for programs", examples=["INVALID_IDENTIFIER"])
    retryable: bool = Field(description="Whether the same request may succeed later")
    reason: str | None = optional("Why, for people")


class MintView(View):
    """An outcome for every identifier of a request."""

    successes: list[str] = Field(description="The identifiers that have a canonical ID, in the order of the request")
    failures: list[FailureView] = Field(description="Those that have none, each with its reason")
    identifiers: dict[str, str] = Field(description="The canonical ID of each success")
    job_id: str | None = optional("The job that the request named")


class AssignmentView(View):
    """A source identifier with its canonical ID."""

    canonical_id: str = Field(description="The permanent public identifier", examples=["kx7dn2ph"])
    source_identifier: str = Field(description="The source as requests write it")
    ontology_type: str = Field(description="What kind of thing the source describes", examples=["Work"])
    source_system: str = Field(description="The catalogue that the source is from; empty where it has none")
    source_id: str = Field(description="The name of the source within its catalogue")
    created_at: str = Field(description="When it was assigned, ISO 8601", examples=["2026-02-10T12:00:00.000000Z"])
    origin: str = Field(description="How it was assigned: `minted`, `inherited` or `imported`")
    is_alias: bool = Field(description="Whether it shares the canonical ID of another source")
    predecessor: str | None = optional("The source that it has inherited the canonical ID from")

    @classmethod
    def of_assignment(cls, assignment: Assignment) -> Self:
        """Return how an assignment is shown."""
        return cls(**_fields(assignment))


class MappingView(AssignmentView):
    """A source identifier with its canonical ID, and where wanted all others that share it."""

    identifiers: list[AssignmentView] | None = optional("All sources of the canonical ID, the original first")

    @classmethod
    def of_mapping(cls, mapping: IdentifierMapping) -> Self:
        """Return how a mapping is shown."""
        siblings = mapping.siblings
        shown = None if siblings is None else [AssignmentView.of_assignment(each) for each in siblings]
        return cls(**_fields(mapping.assignment), identifiers=shown)


def _fields(assignment: Assignment) -> dict[str, str | bool | None]:
    source = assignment.source
    return {
        "canonical_id": assignment.canonical_id,
        "source_identifier": str(source),
        "ontology_type": source.ontology_type,
        "source_system": source.source_system,
        "source_id": source.source_id,
        "created_at": assignment.created_at,
        "origin": assignment.origin,
        "is_alias": assignment.is_alias,
        "predecessor": str(assignment.predecessor) if assignment.predecessor else None,
    }
