"""`waybill trace` and `waybill custody`: what happened to a file, and the proof."""

import json
from collections.abc import Iterator
from dataclasses import asdict
from enum import StrEnum
from getpass import getuser
from pathlib import Path
from typing import Annotated

import typer

from waybill.cli.context import Cli
from waybill.cli.custody.naming import asked_of, place_of, prefix_of
from waybill.cli.custody.showing import history, standings_table
from waybill.cli.errors import CommandError
from waybill.cli.files import read_text
from waybill.cli.grammar import App
from waybill.cli.output import details, table
from waybill.core.errors import NotFoundError
from waybill.custody import runtime
from waybill.custody.domain.comparing import Report
from waybill.custody.domain.interpreting import Workflow
from waybill.custody.domain.premis import document
from waybill.custody.domain.proving import verify_export
from waybill.custody.domain.signed_heads import VerifierKey, opened_note
from waybill.custody.domain.tracing import Asked, ByIdentifier, Trace, nothing_recorded
from waybill.custody.views import EventView

_PAGE = 200


class Format(StrEnum):
    """How a history is written."""

    TEXT = "text"
    NDJSON = "ndjson"
    PREMIS = "premis"


app = App()
custody = App(name="custody", help="The log of what was done with files: verify, report, repair.")
app.add_typer(custody)


@app.command("trace")
def trace(
    cli: Cli,
    name: Annotated[
        str,
        typer.Argument(help="s3://BUCKET/KEY, sha256:HEX, CONSIGNMENT_ID/FILE_ID, or a canonical ID.", metavar="FILE"),
    ],
    version_id: Annotated[str | None, typer.Option("--version-id", help="Events of this version alone.")] = None,
    form: Annotated[
        Format,
        typer.Option("--format", help="text, ndjson (a line per event, with its proof), premis (PREMIS 3 XML)."),
    ] = Format.TEXT,
    prove: Annotated[
        bool,
        typer.Option(
            "--prove",
            help="With proofs that the log has the events, verified before they are shown;"
            " exit status 1 while one is not sealed yet.",
        ),
    ] = False,
) -> None:
    """Show what was done with one file. A canonical ID shows files only where they are linked with it."""
    asked = asked_of(name, version_id)
    cli.enter()
    traces = _pages(asked)
    views = [runtime.view_of(one, None, prove=prove) for one in traces]
    for checkpoint in {view.checkpoint for view in views if view.checkpoint}:
        opened_note(checkpoint, runtime.signer().key())
    events = [event for view in views for event in view.events]
    if form is Format.NDJSON:
        for line in runtime.export(traces):
            cli.output.raw(f"{line}\n")
    elif form is Format.PREMIS:
        for part in document(event for one in traces for event in one.events):
            cli.output.raw(part)
    else:
        cli.output.show(views[0].model_copy(update={"events": events}).wire(), history(events))
    _hold(events, prove=prove)


def _pages(asked: Asked) -> list[Trace]:
    tracer, after, found = runtime.tracer(), None, list[Trace]()
    while True:
        page = tracer.trace(asked, limit=_PAGE, after=after)
        found.append(page)
        if not page.more:
            if not any(one.events for one in found):
                raise nothing_recorded(asked)
            return found
        after = page.last


def _hold(events: list[EventView], *, prove: bool) -> None:
    """Say what does not hold of a history that was shown, in whatever form."""
    if any(not event.intact for event in events):
        raise CommandError("some of this was altered: `waybill custody verify` names it")
    if prove and (unproven := sum(event.proof is None for event in events)):
        raise CommandError(f"{unproven} of {len(events)} are not proven yet: events are sealed every few minutes")


