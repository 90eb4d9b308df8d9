"""Changes of workflows' tables as what they tell, and what is done about one that nobody understands."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from waybill.custody.domain.recording import EventRecorder, Recorded
from waybill.custody.domain.records import consignments, minting, replication, scanning, subject_access
from waybill.custody.domain.records.change import BucketNames, ItemChange, OtherRecords
from waybill.custody.errors import UnknownRecordError
from waybill.custody.models import Happening, TrailEntry


class Workflow(StrEnum):
    """Whose table it is."""

    REPLICATION = "replication"
    MINTING = "minting"
    CONSIGNMENTS = "consignments"
    SCANNING = "scanning"
    SUBJECT_ACCESS = "subject-access"


# The attributes that make the key of an item, by table.
_KEYS = {
    Workflow.REPLICATION: ("fileKey", "sourceBucket"),
    Workflow.MINTING: ("pk",),
    Workflow.CONSIGNMENTS: ("pk", "sk"),
    Workflow.SCANNING: ("pk", "sk"),
    Workflow.SUBJECT_ACCESS: ("pk", "sk"),
}


def key_of_record(workflow: Workflow, item: Mapping[str, object]) -> dict[str, str]:
    """Return the key of an item of a workflow's table."""
    return {name: str(item.get(name)) for name in _KEYS[workflow]}


@dataclass(frozen=True)
class Told:
    """What one change tells."""

    happenings: tuple[Happening, ...] = ()
    entries: tuple[TrailEntry, ...] = ()


@dataclass(frozen=True)
class RefusedRecord:
    """A change that nobody understands: where it is, and why; nothing of its content."""

    workflow: Workflow
    key: Mapping[str, str]
    problem: str


class Refusals(Protocol):
    """Where refused records wait for a person; raises a `RetryableError`."""

    def refuse(self, records: Iterable[RefusedRecord]) -> None:
        """Keep them."""
        ...


@dataclass(frozen=True)
class Interpreter:
    """Knows what the changes of each workflow's table tell."""

    others: OtherRecords
    buckets: BucketNames

    def told(self, workflow: Workflow, change: ItemChange) -> Told:
        """Return what a change tells.

        Raises
        ------
        UnknownRecordError
            It is of a shape that nobody knows.
        """
        match workflow:
            case Workflow.REPLICATION:
                return Told(tuple(replication.happenings(change)))
            case Workflow.MINTING:
                return Told(tuple(minting.happenings(change)))
            case Workflow.CONSIGNMENTS:
                return Told(tuple(consignments.happenings(change, self.others, self.buckets)))
            case Workflow.SCANNING:
                return Told(tuple(scanning.happenings(change, self.others)))
            case Workflow.SUBJECT_ACCESS:
                entry = subject_access.trail_entry(change)
                happened = subject_access.happenings(change, self.buckets.reports) if entry else []
                return Told(tuple(happened), (entry,) if entry else ())


@dataclass(frozen=True)
class TakenIn:
    """What a batch has come to."""

    recorded: Recorded
    refused: int


@dataclass(frozen=True)
class Intake:
    """Records a batch of changes; one that nobody understands stops nothing."""

    interpreter: Interpreter
    recorder: EventRecorder
    refusals: Refusals

    def take(self, changes: Iterable[tuple[Workflow, ItemChange]], slip: str) -> TakenIn:
        """Record what a batch of changes tells, and put aside what nobody understands."""
        happened, entries, refused = self._told(changes)
        recorded = self.recorder.record(happened, entries, slip)
        if refused:
            self.refusals.refuse(refused)
        return TakenIn(recorded, len(refused))

    def take_lost(self, changes: Iterable[tuple[Workflow, ItemChange]], slip: str) -> TakenIn:
        """Record of what changes tell what should be there for long, and is not; the same is put aside."""
        happened, entries, refused = self._told(changes)
        recorded = self.recorder.record(*self.recorder.lost(happened, entries), slip)
        if refused:
            self.refusals.refuse(refused)
        return TakenIn(recorded, len(refused))

    def _told(
        self, changes: Iterable[tuple[Workflow, ItemChange]]
    ) -> tuple[list[Happening], list[TrailEntry], list[RefusedRecord]]:
        happened: list[Happening] = []
        entries: list[TrailEntry] = []
        refused: list[RefusedRecord] = []
        for workflow, change in changes:
            try:
                told = self.interpreter.told(workflow, change)
            except UnknownRecordError as error:
                refused.append(RefusedRecord(workflow, key_of_record(workflow, change.new), str(error)))
                continue
            happened += told.happenings
            entries += told.entries
        return happened, entries, refused
