"""The peer: `rclone copy` from bucket to bucket, on the same embedded AWS."""

import os
import shutil
import subprocess
import time

from benchmarks.harness.deployment import Deployment

_REMOTE = "aws"


def installed() -> bool:
    """Return whether there is an rclone (Debian package rclone)."""
    return shutil.which("rclone") is not None


def copy_to_all(deployment: Deployment, prefix: str, new_prefix: str) -> float:
    """Copy what is under `prefix` of the source bucket to every destination at once; return the seconds it takes.

    Raises
    ------
    RuntimeError
        rclone failed; holds what it said.
    """
    # What this machine says about AWS, such as a profile or a certificate authority, is not about this one.
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "RCLONE_"))}
    variables = kept | _configuration(deployment)
    origin = f"{_REMOTE}:{deployment.outputs['SourceBucketName']}/{prefix}"
    started = time.monotonic()
    copying = [
        subprocess.Popen(
            ["rclone", "copy", origin, f"{_REMOTE}:{bucket}/{new_prefix}"],
            env=variables,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for bucket in deployment.destinations
    ]
    said = [process.communicate()[0] for process in copying]
    if any(process.returncode for process in copying):
        raise RuntimeError(f"rclone copy failed: {' '.join(said)[-2000:]}")
    return time.monotonic() - started


def _configuration(deployment: Deployment) -> dict[str, str]:
    """Return rclone's configuration as variables, so that it neither reads nor writes a file."""
    environment = deployment.described.environment()
    options = {
        "TYPE": "s3",
        "PROVIDER": "Other",
        "ENDPOINT": deployment.endpoint,
        "REGION": deployment.region,
        "ACCESS_KEY_ID": environment["AWS_ACCESS_KEY_ID"],
        "SECRET_ACCESS_KEY": environment["AWS_SECRET_ACCESS_KEY"],
        "NO_CHECK_BUCKET": "true",
    }
    configured = {f"RCLONE_CONFIG_{_REMOTE.upper()}_{name}": value for name, value in options.items()}
    return configured | {"RCLONE_CONFIG": os.devnull, "NO_PROXY": "*"}
