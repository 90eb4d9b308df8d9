"""Counts what one file takes, on moto."""

from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.harness.child import outcome_of
from benchmarks.harness.deployment import Deployment
from benchmarks.replication.usage import Counted
from benchmarks.replication.workflow import functions, state_machine, tracking_table


def count_on_moto(
    deployment: Deployment, files: Sequence[Mapping[str, Any]], limits: Mapping[str, str] | None = None
) -> list[Counted]:
    """Replicate `files` (``key, size, tags``) one after another in one new process, and count.

    Definition, environment, table and names are those of the deployment; `limits` are variables that differ.

    Raises
    ------
    RuntimeError
        A run did not get to its end; holds what the process said.
    """
    job = on_moto(deployment) | {"files": list(files)}
    job["environment"] |= limits or {}
    outcomes = outcome_of("replicating on moto", "-m", "benchmarks.replication.on_moto", job=job)
    return [Counted(**outcome) for outcome in outcomes]


def on_moto(deployment: Deployment) -> dict[str, Any]:
    """Return what a process needs to do as the deployed functions do."""
    ours = functions(deployment)
    machine = state_machine(deployment)
    return {
        "region": deployment.region,
        "functions": {one.arn: {"module": one.module, "name": one.name, "memory": one.memory} for one in ours},
        "environment": {name: value for one in ours for name, value in one.environment.items()},
        "definition": machine["definition"],
        "stateMachine": machine["name"],
        "role": machine["roleArn"],
        "table": tracking_table(deployment),
        "source": deployment.outputs["SourceBucketName"],
        "destinations": deployment.destinations,
    }
