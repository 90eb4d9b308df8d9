"""Limits and forms of API Gateway.

- A template writes a binary media type with `~1` for its slash, as CloudFormation asks for
  (AWS::ApiGateway::RestApi, `BinaryMediaTypes`). MiniStack compares it as it stands, so that no upload and no download
  would be bytes.
- A request has at most 10 MB, and an integration 29 seconds (API Gateway Developer Guide, "Quotas for configuring and
  running a REST API"): the answers are those of the types REQUEST_TOO_LARGE, 413, and INTEGRATION_TIMEOUT, 504.
  MiniStack has neither limit.
- `x-amazon-apigateway-any-method` stands for every method of a path (API Gateway Developer Guide, "OpenAPI
  extensions for API Gateway"). MiniStack passes over it.
- A gateway response may name the path of the request, stage and all, as `$context.path` (API Gateway Developer Guide,
  "Variables for access logging and gateway responses"). MiniStack leaves the text as it stands.
- An integration in an imported definition has responses (API Gateway Developer Guide,
  "x-amazon-apigateway-integration object"), which are all that a mock one says. MiniStack passes over them.
- `x-amazon-apigateway-gateway-responses` of an imported definition are the API's gateway responses (API Gateway
  Developer Guide, "x-amazon-apigateway-gateway-responses object"). MiniStack passes over them.
"""

import asyncio
from typing import Any
from urllib.parse import quote

from ministack.services import apigateway_v1

_MOST_BYTES = 10_485_760
_MOST_SECONDS = 29.0
_REFUSED = 400
_ANY = "x-amazon-apigateway-any-method"
_GATEWAY_RESPONSES = "x-amazon-apigateway-gateway-responses"
_METHODS = ("get", "head", "post", "put", "patch", "delete", "options")


def mend() -> None:
    """Compare media types unescaped, hold the limits, and import paths with every method."""
    matches = apigateway_v1._media_type_matches
    execute, invoke = apigateway_v1._execute_in_scope, apigateway_v1._invoke_lambda_proxy_v1

    def matches_unescaped(media_type: Any, binary_media_types: Any) -> bool:
        written = [str(one).replace("~1", "/") for one in binary_media_types or []]
        return bool(matches(media_type, written))

    async def execute_limited(request: Any, api: str, stage: str, *call: Any) -> Any:
        _method, path, _headers, body, *_ = call
        request["path"] = f"/{stage}{path}"
        found = apigateway_v1._stages_v1.get(api, {}).get(stage)
        if found and len(body or b"") > _MOST_BYTES:
            request["stage"] = found
            return apigateway_v1._gw_error("REQUEST_TOO_LARGE", f"HTTP content length exceeded {_MOST_BYTES} bytes.")
        return await execute(request, api, stage, *call)

    async def invoke_limited(*args: Any, **kwargs: Any) -> Any:
        call = asyncio.ensure_future(invoke(*args, **kwargs))
        done, _ = await asyncio.wait({call}, timeout=_MOST_SECONDS)  # the function itself goes on, as on AWS
        if not done:
            return apigateway_v1._gw_error("INTEGRATION_TIMEOUT", "Endpoint request timed out")
        return call.result()

    answer = apigateway_v1._gateway_error_response

    def answer_with_path(error: Any, request: Any) -> Any:
        status, headers, body = answer(error, request)
        path = quote(str(request.get("path", "")), safe="/:@!$&'()*+,;=~")  # as it was sent
        return status, headers, body.replace(b"$context.path", path.encode())

    import_path = apigateway_v1._import_path_item

    def import_every_method(api: str, path: str, item: Any, *rest: Any, **more: Any) -> Any:
        written = dict(item)
        if every := written.pop(_ANY, None):
            written = dict.fromkeys(_METHODS, every) | written
        import_path(api, path, written, *rest, **more)
        (resource,) = (one for one in apigateway_v1._resources[api].values() if one.get("path") == path)
        for method in _METHODS:
            integration = (written.get(method) or {}).get("x-amazon-apigateway-integration") or {}
            for pattern, response in (integration.get("responses") or {}).items():
                answered = {**response, "selectionPattern": "" if pattern == "default" else pattern}
                apigateway_v1._put_integration_response(
                    api, resource["id"], method.upper(), response["statusCode"], answered
                )

    apigateway_v1._gateway_error_response = answer_with_path
    apigateway_v1._import_path_item = import_every_method
    apigateway_v1._media_type_matches = matches_unescaped
    apigateway_v1._execute_in_scope = execute_limited
    apigateway_v1._invoke_lambda_proxy_v1 = invoke_limited
    _take_gateway_responses()


def _take_gateway_responses() -> None:
    """Import the gateway responses of a definition with it."""
    import_api = apigateway_v1._import_rest_api

    def import_with_responses(definition: Any, *rest: Any, **more: Any) -> Any:
        api = import_api(definition, *rest, **more)
        for kind, response in (definition.get(_GATEWAY_RESPONSES) or {}).items():
            status, _, body = apigateway_v1._put_gateway_response(api, kind, response)
            if status >= _REFUSED:
                raise ValueError(f"the gateway response {kind} is refused: {body!r}")
        return api

    apigateway_v1._import_rest_api = import_with_responses
