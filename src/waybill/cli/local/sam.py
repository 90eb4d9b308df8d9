"""The project's own SAM CLI, pointed at the embedded AWS."""

import json
import os
import platform
import shutil
import subprocess  # noqa: TID251 - the SAM CLI
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from waybill.cli.account import HOST, TEST_CREDENTIALS
from waybill.cli.local.errors import LocalStackError, ToolMissingError

_LAST_LINES = 6


@dataclass(frozen=True)
class SamCli:
    """SAM CLI for one template.

    Parameters
    ----------
    python : Path
        The interpreter of the environment that holds the SAM CLI.
    program : Path
        `tools/sam/quick.py`, which runs the SAM CLI.
    layer_python : Path
        A Python 3.13 with pip, which builds the layers; its folder comes first on ``PATH``.
    template : Path
        The template; `samconfig.toml` beside it is read.
    build_dir : Path
        Folder for what is built, and for the cache of it.
    log_file : Path
        Receives everything that the SAM CLI prints.
    """

    python: Path
    program: Path
    layer_python: Path
    template: Path
    build_dir: Path
    log_file: Path

    @property
    def built_template(self) -> Path:
        """The template that `build` writes and `deploy` takes."""
        return self.build_dir / "build" / "template.yaml"

    def build(self) -> None:
        """Run `sam build`; raises `LocalStackError` when it fails."""
        self._run(
            "build",
            *("--template-file", self.template),
            *("--build-dir", self.built_template.parent),
            *("--cache-dir", self.build_dir / "cache"),
            "--cached",
            "--parallel",
            # All functions have one folder of source: without it, `sam build` copies that once for each.
            environment={**_layer_environment(self.layer_python), "SAM_CLI_BETA_BUILD_PERFORMANCE": "1"},
        )

    def forget(self) -> None:
        """Empty the build cache, so that the next build also builds what did not change."""
        shutil.rmtree(self.build_dir / "cache", ignore_errors=True)

    def deploy(self, *, stack_name: str, endpoint: str, region: str, parameters: Mapping[str, str]) -> None:
        """Run `sam deploy` of what was built.

        Parameters
        ----------
        stack_name : str
            CloudFormation stack, made or updated.
        endpoint : str
            URL of the embedded AWS.
        region : str
            Region to deploy to.
        parameters : Mapping[str, str]
            Template parameters; the others keep their defaults.

        Raises
        ------
        LocalStackError
            The deployment failed.
        """
        # A value with quotes in it (a JWKS) reaches the SAM CLI unharmed in a file only. JSON is YAML.
        parameter_file = self.log_file.parent / "parameters.yaml"
        parameter_file.write_text(json.dumps(dict(parameters), indent=2) + "\n", "utf-8")
        self._run(
            "deploy",
            *("--template-file", self.built_template),
            *("--stack-name", stack_name),
            *("--region", region),
            *("--parameter-overrides", f"file://{parameter_file}"),
            environment={
                **TEST_CREDENTIALS,
                "AWS_ENDPOINT_URL": endpoint,
                "AWS_DEFAULT_REGION": region,
                "AWS_EC2_METADATA_DISABLED": "true",
            },
        )

    def _run(self, command: str, *options: str | Path, environment: Mapping[str, str]) -> None:
        if not self.python.exists():
            raise ToolMissingError(self.python)
        config = self.template.with_name("samconfig.toml")
        configured = ("--config-file", config, "--config-env", "local") if config.exists() else ()
        self.log_file.parent.mkdir(parents=True, exist_ok=True)
        with self.log_file.open("ab") as log:
            start = log.tell()
            done = subprocess.run(
                [self.python, self.program, command, *configured, *options],
                cwd=self.template.parent,
                env={**self._environment(), **environment},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                check=False,
            )
        if done.returncode != 0:
            printed = self.log_file.read_bytes()[start:].decode(errors="replace")
            raise LocalStackError(f"sam {command} failed (all of it in {self.log_file}): {_reason(printed)}")

    def _environment(self) -> dict[str, str]:
        """The environment of this process without what it says about AWS, or about another Python."""
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("AWS_", "SAM_", "PYTHON")) and name != "VIRTUAL_ENV"
        }
        return {
            **kept,
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "NO_PROXY": ",".join(filter(None, (HOST, "localhost", kept.get("NO_PROXY")))),
            "PATH": os.pathsep.join((str(self.layer_python.parent), kept.get("PATH", os.defpath))),
            "SAM_CLI_POLL_DELAY": "0.2",
            "SAM_CLI_TELEMETRY": "0",
            "__SAM_CLI_APP_DIR": str(self.log_file.parent / "sam-home"),
        }


def _reason(printed: str) -> str:
    """What the SAM CLI says went wrong: its `Error:` paragraph, else the last lines."""
    lines = [line.strip() for line in printed.splitlines() if line.strip()]
    start = next((number for number, line in enumerate(lines) if line.startswith("Error:")), -_LAST_LINES)
    return " ".join(lines[start:])


def _layer_environment(layer_python: Path) -> dict[str, str]:
    """Variables for `layers/layer.mk`: locally, functions run on this machine, whatever it is."""
    machine = (platform.system(), platform.machine(), platform.libc_ver()[0])
    like_lambda = machine == ("Linux", "x86_64", "glibc")
    return {"LAYER_PYTHON": str(layer_python), "LAYER_PLATFORM": "lambda" if like_lambda else "host"}
