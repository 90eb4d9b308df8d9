"""What logs and metrics say of minted identifiers."""

from collections.abc import Mapping
from time import monotonic
from types import TracebackType
from typing import Self

from aws_lambda_powertools.metrics import MetricUnit

from waybill.core.observability import count, logger, metrics
from waybill.minting import WORKFLOW
from waybill.minting.answering import Answer
from waybill.minting.models import Minted, Outcome


class Measured:
    """Measures one request, from its entry to `tell`."""

    def __enter__(self) -> Self:
        self._started = monotonic()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        elapsed = (monotonic() - self._started) * 1000
        metrics(WORKFLOW).add_metric("id_minter.processing_time", MetricUnit.Milliseconds, elapsed)

    def tell(self, answer: Answer) -> None:
        """Log every identifier, and count them."""
        tell_outcomes(answer.outcomes)
        failures = len(answer.document["failures"])
        count(WORKFLOW, "id_minter.batch_size", len(answer.outcomes))
        count(WORKFLOW, "id_minter.success_count", len(answer.document["successes"]))
        count(WORKFLOW, "id_minter.failure_count", failures)


def tell_outcomes(outcomes: Mapping[str, Outcome]) -> None:
    """Log a line per identifier: its method, or the code and reason of its failure."""
    log = logger(WORKFLOW)
    for text, outcome in outcomes.items():
        if isinstance(outcome, Minted):
            said = {"source_identifier": text, "canonical_id": outcome.canonical_id, "method": outcome.method.value}
            log.info("minted", extra=said)
        else:
            said = {"source_identifier": text, "code": outcome.code.value, "reason": outcome.reason}
            log.warning("not minted", extra=said)
