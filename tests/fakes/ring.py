"""Stacks whose destinations are each other's sources: every write, a person's or a copy, raises an event of its own."""

from collections.abc import Callable, Sequence
from itertools import count
from typing import Any

from tests.fakes.clock import Clock
from tests.fakes.interleaving import Actor, Stage
from tests.fakes.machine import Machine
from tests.fakes.probe import Probe
from tests.fakes.runs import KEY
from tests.fakes.s3 import S3, Content, Stored
from tests.fakes.tracking import Table
from tests.fakes.world import LIMITS
from waybill.core.clock import iso
from waybill.replication.models import ReplicationRequest

# Where others come in; "copy lands" is between a look at the destination and the copy.
MEETINGS = frozenset({"claim", "describe_source", "copy lands", "finish", "wait"})
_MOST_RUNS = 60


class _EventfulS3(S3):
    """S3 that tells of every write."""

    def __init__(self, clock: Clock, tell: Callable[[str, Stored, bool], None]) -> None:
        super().__init__(clock)
        self._tell, self._by_hand = tell, False

    def put(self, *what: Any, **changes: Any) -> Stored:
        self._by_hand = True
        try:
            return super().put(*what, **changes)
        finally:
            self._by_hand = False

    def land(self, bucket: str, key: str, *what: Any, **changes: Any) -> Stored:
        stored = super().land(bucket, key, *what, **changes)
        self._tell(bucket, stored, not self._by_hand)
        return stored


class Ring:
    """Each of the buckets is the source of a stack, whose one destination is the next; the last one's is the first."""

    def __init__(self, buckets: Sequence[str], *, versioned: bool) -> None:
        self.clock, self.stage, self._numbers = Clock(), Stage(), count()
        self.s3 = _EventfulS3(self.clock, self._event)
        self.next = dict(zip(buckets, [*buckets[1:], buckets[0]], strict=True))
        self.tables = {bucket: Table(self.clock) for bucket in buckets}
        for bucket in buckets:
            self.s3.create_bucket(bucket, versioned=versioned, watched=True)

    def writer(self, name: str, writes: Sequence[tuple[str, str, float]]) -> None:
        """Somebody who writes (bucket, content), so many seconds after whatever was before."""

        def work(actor: Actor) -> None:
            for bucket, label, seconds in writes:
                actor.pause(f"puts {label} to {bucket}")
                self.clock.advance(seconds=seconds)
                self.s3.put(bucket, KEY, Content.of(label, 3))

        self.stage.enter(name, work)

    def _event(self, bucket: str, stored: Stored, copied: bool) -> None:
        number = next(self._numbers)
        assert number < _MOST_RUNS, "\n".join(["it does not come to rest", *self.stage.story])
        request = ReplicationRequest(
            source_bucket=bucket,
            source_key=KEY,
            destination_buckets=(self.next[bucket],),
            version_id=stored.version_id,
            e_tag=stored.e_tag,
            size=stored.content.size,
            sequencer=f"{stored.order:016X}",
            look_first=copied or None,
            event_time=iso(stored.written),
        )
        self.stage.enter(f"run {number} of {bucket}", lambda actor: self._run(actor, request))

    def _run(self, actor: Actor, request: ReplicationRequest) -> None:
        probe = Probe()
        probe.before = lambda call: actor.pause(call) if call in MEETINGS else None
        machine = Machine(self.s3, self.tables[request.source_bucket], LIMITS, self.clock, probe)
        ended = machine.execute(machine.run(request, actor.name))
        self.stage.story.append(f"{actor.name} ended: {ended.claim} {ended.codes}")

    def perform(self, choose: Callable[[list[Actor]], Actor]) -> None:
        """Go on until everybody has ended; who waits for time to pass goes on when nobody else has anything to do."""
        try:
            while waiting := self.stage.waiting():
                busy = [actor for actor in waiting if actor.waits_for != "wait"] or waiting
                self.stage.let_on(busy[0] if len(busy) == 1 else choose(busy))
        finally:
            self.stage.clear()

    def held(self) -> dict[str, set[str]]:
        """What each bucket holds at last."""
        return {bucket: self.s3.get(bucket, KEY).content.labels for bucket in self.next}
