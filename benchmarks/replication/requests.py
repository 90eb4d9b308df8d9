"""How many requests one file takes."""

from collections.abc import Iterator, Mapping

from rich.table import Table

from benchmarks.harness import Benchmark, Figure, Lab
from benchmarks.harness.report import breakdown
from benchmarks.replication.counting import count_on_moto
from benchmarks.replication.workflow import upload_and_wait

_MIB = 1024**2
_SMALL = 20_000
# The smallest sizes that S3 allows stand for 5 GiB: the strategy changes, the steps do not.
_LOWERED_LIMITS = {"SINGLE_COPY_MAX_BYTES": str(5 * _MIB), "PART_SIZE_BYTES": str(5 * _MIB)}
_DYNAMODB_WRITES = frozenset({"PutItem", "UpdateItem", "DeleteItem", "TransactWriteItems", "BatchWriteItem"})


def _measure(lab: Lab) -> Iterator[Figure]:
    deployment = lab.deployment
    destinations = len(deployment.destinations)
    first, small, tagged, by_hand = count_on_moto(
        deployment,
        [
            {"key": "first.bin", "size": _SMALL},
            {"key": "small.bin", "size": _SMALL},
            {"key": "tagged.bin", "size": _SMALL, "tags": "project=archive"},
            {"key": "small.bin", "by_hand": True},
        ],
    )
    _, multipart = count_on_moto(
        deployment,
        [
            {"key": "first.bin", "size": _SMALL},
            {"key": "multipart.bin", "size": 12 * _MIB, "tags": "project=archive"},
        ],
        _LOWERED_LIMITS,
    )
    upload_and_wait(deployment, "requests/first.bin", b"first")
    with deployment.without_recorder(), deployment.recorded_calls() as recorded:
        upload_and_wait(deployment, "requests/second.bin", b"second")
    # The embedded AWS names requests by verb and path; functions put objects in no other way than by copying.
    embedded = {name.replace("s3.PutObject", "s3.CopyObject"): count for name, count in recorded.items()}
    cases = {
        "small file": small.requests,
        "with tags": tagged.requests,
        "in new processes": first.requests,
        "3 parts, with tags": multipart.requests,
        "by hand, all well": by_hand.requests,
        "small, embedded AWS": embedded,
    }
    lab.show(_table(cases, f"Requests of the functions for one file and {destinations} destinations"))
    lab.say("Counted on boto3's event hooks, on moto; moto's answer to CopyObject is given the checksum that S3 sends.")
    lab.say("The embedded AWS (counted by its own record) does not send it: each copy takes one more HeadObject.")
    lab.say("Where a bucket is, and whether it is a source too, is asked once per process: only by new processes.")
    writes = {name: count for name, count in small.of("dynamodb").items() if name in _DYNAMODB_WRITES}
    how = f"SDK event hooks on moto: small file, {destinations} destinations, warm processes"
    yield Figure(
        "replication.s3_requests_per_file",
        sum(small.of("s3").values()),
        "requests",
        how,
        small.of("s3"),
        target=f"≤ {1 + destinations}",
    )
    yield Figure(
        "replication.dynamodb_writes_per_file",
        sum(writes.values()),
        "requests",
        f"{how}; they write {len(small.items)} items",
        small.of("dynamodb"),
        target=f"≤ {2 + destinations}",
    )
    yield Figure(
        "replication.dynamodb_reads_per_file",
        small.of("dynamodb").get("GetItem", 0),
        "requests",
        f"{how}; after its copy each destination asks whether it may lie on top of a newer one; before it the claim has"
        " just looked",
        small.of("dynamodb"),
        target="≤ 3",
    )
    started = by_hand.starting.get("s3.HeadObject", 0)
    yield Figure(
        "replication.manual_run_heads",
        by_hand.of("s3")["HeadObject"] - started,
        "requests",
        f"{how}; of a run that was asked for by hand and finds all well; whoever starts it has looked for the source",
        {
            "starting it": started,
            "all other requests to S3": sum(by_hand.of("s3").values()) - by_hand.of("s3")["HeadObject"],
        },
        target=f"= {1 + destinations}",
    )
    if small.of("states") != {"StartExecution": 1}:
        raise AssertionError(f"one StartExecution is what a file should take: {small.of('states')}")


def _table(cases: Mapping[str, Mapping[str, int]], title: str) -> Table:
    operations = sorted(set().union(*cases.values()))
    rows = [[operation, *(requests.get(operation, "") for requests in cases.values())] for operation in operations]
    return breakdown(title, ["Operation", *cases], [*rows, ["all", *(sum(one.values()) for one in cases.values())]])


_FIGURES = (
    "replication.s3_requests_per_file",
    "replication.dynamodb_writes_per_file",
    "replication.dynamodb_reads_per_file",
    "replication.manual_run_heads",
)
BENCHMARKS = (Benchmark(_FIGURES, _measure),)
