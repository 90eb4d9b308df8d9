"""The sample events, each with the handler that it is for."""

import json
import pkgutil
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import waybill
from tests.fakes.wire import Wire

PROJECT = Path(__file__).resolve().parents[2]


type Invoke = Callable[[Any], Any]
# Puts in place what the event needs, hands it to its handler, and checks the answer and what has become of AWS.
type Story = Callable[[Any, Invoke, Wire], None]


def handlers() -> dict[str, str]:
    """Return the modules of all handlers by the path of their sample, such as `replication/copy_file`."""
    found = {}
    for package in pkgutil.iter_modules(waybill.__path__):
        folder = PROJECT / "src" / "waybill" / package.name / "handlers"
        for module in pkgutil.iter_modules([str(folder)]):
            name = f"{package.name}/{module.name}"
            found[name] = f"waybill.{package.name}.handlers.{module.name}"
    return found


def sample_paths() -> Iterator[str]:
    """Yield the paths of all sample events below `events/`, without their ending."""
    folder = PROJECT / "events"
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            yield path.relative_to(folder).with_suffix("").as_posix()


def handler_of(sample: str) -> str | None:
    """Return the handler's sample path: that of the file, or the longest one that the file's is a variant of."""
    names = [name for name in handlers() if sample == name or sample.startswith(f"{name}_")]
    return max(names, key=len, default=None)


def read(sample: str) -> Any:
    """Return a sample event."""
    return json.loads((PROJECT / "events" / f"{sample}.json").read_text("utf-8"))


def story_of(sample: str) -> Story | None:
    """Return what the sample does: the function of its name in `tests/functional/<package>/samples.py`."""
    package, _, name = sample.partition("/")
    return getattr(import_module(f"tests.functional.{package}.samples"), name, None)
