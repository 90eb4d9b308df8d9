"""`waybill mint` and `waybill ids`: mint, look up, audit, import and export identifiers."""

import gzip
import itertools
import json
import random
import sys
import time
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Annotated, Any

import typer
from typer.core import TyperGroup

from waybill.cli.context import App, Cli
from waybill.cli.errors import CommandError
from waybill.cli.output import details, table
from waybill.core.aws.dynamodb import from_item
from waybill.core.errors import FieldError, InvalidInputError
from waybill.minting.adapters.table import IdentifiersTable, readable_assignment
from waybill.minting.domain.audit import audit as audit_items
from waybill.minting.domain.audit import confirmed
from waybill.minting.domain.canonical_ids import is_canonical_id
from waybill.minting.domain.import_order import in_order
from waybill.minting.domain.lookup import of_canonical_id, of_source
from waybill.minting.domain.map_import import Importer, exported_line
from waybill.minting.domain.plan import MintingRun, Plan, chunks, plan_lines
from waybill.minting.domain.registry import FIND_LIMIT, InvocationTime
from waybill.minting.domain.requests import Mode
from waybill.minting.errors import InvalidRequestError
from waybill.minting.models import Assignment
from waybill.minting.views import MappingView

_REQUEST = ("sourceIdentifiers", "predecessors", "mode", "jobId")
_SHOWN_VIOLATIONS = 100
_LONGEST_PAUSE = 0.5


class LookupGroup(TyperGroup):
    """`waybill ids X` is `waybill ids show X`, unless X is a command."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Take an unknown command for something to look up."""
        known = args and (args[0] in self.commands or args[0].startswith("-"))
        return super().resolve_command(ctx, args if known else ["show", *args])


app = App()
ids = App(name="ids", cls=LookupGroup, help="Look up identifiers, and keep the registry.", no_args_is_help=True)
app.add_typer(ids)


@app.command()
def mint(
    cli: Cli,
    identifiers: Annotated[list[str] | None, typer.Argument(help="Source identifiers.", metavar="ID…")] = None,
    file: Annotated[
        Path | None, typer.Option("--file", help="One per line, or .jsonl with predecessors; - for stdin.")
    ] = None,
    job: Annotated[str | None, typer.Option("--job", help="Job that the answers are labelled with.")] = None,
    documents: Annotated[bool, typer.Option("--documents", help="They name documents to embed IDs in.")] = False,
) -> None:
    """Mint identifiers; those that have a canonical ID keep it. Exit status 1 when some failed."""
    plan = _plan(identifiers or [], file, Mode.DOCUMENTS if documents else Mode.IDENTIFIERS, job)
    answered: dict[str, Any] = {"successes": [], "failures": [], "identifiers": {}} | ({"jobId": job} if job else {})
    with cli.output.progress("minting", total=len(plan.entries)) as bar:
        for chunk in chunks(plan, MintingRun("", "")):
            answer = _invoked(cli, {name: value for name, value in chunk.items() if name in _REQUEST})
            answered["successes"] += answer["successes"]
            answered["failures"] += answer["failures"]
            answered["identifiers"] |= answer["identifiers"]
            bar.advance(len(chunk["sourceIdentifiers"]))
    rows = [(text, canonical_id, "") for text, canonical_id in answered["identifiers"].items()]
    rows += [
        (each["sourceIdentifier"], each["code"], each.get("reason", each["error"])) for each in answered["failures"]
    ]
    cli.output.show(answered, table(("Source identifier", "Canonical ID", "Reason"), rows))
    if answered["failures"]:
        raise typer.Exit(1)


