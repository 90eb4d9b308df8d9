"""Starts MiniStack 1.5.33 with what it does otherwise than AWS, and Waybill relies on: see the modules of `mends`."""

import sys
from pathlib import Path

# KMS keys that sign need a library that functions must not find, since AWS has it in a layer or not at all.
sys.path.append(str(Path(__file__).resolve().parents[2] / ".local" / "signing"))

from mends import (
    archives,
    concurrency,
    failures,
    gateway,
    logs,
    memory,
    messages,
    objects,
    parts,
    permissions,
    recursion,
    snapshots,
    states,
    streams,
    templates,
)
from ministack.app import main

# The failures after the memory, and the concurrency after both: each names or counts what the one before does.
MENDS = (
    permissions,
    memory,
    failures,
    objects,
    parts,
    archives,
    streams,
    recursion,
    concurrency,
    states,
    gateway,
    messages,
    templates,
    snapshots,
    logs,
)

if __name__ == "__main__":
    for each in MENDS:
        each.mend()
    main()
