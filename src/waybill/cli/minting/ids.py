"""`waybill ids`: look up identifiers, keep the registry, and what becomes of an identifier in its life."""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Group as RichGroup
from rich.text import Text

from waybill.cli.context import Cli
from waybill.cli.grammar import App, Group
from waybill.cli.minting.files import lines_of, written
from waybill.cli.minting.invocation import invoke, unbounded_time
from waybill.cli.minting.life import add_commands
from waybill.cli.minting.runtime import Minting
from waybill.cli.output import details, table
from waybill.core.aws.dynamodb import from_item
from waybill.core.errors import FieldError, InvalidInputError
from waybill.core.text import escaped
from waybill.minting.domain.audit import audit as audit_items
from waybill.minting.domain.audit import confirmed
from waybill.minting.domain.import_order import in_order
from waybill.minting.domain.map_import import Importer, exported_line
from waybill.minting.domain.statistics import statistics_of
from waybill.minting.runtime import assignments_in
from waybill.minting.views import IdentifierStatistics, MappingView, MintingRunList, MintingRunReport, run_token

_SHOWN_VIOLATIONS = 100


class LookupGroup(Group):
    """`waybill ids X` is `waybill ids show X`, unless X is a command."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Take an unknown command for something to look up."""
        known = args and (args[0] in self.commands or args[0].startswith("-"))
        return super().resolve_command(ctx, args if known else ["show", *args])


ids = App(name="identifiers", cls=LookupGroup, help="Look up identifiers, and keep the registry.")
add_commands(ids)


@ids.command()
def show(
    cli: Cli,
    identifier: Annotated[str, typer.Argument(help="A canonical ID or a source identifier.", metavar="ID")],
) -> None:
    """Show who has a canonical ID, or the canonical ID of a source."""
    mapping = Minting(cli).lookup.anything(identifier, "ID")
    view = MappingView.of_mapping(mapping)
    rows = [(escaped(str(each.source)), each.created_at, each.origin) for each in mapping.siblings or ()]
    more = [view.replaced_by and f"by {view.replaced_by}", view.reason, view.purpose]
    title = f"{view.canonical_id}  {' · '.join([view.status, *(each for each in more if each)])}"
    cli.output.show(view.wire(), table(("Source identifier", "Since", "Origin"), rows, title=title))


@ids.command()
def health(cli: Cli) -> None:
    """Check that the minter reaches its table; mints nothing."""
    cli.output.show(answer := invoke(cli, {"healthCheck": True}), details({"Minter": answer["status"]}))


@ids.command()
def audit(
    cli: Cli,
    export: Annotated[
        list[Path] | None,
        typer.Option(
            "--export",
            help="Files of a DynamoDB export (DynamoDB JSON, .gz or not) instead of the table.",
            exists=True,
            dir_okay=False,
        ),
    ] = None,
) -> None:
    """Check that every source has the canonical ID that is its own, and the reverse. Exit status 1 when not."""
    identifiers = None if export else Minting(cli).registry
    items = identifiers.items() if identifiers else _exported(export or [])
    with cli.output.progress("reading the registry") as bar:
        found = audit_items(_counted(items, bar))
        if identifiers and found.violations:
            bar.describe("reading again what seems to be wrong")
            found = confirmed(found, identifiers.read_all)
    violations = [{"subject": each.subject, "problem": each.problem} for each in found.violations]
    counts = {
        "assignments": found.forward,
        "canonicalIds": found.reverse,
        "reserved": found.reserved,
        "violations": violations,
    }
    seen = f"{found.forward} assignments, {found.reverse} canonical IDs, {found.reserved} of them reserved"
    human: Any = f"{seen}: no violations"
    if violations:
        human = table(("Subject", "Problem"), [tuple(each.values()) for each in violations[:_SHOWN_VIOLATIONS]])
        cli.output.note(f"{len(violations)} violations in {seen}")
    cli.output.show(counts, human)
    if violations:
        raise typer.Exit(1)


