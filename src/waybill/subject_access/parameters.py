"""Parameters that routes of both APIs have."""

from typing import Annotated, Any

from aws_lambda_powertools.event_handler.openapi.params import Path, Query

PageNumber = Annotated[int | None, Query(alias="pageNumber", ge=0, description="Which page, counted from 0")]
PageSize = Annotated[int | None, Query(alias="pageSize", ge=1, le=1000, description="How many requests a page has")]
Search = Annotated[
    str, Query(max_length=100, description="Part of a name, of a case reference or of a number", examples=["SAR-2026"])
]


def request_id(description: str) -> Any:
    """Return what a route says of the id of a request in its path."""
    return Path(
        json_schema_extra={"maxLength": 64},
        description=description,
        examples=["0b7e6f0a-5f0c-4f7e-9d55-3c1f6a1f7c11"],
    )
