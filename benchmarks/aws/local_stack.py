"""How long `make up` takes until the API answers."""

import shutil
import time
from collections.abc import Iterator

from benchmarks.harness import Benchmark, Figure, Lab
from waybill.cli.local.ministack import free_port
from waybill.cli.local.stack import LocalStack

_HOW = "`waybill up` after `waybill down`, to the first answer of the API, with what was stored there again"


def _measure(lab: Lab) -> Iterator[Figure]:
    state, built = lab.state_dir / "ready", lab.state_dir / "ready-build"
    stack = LocalStack(lab.project, port=free_port(), state_dir=state, build_dir=built, persistent=True, report=lab.say)
    stack.down()  # what an interrupted run has left
    for folder in (state, built):
        shutil.rmtree(folder, ignore_errors=True)
    try:
        first = _seconds(stack)
        unchanged = _seconds(stack)
        stack.down()
        again = _seconds(stack)
    finally:
        stack.down()
    beside = {"first": first, "nothing_changed": unchanged}
    yield Figure("local.seconds_to_ready", again, "s", _HOW, beside)


def _seconds(stack: LocalStack) -> float:
    started = time.monotonic()
    stack.up()
    return round(time.monotonic() - started, 1)


BENCHMARKS = (Benchmark(("local.seconds_to_ready",), _measure),)
