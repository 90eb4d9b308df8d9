"""What the shell is offered, and what it is not told."""

from collections.abc import Iterable
from typing import cast

import pytest

from waybill.cli.completion import among, known
from waybill.cli.context import Cli
from waybill.cli.errors import StackNotFoundError

NOBODY = cast("Cli", None)


def test_values_that_begin_as_typed() -> None:
    assert among(("FAILED", "COMPLETED"))("F") == ["FAILED"]
    assert among(("FAILED", "COMPLETED"))("") == ["FAILED", "COMPLETED"]


def test_what_the_stack_knows_keeps_its_order() -> None:
    assert known(lambda _: ["b2", "a1", "b1"])(NOBODY, "b") == ["b2", "b1"]


@pytest.mark.parametrize("error", [StackNotFoundError("none"), OSError(), KeyError("x")])
def test_whatever_goes_wrong_nothing_is_offered_and_nothing_said(
    error: Exception, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(_: Cli) -> Iterable[str]:
        raise error

    assert known(broken)(NOBODY, "") == []
    assert capsys.readouterr() == ("", "")
