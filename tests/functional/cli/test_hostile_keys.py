"""A key that would write lines and colours of its own, in every table and error.

Source: CWE-117, CWE-150, CVE-2021-42574.
"""

import unicodedata
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.fakes.executions import FakeExecutions
from tests.fakes.runs import DESTINATIONS, SOURCE, a_run, failure, result
from tests.functional.cli.conftest import Program, Ran, recorded
from waybill.replication.adapters.table import TrackingTable

A, B = DESTINATIONS
KEY = (
    "-a'\"$(id)`id`\n✅ 2 of 2 destinations have the file\r\u202efdp.exe"
    "\x1b[2J\x85\u2028\u2066\U000e0041\u200b\ufeff%s ü"
)
URI = f"s3://{SOURCE}/{KEY}"
UNSEEN = {"Cc", "Cf", "Zl", "Zp"}


def assert_harmless(ran: Ran) -> None:
    for text in (ran.out, ran.err):
        assert not {hex(ord(char)) for char in text if unicodedata.category(char) in UNSEEN and char != "\n"}
        assert not [line for line in text.splitlines() if line.startswith("✅ 2 of 2")]


@pytest.mark.parametrize("terminal", [False, True], ids=["to a file", "in a terminal"])
def test_no_command_lets_a_key_write(
    waybill: Program,
    on_terminal: Callable[..., Ran],
    executions: FakeExecutions,
    tracking: TrackingTable,
    upload: Callable[..., None],
    tmp_path: Path,
    terminal: bool,
) -> None:
    upload(KEY)
    run = a_run("failed", key=KEY)
    recorded(tracking, run, failure(run, A, cause=f"s3:PutObject on {A}/{KEY}: AccessDenied"), result(run, B))
    manifest = tmp_path / "list.csv"
    manifest.write_text(f"{SOURCE},%1B%5B2Jgone\n{SOURCE},%zz\x1b[2J\n{SOURCE},a,b,c,\u202e\n", "utf-8")
    commands = [
        ("replicate", f"{URI}gone"),
        ("replicate", URI),
        ("replicate", "--backfill", URI, "--dry-run"),
        ("replicate", "--backfill", f"s3://{SOURCE}/", "--content-only"),
        ("replicate", "--backfill", f"s3://{SOURCE}/", "--manifest", str(manifest)),
        ("replicate", "--backfill", f"{URI}gone"),
        ("replicate", "--backfill", f"s3://{SOURCE}/", "--report", f"{tmp_path}/no\x1b[2J/r.csv"),
        ("backfills", "list"),
        ("backfills", "show", f"nobody{KEY}"),
        ("replications",),
        ("replications", "--pending"),
        ("replications", "list", "--status", "FAILED"),
        ("replications", "show", URI),
        ("replications", "show", f"{URI}gone"),
        ("replications", "retry", URI),
        ("replications", "dismiss", URI, "--to", A, "--reason", f"as {KEY}"),
        ("replications", "dismiss", f"{URI}gone", "--reason", "x"),
        ("replications", "list", "--status", "DISMISSED"),
        ("replications", "show", URI),
        ("verify", URI),
        ("verify", f"s3://{SOURCE}/"),
        ("verify", f"{URI}gone"),
        ("verifications", "list"),
    ]
    for command in commands:
        ran = on_terminal(100, *command) if terminal else waybill(*command)
        if not terminal:
            assert_harmless(ran)
            continue
        # What a terminal gets besides is this program's own: colours, and where the cursor goes.
        told = ran.out + ran.err
        assert not [char for char in ("\u202e", "\u2028", "\u2066", "\u200b", "\ufeff", "\x85") if char in told]
        assert "fdp.exe\x1b[2J" not in told
