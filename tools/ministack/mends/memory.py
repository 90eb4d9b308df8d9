"""A function's memory.

A function that needs more than its `MemorySize` is killed; the invocation ends as `Runtime.OutOfMemory` (Lambda
Developer Guide, "Configure Lambda function memory", "Troubleshoot invocation issues in Lambda"). MiniStack has no
limit.

What is counted is what the function's processes hold for themselves, every 50 ms: a short peak between two looks
passes. Where there is no `/proc`, nothing is counted.
"""

import os
import threading
from pathlib import Path
from typing import Any

from ministack.core import lambda_runtime

_PROC = Path("/proc")
_LOOK_SECONDS = 0.05
_MIB = 1024


def mend() -> None:
    """Watch each invocation, and kill the process that takes too much."""
    invoke = lambda_runtime.Worker.invoke

    def invoke_within_memory(self: Any, *args: Any, **kwargs: Any) -> Any:
        limit = int(self.config.get("MemorySize", 128))
        ended, killed = threading.Event(), threading.Event()

        def watch() -> None:
            while not ended.wait(_LOOK_SECONDS):
                process = self._proc
                if process and process.poll() is None and held(process.pid) > limit * _MIB:
                    killed.set()
                    process.kill()
                    return

        threading.Thread(target=watch, name=f"memory-{self.func_name}", daemon=True).start()
        try:
            result = invoke(self, *args, **kwargs)
        except RuntimeError:
            if not killed.is_set():
                raise
            result = {"status": "error"}
        finally:
            ended.set()
        if killed.is_set() and result.get("status") == "error":
            told = f"Runtime exited with error: signal: killed (memory size {limit} MB)"
            result |= {"error": told, "errorType": "Runtime.OutOfMemory"}
        return result

    if _PROC.is_dir():
        lambda_runtime.Worker.invoke = invoke_within_memory


def held(process: int) -> int:
    """Return the KiB that a process and those below it hold for themselves; 0 for one that has ended."""
    try:
        status = (_PROC / str(process) / "status").read_text()
        below = [
            int(child)
            for thread in os.listdir(_PROC / str(process) / "task")
            for child in (_PROC / str(process) / "task" / thread / "children").read_text().split()
        ]
    except OSError:
        return 0
    own = next((int(line.split()[1]) for line in status.splitlines() if line.startswith("RssAnon:")), 0)
    return own + sum(held(child) for child in below)
