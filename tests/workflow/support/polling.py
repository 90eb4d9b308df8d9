"""Waiting without sleeping longer than needed."""

import time
from collections.abc import Callable, Sequence

# Seconds that anything may take on a busy machine; nothing waits longer than needed. Most functions are stopped after a
# minute at most and then run again: what hangs once comes right within this time, as it would on AWS.
DEADLINE = 150.0

# A step that Lambda throttles throughout is tried twelve times more: 2 + 4 + 8 + 16 + 8 x 30 seconds at most by the
# definitions' `Retry`, half of that by its jitter, and no moment where `SFN_WAIT_SCALE` is 0.
THROTTLED = 400.0


def until[Found](
    probe: Callable[[], Found | None], what: str, within: float = DEADLINE, seen: Sequence[object] = ()
) -> Found:
    """Return what `probe` finds as soon as it finds anything; fails with `what` after `within` seconds.

    `seen` is what the probe has noted: the last of it goes with the failure.
    """
    deadline = time.monotonic() + within
    pause = 0.03
    while True:
        if found := probe():
            return found
        if time.monotonic() > deadline:
            raise AssertionError(
                f"not within {within} s: {what}" + "".join(f"; last seen: {each}" for each in seen[-1:])
            )
        time.sleep(pause)
        pause = min(pause * 1.2, 0.25)  # looking costs the machine's time too
