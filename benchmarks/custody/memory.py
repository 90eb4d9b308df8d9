"""What verifying a million entries holds in memory: a new process, whose log and table are made as they are read."""

import json
import resource
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

from benchmarks.harness import Benchmark, Figure, Lab
from benchmarks.harness.child import outcome_of
from tests.fakes.custody import NOON, LocalKeys, LocalSigner, MemoryTrails
from waybill.core.clock import iso
from waybill.custody.domain.identity import commitment, event_id, event_sort_key
from waybill.custody.domain.log_files import KEY, head_path
from waybill.custody.domain.log_index import PlacedIds
from waybill.custody.domain.merkle import Edge, leaf_hash
from waybill.custody.domain.recording import LeafKey
from waybill.custody.domain.sealed_form import Origin, mac_of, sealed_event
from waybill.custody.domain.sealing import LogPosition
from waybill.custody.domain.signed_heads import Checkpoint, signed_note
from waybill.custody.domain.tiles import WIDTH, bundle, bundle_path
from waybill.custody.domain.verifying import Verifier
from waybill.custody.models import (
    Event,
    EventType,
    FileState,
    Happening,
    KnownPlace,
    Leaf,
    Outcome,
    Place,
    StateReference,
    Subject,
    Way,
)

_ENTRIES, _PER_FILE, _AT_ONCE = 1_000_000, 8, 4_096
_SALT, _SHA256 = "5a" * 16, "9f" * 32
_KB_PER_MB = 1024
_AT = iso(NOON)


def _place(file: int) -> Place:
    return Place("waybill-source", f"consignments/{file:07}/report.pdf")


@lru_cache(maxsize=4)
def _state(file: int) -> StateReference:
    sealed = commitment(FileState(_place(file), None, _SHA256, 48_213), _SALT)
    return StateReference(f"{file:032x}", sealed, None, _SHA256, 48_213)


def _event(number: int) -> Event:
    file, state = number // _PER_FILE, _state(number // _PER_FILE)
    told = Happening(
        workflow="replication",
        kind="destination",
        parts=(f"{number}",),
        type=EventType.REPLICATION,
        at=_AT,
        outcome=Outcome.SUCCESS,
        about="",
        agent={"software": "waybill.replication", "run": f"report-pdf-{number:032x}"},
        detail={"code": "COPIED", "attempts": 1, "strategy": "COPY", "verification": "CHECKSUM", "number": number},
    )
    id_, pk = event_id(told, _SALT), f"F#{file:026}"
    sealed = sealed_event(id_, told, Origin(pk, _AT, "stream", None), (state,))
    return Event(Leaf(pk, event_sort_key(_AT, id_), id_, sealed, mac_of(sealed, _AT, _KEYS), _AT[:16]), (state,))


_KEYS, _SIGNER = LocalKeys(), LocalSigner()


class _MadeTable:
    """A table with an item for every entry; what is asked for by its key is remembered for a bundle's time."""

    def __init__(self, edge: Edge) -> None:
        self._edge = edge
        self.recent: dict[LeafKey, Event] = {}

    def head(self) -> LogPosition:
        return LogPosition(self._edge, "", 1, _AT)

    def note_verified(self, size: int, at: str, *, full: bool) -> None:
        del size, at, full

    def events(self, keys: Sequence[LeafKey]) -> Mapping[LeafKey, Event]:
        return {key: self.recent[key] for key in keys}

    def all_items(self) -> Iterator[Event | PlacedIds]:
        for first in range(0, _ENTRIES, _AT_ONCE):
            events = [_event(number) for number in range(first, min(first + _AT_ONCE, _ENTRIES))]
            yield from events
            yield PlacedIds(_AT[:16], first, b"".join(bytes.fromhex(event.leaf.id) for event in events))

    def places(self, hashes: Iterable[str]) -> Mapping[str, KnownPlace]:
        files = ((hash_, int(hash_, 16)) for hash_ in hashes)
        return {hash_: KnownPlace(_place(file), Subject(f"F#{file:026}", _SALT)) for hash_, file in files}

    def missing_ways(self, ways: Iterable[Way], *, counting: bool = False) -> Iterable[Way]:
        del ways, counting
        return ()


class _MadeLog:
    """A log with one head, whose bundles are made when they are read."""

    def __init__(self, table: _MadeTable, head: bytes) -> None:
        self._table, self._head = table, head

    def read_oldest(self, path: str) -> bytes | None:
        if path == head_path(_ENTRIES):
            return self._head
        if path == KEY:
            return f"{_SIGNER.key().text}\n".encode()
        number = int(path.removeprefix("tile/entries/").replace("x", "").replace("/", "").partition(".")[0])
        first = number * WIDTH
        some = [_event(index) for index in range(first, min(first + WIDTH, _ENTRIES))]
        if path != bundle_path(number, len(some)):
            raise LookupError(path)
        self._table.recent = {LeafKey(event.leaf.pk, event.leaf.sk): event for event in some}
        return bundle([event.leaf.sealed.encode() for event in some])

    def head_sizes(self) -> Sequence[int]:
        return [_ENTRIES]

    def is_locked(self) -> bool:
        return True


def main() -> None:
    """Verify, and write the peak of this process and its seconds."""
    edge = Edge().extended(leaf_hash(_event(number).leaf.sealed.encode()) for number in range(_ENTRIES))
    head = Checkpoint(_SIGNER.key().name, edge.size, edge.root)
    note = signed_note(head, _SIGNER.key(), _SIGNER.sign(head.text.encode())).encode()
    before, started, table = _peak_mb(), time.process_time(), _MadeTable(edge)
    verifier = Verifier(_MadeLog(table, note), table, MemoryTrails(), _KEYS, _SIGNER.key(), lambda: NOON)
    report = verifier.verify(full=True)
    if not report.holds or report.compared != _ENTRIES:
        raise AssertionError(f"{report.compared} compared, {report.findings[:3]}")
    seconds = time.process_time() - started
    json.dump({"peak": _peak_mb(), "before": before, "seconds": seconds}, sys.stdout)


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / _KB_PER_MB


def _measure(lab: Lab) -> Iterable[Figure]:
    found: dict[str, Any] = outcome_of("verifying", "-m", "benchmarks.custody.memory", folder=lab.project)
    yield Figure(
        "custody.verify_peak_mb",
        round(found["peak"]),
        "MB",
        f"VmHWM of a new process that verifies {_ENTRIES:,} entries; log and table are made as they are read",
        {"before": round(found["before"]), "seconds, with making them": round(found["seconds"])},
        target="at most 300",
    )


BENCHMARKS = (Benchmark(("custody.verify_peak_mb",), _measure),)

if __name__ == "__main__":
    main()
