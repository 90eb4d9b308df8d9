"""What is printed says nothing to the terminal that nobody meant to say."""

import pytest

from waybill.cli.output import Output, details, printable, table

HOSTILE = "a\x1b[2J\x1b]0;title\x07b\u202ec\x9bd\re"
WRITTEN_OUT = r"a\x1b[2J\x1b]0;title\x07b\u202ec\x9bd\re"


def test_commands_in_a_name_are_written_out() -> None:
    assert printable(HOSTILE) == WRITTEN_OUT


@pytest.mark.parametrize("text", ["ä 😀.txt", "two\nlines", "a\tb", "[bold]x[/bold]", "شلام", "back\\slash"])
def test_anything_else_is_left_as_it_is(text: str) -> None:
    assert printable(text) == text


@pytest.mark.parametrize(
    "shown", [table(("Name",), [(HOSTILE,)]), details({"Name": HOSTILE})], ids=["table", "details"]
)
def test_tables_print_no_commands(shown: object, capsys: pytest.CaptureFixture[str]) -> None:
    Output().show({}, shown)  # type: ignore[arg-type]
    assert WRITTEN_OUT in capsys.readouterr().out


def test_notes_print_no_commands(capsys: pytest.CaptureFixture[str]) -> None:
    Output().note(HOSTILE)
    assert capsys.readouterr().err.strip() == WRITTEN_OUT
