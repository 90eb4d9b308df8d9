"""Debian's own clamd, with one signature of our own: nothing is downloaded."""

import hashlib
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.fakes import contents
from waybill.consignments.adapters.clamd import Clamd
from waybill.consignments.domain.checks.errors import ScannerUnavailableError

DAEMON = shutil.which("clamd") or shutil.which("/usr/sbin/clamd")


@contextmanager
def running_clamd(folder: Path) -> Iterator[str]:
    """Run the daemon, which is installed, and give its address; it takes streams of up to a megabyte."""
    folder.chmod(0o755)
    eicar = contents.eicar()
    # The file as a whole, by its MD5 ("ClamAV signatures", hash-based).
    line = f"{hashlib.md5(eicar, usedforsecurity=False).hexdigest()}:{len(eicar)}:Waybill.Test.EICAR\n"
    (folder / "waybill.hdb").write_text(line)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    settings = folder / "clamd.conf"
    settings.write_text(
        f"Foreground yes\nTCPAddr 127.0.0.1\nTCPSocket {port}\nDatabaseDirectory {folder}\nStreamMaxLength 1M\n"
        f"TemporaryDirectory {folder}\nAlertEncrypted yes\nAlertExceedsMax yes\nUser root\n"
    )
    program = subprocess.Popen([str(DAEMON), "--config-file", str(settings)], stdout=subprocess.DEVNULL)
    try:
        _await(address := f"tcp://127.0.0.1:{port}")
        yield address
    finally:
        program.terminate()
        program.wait(10)


def _await(address: str) -> None:
    for _ in range(200):
        try:
            Clamd(address).version()
            return
        except ScannerUnavailableError:
            time.sleep(0.05)
