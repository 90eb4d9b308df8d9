"""Starts MiniStack 1.5.33 with what it does otherwise than AWS, and Waybill relies on: see the modules of `mends`."""

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
    templates,
)
from ministack.app import main

# The concurrency after the failures: it is counted around what they name.
MENDS = (permissions, failures, objects, archives, concurrency, states, gateway, messages, templates, snapshots)

if __name__ == "__main__":
    for each in MENDS:
        each.mend()
    main()
