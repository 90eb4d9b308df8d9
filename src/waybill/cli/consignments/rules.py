"""`waybill rules`: build the rule set that the consignment checks scan with, and show which one is in use."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from waybill.cli.context import Cli
from waybill.cli.errors import CommandError
from waybill.cli.files import read_text
from waybill.cli.grammar import App
from waybill.cli.output import details, table
from waybill.consignments import runtime
from waybill.consignments.domain.reports.summary import OLD_SIGNATURES_DAYS
from waybill.core.clock import iso, moment_of, now

if TYPE_CHECKING:
    from waybill.consignments.domain.checks.rule_set import RuleSet

app = App()
rules = App(name="rules", help="The rules that files are scanned with for malware.")
app.add_typer(rules)
signatures = App(name="signatures", help="The signatures that formats are told by.")
rules.add_typer(signatures)


_Folder = Annotated[
    Path,
    typer.Argument(help="YARA files (.yar, .yara), in folders or not.", metavar="DIR", exists=True, file_okay=False),
]
_Exclude = Annotated[
    Path | None,
    typer.Option(
        "--exclude", help='JSON {"<file>": ["<rule>", …]}: rules that shall not count.', exists=True, dir_okay=False
    ),
]
_Harmless = Annotated[
    Path | None,
    typer.Option("--harmless", help="A folder of files that no rule may match.", exists=True, file_okay=False),
]


@rules.command()
def build(
    cli: Cli,
    folder: _Folder,
    exclude: _Exclude = None,
    harmless: _Harmless = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Compile and test, but publish nothing.")] = False,
) -> None:
    """Compile every file that compiles alone, test the set, and put it in use."""
    from waybill.consignments.domain.checks import rule_set
    from waybill.consignments.domain.checks.self_test import prove

    sources, unreadable = rule_set.sources_in(folder)
    exclusions = rule_set.parse_exclusions(read_text(exclude)) if exclude else {}
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
    cli.enter()
    published = runtime.rule_sets().current()
    if published is None and (version := runtime.rule_publications().newest()) is not None:
        raise CommandError(f"Rules were published (version {version}) and are gone: build them again.")
    used = published or runtime.shipped_rules()
    report = {
        "version": used.version,
        "yaraX": used.yara,
        "files": used.files,
        "excluded": [list(pair) for pair in used.excluded],
        "origin": "built" if published else "shipped",
        **({"built": used.built} if used.built else {}),
    }
    origin = (
        "built with `waybill rules build`"
        if published
        else ("the demonstration rules of the project, which are no protection; none were built")
    )
    rows = [("Version", used.version), ("YARA-X", used.yara), ("Files", str(used.files)), ("Origin", origin)]
    rows += [("Built", used.built)] if used.built else []
    cli.output.show(report, table(("", "Rules in use"), rows))


@signatures.command()
def update(
    cli: Cli,
    file: Annotated[
        Path,
        typer.Argument(
            help="A signature file of Siegfried's `roy build`.", metavar="FILE", exists=True, dir_okay=False
        ),
    ],
    older: Annotated[bool, typer.Option("--older", help="Also where it is older than the one in use.")] = False,
) -> None:
    """Try newer signatures, and put them in use for the next group of files."""
    made = runtime.proven_signatures(file)
    cli.enter()
    used = _signatures_in_use(cli)
    if made.created < used["created"] and not older:
        raise CommandError(f"{file} was built {made.created}, before those in use ({used['created']}): see --older")
    key = runtime.signature_sets().publish(made)
    _show_signatures(cli, {**made.manifest(), "origin": "updated", "key": key})


@signatures.command("show")
def show_signatures(cli: Cli) -> None:
    """Show the signatures in use, and how old they are. Exit status 1 after twelve months."""
    used = _signatures_in_use(cli)
    _show_signatures(cli, used)
    if _age(used["created"]) > OLD_SIGNATURES_DAYS:
        raise typer.Exit(1)


def _signatures_in_use(cli: Cli) -> dict[str, str]:
    cli.enter()
    if (published := runtime.signature_sets().current()) is not None:
        return {**published.manifest(), "origin": "updated"}
    found = runtime.shipped_signatures()
    binary, container = found["binarySignatureFileVersion"], found["containerSignatureFileVersion"]
    return {"version": "", "created": found["signaturesCreated"], "binary": binary, "container": container} | {
        "origin": "shipped"
    }


def _show_signatures(cli: Cli, used: dict[str, str]) -> None:
    age = _age(used["created"])
    origin = "brought by Siegfried" if used["origin"] == "shipped" else "updated with `waybill rules signatures update`"
    shown = {
        "Signatures": f"DROID {used['binary']}, containers {used['container']}",
        "Built": f"{used['created']}, {age} days ago",
        "Origin": origin,
    }
    if age > OLD_SIGNATURES_DAYS:
        cli.output.note("The signatures are older than twelve months: formats have come since that they do not know.")
    cli.output.show({**used, "ageDays": age}, details(shown))


def _age(created: str) -> int:
    built = moment_of(created)
    return (now() - built).days if built else 0


def _publish(cli: Cli, made: "RuleSet") -> str:
    cli.enter()
    # Remembered first: rules that are remembered and missing fail the checks, those that are forgotten do not.
    runtime.rule_publications().note(made.version)
    return runtime.rule_sets().publish(replace(made, built=iso(now())))


def _contents(folder: Path) -> dict[str, bytes]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}
