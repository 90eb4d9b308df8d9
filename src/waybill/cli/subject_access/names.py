"""`waybill sar names`: what templates print for the codes of prisons, staff and locations."""

from pathlib import Path
from typing import Annotated

import typer

from waybill.cli.context import Cli
from waybill.cli.files import read_json
from waybill.cli.grammar import App

app = App()


@app.command()
def names(
    cli: Cli,
    file: Annotated[
        Path,
        typer.Argument(
            help='JSON: {"prisons": {"MDI": "Moorland"}, "surnames": {"JSMITH_GEN": "Smith"}, "locations": {}}.',
            exists=True,
            dir_okay=False,
        ),
    ],
) -> None:
    """Replace the names that templates print for codes."""
    from waybill.subject_access import runtime
    from waybill.subject_access.domain.keys import names_key
    from waybill.subject_access.domain.report.models import Lookups

    try:
        found = Lookups.from_json(read_json(file))
    except ValueError as error:
        raise typer.BadParameter(f"{file.name}: {error}") from error
    cli.enter()
    runtime.report_files().keep(names_key(), file, "application/json")
    counts = {kind: len(getattr(found, kind)) for kind in ("prisons", "surnames", "locations")}
    cli.output.show(counts, ", ".join(f"{count:,} {kind}" for kind, count in counts.items()))
