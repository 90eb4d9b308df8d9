"""Functions of the application called in this process, as Lambda would call them."""

import importlib
import os
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Context:
    """What a handler may ask of the invocation."""

    function_name: str
    memory_limit_in_mb: int
    invoked_function_arn: str
    aws_request_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    milliseconds: int = 900_000

    def get_remaining_time_in_millis(self) -> int:
        """Return the time that is left."""
        return self.milliseconds


def call(module: str, event: Any, *, name: str, arn: str, memory: int) -> Any:
    """Return what the handler in `module` answers to `event`."""
    handler = importlib.import_module(module).lambda_handler
    return handler(event, Context(name, memory, arn))


@contextmanager
def environment(variables: Mapping[str, str]) -> Iterator[None]:
    """Set `variables` for the time of the block."""
    before = dict(os.environ)
    os.environ.update(variables)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
