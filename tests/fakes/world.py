"""One source, two destinations, a table and a workflow, all in memory."""

from dataclasses import dataclass, field
from typing import Any

from tests.fakes.clock import Clock
from tests.fakes.machine import Ended, Machine
from tests.fakes.probe import Probe
from tests.fakes.runs import DESTINATIONS, KEY, SOURCE
from tests.fakes.s3 import S3, Attributes, Content, Stored
from tests.fakes.tracking import Table
from waybill.replication.domain.copier import describe_source
from waybill.replication.models import (
    MIB,
    CopyLimits,
    CopyTask,
    FileId,
    ReplicationRequest,
    ReplicationRun,
    SourceDescription,
    Strategy,
)

# The strategies, at sizes that make a handful of parts.
LIMITS = CopyLimits(
    single_copy_max=6 * MIB, one_function_max=40 * MIB, part_size=5 * MIB, parts_per_batch=3, part_concurrency=1
)
SIZES = {Strategy.COPY: 3, Strategy.MULTIPART: 18 * MIB, Strategy.MULTIPART_BATCHES: 43 * MIB}
FILE = FileId(SOURCE, KEY)

# Nine fields of metadata and headers, and tags that need escaping.
ATTRIBUTES = Attributes(
    metadata={"build": "123", "author": "Zoë"},
    headers={
        "CacheControl": "max-age=60",
        "ContentDisposition": 'attachment; filename="b.zip"',
        "ContentEncoding": "gzip",
        "ContentLanguage": "de",
        "ContentType": "application/zip",
        "Expires": "Thu, 01 Dec 2050 16:00:00 GMT",
    },
    tags={"team": "a&b=c", "stage": "release"},
    storage_class="STANDARD_IA",
    website_redirect="/elsewhere",
)


@dataclass
class World:
    """Everything that outlives a function."""

    clock: Clock = field(default_factory=Clock)
    limits: CopyLimits = LIMITS
    uploads: int = 0

    def __post_init__(self) -> None:
        self.s3 = S3(self.clock)
        self.table = Table(self.clock)
        self.machine = self.function()
        for name in (SOURCE, *DESTINATIONS):
            self.s3.create_bucket(name)

    def function(self, probe: Probe | None = None) -> Machine:
        """A workflow of its own, with its own count of calls."""
        return Machine(self.s3, self.table, self.limits, self.clock, probe)

    def upload(self, size: int = 3, *, label: str | None = None, attributes: Attributes = ATTRIBUTES) -> Stored:
        """Write the source, in a later second than before."""
        self.uploads += 1
        self.clock.advance(seconds=1)
        content = Content.of(label or f"content {self.uploads}", size)
        return self.s3.put(SOURCE, KEY, content, attributes)

    def request(self, stored: Stored | None = None, **changes: Any) -> ReplicationRequest:
        """The request of the event of `stored`; without it, a manual one."""
        event = (
            {
                "version_id": stored.version_id,
                "e_tag": stored.e_tag,
                "size": stored.content.size,
                "sequencer": f"{stored.order:016X}",
            }
            if stored
            else {}
        )
        fields = {"source_bucket": SOURCE, "source_key": KEY, "destination_buckets": DESTINATIONS, **event, **changes}
        return ReplicationRequest(**fields)

    def replicate(self, stored: Stored | None = None, *, name: str = "run", **changes: Any) -> Ended:
        """Execute the workflow for the event of `stored`, or by hand."""
        return self.machine.execute(self.machine.run(self.request(stored, **changes), name))

    def claimed(self, stored: Stored | None = None, *, name: str = "run", **changes: Any) -> ReplicationRun:
        """A run that has just claimed the record."""
        run = self.machine.run(self.request(stored, **changes), name)
        return run.model_copy(update={"generation": self.machine.tracking.claim(run).generation})

    def task(self, run: ReplicationRun, bucket: str = DESTINATIONS[0], *, attempt: int = 1) -> CopyTask:
        """The copy of what the source of `run` is now."""
        described: SourceDescription = describe_source(self.machine.buckets, run, self.limits)
        return CopyTask(run=run, destination_bucket=bucket, description=described, attempt=attempt)

    def assert_equal(self, bucket: str = DESTINATIONS[0], key: str = KEY) -> None:
        """The destination holds what the source holds, with everything that belongs to it."""
        source, copy = self.s3.get(SOURCE, KEY), self.s3.get(bucket, key)
        assert (copy.content, copy.attributes) == (source.content, source.attributes)

    def destination(self, bucket: str = DESTINATIONS[0]) -> dict[str, Any]:
        """The item of the destination."""
        return self.table.destinations[FILE, bucket]

    @property
    def record(self) -> dict[str, Any]:
        """The record of the file."""
        return self.table.records[FILE]