@custody.command("verify")
def verify(
    cli: Cli,
    file: Annotated[
        Path | None,
        typer.Option(
            "--file", help="An export (`trace --format ndjson`), verified without network.", exists=True, dir_okay=False
        ),
    ] = None,
    key: Annotated[
        Path | None,
        typer.Option(
            "--key",
            help="The log's public key as you have kept it: `custody key` prints it. Needed with --file.",
            exists=True,
            dir_okay=False,
        ),
    ] = None,
    head: Annotated[
        Path | None,
        typer.Option(
            "--head", help="A head that was kept elsewhere: the log has to begin with it.", exists=True, dir_okay=False
        ),
    ] = None,
    full: Annotated[
        bool, typer.Option("--full", help="Read every entry again, those that an earlier verification has read too.")
    ] = False,
) -> None:
    """Compare the log with its signatures and with the table, both ways; exit status 1 where anything does not hold.

    Of entries that an earlier verification has read, their hashes are read; of the table, always everything.
    """
    if file is not None and (head is not None or full):
        raise typer.BadParameter("--head and --full go with the log itself, not with --file")
    if file is not None and key is None:
        raise typer.BadParameter("--file needs --key")
    if file is not None and key is not None:
        _verify_export(cli, file, key)
        return
    cli.enter()
    own = _key_in(key) if key else runtime.signer().key()
    kept = opened_note(head.read_bytes(), own) if head else None
    _tell(cli, runtime.verifier(own).verify(kept, full=full))


def _key_in(file: Path) -> VerifierKey:
    """Return the key of a log that a file has; raises `BadProofError`."""
    return VerifierKey.parse(read_text(file))


def _tell(cli: Cli, report: Report) -> None:
    findings = [{"code": finding.code, "about": finding.about, "index": finding.index} for finding in report.findings]
    said = {
        "holds": report.holds,
        "size": report.size,
        "readAgain": report.read_again,
        "compared": report.compared,
        "waiting": report.waiting,
        "madeAgain": report.made_again,
        "findings": findings,
    }
    if report.holds:
        shown = {
            "Entries of the log": report.size,
            "Read again": report.read_again,
            "Compared with the table": report.compared,
            "Not sealed yet": report.waiting,
            **({"Sealed again": report.made_again} if report.made_again else {}),
        }
        cli.output.show(said, details(shown))
        return
    rows = [(finding.code, finding.about, finding.index) for finding in report.findings]
    cli.output.show(said, table(["Finding", "About", "Entry"], rows))
    raise typer.Exit(1)


def _verify_export(cli: Cli, file: Path, key: Path) -> None:
    report = verify_export(read_text(file).splitlines(), _key_in(key))
    findings = [{"line": finding.line, "problem": finding.problem} for finding in report.findings]
    said = {
        "holds": not findings,
        "size": report.checkpoint.size,
        "proven": report.proven,
        "unsealed": report.unsealed,
        "findings": findings,
    }
    if not findings:
        shown = {"Proven": report.proven, "Younger than the head": report.unsealed, "Entries of the log": said["size"]}
        cli.output.show(said, details(shown))
        return
    cli.output.show(said, table(["Line", "Problem"], [(one.line, one.problem) for one in report.findings]))
    raise typer.Exit(1)


@custody.command("head")
def show_head(cli: Cli) -> None:
    """Print the newest signed head of the log: keep it apart from the stack, for `verify --head`."""
    cli.enter()
    head = runtime.head()
    cli.output.show({"head": head}, head.rstrip("\n"))


@custody.command("key")
def show_key(cli: Cli) -> None:
    """Print the public key of the log: keep it apart from the stack, for whoever verifies."""
    cli.enter()
    key = runtime.signer().key().text
    cli.output.show({"key": key}, key)


@custody.command("report")
def report(
    cli: Cli,
    place: Annotated[str, typer.Argument(help="What lies there is reported on.", metavar="s3://BUCKET/PREFIX")],
) -> None:
    """Say of every file of a bucket what is known, and when it was last proven; exit status 1 where one is unknown."""
    bucket, prefix = prefix_of(place)
    cli.enter()
    rows, unknown = [], 0
    with cli.output.progress(f"Reading s3://{bucket}/{prefix}") as bar:
        for key, standing in runtime.standings(bucket, prefix):
            rows.append((key, standing))
            unknown += standing is None
            bar.advance()
    said = [{"key": key, "known": asdict(standing) if standing else None} for key, standing in rows]
    cli.output.show({"bucket": bucket, "files": said, "unknown": unknown}, standings_table(rows))
    if not rows:
        raise _nothing_below(bucket, prefix)
    if unknown or not all(standing.intact for _, standing in rows if standing):
        raise typer.Exit(1)


