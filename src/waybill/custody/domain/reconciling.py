"""Reconciliation on a schedule: all that the workflows' tables hold is looked at again and again, bit by bit.

A stream forgets after a day what nobody has read. What is there for a day is neither written nor queued again, so that
a run over a large table costs reads; what happened within the last hour is left to the stream, so that whatever a run
records is a loss that it has repaired.
"""

import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import batched
from typing import Protocol

from waybill.custody.domain.interpreting import Intake, TakenIn, Workflow, key_of_record
from waybill.custody.domain.records.change import ItemChange

_BATCH = 100


@dataclass(frozen=True)
class Position:
    """Up to where the tables were looked at: whose table, and the key of its last item."""

    workflow: Workflow
    key: Mapping[str, str]


class ReconciledLedger(Protocol):
    """Where the position is kept; raises `CustodyUnavailableError`."""

    def reconciled(self) -> Position | None:
        """Return up to where a run came that had no time left; None where the next one begins anew."""
        ...

    def note_reconciled(self, position: Position | None) -> None:
        """Keep up to where a run has come."""
        ...


@dataclass(frozen=True)
class Reconciler:
    """Goes through the tables; `records` yields what one holds behind a key."""

    intake: Intake
    ledger: ReconciledLedger
    records: Callable[[Workflow, Mapping[str, str] | None], Iterator[ItemChange]]

    def go_on(self, has_time: Callable[[], bool]) -> Iterator[TakenIn]:
        """Go on from where the last run was, to the end of the tables or of the time; yields what batches come to."""
        at = self.ledger.reconciled()
        workflows = list(Workflow)
        for workflow in workflows[workflows.index(at.workflow) if at else 0 :]:
            start = at.key if at and at.workflow is workflow else None
            for some in batched(self.records(workflow, start), _BATCH, strict=False):
                yield self.intake.take_lost([(workflow, change) for change in some], uuid.uuid4().hex)
                self.ledger.note_reconciled(Position(workflow, key_of_record(workflow, some[-1].new)))
                if not has_time():
                    return
        self.ledger.note_reconciled(None)
