"""Watching the calls that cross a port, failing them, dying after them, and letting others in between."""

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

# Calls that change nothing: dying after them is like dying before the next one that does.
READS = frozenset(
    {"describe_source", "find", "is_hidden", "headers", "parts", "open_uploads", "latest_run", "destination", "tags"}
    | {"versions", "versions_at", "has_version"}
)


class Crash(BaseException):
    """The function is gone: nothing of it runs any more, not even an `except Exception`."""


class Probe:
    """Stands around every call of the fakes that one function uses.

    `before` and `after` are called with the name of the call. Calls are counted from 1, by name and altogether.
    """

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.before: Callable[[str], None] = lambda _: None
        self.after: Callable[[str], None] = lambda _: None
        self._faults: dict[tuple[str, int], BaseException] = {}
        self._crashes: set[int] = set()
        self._lock = threading.Lock()

    @property
    def counts(self) -> Counter[str]:
        """How often each call was made."""
        return Counter(self.calls)

    @property
    def effects(self) -> list[str]:
        """The calls that change something, in order."""
        return [name for name in self.calls if name not in READS]

    def fail(self, name: str, error: BaseException, *numbers: int) -> None:
        """Raise `error` instead of the calls of `name` with these numbers (without any: the next one)."""
        for number in numbers or (self.counts[name] + 1,):
            self._faults[name, number] = error

    def crash_after(self, number: int) -> None:
        """Die after the call with this number, of whatever name, has taken effect."""
        self._crashes.add(number)

    @contextmanager
    def call(self, name: str) -> Iterator[None]:
        """Stand around one call."""
        self.before(name)
        with self._lock:
            self.calls.append(name)
            number, number_of_name = len(self.calls), self.calls.count(name)
        if fault := self._faults.get((name, number_of_name)):
            raise fault
        yield
        if number in self._crashes:
            raise Crash(f"after call {number}, {name}")
        self.after(name)

    def pause(self, name: str) -> None:
        """Let others in, in the middle of a call that takes long."""
        self.before(name)