def _nothing_below(bucket: str, prefix: str) -> NotFoundError:
    return NotFoundError(f"Nothing lies below {prefix} in bucket {bucket}" if prefix else f"Bucket {bucket} is empty")


@custody.command("erase")
def erase(
    cli: Cli,
    place: Annotated[str, typer.Argument(help="The file; every copy of it goes too.", metavar="s3://BUCKET/KEY")],
    reason: Annotated[str | None, typer.Option("--reason", help="Why; kept in the table, so name nobody.")] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say which places it would be, and erase nothing.")
    ] = False,
) -> None:
    """Erase the names of a file and of its copies from the history, for good; what was sealed still verifies."""
    named = place_of(place)
    if not dry_run and not (reason or "").strip():
        raise typer.BadParameter("--reason says why")
    cli.enter()
    if dry_run:
        places = runtime.eraser().places_of(named)
    else:
        places = runtime.eraser().erase(named, by=_person(), reason=(reason or "").strip())
    said = [{"bucket": one.bucket, "key": one.key} for one in places]
    rows = [(one.bucket, one.key) for one in places]
    title = "Would be erased" if dry_run else "Erased from the history"
    cli.output.show({"erased": not dry_run, "places": said}, table(["Bucket", "Key"], rows, title=title))


@custody.command("link")
def link(
    cli: Cli,
    place: Annotated[str, typer.Argument(help="The file.", metavar="s3://BUCKET/KEY")],
    canonical_id: Annotated[str, typer.Argument(help="The identifier that names it.", metavar="CANONICAL_ID")],
    reason: Annotated[str, typer.Option("--reason", help="How you know; the log has a salted digest of it.")],
    undo: Annotated[bool, typer.Option("--undo", help="Take it back: it was wrong. That too is recorded.")] = False,
) -> None:
    """Say that an identifier names a file: a trace of the identifier shows the file's history from then on."""
    named, asked = place_of(place), asked_of(canonical_id, None)
    if not isinstance(asked, ByIdentifier):
        raise typer.BadParameter(f"{canonical_id} is no canonical ID")
    if not reason.strip():
        raise typer.BadParameter("--reason says how you know")
    cli.enter()
    change = runtime.linker().unlink if undo else runtime.linker().link
    change(named, asked.canonical_id, by=_person(), reason=reason.strip())
    said = {"canonicalId": asked.canonical_id, "bucket": named.bucket, "key": named.key, "linked": not undo}
    verb = "does not name" if undo else "names"
    cli.output.show(said, f"{asked.canonical_id} {verb} s3://{named.bucket}/{named.key}")


@custody.command("refused")
def refused(
    cli: Cli,
    limit: Annotated[int, typer.Option("--limit", min=1, max=10_000, help="How many at most.")] = 100,
    again: Annotated[
        bool, typer.Option("--again", help="Read each record again; what is understood now comes off the queue.")
    ] = False,
) -> None:
    """Show records that custody did not understand; exit status 1 while there are any."""
    cli.enter()
    queue, rows, left = runtime.refused(), list[tuple[str, str, str, str]](), 0
    # All are looked at first: what is refused again comes to the end of the same queue.
    for waiting in list(queue.waiting(limit)):
        record, state = waiting.record, "waits"
        if again:
            taken = runtime.read_again(record.workflow, record.key)
            state = "gone" if taken is None else "not understood" if taken.refused else "recorded"
            queue.done(waiting)
        left += state in {"waits", "not understood"}
        rows.append((record.workflow.value, " ".join(record.key.values()), record.problem, state))
    names = ("table", "key", "problem", "state")
    said = [dict(zip(names, row, strict=True)) for row in rows]
    cli.output.show({"refused": said}, table(["Table", "Key", "Problem", "State"], rows))
    if left:
        raise typer.Exit(1)


