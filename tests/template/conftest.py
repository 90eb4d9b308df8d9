"""The transformed template and the code's map, once for all tests of this folder."""

from pathlib import Path

import pytest

from tests.template.support.code import Code
from tests.template.support.stack import Stack


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            # One worker of pytest-xdist runs them all: mapping the code takes seconds, the tests themselves nothing.
            item.add_marker(pytest.mark.xdist_group("template"))


@pytest.fixture(scope="session")
def stack() -> Stack:
    """The transformed template."""
    return Stack()


@pytest.fixture(scope="session")
def code(project: Path) -> Code:
    """What the functions' code can reach; the CLI runs in none of them."""
    return Code(project / "src", leave_out=["cli"])
