"""The routes that need no token: is the API up, and what does it offer."""

import json
from functools import cache
from typing import Annotated, Literal

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.types import OpenAPIResponse
from pydantic import Field, JsonValue

from waybill import __version__
from waybill.core.api import build_api, public
from waybill.core.frozen_model import FrozenModel
from waybill.gateway.openapi import openapi_document
from waybill.gateway.registry import apis

type _Part = Annotated[JsonValue, Field(description="As the specification has it")]


class OpenApiDocument(FrozenModel):
    """An OpenAPI document, of which the specification says more (https://spec.openapis.org/oas/v3.1.1.html)."""

    openapi: str = Field(description="The version of the specification", examples=["3.1.0"])
    info: dict[str, _Part] = Field(description="What API this is, and its version", examples=[{"title": "Waybill"}])
    servers: list[_Part] = Field(description="Where the API is", examples=[[{"url": "."}]])
    tags: list[_Part] = Field(description="The workflows", examples=[[{"name": "System"}]])
    paths: dict[str, _Part] = Field(description="The operations, by path and method", examples=[{"/health": {}}])
    components: dict[str, _Part] = Field(description="What several operations share", examples=[{"schemas": {}}])


app = build_api(
    "gateway",
    title="System",
    description="Whether the API is up, and what it offers; needs no token.",
    lenient_query=True,
)
_DOCUMENT: dict[int, OpenAPIResponse] = {
    200: {"description": "This document", "content": {"application/json": {"model": OpenApiDocument}}}
}


class Health(FrozenModel):
    """The API answers."""

    status: Literal["ok"] = Field(default="ok", description="Always `ok`: what is not up does not answer")


@app.get("/health", summary="Whether the API is up", operation_id="showHealth")
@public
def health() -> Health:
    """Answer; whoever reads this has passed API Gateway and a Lambda function."""
    return Health()


@app.get("/openapi.json", summary="This document", operation_id="showOpenapi", responses=_DOCUMENT)
@public
def openapi() -> Response[str]:
    """Return the OpenAPI document of the whole API."""
    return Response(200, content_type="application/json", body=_document(), headers={"Cache-Control": "max-age=300"})


@cache
def _document() -> str:
    return json.dumps(openapi_document(apis(), __version__), ensure_ascii=False)
