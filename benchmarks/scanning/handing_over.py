"""A listing that is handed over: the workflow as it is defined, on any number of keys and a table in memory."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from benchmarks.harness.machine import Machine, TaskFailedError
from waybill.scanning.domain.listing import Lister
from waybill.scanning.domain.ranges import PAGE_KEYS
from waybill.scanning.domain.split import execution_name, first_state
from waybill.scanning.keys import KeyRange
from waybill.scanning.models import Entry, Job, ListingRange, Page, Slice, Status
from waybill.scanning.request_models import ScanRequest

_DEFINITION = Path(__file__).resolve().parents[2] / "statemachine" / "scanning.asl.json"
_START = "arn:${Partition}:states:::states:startExecution"


class CountedSource:
    """`Source` of so many keys, which are their numbers; a page is made once and lists the same names again."""

    def __init__(self, keys: int) -> None:
        self._keys = keys
        self._page = [Entry(f"k{number:07}", 5000, "e" * 32) for number in range(PAGE_KEYS)]

    def check(self, request: ScanRequest) -> None:
        """They can be listed."""

    def page(self, request: ScanRequest, bounds: KeyRange, limit: int) -> tuple[list[Entry], str, bool]:
        """Return up to `limit` keys behind a position."""
        first = int(bounds.after or 0)
        behind = min(self._keys, first + min(limit, len(self._page)))
        return self._page[: behind - first], f"{behind:012}", behind == self._keys

    def cuts(self, request: ScanRequest, bounds: KeyRange, pieces: int, page_keys: int) -> list[str]:
        """Return none: it is not cut."""
        return []


@dataclass
class CountingQueue:
    """`SliceQueue` that counts."""

    messages: int = 0
    objects: int = 0

    def send(self, slices: Iterable[Slice]) -> int:
        """Count them."""
        sent = [len(work.entries) for work in slices]
        self.messages += len(sent)
        self.objects += sum(sent)
        return len(sent)


@dataclass
class OneJob:
    """What the lister needs of the table of jobs, for one job."""

    stored: Job

    def get(self, job_id: str) -> Job:
        """Return the job."""
        return self.stored

    def end_listing(self, job_id: str, total: int, total_bytes: int, *, truncated: bool) -> None:
        """Freeze the totals."""
        self.stored = replace(
            self.stored, total=total, total_bytes=total_bytes, listing_done=True, status=Status.PROCESSING
        )


class OneRange:
    """What the lister needs of the table of ranges, for one range, of which the last page alone is kept."""

    def __init__(self) -> None:
        self._range = ListingRange(0)
        self._page: Page | None = None

    def get(self, job_id: str, number: int) -> ListingRange:
        """Return its range."""
        return self._range

    def all(self, job_id: str) -> list[ListingRange]:
        """Return its range."""
        return [self._range]

    def save_page(self, job_id: str, part: ListingRange, page: Page) -> Page:
        """Keep a page in place of the one before."""
        self._page = page
        return page

    def set_execution(self, job_id: str, number: int, execution_arn: str) -> None:
        """Record nothing."""

    def advance_sample(self, job_id: str, part: ListingRange, left_out: Mapping[str, tuple[int, int]]) -> bool:
        """Refuse: it is no sample."""
        raise NotImplementedError

    def page(self, job_id: str, part: ListingRange, number: int) -> Page | None:
        """Return the page that is kept."""
        return self._page if self._page and self._page.number == number else None

    def advance(self, job_id: str, part: ListingRange, page: Page, smallest: Sequence[str] = ()) -> bool:
        """Count a page, once."""
        if part.next_page != self._range.next_page:
            return False
        counted = part.total + len(page.entries), part.total_bytes + page.size
        self._range = replace(
            part,
            after=page.last_key,
            next_page=page.number + 1,
            done=page.final,
            total=counted[0],
            total_bytes=counted[1],
        )
        return True


@dataclass
class Listing:
    """A job of `keys` keys in one range, whose executions run one after the other until none is left.

    Of StartExecution, `lost` answers do not arrive; `successor_ends_first` that the execution that was started has
    ended before it is asked for again.
    """

    keys: int
    loop_limit: int
    lost: int = 0
    successor_ends_first: bool = False
    ended: dict[str, Machine] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    waiting: list[tuple[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        job = Job("job", ScanRequest(bucket="archive"), Status.LISTING, "2026-01-10", "2026-01-10")
        self.jobs, self.queue, source = OneJob(job), CountingQueue(), CountedSource(self.keys)
        self.lister = Lister(self.jobs, OneRange(), lambda _: source, self.queue, lambda: 900, fan_out=1)
        text = _DEFINITION.read_text("utf-8").replace("${ScanLoopLimit}", str(self.loop_limit))
        self.definition: dict[str, Any] = json.loads(text)

    def invoke(self, _: str, event: Any) -> Any:
        """ProcessBatch: the one function that a listing without fan-out needs."""
        return self.lister.process_batch(event["job_id"], event.get("range", 0)).state(event)

    def start(self, asked: Any) -> Any:
        """StartExecution: an execution that runs is found by its name and input, one that has ended is in the way."""
        name, state = asked["Name"], asked["Input"]
        self.asked.append(name)
        if name in self.ended:
            raise TaskFailedError("StepFunctions.ExecutionAlreadyExistsException")
        if (name, state) not in self.waiting:
            self.waiting.append((name, state))
        if self.lost:
            self.lost -= 1
            if self.successor_ends_first:
                self.go_on()
            raise TaskFailedError("StepFunctions.SdkClientException")
        return {"ExecutionArn": f"arn:execution:{name}"}

    def go_on(self) -> None:
        """Run what has been started and not run."""
        while self.waiting:
            name, state = self.waiting.pop(0)
            machine = Machine(self.definition, self.invoke, {_START: self.start})
            machine.run(state, {"Id": f"arn:execution:{name}", "Name": name})
            self.ended[name] = machine

    def run(self) -> None:
        """List everything."""
        self.waiting.append((execution_name("job", 0, 1), first_state(self.jobs.stored)))
        self.go_on()
