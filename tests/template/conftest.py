"""The transformed template and the code's map, once for all tests of this folder."""

from pathlib import Path

import pytest

from tests.template.support.code import Code
from tests.template.support.stack import Stack

# Whichever test comes first waits for the map of all the code, on a machine that may be busy.
_SECONDS_WITH_THE_CODE = 600


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give tests that need the code's map the time to make it."""
    for item in items:
        if {"code", "imports"} & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.timeout(_SECONDS_WITH_THE_CODE))


@pytest.fixture(scope="session")
def stack() -> Stack:
    """The transformed template."""
    return Stack()


@pytest.fixture(scope="session")
def code(project: Path) -> Code:
    """What the functions' code can reach; the CLI runs in none of them."""
    return Code(project / "src", leave_out=["cli"])
