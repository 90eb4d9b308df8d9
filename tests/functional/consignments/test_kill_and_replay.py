"""A function dies right after any of its effects; the state is tried again; nobody can tell the difference."""

import itertools
from collections.abc import Callable
from typing import Any

import pytest

from tests.functional.consignments.bench import CLEAN, QUARANTINE, ConsignmentRun, Workbench, clean_check, virus_result
from waybill.consignments import runtime
from waybill.core.aws.clients import client

FILES = {"a.pdf": b"a", "a_R.pdf": b"b", "virus.exe": b"c"}
EFFECTS = frozenset(
    {"PutObject", "CopyObject", "DeleteObject", "UpdateItem", "PutItem", "TransactWriteItems", "Publish"}
)
SERVICES = ("s3", "dynamodb", "sns")


class Died(BaseException):
    """The function's process is gone."""


class Reaper:
    """Lets a function die after its effect number `number`."""

    def __init__(self, number: int) -> None:
        self.left = number

    def __call__(self, model: Any, **_: Any) -> None:
        if model.name in EFFECTS:
            self.left -= 1
            if self.left == 0:
                raise Died(model.name)


class Mortal(ConsignmentRun):
    """A run whose states are tried again when their function died."""

    def state(self, name: str, **more: Any) -> dict[str, Any]:
        try:
            return super().state(name, **more)
        except Died:
            return super().state(name, **more)


def outcome(bench: Workbench, consignment_id: str) -> dict[str, Any]:
    """What can be seen of a run, but for ids."""
    files = bench.files(consignment_id)
    names = {file["fileId"]: path for path, file in files.items()}
    shown = bench.shown(consignment_id)
    rows = {path: runtime.table().file_row(consignment_id, file["fileId"]) for path, file in files.items()}
    return {
        "shown": {name: shown[name] for name in ("status", "statuses", "progress", "runs")},
        "files": {
            path: (file["statuses"], file["accepted"], file.get("originalFilepath")) for path, file in files.items()
        },
        # Whatever died between a copy and the document of what was done.
        "copies": {path: row["results"].get("copy") for path, row in rows.items() if row},
        "clean": sorted(names[key.partition("/")[2]] for key in bench.keys(CLEAN) if key.startswith(consignment_id)),
        "quarantine": sorted(
            names[key.partition("/")[2]] for key in bench.keys(QUARANTINE) if key.startswith(consignment_id)
        ),
    }


@pytest.fixture
def watch() -> Any:
    """Puts a reaper before the functions' clients for a while."""
    hooked: list[tuple[Any, Callable[..., Any]]] = []

    def begin(reaper: Reaper) -> None:
        for service in SERVICES:
            events = client(service).meta.events
            events.register(f"after-call.{service}", reaper)
            hooked.append((events, reaper))

    def end() -> None:
        for (events, reaper), service in zip(hooked, itertools.cycle(SERVICES), strict=False):
            events.unregister(f"after-call.{service}", reaper)
        hooked.clear()

    yield begin, end
    end()


def test_death_after_any_effect_changes_nothing(bench: Workbench, watch: Any) -> None:
    begin, end = watch
    results = {"virus.exe": {"antivirus": [virus_result("eicar")]}}
    bench.check = lambda record, content: clean_check(record, content) | results.get(record["originalPath"], {})
    undisturbed = bench.received(FILES)
    bench.run(undisturbed)
    expected = outcome(bench, undisturbed)
    assert (expected["clean"], expected["quarantine"]) == (["a.pdf", "a_R.pdf"], ["virus.exe"])
    for number in itertools.count(1):
        consignment_id = bench.received(FILES)
        run, reaper = Mortal(bench, consignment_id, f"run-{number}"), Reaper(number)
        begin(reaper)
        run.fetched = run.state("get_files", input={})
        end()
        run.begin()  # once more, as a lost answer would have it
        run.check()
        begin(reaper)
        run.end()
        end()
        assert outcome(bench, consignment_id) == expected, f"died after effect {number}"
        if reaper.left > 0:
            break
    assert number > 15
