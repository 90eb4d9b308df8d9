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


def test_a_table_of_very_many_rows_says_what_a_short_one_says(capsys: pytest.CaptureFixture[str]) -> None:
    rows: list[tuple[object, ...]] = [("a", None, "x" * 30), ("[bold]語[/bold]", 1, ""), (HOSTILE, "two", "COMPLETED")]
    Output().show([], table(("Name", "Count", "Value"), rows, title="[bold]Rows[/bold]"))
    short = capsys.readouterr().out.splitlines()
    Output().show([], table(("Name", "Count", "Value"), rows * 400, title="[bold]Rows[/bold]"))
    long = capsys.readouterr().out.splitlines()
    assert [line.split() for line in long[:5]] == [line.split() for line in short]
    assert len(long) == 2 + 3 * 400
