"""What comes of the gateway's sample events."""

from typing import Any

import pytest

from tests.fakes.api import answer_of
from tests.fakes.samples import Invoke
from tests.fakes.wire import Wire


def authorise(event: Any, invoke: Invoke, wire: Wire) -> None:
    """The sample has no token that anybody signed; API Gateway answers this error with 401."""
    with pytest.raises(Exception, match=r"^Unauthorized$"):
        invoke(event)
    assert wire.requests == []


def system_api(event: Any, invoke: Invoke, wire: Wire) -> None:
    answer = answer_of(invoke(event))
    assert (answer.status, answer.json) == (200, {"status": "ok"})
    assert wire.requests == []