@ids.command()
def show(
    cli: Cli,
    identifier: Annotated[str, typer.Argument(help="A canonical ID or a source identifier.", metavar="ID")],
) -> None:
    """Show who has a canonical ID, or the canonical ID of a source."""
    registry = _registry(cli)
    folded = identifier.strip().lower() if identifier.isascii() else identifier
    # A source may look like a canonical ID: who has the ID is shown first.
    if is_canonical_id(folded) and registry.owner(folded):
        mapping = of_canonical_id(registry, folded)
    else:
        mapping = of_source(registry, identifier, "ID", siblings=True)
    rows = [(str(each.source), each.created_at, each.origin) for each in mapping.siblings or ()]
    shown = table(("Source identifier", "Since", "Origin"), rows, title=mapping.assignment.canonical_id)
    cli.output.show(MappingView.of_mapping(mapping).wire(), shown)


@ids.command()
def health(cli: Cli) -> None:
    """Check that the minter reaches its table; mints nothing."""
    cli.output.show(answer := _invoked(cli, {"healthCheck": True}), details({"Minter": answer["status"]}))


@ids.command()
def audit(
    cli: Cli,
    export: Annotated[
        list[Path] | None,
        typer.Option("--export", help="Files of a DynamoDB export (DynamoDB JSON, .gz or not) instead of the table."),
    ] = None,
) -> None:
    """Check that every source has the canonical ID that is its own, and the reverse. Exit status 1 when not."""
    registry = None if export else _registry(cli)
    items = registry.items() if registry else _exported(export or [])
    with cli.output.progress("reading the registry") as bar:
        found = audit_items(_counted(items, bar))
        if registry and found.violations:
            bar.describe("reading again what seems to be wrong")
            found = confirmed(found, lambda keys: _reread(registry, keys))
    violations = [{"subject": each.subject, "problem": each.problem} for each in found.violations]
    counts = {"assignments": found.forward, "canonicalIds": found.reverse, "violations": violations}
    human: Any = f"{found.forward} assignments, {found.reverse} canonical IDs: no violations"
    if violations:
        human = table(("Subject", "Problem"), [tuple(each.values()) for each in violations[:_SHOWN_VIOLATIONS]])
        cli.output.note(f"{len(violations)} violations in {found.forward} assignments, {found.reverse} canonical IDs")
    cli.output.show(counts, human)
    if violations:
        raise typer.Exit(1)


@ids.command("import")
def import_(
    cli: Cli,
    file: Annotated[Path, typer.Argument(help="JSON Lines: sourceIdentifier, canonicalId.", metavar="FILE")],
) -> None:
    """Bring an existing map in; what contradicts the registry is refused. Start it again after an interruption."""
    invocation = InvocationTime(lambda: float("inf"), time.sleep, random.SystemRandom().uniform)
    stored = present = 0
    refused: list[dict[str, str]] = []
    registry = _registry(cli)
    with cli.output.progress("checking the file") as bar, in_order(lambda: _lines(file, "FILE")) as checked:
        bar.describe("importing")
        bar.expect(checked.count)
        for done in Importer(registry, invocation).load(checked.proposals):
            stored, present = stored + done.stored, present + done.present
            refused += [
                {"sourceIdentifier": str(each.source), "canonicalId": each.canonical_id, "reason": each.reason}
                for each in done.refused
            ]
            bar.advance(done.stored + done.present + len(done.refused))
    human: Any = f"{stored} stored, {present} there already, {len(refused)} refused"
    if refused:
        cli.output.note(human)
        human = table(("Source identifier", "Canonical ID", "Reason"), [tuple(each.values()) for each in refused])
    cli.output.show({"stored": stored, "present": present, "refused": refused}, human)
    if refused:
        raise typer.Exit(1)


@ids.command()
def export(
    cli: Cli,
    file: Annotated[Path, typer.Argument(help="File to write, JSON Lines.", metavar="FILE")],
) -> None:
    """Write every assignment to a file that `waybill ids import` reads."""
    count, registry = 0, _registry(cli)
    with cli.output.progress("exporting") as bar, _written(file) as stream:
        for assignment in _assignments(_counted(registry.items(), bar)):
            stream.write(exported_line(assignment) + "\n")
            count += 1
    cli.output.show({"file": str(file), "assignments": count}, f"{count} assignments in {file}")


