"""The HTTP side of a workflow: routes with roles, strict JSON, problem details, cursors.

A workflow's `api.py` makes its routes with `build_api`; a handler resolves events with it:

    app = build_api("replication", title="Replication", roles=[Role.REPLICATION])

    @app.get("/copies/<copy_id>")
    def show(copy_id: str, limit: Annotated[int, Query(ge=1, le=100)] = 20) -> Copy:
        return copies.of(caller(app).subject).find(copy_id, limit)  # NotFoundError becomes 404

    @app.post("/copies", status_code=202)
    @allow(Role.ADMIN)  # for this route alone; `@public` opens one to everybody
    def start(request: CopyRequest) -> Copy: ...

    def lambda_handler(event, context):
        return app.resolve(event, context)

A request passes, in this order: path and method, role, size, media type and encoding of the body, validation of
parameters and body against the route's annotations (`waybill.core.strictness`: what was not understood is not taken),
the route, validation of its answer. Whatever any of them raises becomes problem details: `waybill.core.problems` has
the statuses. A route without a role, its API's or its own, refuses everybody.
"""

import json
import re
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, TypeGuard
from urllib.parse import quote

from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response
from aws_lambda_powertools.event_handler.exceptions import ServiceError, UnauthorizedError
from aws_lambda_powertools.event_handler.middlewares import NextMiddleware
from aws_lambda_powertools.event_handler.middlewares.openapi_validation import (
    OpenAPIRequestValidationMiddleware,
    OpenAPIResponseValidationMiddleware,
)
from aws_lambda_powertools.event_handler.openapi.params import Header

from waybill.core.bodies import body_bytes, body_text, json_object
from waybill.core.cursors import decode_cursor, encode_cursor, list_cursor, list_position
from waybill.core.errors import ForbiddenError, TokenExpiredError, TooLargeError
from waybill.core.observability import logger
from waybill.core.problems import PROBLEM_JSON, problem_of
from waybill.core.roles import Caller, Role, known_roles
from waybill.core.strictness import check_body, check_query, read_content

__all__ = [
    "Api",
    "Caller",
    "Event",
    "Operation",
    "ProxyResponse",
    "Role",
    "allow",
    "build_api",
    "caller",
    "decode_cursor",
    "encode_cursor",
    "fails",
    "idempotency_header",
    "is_api_event",
    "list_cursor",
    "list_position",
    "public",
]

MAX_BODY_BYTES = 1_048_576
_ACCESS, _FAILURES = "__waybill_access__", "__waybill_failures__"
_EVERYBODY: frozenset[Role] = frozenset()
# What a page of another origin may read besides the body ("CORS protocol" of the Fetch standard).
_EXPOSED = "Allow, Content-Disposition, ETag, Location, Retry-After, WWW-Authenticate"

type Event = Mapping[str, Any]
"""A REST API's proxy event (payload 1.0)."""

type ProxyResponse = dict[str, Any]
"""What API Gateway takes for an answer: `{statusCode, headers, body, isBase64Encoded}`."""


@dataclass(frozen=True)
class Operation:
    """One route; `path` is a template such as `/jobs/{job_id}`. Neither `roles` nor `public`: for nobody.

    `failures` says of statuses when `route` answers with them, beyond those that every route may answer with.
    """

    method: str
    path: str
    roles: frozenset[Role]
    public: bool
    route: Callable[..., Any]
    failures: Mapping[int, str]


def allow[F: Callable[..., Any]](*roles: Role) -> Callable[[F], F]:
    """Return a decorator for a route that lets these roles in, instead of those of its API."""
    if not roles:
        raise ValueError("allow() needs at least one role")

    def mark(route: F) -> F:
        setattr(route, _ACCESS, frozenset(roles))
        return route

    return mark


def public[F: Callable[..., Any]](route: F) -> F:
    """Open `route` to callers without a token."""
    setattr(route, _ACCESS, _EVERYBODY)
    return route


def idempotency_header(description: str, example: str) -> Any:
    """Return what a route says of its parameter `idempotency_key`, which is the header `Idempotency-Key`."""
    return Header(alias="Idempotency-Key", min_length=1, max_length=256, description=description, examples=[example])


def fails[F: Callable[..., Any]](failures: Mapping[int, str]) -> Callable[[F], F]:
    """Return a decorator that says of statuses when a route answers with them, for its description."""

    def mark(route: F) -> F:
        setattr(route, _FAILURES, dict(failures))
        return route

    return mark


