"""The cost model of replication: what one file uses, by the names of prices.json."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from benchmarks.billing_units import (
    express_gb_seconds,
    express_memory,
    item_bytes,
    lambda_gb_seconds,
    read_units,
    write_units,
)
from benchmarks.costs import Usage

_S3_READS = frozenset({"GetObject", "GetObjectTagging", "GetBucketLocation", "HeadObject"})

# The design that this one replaces (a study implementation, LocalStack and Node 20): seven states around two per
# destination, one function that starts the execution, S3 called by the state machine, a row put and then updated.
_ORIGINAL_STATES = 7
_ORIGINAL_STATES_PER_DESTINATION = 2
_ORIGINAL_MEMORY = 128


@dataclass(frozen=True)
class Used:
    """How one function is used for a file: invocations, and milliseconds of each; `memory` in MB."""

    step: str
    memory: int
    invocations: float
    milliseconds: float

    @property
    def gb_seconds(self) -> float:
        """What is billed for the file."""
        return self.invocations * lambda_gb_seconds(self.memory, self.milliseconds)


@dataclass(frozen=True)
class Counted:
    """What replicating one file took: requests by ``<service>.<operation>``, states entered, items written.

    `starting` are those of the requests that were made before the run. `written` are the bytes of the item after each
    write that is no part of a transaction.
    """

    requests: Mapping[str, int]
    entered: Sequence[str]
    items: Sequence[Mapping[str, Any]]
    written: Sequence[int] = ()
    starting: Mapping[str, int] = field(default_factory=dict)

    def of(self, service: str) -> dict[str, int]:
        """Return the requests of one service by operation."""
        prefix = f"{service}."
        return {name.removeprefix(prefix): count for name, count in self.requests.items() if name.startswith(prefix)}


@dataclass(frozen=True)
class Execution:
    """How long an execution takes in ms, and the bytes of its definition and of its largest payload."""

    milliseconds: float
    definition: int
    payload: int
    iterations: int

    def express(self) -> dict[str, float]:
        """Return what an Express execution is billed."""
        memory = express_memory(self.definition, self.payload, self.iterations)
        return {"express_requests": 1.0, "express_gb_seconds": express_gb_seconds(memory, self.milliseconds)}


def work(functions: Sequence[Used], counted: Counted, indexed: Collection[str], log_bytes: float) -> Usage:
    """Return what one file uses besides the steps of the state machine."""
    s3 = counted.of("s3")
    s3_reads = sum(count for name, count in s3.items() if name in _S3_READS)
    return Usage(
        {
            "lambda_requests": sum(one.invocations for one in functions),
            "lambda_gb_seconds": sum(one.gb_seconds for one in functions),
            "s3_writes": sum(s3.values()) - s3_reads,
            "s3_reads": s3_reads,
            "dynamodb_write_units": tracking_write_units(counted, indexed),
            "dynamodb_read_units": tracking_read_units(counted),
            "log_gb": log_bytes / 1024**3,
        }
    )


def tracking_write_units(counted: Counted, indexed: Collection[str]) -> int:
    """Return the units of all writes, each by the size of its item then, and of those that the index takes for them.

    The index, which holds the attributes `indexed`, takes the record up once and moves it to another partition at the
    end: a delete and a put there.
    """
    if counted.of("dynamodb").get("TransactWriteItems"):
        raise AssertionError("a small file's first run is counted without transactions")
    (record,) = (item for item in counted.items if "#" not in item["sourceBucket"]["S"])
    in_index = item_bytes({name: value for name, value in record.items() if name in indexed})
    return sum(map(write_units, counted.written)) + 3 * write_units(in_index)


def tracking_read_units(counted: Counted) -> int:
    """Return the units of all reads, each as if it were of the largest item."""
    return counted.of("dynamodb").get("GetItem", 0) * read_units(max(map(item_bytes, counted.items)))


def original(worker: Used, row_bytes: int, destinations: int) -> Usage:
    """Return what one file would use in the original design, as far as it is known: its logs are not.

    Its function starts an execution as ours does, so `worker` stands for it, and `row_bytes` of ours for its row.
    """
    return Usage(
        {
            "standard_transitions": _ORIGINAL_STATES + _ORIGINAL_STATES_PER_DESTINATION * destinations,
            "lambda_requests": 1,
            "lambda_gb_seconds": lambda_gb_seconds(_ORIGINAL_MEMORY, worker.milliseconds),
            "s3_writes": destinations,
            "s3_reads": 0,
            "dynamodb_write_units": write_units(0) + write_units(row_bytes),
            "dynamodb_read_units": 0,
        }
    )
