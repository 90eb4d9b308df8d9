"""What the routes take and answer."""

from typing import TYPE_CHECKING, Annotated, Literal, Self, TypedDict

from pydantic import Field, JsonValue

from waybill.core.clock import iso
from waybill.core.cursors import decode_cursor, encode_cursor
from waybill.core.errors import FieldError, InvalidInputError
from waybill.core.views import RequestBody, View, optional
from waybill.minting.domain.lifecycle import RESERVE_LIMIT
from waybill.minting.domain.lookup import IdentifierMapping
from waybill.minting.domain.statistics import most
from waybill.minting.models import Assignment, ExecutionOutput, Life, MintingExecution

if TYPE_CHECKING:
    from waybill.minting.domain.audit import Audit
    from waybill.minting.domain.statistics import Statistics


_SOURCE = "Work[sierra-system-number/b1161044]"
_SYSTEM = "sierra-system-number"
_CANONICAL_ID = "kx7dn2ph"
_MOMENT = "2026-02-10T12:00:00.000000Z"
type _Requested = Annotated[JsonValue, Field(description="A source identifier", examples=[_SOURCE])]


class MintBody(RequestBody):
    """A request to mint; what the minter itself refuses comes back in its answer."""

    source_identifiers: list[_Requested] | None = optional(
        "Source identifiers, such as `Work[system/value]`; one that is no string is refused by itself",
        examples=[[_SOURCE]],
    )
    job_id: str | None = optional("A label that answers, results and items carry", examples=["catalogue-2026-11"])
    predecessors: dict[str, str] | None = optional(
        "From whom an identifier inherits its canonical ID", examples=[{_SOURCE: "Work[miro-image-number/V0047369]"}]
    )
    mode: Literal["identifiers", "documents"] | None = optional("`documents`: the strings name documents upstream")


class FailureView(View):
    """An identifier without a canonical ID."""

    source_identifier: str = Field(
        description="As requested; empty where the whole request was refused", examples=["Work[b1161044]"]
    )
    error: str = Field(description="What happened, in one sentence", examples=["It is no source identifier"])
    code: str = Field(description="Why, for programs", examples=["INVALID_IDENTIFIER"])
    retryable: bool = Field(description="Whether the same request may succeed later")
    reason: str | None = optional("Why, for people", examples=["it has no system"])


class NotedView(View):
    """A canonical ID with what else there is to say of it."""

    canonical_id: str = Field(description="The permanent public identifier", examples=[_CANONICAL_ID])
    note: Literal["PREDECESSOR_IGNORED"] = Field(
        description="The source had this canonical ID before, and the predecessor that was named does not have it"
    )


class MintView(View):
    """An outcome for every identifier of a request."""

    successes: list[str] = Field(
        description="The identifiers that have a canonical ID, in the order of the request", examples=[[_SOURCE]]
    )
    failures: list[FailureView] = Field(description="Those that have none, each with its reason")
    identifiers: dict[str, str | NotedView] = Field(
        description="The canonical ID of each success; with a note where there is more to say of it",
        examples=[{_SOURCE: _CANONICAL_ID}],
    )
    predecessors_ignored: int | None = optional("How many notes say that a predecessor was ignored", ge=1)
    job_id: str | None = optional("The job that the request named", examples=["catalogue-2026-11"])


class AssignmentView(View):
    """A source identifier with its canonical ID."""

    canonical_id: str = Field(description="The permanent public identifier", examples=[_CANONICAL_ID])
    source_identifier: str = Field(description="The source as requests write it", examples=[_SOURCE])
    ontology_type: str = Field(description="What kind of thing the source describes", examples=["Work"])
    source_system: str = Field(
        description="The catalogue that the source is from; empty where it has none", examples=[_SYSTEM]
    )
    source_id: str = Field(description="The name of the source within its catalogue", examples=["b1161044"])
    created_at: str = Field(description="When it was assigned, ISO 8601", examples=[_MOMENT])
    origin: str = Field(description="How it was assigned: `minted`, `inherited` or `imported`", examples=["minted"])
    is_alias: bool = Field(description="Whether it shares the canonical ID of another source")
    predecessor: str | None = optional(
        "The source that it has inherited the canonical ID from", examples=["Work[miro-image-number/V0047369]"]
    )

    @classmethod
    def of_assignment(cls, assignment: Assignment) -> Self:
        """Return how an assignment is shown."""
        return cls(**_fields(assignment))


