"""The benchmarks' own way through the deployed definition: figures of `make bench` are no better than this."""

from typing import TYPE_CHECKING

import pytest

from benchmarks.harness.deployment import Deployment
from benchmarks.replication.counting import count_on_moto

if TYPE_CHECKING:
    from waybill.cli.local.stack import LocalStack

pytestmark = pytest.mark.workflow


def test_a_small_file_takes_one_look_at_it_and_one_copy_per_destination(local_stack: "LocalStack") -> None:
    # The floor on S3: CopyObject makes one object, and what is copied has to be looked at once.
    deployment = Deployment(local_stack)
    _, counted = count_on_moto(deployment, [{"key": "first.bin", "size": 20_000}, {"key": "small.bin", "size": 20_000}])
    assert counted.of("s3") == {"HeadObject": 1, "CopyObject": len(deployment.destinations)}
    assert sum(counted.of("dynamodb").values()) <= 8
