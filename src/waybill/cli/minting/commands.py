"""`waybill mint`: mint identifiers; `waybill ids …` is in `ids`."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.text import Text

from waybill.cli.context import Cli
from waybill.cli.grammar import App
from waybill.cli.minting.files import plan_of
from waybill.cli.minting.ids import ids
from waybill.cli.minting.invocation import dry_run, invoke
from waybill.cli.minting.progress import MintingProgress, progress_of
from waybill.cli.output import printable, table
from waybill.core.text import escaped, json_text
from waybill.minting.domain.answers import canonical_id_of, note_of
from waybill.minting.domain.plan import ChunkPlan, MintingRun, chunks
from waybill.minting.domain.requests import Mode
from waybill.minting.models import Chunk, MintResponse

_REQUEST = ("sourceIdentifiers", "predecessors", "mode", "jobId")

app = App()
app.add_typer(ids)


@app.command()
def mint(  # noqa: PLR0917 - one per option
    cli: Cli,
    identifiers: Annotated[list[str] | None, typer.Argument(help="Source identifiers.", metavar="ID…")] = None,
    source: Annotated[
        str | None,
        typer.Option(
            "--file",
            help="One per line, or .jsonl with predecessors; - for standard input.",
            exists=True,
            dir_okay=False,
            allow_dash=True,
            # Of a path Typer 0.29 does not see that it is a dash, and looks for a file of that name.
            path_type=str,
        ),
    ] = None,
    job: Annotated[str | None, typer.Option("--job", help="Job that the answers are labelled with.")] = None,
    documents: Annotated[
        bool, typer.Option("--documents", help="The names are those of documents; embed IDs in them.")
    ] = False,
    rehearse: Annotated[bool, typer.Option("--dry-run", help="Say what would happen, and write nothing.")] = False,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with --file where an earlier run stopped.")] = False,
) -> None:
    """Mint identifiers; those that have a canonical ID keep it. Exit status 1 when some failed.

    With --file, answers are printed as they come, one line each; with --json, as JSON Lines.
    """
    file = Path(source) if source else None
    plan = plan_of(identifiers or [], file, Mode.DOCUMENTS if documents else Mode.IDENTIFIERS, job)
    if resume and (file is None or str(file) == "-" or rehearse):
        raise typer.BadParameter("--resume goes on with --file F, and neither with standard input nor with --dry-run")
    if rehearse:
        if documents:
            raise typer.BadParameter("--dry-run is for identifiers, not for --documents")
        _show_rehearsal(cli, plan)
    elif file is None:
        _mint_arguments(cli, plan)
    else:
        _mint_file(cli, plan, file, resume=resume)


def _mint_arguments(cli: Cli, plan: ChunkPlan) -> None:
    whole: MintResponse = {"successes": [], "failures": [], "identifiers": {}}
    if plan.job_id is not None:
        whole["jobId"] = plan.job_id
    ignored = 0
    for chunk in chunks(plan, MintingRun("", "")):
        answer = invoke(cli, _request(chunk))
        whole["successes"] += answer["successes"]
        whole["failures"] += answer["failures"]
        whole["identifiers"] |= answer["identifiers"]
        ignored += answer.get("predecessorsIgnored", 0)
    if ignored:
        whole["predecessorsIgnored"] = ignored
    rows = [
        (escaped(each["sourceIdentifier"]), each.get("canonicalId") or each["code"], _remark(each))
        for each in _lines(whole)
    ]
    cli.output.show(whole, table(("Source identifier", "Canonical ID", "Note or reason"), rows))
    if whole["failures"]:
        raise typer.Exit(1)


def _mint_file(cli: Cli, plan: ChunkPlan, file: Path, *, resume: bool) -> None:
    recorded: AbstractContextManager[MintingProgress | None] = (
        nullcontext(None) if str(file) == "-" else progress_of(cli, file, plan, resume=resume)
    )
    failed = False
    with recorded as progress, cli.output.progress("minting", total=len(plan.entries)) as bar:
        behind = progress.answered if progress else 0
        bar.advance(behind)
        for number, chunk in enumerate(chunks(plan, MintingRun("", ""))):
            if progress and number < progress.chunks:
                continue
            answer = invoke(cli, _request(chunk))
            failed = failed or bool(answer["failures"])
            for each in _lines(answer):
                _print(cli, each)
            if progress:
                progress.advance(len(chunk["sourceIdentifiers"]))
            bar.advance(len(chunk["sourceIdentifiers"]))
    if failed:
        raise typer.Exit(1)


def _show_rehearsal(cli: Cli, plan: ChunkPlan) -> None:
    refused = False
    for chunk in chunks(plan, MintingRun("", "")):
        for each in dry_run(cli, _request(chunk)):
            refused = refused or each["would"] == "refuse"
            _print(cli, dict(each))
    if refused:
        raise typer.Exit(1)


def _request(chunk: Chunk) -> dict[str, Any]:
    return {name: value for name, value in chunk.items() if name in _REQUEST}


def _lines(answer: MintResponse) -> Iterator[dict[str, Any]]:
    """Yield each outcome as a line of JSON has it."""
    for text, identifier in answer["identifiers"].items():
        note = note_of(identifier)
        noted = {"note": note} if note else {}
        yield {"sourceIdentifier": text, "canonicalId": canonical_id_of(identifier), **noted}
    for failure in answer["failures"]:
        yield dict(failure)


def _remark(line: dict[str, Any]) -> str:
    return str(line.get("note") or line.get("reason") or line.get("error") or "")


def _print(cli: Cli, line: dict[str, Any]) -> None:
    """Print an outcome now: what was answered must be told, whatever ends the run."""
    if cli.output.json_wanted:
        print(json_text(line), flush=True)  # noqa: T201
        return
    outcome = line.get("canonicalId") or line.get("code") or ""
    # Two that differ have to look different: what was refused for what nobody sees, too.
    cells = [escaped(line["sourceIdentifier"]), line.get("would", ""), outcome, _remark(line)]
    cli.output.line(Text("  ".join(printable(str(cell)) for cell in cells if cell)))
