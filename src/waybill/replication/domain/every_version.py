"""Every version of a file at a destination that keeps versions, in the order of the source (`ReplicateEveryVersion`).

S3 itself keeps an original's id and time with its replica; a copy gets its own, so that copies stand in the order in
which they were made. Hence one run at a time brings versions to a destination of a file, and brings all that the source
has and the destination lacks, the oldest first, whichever of them it was started for. Which have arrived is kept by
their ids. What is about to be made is noted before, with what lay on top: whoever goes on after a death sees by that
whether it was made.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol

from waybill.core.clock import iso
from waybill.core.errors import PermanentError
from waybill.replication.domain.buckets import Buckets
from waybill.replication.domain.comparison import compare
from waybill.replication.domain.copy_proof import verify
from waybill.replication.domain.copy_result import CopyResult, copy_in_one_call
from waybill.replication.domain.multipart import MultipartCopy, SecondsLeft
from waybill.replication.domain.part_plan import describe
from waybill.replication.domain.records import DestinationRecords, RecordStatus
from waybill.replication.errors import (
    CopyUnfinishedError,
    DestinationBusyError,
    SourceArchivedError,
    SourceNotFoundError,
    UploadGoneError,
    VersionNotCopiedError,
)
from waybill.replication.models import (
    CopyCode,
    CopyLimits,
    CopyTask,
    Expected,
    FileId,
    ObjectFacts,
    SourceVersion,
    Strategy,
)

# As many ids are kept of what has arrived: more than that must have been deleted for good before time has to decide.
_KEPT = 50
_KEPT_LOST = 10
# No version is begun with less time left.
_SECONDS_TO_COPY = 30.0
# What was asked of S3 in the last moment of a function may still be done by it.
_GRACE = timedelta(seconds=15)


@dataclass(frozen=True)
class VersionsAt:
    """Which versions of a file a destination has got, and who is bringing more.

    `arrived` are ids of the source's versions, the newest last, `arrived_at` is when that was written; `holder` is the
    execution whose turn it is `until` then. `copying` is the version that is being brought onto the version `over`, in
    the upload `upload_id` where it goes in parts. `lost` are those that later ones have arrived without, and why.
    `revision` counts the changes.
    """

    arrived: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()
    arrived_at: str | None = None
    holder: str | None = None
    until: str | None = None
    copying: str | None = None
    over: str | None = None
    upload_id: str | None = None
    revision: int = 0


class VersionRecords(DestinationRecords, Protocol):
    """What is kept of the versions of each file. All methods raise `TrackingUnavailableError`."""

    def versions_at(self, file: FileId, bucket: str) -> VersionsAt | None:
        """Return what has arrived at the destination `bucket`."""
        ...

    def save_versions(self, file: FileId, bucket: str, versions: VersionsAt) -> bool:
        """Keep `versions` in the place of the revision before; False where another run has changed it meanwhile."""
        ...

    def record_version(
        self, task: CopyTask, version: SourceVersion, code: CopyCode | str, landed: CopyResult | None
    ) -> None:
        """Record what has become of one version at the destination of `task`."""
        ...

    def has_version(self, file: FileId, bucket: str, version_id: str) -> bool:
        """Return whether something is recorded of a version at the destination `bucket`."""
        ...


@dataclass(frozen=True)
class Brought:
    """A version that was brought: `task` describes it, `landed` is its copy, None for a marker of its removal."""

    task: CopyTask
    landed: CopyResult | None


@dataclass(frozen=True)
class EveryVersion:
    """Takes turns at destinations; `removals`: delete markers are brought in their places."""

    buckets: Buckets
    records: VersionRecords
    limits: CopyLimits
    now: Callable[[], datetime]
    seconds_left: SecondsLeft
    removals: bool = False

    def applies(self, task: CopyTask) -> bool:
        """Return whether `task` brings all versions: not where source or destination keep none.

        Nor where the destination raises events itself: a copy that came from there could not be told from what was
        written here, and would go round for ever. Nor where somebody wants one version, or copies under other keys.
        """
        run = task.run
        by_hand = not run.sequencer and bool(run.version_id or run.e_tag)
        if run.destination_prefix or by_hand or not (run.removed or task.source.version_id):
            return False
        return self.buckets.keeps_versions(task.destination_bucket) and not self.buckets.sends_events(
            task.destination_bucket
        )

    def turn(self, task: CopyTask) -> "VersionsTurn":
        """Return the turn of `task`'s run, once no other run has one.

        Raises
        ------
        DestinationBusyError
            Another run has it.
        """
        file, bucket = task.run.file, task.destination_bucket
        seen = self.records.versions_at(file, bucket)
        theirs = seen and seen.holder not in {None, task.run.execution_id} and (seen.until or "") > iso(self.now())
        turn = VersionsTurn(self, task, seen or self._first(task))
        if theirs or not turn.note():
            raise DestinationBusyError(f"another run brings versions to {task.place.bucket}/{task.place.key}")
        return turn

    def leave(self, task: CopyTask) -> None:
        """Give back the turn that an earlier attempt of `task`'s run has died with."""
        seen = self.records.versions_at(task.run.file, task.destination_bucket) if task.attempt > 1 else None
        if seen and seen.holder == task.run.execution_id:
            VersionsTurn(self, task, seen).give_back()

    def _first(self, task: CopyTask) -> VersionsAt:
        """Return what has arrived before there were turns: the version that was copied last."""
        record = self.records.destination(task.run.file, task.destination_bucket)
        known = record.source_identity if record and record.status == RecordStatus.COMPLETED else None
        return VersionsAt(arrived=(known,) if known else ())