class MappingView(View):
    """A canonical ID with its life, and the source that was asked for; a reserved one has no source yet."""

    canonical_id: str = Field(description="The permanent public identifier", examples=[_CANONICAL_ID])
    status: Literal["reserved", "active", "replaced", "withdrawn"] = Field(
        description="Where it is in its life; nothing is ever deleted or used again"
    )
    replaced_by: str | None = optional("The canonical ID that stands in its place", examples=["bq4mw9tz"])
    reason: str | None = optional("Why it was replaced or withdrawn", examples=["Two records of one book"])
    purpose: str | None = optional("What it is reserved for", examples=["Records of the 2027 accession"])
    created_at: str = Field(description="When it was assigned or reserved, ISO 8601", examples=[_MOMENT])
    source_identifier: str | None = optional("The source as requests write it", examples=[_SOURCE])
    ontology_type: str | None = optional("What kind of thing the source describes", examples=["Work"])
    source_system: str | None = optional(
        "The catalogue that the source is from; empty where it has none", examples=[_SYSTEM]
    )
    source_id: str | None = optional("The name of the source within its catalogue", examples=["b1161044"])
    origin: str | None = optional("How it was assigned: `minted`, `inherited` or `imported`", examples=["minted"])
    is_alias: bool | None = optional("Whether it shares the canonical ID of another source")
    predecessor: str | None = optional(
        "The source that it has inherited the canonical ID from", examples=["Work[miro-image-number/V0047369]"]
    )
    identifiers: list[AssignmentView] | None = optional("All sources of the canonical ID, the original first")

    @classmethod
    def of_mapping(cls, mapping: IdentifierMapping) -> Self:
        """Return how a mapping is shown."""
        siblings = mapping.siblings
        shown = None if siblings is None else [AssignmentView.of_assignment(each) for each in siblings]
        life = _life_fields(mapping.life)
        if mapping.assignment is None:
            return cls(**life, identifiers=shown)
        # Of both, the assignment says when.
        return cls(**{**life, **_fields(mapping.assignment)}, identifiers=shown)


class LifeView(View):
    """A canonical ID after a change in its life."""

    canonical_id: str = Field(description="The permanent public identifier", examples=[_CANONICAL_ID])
    status: Literal["reserved", "active", "replaced", "withdrawn"] = Field(description="Where it is in its life now")
    replaced_by: str | None = optional("The canonical ID that stands in its place", examples=["bq4mw9tz"])
    reason: str | None = optional("Why it was replaced or withdrawn", examples=["Two records of one book"])
    purpose: str | None = optional("What it is reserved for", examples=["Records of the 2027 accession"])
    created_at: str = Field(description="When it was assigned or reserved, ISO 8601", examples=[_MOMENT])

    @classmethod
    def of_life(cls, life: Life) -> Self:
        """Return how a life is shown."""
        return cls(**_life_fields(life))


class ReservationView(View):
    """Canonical IDs that nobody else gets."""

    canonical_ids: list[str] = Field(description="The reserved canonical IDs", examples=[[_CANONICAL_ID]])
    purpose: str = Field(description="What they are reserved for", examples=["Records of the 2027 accession"])


class ViolationView(View):
    """One thing that breaks an invariant of the registry."""

    subject: str = Field(description="A source identifier, a canonical ID or a key", examples=[_CANONICAL_ID])
    problem: str = Field(description="What is wrong with it", examples=["it has no source, and is not reserved"])


class AuditView(View):
    """What an audit of the registry has found."""

    assignments: int = Field(description="Source identifiers that have a canonical ID")
    canonical_ids: int = Field(description="Canonical IDs, the reserved ones too")
    reserved: int = Field(description="Canonical IDs that are reserved")
    violations: list[ViolationView] = Field(description="What is wrong, the first 100 of it")
    violation_count: int = Field(description="How many things are wrong")

    @classmethod
    def of_audit(cls, audit: "Audit") -> Self:
        """Return how an audit is shown."""
        shown = [ViolationView(subject=each.subject, problem=each.problem) for each in audit.violations[:100]]
        return cls(
            assignments=audit.forward,
            canonical_ids=audit.reverse,
            reserved=audit.reserved,
            violations=shown,
            violation_count=len(audit.violations),
        )


class IdentifierStatistics(View):
    """What the registry comes to."""

    assignments: int = Field(description="Source identifiers that have a canonical ID", ge=0)
    canonical_ids: int = Field(description="Canonical IDs, the reserved ones too", ge=0)
    reserved: int = Field(description="Canonical IDs that are reserved", ge=0)
    replaced: int = Field(description="Canonical IDs in whose place another stands", ge=0)
    withdrawn: int = Field(description="Canonical IDs that were taken back", ge=0)
    origins: dict[str, int] = Field(description="Assignments by how they came about", examples=[{"minted": 12}])
    months: dict[str, int] = Field(description="Assignments by month of UTC", examples=[{"2026-11": 12}])
    systems: dict[str, int] = Field(
        description="Assignments by source system, the 100 with the most; empty: none was named",
        examples=[{_SYSTEM: 12}],
    )
    jobs: dict[str, int] = Field(
        description="Assignments by `jobId`, the 100 with the most", examples=[{"catalogue-2026-11": 12}]
    )

    @classmethod
    def of_statistics(cls, counts: "Statistics") -> Self:
        """Return how counts are shown."""
        return cls(
            assignments=counts.assignments,
            canonical_ids=counts.canonical_ids,
            reserved=counts.reserved,
            replaced=counts.replaced,
            withdrawn=counts.withdrawn,
            origins=most(counts.origins),
            months=dict(sorted(counts.months.items())),
            systems=most(counts.systems),
            jobs=most(counts.jobs),
        )


