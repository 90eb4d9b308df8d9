"""Logs, traces and metrics, in one place.

Everything is built on the first invocation, not at import. Log records are JSON with the correlation id of the run
(execution id where there is one, else the request id). Metrics are CloudWatch EMF in the namespace `Waybill/<stack>`:
stacks of one account and Region would count as one otherwise. Their dimension is the workflow, since a key or an id as
a dimension would make one metric per file; `count_by` adds one that has few values. Events, keys' contents and tokens
are never logged.
"""

import logging
from collections.abc import Callable, Mapping
from functools import cache, wraps
from typing import Any

from aws_lambda_powertools import Logger, Tracer
from aws_lambda_powertools.metrics import EphemeralMetrics, MetricUnit, single_metric

from waybill.core.errors import WaybillError
from waybill.core.settings import ObservabilitySettings, load

__all__ = ["MetricUnit", "count", "count_by", "instrumented", "logger", "metrics", "tracer"]

# Where the events of the states carry the id of their execution.
_EXECUTION_ID_PATHS = (
    ("executionId",),
    ("run", "executionId"),
    ("task", "run", "executionId"),
    ("execution", "Id"),
    ("detail", "executionArn"),
)

type Handler = Callable[[Any, Any], Any]


@cache
def logger(workflow: str) -> Logger:
    """Return the JSON logger of `workflow`."""
    settings = load(ObservabilitySettings)
    made = Logger(service=workflow, level=settings.log_level, stage=settings.stage, log_uncaught_exceptions=False)
    # Where Lambda's log format is JSON, its runtime and Powertools take Lambda's application log level instead, for
    # other libraries too, and what botocore says of a request at DEBUG holds its headers and keys.
    logging.getLogger(workflow).setLevel(settings.log_level)
    logging.getLogger().setLevel(logging.WARNING)
    return made


@cache
def tracer(workflow: str) -> Tracer:
    """Return the X-Ray tracer of `workflow`; outside Lambda it does nothing."""
    # By default every library that X-Ray knows is imported and patched; AWS's answers are what a trace is read for.
    return Tracer(service=workflow, patch_modules=("botocore",))


@cache
def metrics(workflow: str) -> EphemeralMetrics:
    """Return the EMF metrics of `workflow`, flushed when an instrumented handler returns or raises."""
    return EphemeralMetrics(namespace=_namespace(), service=workflow)


def count(workflow: str, name: str, value: float = 1, unit: MetricUnit = MetricUnit.Count) -> None:
    """Add `value` to the metric `name` of `workflow`."""
    metrics(workflow).add_metric(name=name, unit=unit, value=value)


def count_by(workflow: str, name: str, dimension: str, value: str) -> None:
    """Count one for `name` of `workflow`, also apart for this value of a dimension; one that has few values."""
    count(workflow, name)
    both = {"service": workflow, dimension: value}
    with single_metric(name=name, unit=MetricUnit.Count, value=1, namespace=_namespace(), default_dimensions=both):
        pass


def instrumented(workflow: str) -> Callable[[Handler], Handler]:
    """Return a decorator for a `lambda_handler`: correlation id, trace, metrics flush, one log line per failure."""

    def decorate(handler: Handler) -> Handler:
        @wraps(handler)
        def run(event: Any, context: Any) -> Any:
            return _observed(workflow, handler)(event, context)

        return run

    return decorate


@cache
def _observed(workflow: str, handler: Handler) -> Handler:
    log = logger(workflow)

    @wraps(handler)  # the trace shows this name
    def logged(event: Any, context: Any) -> Any:
        log.set_correlation_id(_correlation_id(event, context))
        try:
            return handler(event, context)
        except Exception as error:
            code = error.code if isinstance(error, WaybillError) else type(error).__name__
            log.error(
                "failed", extra={"code": code, "cause": str(error)[:1000]}, exc_info=not isinstance(error, WaybillError)
            )
            raise
        finally:
            recorded = metrics(workflow)
            if recorded.metric_set:
                recorded.flush_metrics()

    traced = tracer(workflow).capture_lambda_handler(logged, capture_response=False, capture_error=False)
    return log.inject_lambda_context(traced, clear_state=True, log_event=False)


def _namespace() -> str:
    return f"Waybill/{load(ObservabilitySettings).stack_name}"


def _correlation_id(event: Any, context: Any) -> str:
    for path in _EXECUTION_ID_PATHS:
        found = event
        for name in path:
            found = found.get(name) if isinstance(found, Mapping) else None
        if isinstance(found, str):
            return found
    return str(context.aws_request_id)
