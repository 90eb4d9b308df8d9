"""Starts MiniStack 1.5.33 with what it does otherwise than AWS, and Waybill relies on: see the modules of `mends`."""

import sys
from pathlib import Path

# KMS keys that sign, and fast checksums, need libraries that functions must not find, since AWS has them in a layer or
# not at all.
sys.path.append(str(Path(__file__).resolve().parents[2] / ".local" / "server"))

from mends import (
    archives,
    checksums,
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
    checksums,
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