class VersionsTurn:
    """One run's turn at the destination of its `task`."""

    def __init__(self, every: EveryVersion, task: CopyTask, state: VersionsAt) -> None:
        self._every, self._task, self._state = every, task, state
        self._buckets = every.buckets

    def note(self, **changes: object) -> bool:
        """Keep the state with `changes`, and the turn for as long as the function may run; False where it is lost."""
        until = iso(self._every.now() + timedelta(seconds=self._every.seconds_left()) + _GRACE)
        held = {"holder": self._task.run.execution_id, "until": until}
        return self._keep(replace(self._state, **{**held, **changes}))  # type: ignore[arg-type]

    def give_back(self) -> None:
        """Let others have the turn."""
        self._keep(replace(self._state, holder=None, until=None))

    def _keep(self, state: VersionsAt) -> bool:
        task = self._task
        state = replace(state, revision=self._state.revision + 1)
        if not self._every.records.save_versions(task.run.file, task.destination_bucket, state):
            return False
        self._state = state
        return True

    def _require(self, **changes: object) -> None:
        if not self.note(**changes):
            raise DestinationBusyError(f"another run brings versions to {self._task.place.bucket}")

    def has(self, version_id: str | None) -> bool:
        """Return whether something has become of a version here."""
        if version_id is None or version_id in self._state.arrived:
            return True
        task = self._task
        return self._every.records.has_version(task.run.file, task.destination_bucket, version_id)

    def newest(self) -> SourceVersion | None:
        """Return what lies on top of the source, of what is brought at all."""
        return next(self._listed(), None)

    def bring(self) -> Sequence[Brought]:
        """Bring what is missing, the oldest first, until nothing is; return it in that order.

        A version that cannot be copied costs itself: those after it are brought all the same, and what has come after
        it cannot be put under it any more.

        Raises
        ------
        RetryableError
            The next attempt goes on from here.
        VersionNotCopiedError
            The versions that could not be brought have lost their places.
        PermanentError
            None could be brought; whatever mends that brings all of them.
        """
        brought: list[Brought] = []
        failed: dict[str, PermanentError] = {}
        # Those that have failed before one that was brought.
        passed: list[SourceVersion] = []
        while missing := [version for version in self._missing() if version.version_id not in failed]:
            behind: list[SourceVersion] = []
            for version in missing:
                if self._every.seconds_left() < _SECONDS_TO_COPY:
                    raise CopyUnfinishedError(f"time is up before version {version.version_id}")
                try:
                    brought += self._bring(version)
                except PermanentError as refused:
                    failed[version.version_id] = refused
                    behind.append(version)
                else:
                    passed += behind
                    behind = []
        self._tell_failures(failed, passed)
        return brought

    def _tell_failures(self, failed: Mapping[str, PermanentError], passed: Sequence[SourceVersion]) -> None:
        """Tell what has lost its place now or before, until somebody has dismissed that."""
        for version in passed:
            self._every.records.record_version(self._task, version, failed[version.version_id].code, None)
        reasons = [f"{version.version_id} ({failed[version.version_id]})" for version in passed]
        lost = (*self._state.lost, *reasons)
        if self._state.lost and not passed:
            record = self._every.records.destination(self._task.run.file, self._task.destination_bucket)
            lost = () if record and record.status == RecordStatus.DISMISSED else lost
        if lost != self._state.lost:
            self._require(lost=lost[-_KEPT_LOST:])
        if lost:
            raise VersionNotCopiedError(
                f"{len(lost)} versions could not be copied and later ones could, the last {lost[-1]}; dismiss it"
            )
        for refused in failed.values():
            raise refused

    def _listed(self) -> Iterator[SourceVersion]:
        source = self._task.source
        for version in self._buckets.versions(source.bucket, source.key):
            if self._every.removals or not version.removed:
                yield version

    def _missing(self) -> list[SourceVersion]:
        """Return what the destination has not got, the oldest first."""
        known, found = set(self._state.arrived), list[SourceVersion]()
        for version in self._listed():
            if version.version_id in known:
                break
            found.append(version)
        else:
            # All that has arrived was deleted for good at the source since, or nothing has.
            since = self._state.arrived_at
            found = [version for version in found if since is None or version.written > since]
        return found[::-1]

    def _bring(self, version: SourceVersion) -> list[Brought]:
        """Bring one version; return nothing for one that is gone for good, or a removal where there is nothing."""
        try:
            found = self._buckets.find(self._task.place)
            one = self._hidden(version, found) if version.removed else self._brought(version, found)
        except SourceNotFoundError:
            one = None
        if one:
            code = CopyCode.COPIED if one.landed else CopyCode.REMOVED
            self._every.records.record_version(one.task, version, code, one.landed)
        self._arrive(version)
        return [one] if one else []

    def _hidden(self, version: SourceVersion, found: ObjectFacts | None) -> Brought | None:
        if found:
            self._require(copying=version.version_id)
            self._buckets.remove(self._task.place)
        elif self._state.copying != version.version_id:
            return None
        return Brought(self._task, None)

    def _brought(self, version: SourceVersion, found: ObjectFacts | None) -> Brought:
        source = self._task.source
        facts = self._buckets.describe_source(source.bucket, source.key, version_id=version.version_id, e_tag=None)
        task = self._task.model_copy(update={"description": describe(facts, self._every.limits)})
        return Brought(task, self._copied(task, found))

    def _arrive(self, version: SourceVersion) -> None:
        arrived = (*self._state.arrived, version.version_id)[-_KEPT:]
        self._require(arrived=arrived, arrived_at=version.written, copying=None, over=None, upload_id=None)

    def _copied(self, task: CopyTask, found: ObjectFacts | None) -> CopyResult:
        """Return the copy of the version that `task` describes onto what was `found`, made now or before a death."""
        source, version_id = task.source, task.source.version_id
        begun = self._state.copying == version_id
        if begun and found and found.version_id != self._state.over:
            state = compare(self._buckets, source, found)
            if not state.differences:
                return CopyResult(found, state.proof)
        if source.archived:
            raise SourceArchivedError(f"version {version_id} of {source.bucket}/{source.key} is in an archive")
        upload_id = self._state.upload_id if begun else None
        self._require(copying=version_id, over=found and found.version_id, upload_id=upload_id)
        expected = Expected(found.e_tag if found else None)
        if task.description.strategy is Strategy.COPY:
            return copy_in_one_call(self._buckets, task, expected)
        return self._copied_in_parts(task, expected, upload_id)

    def _copied_in_parts(self, task: CopyTask, expected: Expected, upload_id: str | None) -> CopyResult:
        copy = MultipartCopy(self._buckets, task)
        if upload_id is None:
            upload_id = copy.create()
            self._require(upload_id=upload_id)
            for orphan in copy.orphans():
                if orphan != upload_id:
                    copy.abort(orphan)
        try:
            copy.copy_all_parts(upload_id, self._every.limits, self._every.seconds_left)
            facts = copy.complete(upload_id, expected)
            if facts.version_id == self._state.over:
                raise UploadGoneError(f"the upload to {task.place.bucket}/{task.place.key} is gone")
        except UploadGoneError:
            self._require(upload_id=None)
            raise
        except PermanentError:
            copy.abort(upload_id)
            self._require(upload_id=None)
            raise
        return CopyResult(facts, verify(task.source, facts))