class Api(APIGatewayRestResolver):
    """The routes of one workflow, and their rules of access; made by `build_api`."""

    def __init__(
        self,
        workflow: str,
        title: str,
        description: str,
        roles: frozenset[Role],
        max_body_bytes: int,
        *,
        lenient_query: bool,
    ) -> None:
        # `enable_validation=True` would validate before any other step, and tell somebody without the role
        # what a request looks like. The same two middlewares stand here, after the one that checks the role.
        # Debug mode, which an environment variable switches on, would print whole events, tokens included.
        super().__init__(debug=False, json_body_deserializer=json_object)
        self.workflow = workflow
        self.title = title
        self.description = description
        self._roles = roles
        self._max_body_bytes = max_body_bytes
        self._lenient_query = lenient_query
        self._registered: dict[tuple[str, str], Callable[..., Any]] = {}
        self.use(
            middlewares=[
                self._authorise,
                self._read_body,
                OpenAPIRequestValidationMiddleware(),  # type: ignore[no-untyped-call]
                OpenAPIResponseValidationMiddleware(has_response_validation_error=True),
            ]
        )
        self.exception_handler(Exception)(self._failed)

    def route(self, rule: str, method: Any, *args: Any, **kwargs: Any) -> Any:
        """Register a route, as Powertools does, and remember it for the check of its roles."""
        register = super().route(rule, method, *args, **kwargs)

        def remember(route: Callable[..., Any]) -> Callable[..., Any]:
            for one in [method] if isinstance(method, str) else method:
                self._registered[one.upper(), _path_template(rule)] = route
            return register(route)

        return remember

    def operations(self) -> Iterator[Operation]:
        """Yield every registered route."""
        for method, path in self._registered:
            operation = self._operation(method, path)
            if operation is not None:
                yield operation

    def resolve(self, event: Event, context: Any) -> ProxyResponse:
        """Return the proxy response to `event`, a REST API (payload 1.0) proxy event; never raises.

        `HEAD` is answered as `GET` is, without its body (RFC 9110, 9.3.2); a method that a known path does not have
        with 405 and the methods that it has (RFC 9110, 15.5.6).
        """
        return _shared(self._resolved(event, context), event)

    def _resolved(self, event: Event, context: Any) -> ProxyResponse:
        own = {**event, "path": _routed_path(event)}
        method = str(event.get("httpMethod") or "").upper()
        try:
            methods = self._methods_of(own["path"])
            if method == "HEAD" and "GET" in methods:
                return {**super().resolve({**own, "httpMethod": "GET"}, context), "body": "", "isBase64Encoded": False}
            if method and methods and method not in methods:
                return _proxied(self._not_allowed(methods, own))
            return super().resolve(own, context)
        except Exception as error:
            # Outside of a route: an event or an answer that cannot be converted.
            return _proxied(self._failed(error, own))

    def _methods_of(self, path: str) -> list[str]:
        """Return the methods of the routes that `path` leads to, sorted, with `HEAD` where there is `GET`."""
        below = self._remove_prefix(path)
        routes = (route for route in self._static_routes + self._dynamic_routes if route.rule.match(below))
        methods = {route.method for route in routes}
        return sorted(methods | {"HEAD"} if "GET" in methods else methods)

    def _not_allowed(self, methods: Sequence[str], event: Event) -> Response[str]:
        response = self._failed(ServiceError(HTTPStatus.METHOD_NOT_ALLOWED, "This route has no such method"), event)
        response.headers["Allow"] = ", ".join(methods)
        return response

    def _operation(self, method: str, path: str) -> Operation | None:
        route = self._registered.get((method, path))
        if route is None:
            return None
        # Read now and not when the route was registered: the order of the decorators must not matter.
        access = getattr(route, _ACCESS, None)
        roles, is_public = (self._roles, False) if access is None else (access, not access)
        failures = getattr(route, _FAILURES, {})
        return Operation(method, path, roles=roles, public=is_public, route=route, failures=failures)

    def _authorise(self, app: APIGatewayRestResolver, next_middleware: NextMiddleware) -> Response[Any]:
        operation = self._operation(app.request.method, app.request.route)
        # An unknown route has nothing to protect: Powertools answers it with NotFoundError.
        if operation is not None and not operation.public:
            _require(operation, caller(app))
        response = next_middleware(app)
        response.headers.setdefault("Cache-Control", "no-store")
        return _unless_known(response, app.current_event.headers.get("if-none-match", ""))

    def _read_body(self, app: APIGatewayRestResolver, next_middleware: NextMiddleware) -> Response[Any]:
        event = app.current_event.raw_event
        raw = body_bytes(event)
        if len(raw) > self._max_body_bytes:
            raise TooLargeError(f"The body is over {self._max_body_bytes} bytes")
        route = app.context["_route"]
        if self._operation(app.request.method, app.request.route) is None:
            return next_middleware(app)
        if app.request.method not in {"GET", "HEAD"} and read_content(event, raw, route.dependant):
            event["body"], event["isBase64Encoded"] = body_text(raw), False
            check_body(event["body"], route.dependant)
        if not self._lenient_query:
            check_query(_query_of(event), route.dependant)
        return next_middleware(app)

    def _failed(self, error: Exception, event: Event | None = None) -> Response[str]:
        raw: Event = self.current_event.raw_event if event is None else event
        problem = problem_of(error)
        if problem.status.is_server_error:
            logger(self.workflow).error("request failed", extra={"code": problem.code}, exc_info=error)
        request_context = raw.get("requestContext") or {}
        # A path may arrive percent-decoded; `instance` is a URI reference.
        path = str(request_context.get("path") or raw.get("path") or "")
        instance = quote(path, safe="/%:@!$&'()*+,;=-._~")
        document = problem.document(instance, str(request_context.get("requestId", "")))
        return Response(
            status_code=int(problem.status),
            content_type=PROBLEM_JSON,
            body=json.dumps(document),
            headers={"Cache-Control": "no-store", **problem.headers},
        )