class MintingRunView(View):
    """A run of the minting workflow."""

    run_id: str = Field(description="Its name", examples=["catalogue-2026-11"])
    status: str = Field(
        description="`RUNNING`, `SUCCEEDED`, `FAILED`, `TIMED_OUT` or `ABORTED`", examples=["SUCCEEDED"]
    )
    start_time: str = Field(description="When it was started, ISO 8601", examples=[_MOMENT])
    completed_at: str | None = optional("When it ended, ISO 8601", examples=[_MOMENT])

    @classmethod
    def of_run(cls, run: MintingExecution) -> Self:
        """Return how a run is shown."""
        return cls(**_run_fields(run))


class MintingRunReport(MintingRunView):
    """A run of the minting workflow with what it came to."""

    outcome: str | None = optional("`ALL_SUCCEEDED`, `PARTIAL` or `NONE_SUCCEEDED`", examples=["ALL_SUCCEEDED"])
    success_count: int | None = optional("Identifiers that have their canonical ID", ge=0)
    failure_count: int | None = optional("Identifiers that failed", ge=0)
    predecessors_ignored: int | None = optional("Identifiers whose predecessor was ignored", ge=0)
    job_id: str | None = optional("The label of the request", examples=["catalogue-2026-11"])
    report_uri: str | None = optional(
        "Where a large answer is", examples=["s3://documents/minting/catalogue-2026-11/report.json"]
    )
    cause: str | None = optional("Why it ended badly", examples=["DynamoDB refuses this role"])

    @classmethod
    def of_described(cls, run: MintingExecution) -> Self:
        """Return how a run with its end is shown."""
        told = run.summary or ExecutionOutput()
        return cls(
            **_run_fields(run),
            outcome=told.get("status"),
            success_count=told.get("successCount"),
            failure_count=told.get("failureCount"),
            predecessors_ignored=told.get("predecessorsIgnored"),
            job_id=told.get("jobId"),
            report_uri=told.get("reportUri"),
            cause=run.cause or None,
        )


class MintingRunList(View):
    """Runs of the minting workflow, newest first."""

    runs: tuple[MintingRunView, ...] = Field(description="Some runs")
    cursor: str | None = Field(
        description="For the next page, as `cursor` of the next request; null at the end",
        examples=["eyJ0b2tlbiI6IkEifQ"],
    )

    @classmethod
    def of_page(cls, runs: tuple[MintingExecution, ...], token: str | None) -> Self:
        """Return how a page of runs is shown; `token` leads to the next one."""
        cursor = encode_cursor({"token": token}) if token else None
        return cls(runs=tuple(map(MintingRunView.of_run, runs)), cursor=cursor)


def run_token(cursor: str | None, field: str = "cursor") -> str | None:
    """Return where a list of runs goes on.

    Raises
    ------
    InvalidInputError
        The cursor is one of another list; names `field`.
    """
    if cursor is None:
        return None
    decoded = decode_cursor(cursor, field)
    if decoded.keys() != {"token"} or not isinstance(decoded["token"], str):
        raise InvalidInputError(FieldError(field, "is not a cursor of this list"))
    return decoded["token"]


class ReserveBody(RequestBody):
    """How many canonical IDs to reserve, and what for."""

    count: int = Field(description="How many", ge=1, le=RESERVE_LIMIT, examples=[3])
    purpose: str = Field(description="What they are reserved for", examples=["Records of the 2027 accession"])


class ReplaceBody(RequestBody):
    """Which canonical ID stands in place of another one."""

    by: str = Field(description="The successor, a canonical ID that was given away", examples=[_CANONICAL_ID])
    reason: str = Field(description="Why", examples=["Two records of one book"])


class WithdrawBody(RequestBody):
    """Why a canonical ID is taken back."""

    reason: str = Field(description="Why", examples=["Catalogued by mistake"])


class _RunFields(TypedDict):
    run_id: str
    status: str
    start_time: str
    completed_at: str | None


class _LifeFields(TypedDict):
    canonical_id: str
    status: Literal["reserved", "active", "replaced", "withdrawn"]
    replaced_by: str | None
    reason: str | None
    purpose: str | None
    created_at: str


class _AssignmentFields(TypedDict):
    canonical_id: str
    source_identifier: str
    ontology_type: str
    source_system: str
    source_id: str
    created_at: str
    origin: str
    is_alias: bool
    predecessor: str | None


def _run_fields(run: MintingExecution) -> _RunFields:
    return {
        "run_id": run.name,
        "status": run.status,
        "start_time": iso(run.started),
        "completed_at": iso(run.stopped) if run.stopped else None,
    }


def _life_fields(life: Life) -> _LifeFields:
    return {
        "canonical_id": life.canonical_id,
        "status": life.status.value,
        "replaced_by": life.replaced_by,
        "reason": life.reason,
        "purpose": life.purpose,
        "created_at": life.created_at,
    }


def _fields(assignment: Assignment) -> _AssignmentFields:
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
