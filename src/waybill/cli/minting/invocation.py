"""Calls of the minter by commands."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from waybill.cli.context import Cli
from waybill.cli.errors import CommandError
from waybill.cli.minting.runtime import Minting
from waybill.core.aws.faults import AWS_FAULTS, is_transient, reason_of
from waybill.core.clock import Clock
from waybill.core.errors import RetryableError
from waybill.core.retry import Retry
from waybill.minting.domain.answers import IdentifierMinter
from waybill.minting.domain.canonical_ids import draw
from waybill.minting.domain.minter import Minter
from waybill.minting.domain.registry import InvocationTime
from waybill.minting.domain.rehearsal import RehearsedOutcome, RehearsedRegistry, rehearsed
from waybill.minting.domain.requests import parse_request

# Minting is idempotent: what a call that failed has done is found by the next one.
_RETRY = Retry(tries=12, first_pause=0.5, longest_pause=20.0)
# The function itself ended badly in a way that passes (Lambda developer guide, "Understanding retry behavior").
_TRANSIENT_ENDS = frozenset({"RegistryUnavailableError", "Sandbox.Timedout", "Runtime.ExitError"})


class MinterUnavailableError(RetryableError):
    """The minter could not be called, or could not answer, for a reason that passes."""


def unbounded_time() -> InvocationTime:
    """Return the time of a command, which no invocation bounds."""
    clock = Clock()
    return InvocationTime(lambda: float("inf"), clock.sleep, clock.uniform)


def invoke(cli: Cli, payload: Mapping[str, Any]) -> Any:
    """Return the minter's answer; throttling, time-outs and broken connections are waited out.

    Raises
    ------
    CommandError
        The minter failed for good.
    """
    name = cli.stack.output("IdMinterFunctionName")
    try:
        return _RETRY.call(lambda: _invoked(cli, name, payload))
    except MinterUnavailableError as error:
        raise CommandError(f"the minter failed again and again: {error}") from error


def _invoked(cli: Cli, name: str, payload: Mapping[str, Any]) -> Any:
    try:
        response = cli.client("lambda").invoke(FunctionName=name, Payload=json.dumps(payload).encode())
        answer: Any = json.loads(response["Payload"].read())
    except AWS_FAULTS as error:
        if is_transient(error) or reason_of(error) == "ServiceException":
            raise MinterUnavailableError(f"{reason_of(error)} while calling {name}") from error
        raise
    if not response.get("FunctionError"):
        return answer
    kind, message = answer.get("errorType"), answer.get("errorMessage")
    if kind in _TRANSIENT_ENDS or "Task timed out" in str(message):
        raise MinterUnavailableError(f"{kind}: {message}")
    raise CommandError(f"the minter failed: {kind}: {message}")


def dry_run(cli: Cli, payload: Mapping[str, Any]) -> Iterator[RehearsedOutcome]:
    """Yield what would become of each identifier of a request; nothing is written."""
    drawn: list[str] = []

    def noted(_system: str) -> str:
        drawn.append(draw())
        return drawn[-1]

    minter = Minter(RehearsedRegistry(Minting(cli).registry), noted, unbounded_time())
    outcomes = IdentifierMinter(minter).outcomes(parse_request(payload))
    for text, outcome in outcomes.items():
        yield rehearsed(text, outcome, drawn)
