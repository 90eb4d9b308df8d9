"""The HTTP routes of the ID minter."""

from typing import Annotated, Any, Literal

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Body, Query

from waybill.core.http import Role, build_api
from waybill.minting import WORKFLOW, runtime
from waybill.minting.domain import lookup
from waybill.minting.domain.canonical_ids import parse_canonical_id
from waybill.minting.domain.lookup import IdentifierMapping
from waybill.minting.views import MappingView, MintView

app = build_api(WORKFLOW, title="Identifiers", roles=[Role.MINTING])


@app.post("/identifiers", summary="Mint identifiers")
def mint(
    request: Annotated[dict[str, Any] | None, Body(description="sourceIdentifiers, jobId, predecessors")] = None,
) -> MintView:
    """Return an outcome for every identifier, whatever it is; only our own faults are HTTP errors."""
    return MintView.of(runtime.respond(request or {}, app.lambda_context, runtime.request_cap()).document)


@app.get("/identifiers/by-source/<system>/<value>", summary="Find the canonical ID of a source")
def by_source(
    system: str,
    value: str,
    type: Annotated[str, Query(pattern=r"^\w+$", description="Ontology type")] = "Work",
    include: Annotated[Literal["siblings"] | None, Query(description="siblings: all sources of the ID")] = None,
) -> Response[MappingView]:
    """Return the mapping of a source whose system and value contain no slash."""
    found = lookup.of_source(runtime.registry(), f"{type}[{system}/{value}]", "value", siblings=include == "siblings")
    return _tagged(found)


@app.get("/identifiers/<canonicalId>", summary="Find the sources of a canonical ID")
def by_canonical_id(canonicalId: str) -> Response[MappingView]:  # noqa: N803 - as in the path
    """Return the mapping of a canonical ID; upper case is folded."""
    return _tagged(lookup.of_canonical_id(runtime.registry(), parse_canonical_id(canonicalId)))


@app.get("/identifiers", summary="Find the canonical ID of any source")
def by_request_string(
    source: Annotated[str, Query(min_length=1, description="As in sourceIdentifiers: Work[system/value]")],
    include: Annotated[Literal["siblings"] | None, Query(description="siblings: all sources of the ID")] = None,
) -> Response[MappingView]:
    """Return the mapping of a source as requests write it, slashes and all."""
    return _tagged(lookup.of_source(runtime.registry(), source, "source", siblings=include == "siblings"))


def _tagged(mapping: IdentifierMapping) -> Response[MappingView]:
    headers: dict[str, str | list[str]] = {"ETag": mapping.entity_tag, "Cache-Control": "no-cache"}
    return Response(200, content_type="application/json", body=MappingView.of_mapping(mapping), headers=headers)
