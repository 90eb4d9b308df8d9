"""The HTTP routes of the ID minter."""

from typing import Annotated, Literal

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Body, Header, Path, Query
from aws_lambda_powertools.event_handler.openapi.types import OpenAPIResponse, OpenAPIResponseHeader

from waybill.core.api import Role, build_api, caller, fails, public
from waybill.core.cursors import CURSOR_LIMIT
from waybill.minting import WORKFLOW, runtime
from waybill.minting.domain.canonical_ids import parse_canonical_id
from waybill.minting.domain.lifecycle import IdentifierLives
from waybill.minting.domain.lookup import IdentifierMapping
from waybill.minting.views import (
    AuditView,
    IdentifierStatistics,
    LifeView,
    MappingView,
    MintBody,
    MintingRunList,
    MintingRunReport,
    MintView,
    ReplaceBody,
    ReservationView,
    ReserveBody,
    WithdrawBody,
    run_token,
)

app = build_api(
    WORKFLOW,
    title="Identifiers",
    description="Mints permanent canonical IDs for source identifiers, and knows their life.",
    roles=[Role.MINTING],
)

_CANONICAL_ID = Annotated[
    str,
    Path(description="A canonical ID, in lower or upper case, hyphens or not", max_length=100, examples=["kx7dn2ph"]),
]
_LOCATION: dict[str, OpenAPIResponseHeader] = {
    "Location": {"description": "Where it leads", "schema": {"type": "string", "format": "uri-reference"}}
}
_RESOLVED: dict[int, OpenAPIResponse] = {
    301: {"description": "Another canonical ID stands in its place", "headers": _LOCATION},
    302: {"description": "Where its record is shown", "headers": _LOCATION},
}
_MAPPING: dict[int, OpenAPIResponse] = {
    200: {
        "description": "The mapping as it is now",
        "headers": {
            "ETag": {"description": "Changes with the mapping; for `If-None-Match`", "schema": {"type": "string"}}
        },
    }
}
_KNOWN = {304: "The client has it already: `If-None-Match` names its ETag"}
_ENDED = {409: "It has been replaced or withdrawn, or the successor has been; or somebody else has changed it just now"}
_INCLUDE = Annotated[
    Literal["siblings"] | None, Query(description="`siblings` shows all sources that share the canonical ID")
]


@app.post("/identifiers", summary="Mint identifiers", operation_id="mintIdentifiers")
def mint(request: Annotated[MintBody | None, Body(description="The identifiers to mint")] = None) -> MintView:
    """Return an outcome for every identifier, whatever it is; only our own faults are HTTP errors."""
    answer = runtime.respond(request.wire() if request else {}, app.lambda_context, runtime.request_cap())
    return MintView.of(answer.document)


@app.post("/identifiers/reserve", summary="Reserve canonical IDs", operation_id="reserveIdentifiers", status_code=201)
@fails({409: "The idempotency key was used for another reservation"})
def reserve(
    request: Annotated[ReserveBody, Body(description="How many, and what for")],
    idempotency_key: Annotated[
        str | None,
        Header(
            alias="Idempotency-Key",
            min_length=1,
            max_length=200,
            description="The same key again is answered with the same IDs",
            examples=["accession-2027-1"],
        ),
    ] = None,
) -> Response[ReservationView]:
    """Give away canonical IDs before their records exist; nobody else gets them."""
    reserved = runtime.reserve(request.count, request.purpose, caller(app).subject, idempotency_key)
    view = ReservationView(canonical_ids=list(reserved), purpose=request.purpose.strip())
    return Response(201, content_type="application/json", body=view)


@app.get("/identifiers/audit", summary="Check the registry", operation_id="auditIdentifiers")
@fails({409: "The registry is too large for one answer: `waybill ids audit` checks it"})
def audit() -> AuditView:
    """Check that every source has the canonical ID that is its own, and the reverse; a large registry is refused."""
    return AuditView.of_audit(runtime.audit())


@app.get("/identifiers/statistics", summary="Count the registry", operation_id="countIdentifiers")
@fails({409: "The registry is too large for one answer: `waybill ids stats` counts it"})
def statistics() -> IdentifierStatistics:
    """Count identifiers by month, job, source system and how they stand; a large registry is refused."""
    return IdentifierStatistics.of_statistics(runtime.statistics())


@app.get("/identifiers/runs", summary="List minting runs", operation_id="listMintingRuns")
def list_runs(
    limit: Annotated[int, Query(ge=1, le=200, description="How many at most")] = 50,
    cursor: Annotated[
        str | None, Query(max_length=CURSOR_LIMIT, description="Where an earlier answer ended: its `cursor`, unchanged")
    ] = None,
) -> MintingRunList:
    """List the runs of the minting workflow, newest first; each is known for 90 days after its end."""
    return MintingRunList.of_page(*runtime.workflow_runs().newest(limit, run_token(cursor)))


