"""The process of the scanners with parsers that a file can crash or stall, which the real ones should not be."""

import ctypes
import time
from pathlib import Path
from typing import Any

from waybill.consignments.adapters import scanner_program
from waybill.consignments.domain.checks.parsers import Parsers

_PARTS = ("identify", "inspect", "scan")


def _obeying(part: str, real: Any) -> Any:
    def obey(path: Path, request: dict[str, Any]) -> Any:
        orders = path.read_bytes().decode("latin-1").split()
        if f"crash-{part}" in orders:
            ctypes.string_at(0)
        if f"stall-{part}" in orders:
            time.sleep(600)
        if f"once-{part}" in orders:
            # Its second try comes in another process.
            path.write_bytes(b"good")
            raise ValueError("what the file holds")
        if f"raise-{part}" in orders:
            raise ValueError("what the file holds")
        return real(path, request)

    return obey


class _Hostile(Parsers):
    def __init__(self, rules: Any, signatures: Any = None, *, identifying: bool = True) -> None:
        super().__init__(rules, signatures, identifying=identifying)
        self._parts = {part: _obeying(part, self._parts[part]) for part in _PARTS}

    def _identify_all(self, requests: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [self._parts["identify"](Path(request["path"]), request) for request in requests]


if __name__ == "__main__":
    scanner_program.Parsers = _Hostile  # type: ignore[misc]
    scanner_program.main()