@ids.command()
def stats(cli: Cli) -> None:
    """Count the registry: how many identifiers, by month, job and source system; reads every item."""
    with cli.output.progress("reading the registry") as bar:
        view = IdentifierStatistics.of_statistics(statistics_of(_counted(Minting(cli).registry.items(), bar)))
    totals = {
        "Assignments": f"{view.assignments:,}",
        "Canonical IDs": f"{view.canonical_ids:,}",
        "Reserved": f"{view.reserved:,}",
        "Replaced": f"{view.replaced:,}",
        "Withdrawn": f"{view.withdrawn:,}",
    }
    kinds = {"Month (UTC)": view.months, "Origin": view.origins, "Source system": view.systems, "Job": view.jobs}
    tables = [
        table((kind, "Assignments"), [(escaped(name) or "none", f"{number:,}") for name, number in counted.items()])
        for kind, counted in kinds.items()
        if counted
    ]
    cli.output.show(view.wire(), RichGroup(details(totals), *tables))


@ids.command()
def runs(
    cli: Cli,
    run: Annotated[str | None, typer.Argument(metavar="RUN", help="One run, with what it came to.")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=200, help="At most so many runs.", metavar="N")] = 50,
    cursor: Annotated[
        str | None, typer.Option("--cursor", help="Go on where an earlier list ended.", metavar="C")
    ] = None,
) -> None:
    """List the runs of the minting workflow, newest first; each is known for 90 days after its end."""
    known = Minting(cli).runs
    if run:
        report = MintingRunReport.of_described(known.read(run))
        facts = {name: escaped(str(value)) for name, value in report.wire().items() if value is not None}
        cli.output.show(report.wire(), details(facts))
        return
    listed = MintingRunList.of_page(*known.newest(limit, run_token(cursor, "--cursor")))
    rows = [(each.run_id, each.status, each.start_time, each.completed_at or "") for each in listed.runs]
    more = [Text(f"there are more: --cursor {listed.cursor}", style="dim")] if listed.cursor else []
    columns = ("Run", "Status", "Started (UTC)", "Ended (UTC)")
    cli.output.show(listed.wire(), RichGroup(table(columns, rows), *more) if rows else "no runs")


@ids.command("import")
def import_(
    cli: Cli,
    file: Annotated[
        Path,
        typer.Argument(help="JSON Lines: sourceIdentifier, canonicalId.", metavar="FILE", exists=True, dir_okay=False),
    ],
) -> None:
    """Bring an existing map in; what contradicts the registry is refused. Start it again after an interruption."""
    stored = present = 0
    refused: list[dict[str, str]] = []
    importer = Importer(Minting(cli).registry, unbounded_time())
    with cli.output.progress("checking the file") as bar, in_order(lambda: lines_of(file, "FILE")) as checked:
        bar.describe("importing")
        bar.expect(checked.count)
        for done in importer.load(checked.proposals):
            stored, present = stored + done.stored, present + done.present
            refused += [
                {"sourceIdentifier": str(each.source), "canonicalId": each.canonical_id, "reason": each.reason}
                for each in done.refused
            ]
            bar.advance(done.stored + done.present + len(done.refused))
    human: Any = f"{stored} stored, {present} there already, {len(refused)} refused"
    if refused:
        cli.output.note(human)
        rows = [(escaped(each["sourceIdentifier"]), each["canonicalId"], each["reason"]) for each in refused]
        human = table(("Source identifier", "Canonical ID", "Reason"), rows)
    cli.output.show({"stored": stored, "present": present, "refused": refused}, human)
    if refused:
        raise typer.Exit(1)


@ids.command()
def export(
    cli: Cli,
    file: Annotated[
        Path, typer.Argument(help="File to write, JSON Lines.", metavar="FILE", dir_okay=False, writable=True)
    ],
) -> None:
    """Write every assignment to a file that `waybill ids import` reads."""
    count, identifiers = 0, Minting(cli).registry
    with cli.output.progress("exporting") as bar, written(file) as stream:
        for assignment in assignments_in(_counted(identifiers.items(), bar)):
            stream.write(exported_line(assignment) + "\n")
            count += 1
    cli.output.show({"file": str(file), "assignments": count}, f"{count} assignments in {file}")


def _counted(items: Iterable[dict[str, Any]], bar: Any) -> Iterator[dict[str, Any]]:
    for item in items:
        bar.advance()
        yield item


def _exported(files: list[Path]) -> Iterator[dict[str, Any]]:
    for file in files:
        for number, line in enumerate(lines_of(file, "--export"), start=1):
            if line.strip():
                try:
                    yield from_item(json.loads(line)["Item"])
                except (ValueError, KeyError, TypeError, AttributeError):
                    problem = 'must be a line of a DynamoDB export, {"Item": …}'
                    raise InvalidInputError(FieldError(f"{file}, line {number}", problem)) from None
