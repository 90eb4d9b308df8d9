"""The process of the scanners: `python -m waybill.consignments.adapters.scanner_program <descriptor>`.

Talks in lines of JSON over the socket that it inherits. What it parses may crash it or stall it: it holds no
credentials, and `scanner_process` ends it and starts another.
"""

import json
import resource
import socket  # noqa: TID251 - what the parent holds the other end of
import sys
from collections.abc import Mapping
from pathlib import Path

from waybill.consignments.domain.checks.malware_rules import MalwareRules
from waybill.consignments.domain.checks.parsers import Parsers


def main() -> None:
    """Answer questions until the other side closes the connection."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with socket.socket(fileno=int(sys.argv[1])) as connection:
        lines = connection.makefile("rb")
        start = json.loads(lines.readline())
        _limit_memory(start["memoryBytes"])
        try:
            rules = MalwareRules(Path(start["rules"]).read_bytes(), start["excluded"]) if start["rules"] else None
            parsers = Parsers(rules, start["signatures"], identifying=start["identifying"])
        except OSError as error:
            _send(connection, {"invalid": str(error)})
            return
        _send(connection, {"versions": parsers.versions()})
        for line in lines:
            request = json.loads(line)
            if "together" in request:
                _send(connection, {"together": parsers.together(request["together"])})
                continue
            for part in request["parts"]:
                # Before the file is touched: whatever ends this process until then is not its doing.
                _send(connection, {"begun": part})
                _send(connection, {"part": part, **parsers.answer(part, request)})


def _limit_memory(count: int) -> None:
    """Let this process allocate `count` bytes: what a file unpacks to must not take the whole function's memory."""
    _, most = resource.getrlimit(resource.RLIMIT_DATA)
    allowed = count if most == resource.RLIM_INFINITY else min(count, most)
    resource.setrlimit(resource.RLIMIT_DATA, (allowed, allowed))


def _send(connection: socket.socket, message: Mapping[str, object]) -> None:
    connection.sendall(json.dumps(message).encode() + b"\n")


if __name__ == "__main__":
    main()