@custody.command("export")
def export(
    cli: Cli,
    place: Annotated[str, typer.Argument(help="What lies there is exported.", metavar="s3://BUCKET/PREFIX")],
    output: Annotated[Path, typer.Option("--output", help="A file for ndjson, a folder for premis.", writable=True)],
    form: Annotated[
        Format,
        typer.Option(
            "--format", help="ndjson, with proofs; premis, a document per file, and which is whose in index.ndjson."
        ),
    ] = Format.NDJSON,
) -> None:
    """Write the histories of all files of a bucket; exit status 1 where nothing is recorded of one."""
    bucket, prefix = prefix_of(place)
    if form is Format.TEXT:
        raise typer.BadParameter("--format is ndjson or premis")
    cli.enter()
    unknown, written = list[str](), list[str]()

    def traces() -> Iterator[Trace]:
        for key, found in runtime.traces_below(bucket, prefix):
            (unknown if found is None else written).append(key)
            if found is not None:
                yield found

    if form is Format.NDJSON:
        with output.open("w", encoding="utf-8") as file:
            file.writelines(f"{line}\n" for line in runtime.export(traces()))
    else:
        output.mkdir(exist_ok=True)
        for number, one in enumerate(traces(), start=1):
            with (output / f"premis-{number:06}.xml").open("w", encoding="utf-8") as file:
                file.writelines(document(one.events))
        with (output / "index.ndjson").open("w", encoding="utf-8") as file:
            for number, key in enumerate(written, start=1):
                named = {"document": f"premis-{number:06}.xml", "bucket": bucket, "key": key}
                file.write(f"{json.dumps(named, ensure_ascii=False)}\n")
    said = {"bucket": bucket, "files": len(written), "unknown": unknown}
    cli.output.show(said, details({"Files": len(written), "Nothing recorded of": len(unknown)}))
    if not written and not unknown:
        raise _nothing_below(bucket, prefix)
    if unknown:
        raise typer.Exit(1)


def _person() -> str:
    return f"waybill:{getuser()}"


@custody.command("reconcile")
def reconcile(
    cli: Cli,
    workflows: Annotated[
        list[Workflow] | None, typer.Option("--table", help="Whose table; may be repeated. Default: all.")
    ] = None,
) -> None:
    """Read what the workflows have recorded, and make the events that are missing; what is there stays as it is.

    Exit status 1 where something was not understood: it waits, and `refused` shows it.
    """
    cli.enter()
    rows = []
    for workflow in workflows or list(Workflow):
        told = new = refused = 0
        with cli.output.progress(f"Reading {workflow.value}") as bar:
            for taken in runtime.reconcile(workflow):
                told, new = told + taken.recorded.told, new + taken.recorded.new
                refused += taken.refused
                bar.advance(taken.recorded.told)
        rows.append((workflow.value, told, new, refused))
    said = [{"table": one, "events": told, "new": new, "refused": refused} for one, told, new, refused in rows]
    cli.output.show({"tables": said}, table(["Table", "Events", "New", "Not understood"], rows))
    if any(one["refused"] for one in said):
        raise typer.Exit(1)


@custody.command("restore")
def restore(
    cli: Cli,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say which entries it would be, and change nothing.")
    ] = False,
) -> None:
    """Make items of the custody table again what the log proves that they were; exit status 1 where one cannot be.

    The log is read and verified as a whole first. What it has no item of, it gets; what others have put there, stays.
    """
    cli.enter()
    found = runtime.restorer().restore(dry_run=dry_run)
    names = ("pk", "sk", "index", "was", "state")
    rows = [(one.about.pk, one.about.sk, one.index, one.was, one.state) for one in found]
    said = [dict(zip(names, row, strict=True)) for row in rows]
    title = "Would be restored" if dry_run else "Restored from the log"
    cli.output.show({"entries": said}, table(["History", "Event", "Entry", "Was", "State"], rows, title=title))
    if any(one.state not in {"RESTORED", "FOUND"} for one in found):
        raise typer.Exit(1)
