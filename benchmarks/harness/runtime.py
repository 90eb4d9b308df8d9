"""New processes that are like those of Lambda: its interpreter and SDK, the application's code, the listed layers."""

import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.harness.deployment import Function

_SCRIPTS = Path(__file__).parent
# What the Lambda runtime brings, in byte code.
_SDK = ("boto3", "botocore", "dateutil", "jmespath", "s3transfer", "urllib3")


class FunctionFailedError(Exception):
    """A handler raised."""


@dataclass(frozen=True)
class Invocation:
    """What a handler answered, the most memory that its process had (MB of 1,024 KB), its import and answer in ms."""

    answer: Any
    peak: float
    milliseconds: float


class Runtime:
    """Starts the processes; the application's code is copied to `folder` without byte code, as it is deployed."""

    def __init__(self, project: Path, folder: Path) -> None:
        self._project = project
        self._python = project / ".local" / "ministack" / "bin" / "python"
        self._code = folder / "code"
        shutil.rmtree(self._code, ignore_errors=True)
        shutil.copytree(project / "src", self._code, ignore=shutil.ignore_patterns("__pycache__"))
        packages = self._python.parents[1].glob("lib/python3.*/site-packages")
        sdk = [folder / name for folder in packages for name in _SDK]
        subprocess.run([self._python, "-m", "compileall", "-q", *filter(Path.exists, sdk)], check=True)

    def call(
        self,
        function: Function,
        event: Any,
        environment: Mapping[str, str],
        *,
        before: str = "",
        options: Mapping[str, Any] | None = None,
    ) -> Invocation:
        """Call the handler of `function` in a new process; `before` is called there first with `options`.

        Raises
        ------
        FunctionFailedError
            The handler raised; holds its error.
        """
        job = self._job(function) | {
            "event": event,
            "name": function.name,
            "arn": function.arn,
            "memory": function.memory,
        }
        if before:
            job |= {"project": str(self._project), "before": before, "options": dict(options or {})}
        variables = {
            **function.environment,
            **environment,
            "AWS_LAMBDA_FUNCTION_NAME": function.name,
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory),
            "LAMBDA_TASK_ROOT": str(self._code),
            "_X_AMZN_TRACE_ID": "Root=1-00000000-000000000000000000000000;Parent=0000000000000000;Sampled=1",
        }
        outcome = self._run("function_process.py", job, variables)
        if "error" in outcome:
            raise FunctionFailedError(f"{function.step}: {outcome['error']}")
        return Invocation(outcome["answer"], outcome["peak_kb"] / 1024, outcome["milliseconds"])

    def import_time(self, function: Function) -> tuple[float, int]:
        """Return the ms that a new interpreter takes to import the handler, and the modules that this brings in."""
        outcome = self._run("import_process.py", self._job(function), function.environment)
        return outcome["milliseconds"], outcome["modules"]

    def _job(self, function: Function) -> dict[str, Any]:
        return {"path": [str(self._code), *map(str, function.layers)], "module": function.module}

    def _run(self, script: str, job: Mapping[str, Any], variables: Mapping[str, str]) -> dict[str, Any]:
        kept = {name: os.environ[name] for name in ("PATH", "LANG", "TZ") if name in os.environ}
        done = subprocess.run(
            [self._python, "-I", "-B", _SCRIPTS / script],
            input=json.dumps(job),
            env={**kept, **variables},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise FunctionFailedError(f"{job['module']}: {done.stderr.strip()[-2000:]}")
        outcome: dict[str, Any] = json.loads(done.stdout)
        return outcome
