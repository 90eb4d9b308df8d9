"""The transformed template and the code's map, once for all tests of this folder."""

from pathlib import Path

import pytest

from tests.template.support.code import Code
from tests.template.support.stack import Stack


@pytest.fixture(scope="session")
def stack() -> Stack:
    """The transformed template."""
    return Stack()


@pytest.fixture(scope="session")
def code(project: Path) -> Code:
    """What the functions' code can reach; the CLI runs in none of them."""
    return Code(project / "src", leave_out=["cli"])
