"""Hand-overs: the listing workflow as it is defined, run on the lister, with as many keys as a test has time for."""

from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.fakes.scanning import CountedSource, CountingQueue, ListingMemory
from tests.fakes.states import Execution, StateMachine, TaskFailedError
from waybill.scanning.listing import Lister
from waybill.scanning.models import Job, ScanRequest, Status
from waybill.scanning.splitting import execution_name, first_state

ALREADY = "StepFunctions.ExecutionAlreadyExistsException"


@dataclass
class Listing:
    """One job whose executions run one after the other; of a StartExecution, `lost` answers do not arrive."""

    keys: int
    loop_limit: int
    lost: int = 0
    successor_ends_first: bool = False
    ended: dict[str, Execution] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    waiting: list[tuple[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        job = Job("job", ScanRequest(bucket="archive"), Status.LISTING, "2026-01-10", "2026-01-10")
        self.store, self.queue = ListingMemory(job), CountingQueue()
        self.lister = Lister(self.store, lambda _: CountedSource(self.keys), self.queue, lambda: 900, fan_out=1)
        self.machine = StateMachine.of("scanning", self.call, ScanLoopLimit=self.loop_limit)

    def call(self, resource: str, arguments: Any) -> Any:
        if resource == "startExecution":
            return self.start(arguments["Name"], arguments["Input"])
        event = arguments["Payload"]
        batch = self.lister.process_batch(event["job_id"], event.get("range", 0))
        return {"Payload": batch.state(event)}

    def start(self, name: str, state: Any) -> Any:
        """StartExecution: an execution that runs is found by its name and input, one that has ended is in the way."""
        self.asked.append(name)
        if name in self.ended:
            raise TaskFailedError(ALREADY)
        if (name, state) not in self.waiting:
            self.waiting.append((name, state))
        if self.lost:
            self.lost -= 1
            if self.successor_ends_first:
                self.go_on()
            raise TaskFailedError("StepFunctions.SdkClientException")
        return {"ExecutionArn": f"arn:execution:{name}"}

    def go_on(self) -> None:
        while self.waiting:
            name, state = self.waiting.pop(0)
            self.ended[name] = self.machine.run(name, state)

    def run(self) -> None:
        self.waiting.append((execution_name("job", 0, 1), first_state(self.store.stored)))
        self.go_on()


def test_two_million_keys_are_handed_over_and_no_history_is_full() -> None:
    # The same proportions as forty million keys at the limit of 1,000 loops, which the benchmark goes through.
    listing = Listing(keys=2_000_000, loop_limit=50)
    listing.run()
    assert list(listing.ended) == [f"scan-job-{generation}" for generation in range(1, 5)]
    assert {execution.status for execution in listing.ended.values()} == {"SUCCEEDED"}
    assert [execution.states.count("ProcessBatch") for execution in listing.ended.values()] == [50, 50, 50, 50]
    assert max(execution.events for execution in listing.ended.values()) < 8 * 50
    job = listing.store.stored
    assert (job.total, job.status, listing.queue.objects, listing.queue.messages) == (
        2_000_000,
        Status.PROCESSING,
        2_000_000,
        20_000,
    )


@pytest.mark.parametrize("successor_ends_first", [False, True])
@pytest.mark.parametrize("lost", [1, 3])
def test_a_repeated_hand_over_has_one_successor(lost: int, successor_ends_first: bool) -> None:
    listing = Listing(61_000, loop_limit=3, lost=lost, successor_ends_first=successor_ends_first)
    listing.run()
    assert len(listing.asked) > len(set(listing.asked))
    assert set(listing.ended) == {"scan-job-1", "scan-job-2", "scan-job-3"}
    assert {execution.status for execution in listing.ended.values()} == {"SUCCEEDED"}
    assert (listing.store.stored.total, listing.queue.objects) == (61_000, 61_000)