def build_api(
    workflow: str,
    *,
    title: str,
    description: str = "",
    roles: Collection[Role] = (),
    max_body_bytes: int = MAX_BODY_BYTES,
    lenient_query: bool = False,
) -> Api:
    """Return the API of `workflow` (the name in its logs), whose routes need one of `roles`.

    Parameters
    ----------
    title
        What the OpenAPI document calls the workflow.
    description
        What the workflow does, in one sentence of that document.
    roles
        Any of them is enough, and `admin` always is; `@allow` and `@public` say otherwise for one route.
    max_body_bytes
        Larger bodies (after base64) are answered with 413.
    lenient_query
        Pass over query parameters that no route has: monitors add some against caches.
    """
    return Api(workflow, title, description, frozenset(roles), max_body_bytes, lenient_query=lenient_query)


def caller(app: APIGatewayRestResolver) -> Caller:
    """Return who sent the request that `app` is answering.

    Raises
    ------
    UnauthorizedError
        The authoriser identified nobody.
    TokenExpiredError
        The token has expired since the authoriser saw it.
    """
    identity = (app.current_event.raw_event.get("requestContext") or {}).get("authorizer") or {}
    subject = identity.get("subject")
    if not isinstance(subject, str) or not subject:
        raise UnauthorizedError("A bearer token is needed")
    # API Gateway keeps an authoriser's answer for its cache time, which a token must not outlive.
    expires_at = str(identity.get("expiresAt", ""))
    if expires_at.isdecimal() and int(expires_at) <= time.time():
        raise TokenExpiredError("The token has expired")
    rehearsal = identity.get("rehearsal") == "true"
    return Caller(subject, known_roles(re.split(r"[\s,]+", str(identity.get("roles", "")))), rehearsal=rehearsal)


def is_api_event(event: object) -> TypeGuard[Event]:
    """Return whether `event` is a REST API's proxy event, for functions that are also invoked directly."""
    return isinstance(event, Mapping) and "httpMethod" in event and "requestContext" in event


def _require(operation: Operation, who: Caller) -> None:
    if not operation.roles:
        raise ForbiddenError("This route has no role and lets nobody in")
    if not who.may(operation.roles):
        raise ForbiddenError(f"This needs one of the roles: {', '.join(sorted(operation.roles))}")


def _unless_known(response: Response[Any], known: str) -> Response[Any]:
    """Return 304 without a body in place of an answer whose entity tag the client has.

    A weak tag and a strong one of the same letters are the same here (RFC 9110, 13.1.2 and 8.8.3.2).
    """
    tag = response.headers.get("ETag")
    if response.status_code != HTTPStatus.OK or tag is None:
        return response
    if known.strip() != "*" and _opaque(tag) not in map(_opaque, known.split(",")):
        return response
    return Response(304, content_type=response.content_type, body="", headers=response.headers)


def _opaque(tag: str | list[str]) -> str:
    return str(tag).strip().removeprefix("W/")


def _shared(answer: ProxyResponse, event: Event) -> ProxyResponse:
    """Let pages of the origin that the API's stage names, if it names one, read an answer."""
    if origin := (event.get("stageVariables") or {}).get("allowedOrigin"):
        shared = {"Access-Control-Allow-Origin": [origin], "Access-Control-Expose-Headers": [_EXPOSED]}
        answer["multiValueHeaders"] = {**(answer.get("multiValueHeaders") or {}), **shared}
    return answer


def _path_template(rule: str) -> str:
    return re.sub(r"<(\w+)>", r"{\1}", rule.rstrip("/")) or "/"


def _routed_path(event: Event) -> str:
    """Return the path below the stage: a custom domain's base path stays in `path`, but not in `resource`."""
    path, resource = str(event.get("path") or "/"), event.get("resource")
    if not isinstance(resource, str):
        return path
    parameters = event.get("pathParameters") or {}
    below = re.sub(r"\{(\w+)\+?\}", lambda match: str(parameters.get(match[1], match[0])), resource)
    return below if below != "/" and path.endswith(below) else path


def _query_of(event: Event) -> dict[str, list[str]]:
    """Return the query parameters as they were sent: Powertools takes values apart at their commas."""
    several = event.get("multiValueQueryStringParameters")
    return several or {name: [value] for name, value in (event.get("queryStringParameters") or {}).items()}


def _proxied(response: Response[str]) -> ProxyResponse:
    headers = {name: str(value) for name, value in response.headers.items()}
    return {"statusCode": response.status_code, "headers": headers, "body": response.body, "isBase64Encoded": False}
