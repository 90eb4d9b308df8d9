"""Stub services that go on in the background, until they are stopped."""

import fcntl
import os
import signal
from pathlib import Path

from waybill.cli.errors import CommandError
from waybill.core.retry import poll

_STOP_SECONDS = 10.0
_POLL_SECONDS = 0.02


def record_file(project: Path) -> Path:
    """Return the file that holds the process id of a clone's stub services, and is locked while they run."""
    return project / ".local" / "sar-stub.pid"


def claim(record: Path) -> int:
    """Lock `record` and return its descriptor; the lock lasts as long as this process or one that it has made lives.

    Raises
    ------
    CommandError
        Stub services of this clone run already.
    """
    record.parent.mkdir(parents=True, exist_ok=True)
    lock = os.open(record, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        raise CommandError("stub services run already: `waybill sar stub --stop` ends them") from None
    return lock


def detach(lock: int) -> int:
    """Go on in the background: return the process id to the one who asked, and 0 in the process that goes on.

    No thread may run yet. Both have the `lock`.
    """
    child = os.fork()
    if child:
        os.ftruncate(lock, 0)
        os.pwrite(lock, str(child).encode(), 0)
        return child
    os.setsid()
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in range(3):
        os.dup2(nowhere, stream)
    return 0


def stop(record: Path) -> bool:
    """End the stub services of a clone; False when none run."""
    try:
        lock = os.open(record, os.O_RDWR)
    except FileNotFoundError:
        return False
    try:
        if _free(lock):
            return False
        os.kill(int(os.pread(lock, 20, 0)), signal.SIGTERM)
        if not poll(lambda: _free(lock), bool, seconds=_STOP_SECONDS, first_pause=_POLL_SECONDS)[1]:
            raise CommandError(f"the stub services did not end within {_STOP_SECONDS:.0f} seconds")
        return True
    finally:
        os.close(lock)


def _free(lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    fcntl.flock(lock, fcntl.LOCK_UN)
    return True
