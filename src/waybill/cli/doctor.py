"""`waybill doctor`: what is wrong with this machine and the stack, and what to do."""

import typer

from waybill.cli.context import Cli
from waybill.cli.diagnosis import checks
from waybill.cli.grammar import App
from waybill.cli.output import table

app = App()
_WORDS = {True: "yes", False: "no", None: "not looked at"}


@app.command()
def doctor(cli: Cli) -> None:
    """Say what is wrong with this machine and the stack, and what to do; exit status 1 when something is.

    Looks at Python, the set-up, ports, disk, stack, clock and permissions, and changes nothing.
    """
    found = list(checks(cli))
    rows = ((each.name, _WORDS[each.good], each.seen, each.todo) for each in found)
    human = table(("Check", "Good", "What was seen", "What to do"), rows)
    well = all(each.good is not False for each in found)
    cli.output.show({"healthy": well, "checks": [each.document() for each in found]}, human)
    if not well:
        raise typer.Exit(1)
