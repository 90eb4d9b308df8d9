"""The HTTP routes of custody."""

from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Query

from waybill.core.api import Role, build_api, fails, list_cursor, list_position
from waybill.core.cursors import CURSOR_LIMIT
from waybill.core.errors import FieldError, InvalidInputError
from waybill.custody import WORKFLOW, runtime
from waybill.custody.domain.tracing import Asked, ByConsignment, ByDigest, ByIdentifier, ByPlace
from waybill.custody.models import Place
from waybill.custody.views import TraceView

app = build_api(
    WORKFLOW,
    title="Custody",
    description="Knows what Waybill did with a file, as far as its workflows record it, with the proof.",
    roles=[Role.CUSTODY],
)

_BUCKET = Annotated[
    str | None, Query(description="The bucket", min_length=1, max_length=63, examples=["waybill-source"])
]
_KEY = Annotated[
    str | None,
    Query(description="The key, with `bucket`", min_length=1, max_length=1024, examples=["reports/annual.pdf"]),
]
_VERSION = Annotated[
    str | None,
    Query(
        alias="versionId", description="Events of this version alone", min_length=1, max_length=1024, examples=["3HL4"]
    ),
]
_SHA256 = Annotated[
    str | None,
    Query(description="SHA-256 of the content, in hexadecimal", pattern="^[0-9A-Fa-f]{64}$", examples=["9f" * 32]),
]
_IDENTIFIER = Annotated[
    str | None,
    Query(description="A canonical ID: its own history", pattern="^[A-Za-z0-9]{8,9}$", examples=["kx7dn2ph"]),
]
_CONSIGNMENT = Annotated[
    str | None,
    Query(alias="consignmentId", description="A consignment", min_length=1, max_length=64, examples=["5b7c9d2e-8a41"]),
]
_FILE = Annotated[
    str | None,
    Query(
        alias="fileId", description="Its file, with `consignmentId`", min_length=1, max_length=64, examples=["0f3a5b0c"]
    ),
]
_LIMIT = Annotated[int, Query(ge=1, le=200, description="How many events at most")]
_CURSOR = Annotated[
    str | None, Query(max_length=CURSOR_LIMIT, description="Where an earlier answer ended: its `cursor`, unchanged")
]
_PROVE = Annotated[bool, Query(description="With proofs that the log has the events, verified before they are given")]


@app.get("/custody", summary="Trace a file", operation_id="traceFile")
@fails(
    {
        404: "Nothing is recorded of it",
        409: "An event was written over; with `prove`: the log does not have what the table says",
    }
)
def trace(
    *,
    bucket: _BUCKET = None,
    key: _KEY = None,
    version_id: _VERSION = None,
    sha256: _SHA256 = None,
    identifier: _IDENTIFIER = None,
    consignment_id: _CONSIGNMENT = None,
    file_id: _FILE = None,
    prove: _PROVE = False,
    limit: _LIMIT = 50,
    cursor: _CURSOR = None,
) -> TraceView:
    """Show what was done with one file, oldest first: by place, content, canonical ID or consignment."""
    named = {
        "bucket": ByPlace(Place(bucket, key), version_id) if bucket and key else None,
        "sha256": ByDigest(sha256.lower()) if sha256 else None,
        "identifier": ByIdentifier(identifier.lower()) if identifier else None,
        "consignmentId": ByConsignment(consignment_id, file_id) if consignment_id and file_id else None,
    }
    given = [bucket or key or version_id, sha256, identifier, consignment_id or file_id]
    found: list[Asked] = [asked for asked in named.values() if asked]
    if len(found) != 1 or sum(value is not None for value in given) != 1:
        told = "name a file in one way: bucket and key, sha256, identifier, or consignmentId and fileId"
        raise InvalidInputError(FieldError("query", told))
    traced = runtime.tracer().trace(found[0], limit=limit, after=_position(cursor, found[0]), with_index=prove)
    next_cursor = (
        list_cursor({"sk": traced.last[0], "pk": traced.last[1]}, "custody", found[0]) if traced.last else None
    )
    return runtime.view_of(traced, next_cursor, prove=prove)


def _position(cursor: str | None, asked: Asked) -> tuple[str, str] | None:
    if cursor is None:
        return None
    position = list_position(cursor, "custody", asked)
    sk, pk = position.get("sk"), position.get("pk")
    if not isinstance(sk, str) or not isinstance(pk, str) or not sk.startswith("E#"):
        raise InvalidInputError(FieldError("cursor", "is not a cursor of this list"))
    return sk, pk
