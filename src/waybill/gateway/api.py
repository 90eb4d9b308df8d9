"""The routes that need no token: is the API up, and what does it offer."""

import json
from functools import cache
from typing import Literal

from aws_lambda_powertools.event_handler import Response
from pydantic import BaseModel

from waybill import __version__
from waybill.core.http import build_api, public
from waybill.gateway.openapi import openapi_document
from waybill.gateway.registry import apis

app = build_api("gateway", title="System", lenient_query=True)


class Health(BaseModel):
    """The API answers."""

    status: Literal["ok"] = "ok"


@app.get("/health", summary="Whether the API is up")
@public
def health() -> Health:
    """Answer; whoever reads this has passed API Gateway and a Lambda function."""
    return Health()


@app.get("/openapi.json", summary="This document")
@public
def openapi() -> Response[str]:
    """Return the OpenAPI document of the whole API."""
    return Response(200, content_type="application/json", body=_document(), headers={"Cache-Control": "max-age=300"})


@cache
def _document() -> str:
    return json.dumps(openapi_document(apis(), __version__), ensure_ascii=False)
