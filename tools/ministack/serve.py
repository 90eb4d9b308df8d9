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
    messages,
    objects,
    permissions,
    snapshots,
    states,
    streams,
    templates,
)
from ministack.app import main

# The concurrency after the failures: it is counted around what they name.
MENDS = (
    permissions,
    failures,
    objects,
    archives,
    streams,
    concurrency,
    states,
    gateway,
    messages,
    templates,
    snapshots,
)

if __name__ == "__main__":
    for each in MENDS:
        each.mend()
    main()
