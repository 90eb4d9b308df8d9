"""Uploads, their events, manual runs and crashes, all at once: what S3 and people do to one file."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.fakes.interleaving import Actor, Stage
from tests.fakes.machine import Ended
from tests.fakes.probe import Probe
from tests.fakes.runs import DESTINATIONS, KEY, SOURCE
from tests.fakes.s3 import Attributes, Content
from tests.fakes.world import World
from waybill.replication.domain.records import RecordStatus
from waybill.replication.domain.run_identity import execution_name_of
from waybill.replication.models import ReplicationRequest, RunOutcome

# Others may come in before these. Before any other call nothing that matters can have changed since the one before it.
MEETINGS = frozenset(
    {
        "claim",
        "latest_run",
        "describe_source",
        "copy",
        "copy lands",
        "removal lands",
        "copy_part",
        "complete_upload",
        "find",
        "finish",
    }
)


@dataclass(frozen=True)
class Upload:
    """What the source gets; the same label means the same bytes, with other metadata."""

    label: str
    size: int = 3
    deliveries: int = 1


@dataclass(frozen=True)
class Removal:
    """The source is removed."""

    label: str = "nothing"
    deliveries: int = 1


@dataclass(frozen=True)
class Manual:
    """A run that a person starts; `pinned` to what the source holds when it is started."""

    destinations: tuple[str, ...] = DESTINATIONS
    pinned: bool = False


@dataclass
class Play:
    """Lets one file be overwritten while the runs of its events, and manual ones, are at work.

    `express`: an event that is delivered again starts an execution again.
    """

    world: World
    destinations: tuple[str, ...] = DESTINATIONS
    express: bool = False
    meetings: frozenset[str] = MEETINGS
    stage: Stage = field(default_factory=Stage)
    ended: dict[str, Ended] = field(default_factory=dict)
    newest: list[str] = field(default_factory=list)
    _started: set[str] = field(default_factory=set)

    def uploader(self, uploads: Sequence[Upload | Removal]) -> None:
        """Someone who writes the source again and again, or removes it."""

        def work(actor: Actor) -> None:
            for number, upload in enumerate(uploads):
                actor.pause(f"puts {upload.label}")
                self.world.clock.advance(seconds=1)
                request = self._change(number, upload)
                self.newest.clear()
                for delivery in range(upload.deliveries):
                    self.event(request, f"event {number}.{delivery}")

        self.stage.enter("uploader", work)

    def _change(self, number: int, upload: Upload | Removal) -> ReplicationRequest:
        """Change the source, and return the request of the event of it."""
        if isinstance(upload, Removal):
            self.world.s3.delete(SOURCE, KEY)
            told = {"removed": True, "size": 0, "sequencer": f"{self.world.s3.number():016X}"}
            return self.world.request(destination_buckets=self.destinations, **told)
        attributes = Attributes(metadata={"upload": f"{number}"}, tags={"upload": f"{number}"})
        stored = self.world.s3.put(SOURCE, KEY, Content.of(upload.label, upload.size), attributes)
        return self.world.request(stored, destination_buckets=self.destinations)

    def event(self, request: ReplicationRequest, name: str) -> None:
        """One delivery of the event that makes `request`."""
        self.newest.append(name)

        def work(actor: Actor) -> None:
            execution_name = execution_name_of(request)
            if execution_name in self._started and not self.express:
                return
            self._started.add(execution_name)
            self._execute(actor, request, execution_name)

        self.stage.enter(name, work)

    def manual(self, manual: Manual, name: str) -> None:
        """A run by hand."""

        def work(actor: Actor) -> None:
            current = self.world.s3.bucket(SOURCE).current(KEY)
            pin: dict[str, Any] = {"e_tag": current.e_tag} if manual.pinned and current else {}
            request = self.world.request(destination_buckets=manual.destinations, **pin)
            self._execute(actor, request, name)

        self.stage.enter(name, work)

    def _execute(self, actor: Actor, request: Any, execution_name: str) -> None:
        probe = Probe()
        probe.before = lambda call: actor.pause(call) if call in self.meetings else None
        machine = self.world.function(probe)
        run = machine.run(request, execution_name, execution_id=actor.name)
        self.ended[actor.name] = machine.execute(run)

    def perform(self, choose: Callable[[list[Actor]], Actor], dies: Callable[[Actor], bool] = lambda _: False) -> None:
        """Go on until everybody has ended; `dies` says which function dies instead of doing its next step."""
        try:
            while all_waiting := self.stage.waiting():
                # Who finds another at work looks again and again: others first.
                waiting = [actor for actor in all_waiting if actor.waits_for != "busy"] or all_waiting
                actor = waiting[0] if len(waiting) == 1 else choose(waiting)
                mortal = actor.name != "uploader" and actor.waits_for != "start"
                self.stage.let_on(actor, crash=mortal and dies(actor))
        finally:
            self.stage.clear()

    @property
    def failed(self) -> list[str]:
        """The executions that ended with failures, which people are told of."""
        return [
            name
            for name, ended in self.ended.items()
            if ended.outcome in {RunOutcome.FAILED, RunOutcome.PARTIAL_FAILURE}
        ]

    def assert_converged(self) -> None:
        """Every destination holds what the source holds."""
        source = self.world.s3.bucket(SOURCE).current(KEY)
        if source is None:
            left = [bucket for bucket in self.destinations if self.world.s3.bucket(bucket).current(KEY)]
            assert not left, self.told(f"{left} have what was removed")
            return
        for bucket in self.destinations:
            copy = self.world.s3.get(bucket, KEY)
            assert (copy.content, copy.attributes) == (source.content, source.attributes), self.told(bucket)

    def assert_recorded(self) -> None:
        """The record belongs to the newest event, or to somebody who ran it by hand, and says that it has ended."""
        owner, status = self.world.record["executionId"], self.world.record["status"]
        assert owner in self.newest or owner.startswith("manual"), self.told(f"the record is of {owner}")
        assert status != RecordStatus.IN_PROGRESS, self.told(f"the record of {owner} is open")
        if owner in self.newest and not self.failed:
            assert status == RecordStatus.COMPLETED, self.told(f"the record of {owner} is {status}")

    def assert_never_mixed(self) -> None:
        """No object ever consisted of two."""
        mixed = [stored for _, _, stored in self.world.s3.landings if len(stored.content.labels) > 1]
        assert not mixed, self.told("a mixture landed")

    def told(self, about: str) -> str:
        """The whole story, for whoever has to find out what went wrong."""
        ends = [f"{name}: {ended.claim} {ended.outcome} {ended.codes}" for name, ended in self.ended.items()]
        causes = [f"{result.code} {result.cause}" for e in self.ended.values() for result in e.results if result.error]
        return "\n".join([about, *self.stage.story, *ends, *causes])