@app.get("/identifiers/runs/<runId>", summary="Show a minting run", operation_id="showMintingRun")
@fails({404: "There is no run of this name, or it ended over 90 days ago"})
def show_run(
    runId: Annotated[  # noqa: N803 - as in the path
        str, Path(description="Its name", max_length=80, pattern=r"^[A-Za-z0-9_-]+$", examples=["catalogue-2026-11"])
    ],
) -> MintingRunReport:
    """Show one run of the minting workflow with what it came to, and where its report is."""
    return MintingRunReport.of_described(runtime.workflow_runs().read(runId))


@app.post("/identifiers/<canonicalId>/replace", summary="Replace a canonical ID", operation_id="replaceIdentifier")
@fails(_ENDED)
def replace(
    canonicalId: _CANONICAL_ID,  # noqa: N803 - as in the path
    request: Annotated[ReplaceBody, Body(description="The successor, and why")],
) -> LifeView:
    """Let another canonical ID stand in place of this one, which keeps its source and leads there."""
    successor = parse_canonical_id(request.by, "by")
    changed = IdentifierLives(runtime.lives()).replace(
        parse_canonical_id(canonicalId), successor, request.reason, caller(app).subject
    )
    return LifeView.of_life(changed)


@app.post("/identifiers/<canonicalId>/withdraw", summary="Withdraw a canonical ID", operation_id="withdrawIdentifier")
@fails(_ENDED)
def withdraw(
    canonicalId: _CANONICAL_ID,  # noqa: N803 - as in the path
    request: Annotated[WithdrawBody, Body(description="Why")],
) -> LifeView:
    """Take a canonical ID back; it keeps its source, and its tombstone says why."""
    changed = IdentifierLives(runtime.lives()).withdraw(
        parse_canonical_id(canonicalId), request.reason, caller(app).subject
    )
    return LifeView.of_life(changed)


@app.get("/id/<canonicalId>", summary="Follow a canonical ID", operation_id="resolveIdentifier", responses=_RESOLVED)
@public
@fails({410: "It has been withdrawn; `detail` says why"})
def resolve(canonicalId: _CANONICAL_ID) -> Response[str]:  # noqa: N803 - as in the path
    """Lead to where the record of a canonical ID is shown, or to its successor; needs no token."""
    found = runtime.lookup().resolve(canonicalId, runtime.resolver_template())
    status = 301 if found.permanent else 302
    headers: dict[str, str | list[str]] = {"Location": found.location, "Cache-Control": "no-cache"}
    return Response(status, content_type="text/plain", body="", headers=headers)


@app.get(
    "/identifiers/by-source/<system>/<value>",
    summary="Find the canonical ID of a source",
    operation_id="findIdentifierBySource",
    responses=_MAPPING,
)
@fails(_KNOWN)
def by_source(
    system: Annotated[
        str,
        Path(description="The catalogue that the source is from", max_length=2048, examples=["sierra-system-number"]),
    ],
    value: Annotated[
        str, Path(description="The name of the source within its catalogue", max_length=2048, examples=["b1161044"])
    ],
    type: Annotated[str, Query(pattern=r"^\w+$", description="What kind of thing the source describes")] = "Work",
    include: _INCLUDE = None,
) -> Response[MappingView]:
    """Return the mapping of a source whose system and value contain no slash."""
    found = runtime.lookup().source(f"{type}[{system}/{value}]", "value", siblings=include == "siblings")
    return _tagged(found)


@app.get(
    "/identifiers/<canonicalId>",
    summary="Find the sources of a canonical ID",
    operation_id="showIdentifier",
    responses=_MAPPING,
)
@fails(_KNOWN)
def by_canonical_id(
    canonicalId: _CANONICAL_ID,  # noqa: N803 - as in the path
) -> Response[MappingView]:
    """Return the mapping of a canonical ID; upper case and hyphens are folded."""
    return _tagged(runtime.lookup().canonical_id(parse_canonical_id(canonicalId)))


@app.get(
    "/identifiers",
    summary="Find the canonical ID of any source",
    operation_id="findIdentifier",
    responses=_MAPPING,
)
@fails({**_KNOWN, 404: "The source has no canonical ID"})
def by_request_string(
    source: Annotated[
        str,
        Query(
            min_length=1,
            max_length=4096,
            description="As in `sourceIdentifiers`, such as `Work[system/value]`",
            examples=["Work[sierra-system-number/b1161044]"],
        ),
    ],
    include: _INCLUDE = None,
) -> Response[MappingView]:
    """Return the mapping of a source as requests write it, slashes and all."""
    return _tagged(runtime.lookup().source(source, "source", siblings=include == "siblings"))


def _tagged(mapping: IdentifierMapping) -> Response[MappingView]:
    headers: dict[str, str | list[str]] = {"ETag": mapping.entity_tag, "Cache-Control": "no-cache"}
    return Response(200, content_type="application/json", body=MappingView.of_mapping(mapping), headers=headers)
