"""What logs and metrics say of minted identifiers."""

from collections.abc import Mapping
from time import monotonic
from types import TracebackType
from typing import Self

from waybill.core.observability import MetricUnit, count, logger
from waybill.minting import WORKFLOW
from waybill.minting.domain.answers import MintAnswer
from waybill.minting.models import Minted, Outcome


class RequestMetrics:
    """Measures one request: the time that it took, and what became of its identifiers."""

    def __enter__(self) -> Self:
        self._started = monotonic()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        elapsed = (monotonic() - self._started) * 1000
        count(WORKFLOW, "id_minter.processing_time", elapsed, MetricUnit.Milliseconds)

    def record(self, answer: MintAnswer) -> None:
        """Log every identifier of this attempt, and count them; a request that broke its contract is one failure."""
        log_outcomes(answer.outcomes)
        minted = sum(isinstance(outcome, Minted) for outcome in answer.outcomes.values())
        failed = len(answer.outcomes) - minted if answer.request else len(answer.document["failures"])
        count(WORKFLOW, "id_minter.batch_size", len(answer.outcomes))
        count(WORKFLOW, "id_minter.success_count", minted)
        count(WORKFLOW, "id_minter.failure_count", failed)


def log_outcomes(outcomes: Mapping[str, Outcome]) -> None:
    """Log a line per identifier: its method, or the code and reason of its failure."""
    log = logger(WORKFLOW)
    for identifier, outcome in outcomes.items():
        if isinstance(outcome, Minted):
            said = {"canonical_id": outcome.canonical_id, "method": outcome.method.value}
            log.info("minted", extra={"source_identifier": identifier, **said})
        else:
            said = {"code": outcome.code.value, "reason": outcome.reason}
            log.warning("not minted", extra={"source_identifier": identifier, **said})
