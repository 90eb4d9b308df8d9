"""The functions of the consignment checks in this process, against moto."""

import pytest

from tests.fakes.wire import Wire
from tests.functional.consignments.bench import Workbench


@pytest.fixture
def bench(wire: Wire) -> Workbench:
    """The stack's resources, and a machine that runs the states in order."""
    return Workbench.made(wire)
