"""What comes of the gateway's sample events."""

from typing import Any

from tests.fakes.api import answer_of
from tests.fakes.samples import Invoke
from tests.fakes.wire import Wire


def authorise(event: Any, invoke: Invoke, wire: Wire) -> None:
    """The sample has no token that anybody signed; API Gateway answers this denial with 401."""
    assert invoke(event)["policyDocument"]["Statement"][0]["Effect"] == "Deny"
    assert wire.requests == []


def system_api(event: Any, invoke: Invoke, wire: Wire) -> None:
    answer = answer_of(invoke(event))
    assert (answer.status, answer.json) == (200, {"status": "ok"})
    assert wire.requests == []
