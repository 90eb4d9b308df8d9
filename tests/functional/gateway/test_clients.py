"""Clients that others make of docs/openapi.json: they compile with types, and read what the API answers."""

import json
import os
import shutil
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

pytestmark = pytest.mark.long  # they are installed and made, which takes half a minute

JOB = "0b7e6f0a-5f0c-4f7e-9d55-3c1f6a1f7c11"


@pytest.fixture(scope="module")
def made(project: Path) -> Path:
    """The folder of the clients."""
    ran = subprocess.run(["scripts/clients"], cwd=project, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return project / ".local" / "clients"


@pytest.fixture(scope="module")
def api(project: Path) -> Iterator[str]:
    """An API that answers with the examples of its document, to whoever has a token."""
    paths = json.loads((project / "docs" / "openapi.json").read_text("utf-8"))["paths"]

    class Examples(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            operation: Any = paths[urlsplit(self.path).path][self.command.lower()]
            status = min(operation["responses"]) if self.headers["Authorization"] == "Bearer secret" else "401"
            response = operation["responses"][status]
            content = response.get("content", {"application/problem+json": {}})  # a refusal is described elsewhere
            ((media_type, body),) = content.items()
            problem = {"type": "about:blank", "title": "Unauthorized", "status": 401, "detail": "no", "code": "NO"}
            self.send_response(int(status))
            self.send_header("Content-Type", media_type)
            self.end_headers()
            self.wfile.write(json.dumps(body.get("example", problem | {"instance": "/", "requestId": "1"})).encode())

        do_GET = do_POST = _answer  # noqa: N815  # as http.server has it

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Examples)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


def said(folder: Path, api: str, token: str, *command: str) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": os.environ["PATH"], "WAYBILL_API": api, "WAYBILL_TOKEN": token}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


COMMANDS = {"typescript": ["node", "made/example.js"], "python": ["../../client/bin/python", "example.py"]}


@pytest.mark.parametrize("language", COMMANDS)
def test_a_client_lists_consignments_starts_a_scan_and_reads_a_finding(made: Path, api: str, language: str) -> None:
    if language == "typescript" and not shutil.which("npm"):
        pytest.skip("npm is not installed")
    ran = said(made / language, api, "secret", *COMMANDS[language])
    assert ran.returncode == 0, ran.stderr
    lines = ran.stdout.splitlines()
    assert lines[0] == "consignment TDR-2026-A Completed"
    assert f"job {JOB}" in lines
    assert [line for line in lines if line.startswith("finding EMAIL in 2026/people.csv: a****@")]


@pytest.mark.parametrize("language", COMMANDS)
def test_a_client_reads_a_refusal(made: Path, api: str, language: str) -> None:
    if language == "typescript" and not shutil.which("npm"):
        pytest.skip("npm is not installed")
    ran = said(made / language, api, "another", *COMMANDS[language])
    assert ran.returncode == 1
    assert "401" in ran.stderr
