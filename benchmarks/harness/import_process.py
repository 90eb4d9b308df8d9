"""Imports one module in a new interpreter and writes how long it took.

Run by path with the embedded AWS's interpreter. Reads `path` and `module` as JSON from standard input; writes
`milliseconds` and `modules`, the number of modules that the import brought in.
"""

import importlib
import json
import sys
import time


def main() -> None:
    job = json.load(sys.stdin)
    sys.path[:0] = job["path"]
    known = set(sys.modules)
    started = time.perf_counter()
    importlib.import_module(job["module"])
    milliseconds = (time.perf_counter() - started) * 1000
    json.dump({"milliseconds": milliseconds, "modules": len(set(sys.modules) - known)}, sys.stdout)


if __name__ == "__main__":
    main()
