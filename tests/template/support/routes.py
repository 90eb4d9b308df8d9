"""The routes that a function serves: the template names paths, the code their methods."""

from tests.template.support.stack import Stack
from waybill.gateway.registry import apis


def routes_of(stack: Stack, function: str) -> list[tuple[str, str]]:
    """Return `(method, path)` of every operation on a path whose requests come to the function."""
    paths = {event.properties["Path"] for event in stack.events(function) if event.kind == "Api"}
    return [(one.method, one.path) for api in apis() for one in api.operations() if one.path in paths]
