"""One function in a process of its own, with what the Lambda runtime gives it and nothing more.

Run by path with the embedded AWS's interpreter, which stands for the runtime. Reads a job as JSON from standard input:
`path` (folders of code and layers), `module`, `event`, `name`, `arn`, `memory`, and optionally `before`, a callable
as ``module:name`` in `project` that is called with `options` first. Writes `answer` or `error`, `peak_kb`, and the
`milliseconds` that importing the module and answering took.
"""

import contextlib
import importlib
import json
import resource
import sys
import time
import types
from pathlib import Path
from typing import Any


def main() -> None:
    real_output, sys.stdout = sys.stdout, sys.stderr
    job = json.load(sys.stdin)
    sys.path[:0] = job["path"]
    if "before" in job:
        sys.path.append(job["project"])
        module, _, name = job["before"].partition(":")
        getattr(importlib.import_module(module), name)(**job["options"])
    context = types.SimpleNamespace(
        function_name=job["name"],
        memory_limit_in_mb=job["memory"],
        invoked_function_arn=job["arn"],
        aws_request_id="00000000-0000-0000-0000-000000000001",
        get_remaining_time_in_millis=lambda: 900_000,
    )
    outcome: dict[str, Any] = {}
    began = time.perf_counter()
    try:
        outcome["answer"] = importlib.import_module(job["module"]).lambda_handler(job["event"], context)
    except Exception as error:
        outcome["error"] = f"{type(error).__name__}: {error}"
    outcome["milliseconds"] = (time.perf_counter() - began) * 1000
    outcome["peak_kb"] = peak_kb()
    json.dump(outcome, real_output)


def peak_kb() -> int:
    """Return the most memory that this process has had at a time (VmHWM of proc(5); elsewhere what rusage says)."""
    # rusage also counts what the parent had when it forked.
    with contextlib.suppress(FileNotFoundError):
        for line in Path("/proc/self/status").read_text("ascii").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1])
    unit = 1024 if sys.platform == "darwin" else 1
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // unit


if __name__ == "__main__":
    main()
