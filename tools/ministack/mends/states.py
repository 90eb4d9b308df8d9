"""Limits and pauses of Step Functions.

- The input of an execution, and what goes into and out of a state, has at most 262,144 bytes (Step Functions Developer
  Guide, "Quotas"; "Handling errors": `States.DataLimitExceeded`, which no Catch of `States.ALL` takes). MiniStack has
  no limit.
- A condition of a Choice in JSONata is a boolean (Amazon States Language, "Choice state"; if it is not, a
  `States.QueryEvaluationError`). MiniStack takes anything for true or false.
- A Distributed Map takes its concurrency from `MaxConcurrencyPath`, in JSONPath the only way to one from a parameter
  ("Map state in Distributed mode"). MiniStack does not read it.
- The pause before a retry grows up to `MaxDelaySeconds`, and `JitterStrategy` `FULL` draws one between none and that
  (Amazon States Language, "Retrying after error"). MiniStack reads neither, and pauses for 60 seconds at most.
"""

import json
import random
from collections.abc import Callable
from typing import Any

from ministack.core.responses import error_response_json
from ministack.services import stepfunctions

_MOST_BYTES = 262_144
_STATES = ("_execute_pass", "_execute_task", "_execute_choice", "_execute_wait", "_execute_parallel", "_execute_map")


def mend() -> None:
    """Hold the limits, and read the concurrency of Distributed Maps and the pauses of retriers."""
    for name in _STATES:
        setattr(stepfunctions, name, _limited_output(getattr(stepfunctions, name)))
    stepfunctions._invoke_resource = _limited_input(stepfunctions._invoke_resource)
    stepfunctions._start_execution = _limited_start(stepfunctions._start_execution)
    stepfunctions._start_sync_execution = _limited_start(stepfunctions._start_sync_execution)
    _want_booleans()
    _read_concurrency()
    _read_pauses()


def _bytes(value: Any) -> int:
    return len(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode())


def _too_large(what: str) -> Exception:
    told = f"The state/task returned {what} with a size exceeding the maximum number of bytes service limit."
    error: Exception = stepfunctions._ExecutionError("States.DataLimitExceeded", told)
    return error


def _limited_output(run: Callable[..., Any]) -> Callable[..., Any]:
    def limited(*args: Any, **kwargs: Any) -> Any:
        output, following = run(*args, **kwargs)
        if _bytes(output) > _MOST_BYTES:
            raise _too_large("a result")
        return output, following

    return limited


def _limited_input(invoke: Callable[..., Any]) -> Callable[..., Any]:
    def limited(resource: str, given: Any, *more: Any, **kwargs: Any) -> Any:
        if _bytes(given) > _MOST_BYTES:
            raise _too_large("an input")
        return invoke(resource, given, *more, **kwargs)

    return limited


def _limited_start(start: Callable[..., Any]) -> Callable[..., Any]:
    def limited(data: dict[str, Any]) -> Any:
        if len(data.get("input", "").encode()) > _MOST_BYTES:
            told = "Value at 'input' failed to satisfy constraint: Member must have length less than or equal to 262144"
            return error_response_json("ValidationException", f"1 validation error detected: {told}", 400)
        return start(data)

    return limited


def _want_booleans() -> None:
    evaluate = stepfunctions._evaluate_jsonata_choice_rule
    truthy = stepfunctions._truthy

    def evaluated(rule: Any, raw_input: Any, context: Any) -> bool:
        condition = rule.get("Condition")
        if isinstance(condition, str) and condition.startswith("{%") and condition.endswith("%}"):
            found = stepfunctions._evaluate_jsonata(condition[2:-2].strip(), raw_input, context)
            if not isinstance(found, bool):
                told = f"The JSONata expression '{condition}' specified for the field 'Condition' returned no boolean."
                raise stepfunctions._ExecutionError("States.QueryEvaluationError", told)
            return bool(truthy(found))
        return bool(evaluate(rule, raw_input, context))

    stepfunctions._evaluate_jsonata_choice_rule = evaluated


def _read_concurrency() -> None:
    run = stepfunctions._run_distributed_map

    def run_bounded(state: Any, raw_input: Any, effective: Any, *others: Any) -> Any:
        path = state.get("MaxConcurrencyPath")
        if path:
            state = {**state, "MaxConcurrency": stepfunctions._resolve_path_or_ctx(path, effective, others[-1])}
        return run(state, raw_input, effective, *others)

    stepfunctions._run_distributed_map = run_bounded


def _read_pauses() -> None:
    find = stepfunctions._find_matching_retrier

    def found_with_its_pause(retriers: Any, error: Any, counts: Any) -> Any:
        retrier, index = find(retriers, error, counts)
        if retrier is None:
            return retrier, index
        pause = retrier.get("IntervalSeconds", 1) * retrier.get("BackoffRate", 2.0) ** counts.get(index, 0)
        pause = min(pause, retrier.get("MaxDelaySeconds", pause))
        if retrier.get("JitterStrategy") == "FULL":
            pause = random.uniform(0, pause)  # noqa: S311 - nobody has to guess it
        return {**retrier, "IntervalSeconds": pause, "BackoffRate": 1}, index

    stepfunctions._find_matching_retrier = found_with_its_pause
