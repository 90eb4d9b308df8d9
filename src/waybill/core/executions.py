"""Step Functions executions that start once, however often they are asked for.

The name of an execution is derived from what it is about. A Standard state machine refuses a used name for 90 days
(Step Functions API Reference, StartExecution), which makes the name the guard: no lookup before the start is needed.
"""

import hashlib
import json
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Protocol

from waybill.core.errors import PermanentError

# Step Functions quotas: 80 characters per execution name; these characters never need escaping in ARNs, URLs and logs.
NAME_LIMIT = 80
INPUT_LIMIT_BYTES = 262_144
_DIGEST_LENGTH = 32
_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9_-]+")


def execution_name(label: str, *identity: str) -> str:
    """Return the name of the execution about `identity`: equal parts, equal name; other parts, another name.

    `label` is for people: what fits of it stands in front of 128 bits of SHA-256 over the parts.
    """
    digest = hashlib.sha256(json.dumps(identity, ensure_ascii=True).encode()).hexdigest()[:_DIGEST_LENGTH]
    readable = _NOT_IN_NAMES.sub("-", label).strip("-")[: NAME_LIMIT - _DIGEST_LENGTH - 1].strip("-")
    return f"{readable}-{digest}" if readable else digest


def is_execution_of(state_machine_arn: str, execution_arn: str) -> bool:
    """Return whether a Standard execution is of this state machine: in a restored table there are those of others."""
    return execution_arn.startswith(f"{state_machine_arn.replace(':stateMachine:', ':execution:')}:")


# Made once: `json.dumps` makes one for each call, which takes a third of it.
_STABLE = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def stable_json(payload: Mapping[str, Any]) -> str:
    """Return `payload` as JSON that is the same bytes for the same content, as StartExecution's idempotency needs."""
    return _STABLE.encode(payload)


def id_for(subject: str, idempotency_key: str) -> str:
    """Return the id of what a caller asks for with a key: the same one each time."""
    digest = hashlib.sha256(f"{len(subject)}:{subject}{idempotency_key}".encode()).digest()
    return str(uuid.UUID(bytes=digest[:16], version=5))


@dataclass(frozen=True)
class StartedExecution:
    """The execution that now exists under the name; `already_running` says that an earlier call had started it."""

    execution_arn: str
    start_date: datetime
    already_running: bool


@dataclass(frozen=True)
class ExecutionState:
    """How an execution stands: `status` is Step Functions' word; what it has not come to is None."""

    status: str
    stop_date: datetime | None = None
    output: str | None = None
    error: str | None = None
    cause: str | None = None


class ExecutionRefusedError(PermanentError):
    """AWS does not let this function look at an execution, such as another stack's in a restored table."""

    code: ClassVar[str] = "EXECUTION_REFUSED"


class ExecutionStarter(Protocol):
    """Starts executions by name, once."""

    def start(self, state_machine_arn: str, name: str, payload: Mapping[str, Any]) -> StartedExecution:
        """Start the execution `name`, or find that it was started before."""
        ...

    def find(self, state_machine_arn: str, name: str) -> StartedExecution | None:
        """Return the execution that has the name, if it is known."""
        ...


class RunningExecutions(ExecutionStarter, Protocol):
    """Starts executions, and knows which are running."""

    def is_running(self, execution_arn: str) -> bool:
        """Return whether the execution is running; one that cannot be looked up is not."""
        ...


class ExecutionStates(Protocol):
    """Knows how executions stand."""

    def state(self, execution_arn: str) -> ExecutionState | None:
        """Return how the execution stands; None for one that is unknown."""
        ...


def known_state(executions: ExecutionStates, execution_arn: str) -> ExecutionState | None:
    """Return how an execution stands; None for one that is unknown here, or another stack's."""
    try:
        return executions.state(execution_arn)
    except ExecutionRefusedError:
        return None
