"""Work on hostile bytes in a process of its own, which may die without harm.

The child is a fork: it has the compiled detectors already, and shares their memory. It gets the object through one pipe
and sends what it found through another, a line of JSON at a time, so that what was found before a crash is kept.
See decision 13.
"""

import json
import os
import resource
import select
import signal
import sys
import time
import warnings
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from waybill.scanning.domain.detection.blocks import Read
from waybill.scanning.domain.detection.isolation import Isolated, Work

_CHUNK = 1 << 18
_POLL_SECONDS = 1.0
_EXIT_FAILED = 70
_EXIT_MEMORY = 71


@dataclass(frozen=True)
class ChildProcess:
    """`Isolation` by a fork.

    Parameters
    ----------
    memory_bytes
        What the child may take in addition to what it shares with its parent.
    seconds
        How long it may take; asked for each object, since an invocation has less and less time.
    """

    memory_bytes: int = 320 << 20
    seconds: Callable[[], float] = field(default=lambda: 600.0)

    def __call__(self, work: Work, read: Read) -> Isolated:
        """Do `work` on what `read` gives; an exception of `read` is raised here, after the child was stopped."""
        deadline = time.monotonic() + self.seconds()
        given, taken = os.pipe(), os.pipe()
        sys.stdout.flush()
        with warnings.catch_warnings():
            # Python warns of threads that hold locks: the child takes none of theirs, and never returns from here.
            warnings.simplefilter("ignore", DeprecationWarning)
            pid = os.fork()
        if pid == 0:
            os.close(given[1])
            os.close(taken[0])
            _child(work, given[0], taken[1], self.memory_bytes)
        os.close(given[0])
        os.close(taken[1])
        parent = _Parent(pid, given[1], taken[0], read, deadline)
        try:
            return parent.talk()
        finally:
            parent.close()


class _Parent:
    def __init__(self, pid: int, into: int, out: int, read: Read, deadline: float) -> None:
        self._pid = pid
        self._into: int | None = into
        self._out = out
        self._read = read
        self._deadline = deadline
        self._status: int | None = None
        self._waiting = memoryview(b"")
        os.set_blocking(into, False)

    def talk(self) -> Isolated:
        lines, late = [bytearray()], False
        poll = select.poll()
        poll.register(self._out, select.POLLIN)
        if self._into is not None:
            poll.register(self._into, select.POLLOUT)
        while not (late := time.monotonic() > self._deadline):
            ready = dict(poll.poll(_POLL_SECONDS * 1000))
            if self._into is not None and self._into in ready and not self._feed():
                poll.unregister(self._into)
                self._end_input()
            if self._out in ready:
                part = os.read(self._out, _CHUNK)
                if not part:
                    break
                *whole, rest = part.split(b"\n")
                for line in whole:
                    lines[-1] += line
                    lines.append(bytearray())
                lines[-1] += rest
        if late:
            os.kill(self._pid, signal.SIGKILL)
        return Isolated([json.loads(bytes(line)) for line in lines[:-1]], "TIME_LIMIT" if late else self._fault())

    def _feed(self) -> bool:
        """Give the child some more; False when there is no more, or it takes no more."""
        if self._into is None:
            return False
        if not self._waiting:
            self._waiting = memoryview(self._read(_CHUNK))
        if not self._waiting:
            return False
        try:
            self._waiting = self._waiting[os.write(self._into, self._waiting) :]
        except BlockingIOError:
            return True
        except BrokenPipeError:
            return False
        return True

    def _end_input(self) -> None:
        if self._into is not None:
            os.close(self._into)
            self._into = None

    def _fault(self) -> str | None:
        status = self._wait()
        if os.WIFEXITED(status):
            return {0: None, _EXIT_MEMORY: "MEMORY"}.get(os.WEXITSTATUS(status), "PARSER_FAILED")
        # Nobody but the kernel, when memory is short, kills it like this.
        return "MEMORY" if os.WTERMSIG(status) == signal.SIGKILL else "PARSER_FAILED"

    def _wait(self) -> int:
        if self._status is None:
            self._status = os.waitpid(self._pid, 0)[1]
        return self._status

    def close(self) -> None:
        self._end_input()
        os.close(self._out)
        if self._status is None:
            with suppress(ProcessLookupError):
                os.kill(self._pid, signal.SIGKILL)
            self._wait()


def _child(work: Work, given: int, taken: int, memory_bytes: int) -> None:
    status = _EXIT_FAILED
    try:
        _limit(memory_bytes)

        def send(document: Mapping[str, object]) -> None:
            line = memoryview(json.dumps(document).encode() + b"\n")
            while line:
                line = line[os.write(taken, line) :]

        work(lambda count: os.read(given, count), send)
        status = 0
    except MemoryError:
        status = _EXIT_MEMORY
    finally:
        # Without what a process does at its end: the connections and files are its parent's.
        os._exit(status)


def _limit(memory_bytes: int) -> None:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with suppress(OSError, ValueError):
        with open("/proc/self/statm", encoding="ascii") as file:
            used = int(file.read().split()[5]) * os.sysconf("SC_PAGE_SIZE")
        resource.setrlimit(resource.RLIMIT_DATA, (used + memory_bytes, used + memory_bytes))
