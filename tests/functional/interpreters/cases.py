"""What a definition is run for: executions, and what their tasks answer.

Each workflow lists its own, as `DEFINITIONS` in `tests/functional/<workflow>/executions.py`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Case:
    """An execution: what its tasks answer, how it has to end, and some of the states that it has to go through."""

    label: str
    given: Any
    answers: dict[str, Any]
    status: str = "SUCCEEDED"
    error: str | None = None
    output: Any = None
    through: tuple[str, ...] = ()
    times: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Definition:
    """The executions of one definition, and what the template puts into it besides the ARNs of its functions."""

    cases: list[Case]
    substitutions: Mapping[str, str] = field(default_factory=dict)
