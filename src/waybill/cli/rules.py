"""`waybill rules`: build the rule set that the consignment checks scan with, and show which one is in use."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from waybill.cli.context import Cli
from waybill.cli.errors import CommandError
from waybill.cli.grammar import App
from waybill.cli.output import details, table

if TYPE_CHECKING:
    from waybill.consignments.adapters.rule_publications import RulePublications
    from waybill.consignments.adapters.rule_sets import S3RuleSets
    from waybill.consignments.domain.checks.rule_set import RuleSet

app = App()
rules = App(name="rules", help="The rules that files are scanned with for malware.")
app.add_typer(rules)

_OUTPUT = "ConsignmentRulesBucketName"


@rules.command()
def build(
    cli: Cli,
    folder: Annotated[
        Path,
        typer.Argument(
            help="YARA files (.yar, .yara), in folders or not.", metavar="DIR", exists=True, file_okay=False
        ),
    ],
    exclude: Annotated[
        Path | None,
        typer.Option(
            "--exclude", help='JSON {"<file>": ["<rule>", …]}: rules that shall not count.', exists=True, dir_okay=False
        ),
    ] = None,
    harmless: Annotated[
        Path | None,
        typer.Option("--harmless", help="A folder of files that no rule may match.", exists=True, file_okay=False),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Compile and test, but publish nothing.")] = False,
) -> None:
    """Compile every file that compiles alone, test the set, and put it in use."""
    from waybill.consignments.domain.checks import rule_set
    from waybill.consignments.domain.checks.self_test import prove

    sources, unreadable = rule_set.sources_in(folder)
    exclusions = rule_set.parse_exclusions(exclude.read_text("utf-8")) if exclude else {}
    made, skipped = rule_set.build(sources, exclusions)
    eicar = prove(made, _contents(harmless) if harmless else {})
    key = None if dry_run else _publish(cli, made)
    left_out = [{"file": each.name, "reason": each.reason} for each in (*unreadable, *skipped)]
    report: dict[str, Any] = {
        "version": made.version,
        "yaraX": made.yara,
        "files": made.files,
        "skipped": left_out,
        "excluded": [list(pair) for pair in made.excluded],
        "findEicar": eicar,
        "published": not dry_run,
        **({"key": key} if key else {}),
    }
    if left_out:
        cli.output.note(f"{len(left_out)} files are left out: --json lists all of them")
    shown = {
        "Version": made.version,
        "YARA-X": made.yara,
        "Files": f"{made.files} in the set, {len(left_out)} left out",
        "Excluded": f"{len(made.excluded)} rules",
        "EICAR": f"found by {', '.join(eicar)}",
        "In use": "no, this was a dry run" if dry_run else "from the next group of files on",
    }
    cli.output.show(report, details(shown))


@rules.command()
def show(cli: Cli) -> None:
    """Show the rule set in use."""
    from waybill.consignments.adapters.rule_sets import shipped

    published = _sets(cli).current()
    if published is None and (version := _publications(cli).newest()) is not None:
        raise CommandError(f"Rules were published (version {version}) and are gone: build them again.")
    used = published or shipped()
    report = {
        "version": used.version,
        "yaraX": used.yara,
        "files": used.files,
        "excluded": [list(pair) for pair in used.excluded],
        "origin": "built" if published else "shipped",
    }
    origin = (
        "built with `waybill rules build`"
        if published
        else ("the demonstration rules of the project, which are no protection; none were built")
    )
    rows = [("Version", used.version), ("YARA-X", used.yara), ("Files", str(used.files)), ("Origin", origin)]
    cli.output.show(report, table(("", "Rules in use"), rows))


def _publish(cli: Cli, made: "RuleSet") -> str:
    # Remembered first: rules that are remembered and missing fail the checks, those that are forgotten do not.
    _publications(cli).note(made.version)
    return _sets(cli).publish(made)


def _publications(cli: Cli) -> "RulePublications":
    from waybill.consignments.adapters.rule_publications import RulePublications
    from waybill.consignments.errors import ConsignmentsUnavailableError
    from waybill.core.aws.table import Table

    name = cli.stack.output("ConsignmentsTableName")
    return RulePublications(Table(cli.client("dynamodb"), name, ConsignmentsUnavailableError))


def _sets(cli: Cli) -> "S3RuleSets":
    from waybill.consignments.adapters.rule_sets import S3RuleSets

    return S3RuleSets(cli.client("s3"), cli.stack.output(_OUTPUT))


def _contents(folder: Path) -> dict[str, bytes]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}
