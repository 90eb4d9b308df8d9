"""The log: recorded, sealed, verified, proven and exported, over tables and files in memory."""

import gc
import time
from collections.abc import Callable, Iterable

from benchmarks.harness import Benchmark, Figure, Lab
from tests.fakes.custody import Custody
from waybill.custody.domain.merkle import inclusion_proof
from waybill.custody.domain.premis import document
from waybill.custody.domain.tiles import Tile, TileNodes
from waybill.custody.domain.tracing import ByPlace
from waybill.custody.models import EventType, FileState, Happening, Outcome, Place

_EVENTS, _BATCH, _PER_FILE = 20_000, 100, 8
_EXPORTED = 2_000
_MILLION, _BILLION = 1_000_000, 1_000_000_000
_SHA256 = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
_HOW = f"{_EVENTS:,} events of {_EVENTS // _PER_FILE:,} files in memory, processor time"


def _copied(number: int, file: int) -> Happening:
    key, run = f"consignments/{file:06}/report.pdf", f"report-pdf-{number:032x}"
    copies = "waybill-copies-eu-west-1"
    return Happening(
        workflow="replication",
        kind="destination",
        parts=(run, copies, "COPIED"),
        type=EventType.REPLICATION,
        at=f"2026-11-29T{number // 3600 % 24:02}:{number // 60 % 60:02}:{number % 60:02}.000Z",
        outcome=Outcome.SUCCESS,
        about=FileState(Place("waybill-source", key), "3HL4kqtJlcpXroDTDmJ", _SHA256, 48_213),
        agent={"software": "waybill.replication", "run": run},
        detail={"code": "COPIED", "attempts": 1, "strategy": "COPY", "verification": "CHECKSUM"},
        copies=(FileState(Place(copies, key), "UIORUnfndfiufdisojhr3", _SHA256, 48_213),),
    )


def _seconds(work: Callable[[], object]) -> float:
    # What stands in for table and bucket is in this process, and would be looked through for garbage again and again.
    gc.collect()
    gc.freeze()
    try:
        started = time.process_time()
        work()
        return time.process_time() - started
    finally:
        gc.unfreeze()


def _record(custody: Custody, events: int, per_file: int) -> None:
    for start in range(0, events, _BATCH):
        batch = [_copied(number, number // per_file) for number in range(start, start + _BATCH)]
        custody.recorder.record(batch, [], f"{start}")
        custody.wait(seconds=1)


def _measure(lab: Lab) -> Iterable[Figure]:
    custody = Custody()
    recording = _seconds(lambda: _record(custody, _EVENTS, _PER_FILE))
    custody.wait(hours=2)
    writes = 0

    def count() -> None:
        nonlocal writes
        writes += 1

    custody.log.before_write = count
    sealing = _seconds(custody.seal)
    verifying = _seconds(custody.verify)
    if not custody.verify().holds or custody.ledger.now_head.edge.size != _EVENTS:
        raise AssertionError("the log does not hold")
    sealed = [len(event.leaf.sealed.encode()) for event in custody.ledger.kept.values()]
    yield Figure("custody.events_per_second", round(_EVENTS / recording), "", f"recorded: {_HOW}", target="1,500")
    seconds = round(sealing * 100_000 / _EVENTS, 2)
    yield Figure("custody.seal_seconds_100k", seconds, "s", f"sealed, per 100,000: {_HOW}", target="at most 20")
    puts = round(writes * _MILLION / _EVENTS)
    yield Figure(
        "custody.s3_puts_per_million_events", puts, "", "writes to the log, sealed at once", target="at most 9,000"
    )
    seconds = round(verifying * _MILLION / _EVENTS, 1)
    yield Figure(
        "custody.verify_seconds_per_million", seconds, "s", f"verified, per million: {_HOW}", target="at most 20"
    )
    mean = round(sum(sealed) / len(sealed))
    yield Figure("custody.sealed_bytes_per_event", mean, "bytes", "a copy with its source", target="at most 800")


def _measure_exports(lab: Lab) -> Iterable[Figure]:
    del lab
    custody = Custody()
    _record(custody, _EXPORTED, _EXPORTED)
    place = Place("waybill-source", "consignments/000000/report.pdf")
    events = custody.tracer.trace(ByPlace(place), limit=_EXPORTED).events
    writing = _seconds(lambda: sum(len(part) for part in document(events)))
    seconds = round(writing * 100_000 / len(events), 2)
    how = f"PREMIS of {len(events):,} events of one file, per 100,000, processor time"
    yield Figure("custody.premis_seconds_100k_events", seconds, "s", how, target="at most 2")


def _measure_a_billion(lab: Lab) -> Iterable[Figure]:
    del lab
    read: list[Tile] = []

    def tile_of(tile: Tile) -> bytes:
        read.append(tile)
        return bytes(32 * tile.width)

    node = TileNodes(tile_of, _BILLION).node()
    path = inclusion_proof(123_456_789, _BILLION, node)
    size = sum(map(len, path))
    beside = {"tiles read": len(read)}
    yield Figure("custody.proof_bytes_1b", size, "bytes", "by the arithmetic of tiles", beside, target="at most 2,000")


BENCHMARKS = (
    Benchmark(
        (
            "custody.events_per_second",
            "custody.seal_seconds_100k",
            "custody.s3_puts_per_million_events",
            "custody.verify_seconds_per_million",
            "custody.sealed_bytes_per_event",
        ),
        _measure,
    ),
    Benchmark(("custody.premis_seconds_100k_events",), _measure_exports),
    Benchmark(("custody.proof_bytes_1b",), _measure_a_billion),
)
