"""What comes of the console's sample event."""

from typing import Any

from tests.fakes.samples import Invoke
from tests.fakes.wire import Wire


def console(event: Any, invoke: Invoke, wire: Wire) -> None:
    answer = invoke(event)
    assert (answer["statusCode"], answer["headers"]["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert "Sign in to Waybill" in answer["body"]
    assert wire.requests == []