@contextmanager
def _written(file: Path) -> Iterator[IO[str]]:
    """Write a file that is there when it is whole."""
    part = file.with_name(f"{file.name}.part")
    try:
        with part.open("w", encoding="utf-8") as stream:
            yield stream
        part.replace(file)
    except OSError as error:
        raise InvalidInputError(FieldError("FILE", str(error))) from None
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)


def _registry(cli: Cli) -> IdentifiersTable:
    name = cli.stack.output("IdentifiersTableName")
    return IdentifiersTable(cli.client("dynamodb"), name)


def _invoked(cli: Cli, payload: dict[str, Any]) -> dict[str, Any]:
    name = cli.stack.output("IdMinterFunctionName")
    answer = cli.client("lambda").invoke(FunctionName=name, Payload=json.dumps(payload).encode())
    answered: dict[str, Any] = json.loads(answer["Payload"].read())
    if answer.get("FunctionError"):
        raise CommandError(f"the minter failed: {answered.get('errorType')}: {answered.get('errorMessage')}")
    return answered


def _plan(identifiers: list[str], file: Path | None, mode: Mode, job: str | None) -> Plan:
    """Return what to mint: the arguments, then the file's lines."""
    options = {"mode": mode.value} | ({} if job is None else {"jobId": job})
    try:
        given = plan_lines(options, _arguments(identifiers), may_be_empty=True)
        listed = plan_lines(options, _text(file), as_json=file.suffix == ".jsonl", may_be_empty=True) if file else given
    except InvalidRequestError as error:
        raise typer.BadParameter(str(error)) from None
    entries = list({entry.text: entry for entry in (*given.entries, *listed.entries)}.values())
    if not entries:
        raise typer.BadParameter("give identifiers, or --file")
    return Plan(entries, given.mode, given.job_id)


def _arguments(identifiers: list[str]) -> Iterator[str]:
    for number, text in enumerate(identifiers, start=1):
        try:
            text.encode()
        except UnicodeEncodeError:
            raise typer.BadParameter(f"identifier {number} is not UTF-8 text") from None
        yield text


def _text(file: Path) -> list[str]:
    try:
        return (sys.stdin.read() if str(file) == "-" else file.read_text("utf-8")).split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise typer.BadParameter(f"--file {file}: {error}") from None


def _counted(items: Iterable[dict[str, Any]], bar: Any) -> Iterator[dict[str, Any]]:
    for item in items:
        bar.advance()
        yield item


def _assignments(items: Iterable[dict[str, Any]]) -> Iterator[Assignment]:
    for item in items:
        assignment = readable_assignment(item)
        if assignment:
            yield assignment


def _exported(files: list[Path]) -> Iterator[dict[str, Any]]:
    for file in files:
        for number, line in enumerate(_lines(file, "--export"), start=1):
            if line.strip():
                try:
                    yield from_item(json.loads(line)["Item"])
                except (ValueError, KeyError, TypeError, AttributeError):
                    problem = 'must be a line of a DynamoDB export, {"Item": …}'
                    raise InvalidInputError(FieldError(f"{file}, line {number}", problem)) from None


def _opened(file: Path) -> IO[str]:
    return gzip.open(file, "rt", encoding="utf-8") if file.suffix == ".gz" else file.open(encoding="utf-8")


def _lines(file: Path, option: str) -> Iterator[str]:
    try:
        with _opened(file) as stream:
            yield from stream
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
        raise InvalidInputError(FieldError(option, f"{file}: {error}")) from None


def _reread(registry: IdentifiersTable, keys: Iterable[str]) -> Iterator[dict[str, Any]]:
    """Yield the items of `keys` as they are now."""
    for some in itertools.batched(keys, FIND_LIMIT, strict=False):
        items, left = registry.read(some)
        yield from items
        while left:
            time.sleep(random.SystemRandom().uniform(0.0, _LONGEST_PAUSE))
            items, left = registry.read(left)
            yield from items
