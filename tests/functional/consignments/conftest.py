"""The functions of the consignment checks in this process, against moto."""

from collections.abc import Iterator

import pytest

from tests.fakes.wire import Wire
from tests.functional.consignments.bench import Workbench


@pytest.fixture
def bench(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workbench]:
    """The stack's resources, and a machine that runs the states in order."""
    yield Workbench.made(wire)
