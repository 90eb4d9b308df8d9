"""`waybill replicate`, `replications`, `backfills`, `verify` and `verifications`.

What the commands need is imported when one of them runs: pydantic and boto3 would double the time that `--help` and
completion take.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from waybill.cli.completion import KNOWN, among, known
from waybill.cli.context import Cli
from waybill.cli.grammar import App

app = App()
records = App(help="The tracking records, and what keeps them moving.")
app.add_typer(records, name="replications")
jobs = App(help="Backfill jobs: how they stand, and going on with them.")
app.add_typer(jobs, name="backfills")
verifications = App(help="Verifications: what they have found.")
app.add_typer(verifications, name="verifications")

_RECORDS = 50

Target = Annotated[str, typer.Argument(metavar="s3://BUCKET/KEY", help="The object, in the source bucket.")]
Limit = Annotated[int | None, typer.Option("--limit", min=1, help="At most so many messages.", metavar="N")]
Destinations = Annotated[
    list[str] | None,
    typer.Option("--to", help="A destination; may be repeated. Default: those of the stack.", metavar="BUCKET"),
]
Wait = Annotated[
    bool, typer.Option("--wait", help="Wait; exit status 0 when every destination has all that was asked for.")
]
Report = Annotated[
    str | None,
    typer.Option(
        "--report", help="A CSV with a line per object and destination, here or at s3://BUCKET/KEY.", metavar="FILE"
    ),
]

_ON = ("here", "aws")
On = Annotated[
    str,
    typer.Option(
        "--on",
        metavar="here|aws",
        help="Who works on the job: this machine, or the stack's functions, which need no machine that stays.",
        autocompletion=among(_ON),
    ),
]


@app.command()
def upload(
    cli: Cli,
    paths: Annotated[
        list[Path], typer.Argument(metavar="PATH…", help="Files, or folders with what is in them.", exists=True)
    ],
    to: Annotated[
        str | None,
        typer.Option("--to", metavar="s3://BUCKET/PREFIX", help="Where to. Default: the stack's source bucket."),
    ] = None,
) -> None:
    """Upload files into the source bucket, from where they are replicated by themselves; their addresses are printed.

    Links, special files and what systems leave behind are named and not sent. Exit status 1 when something could not
    be read.
    """
    from waybill.cli.replication.uploading import upload

    upload(cli, paths, to)


ManifestOption = Annotated[
    str | None,
    typer.Option(
        "--manifest",
        help="With --backfill: only what this lists: CSV as S3 Batch Operations has it, or manifest.json of an S3"
        " Inventory; here or at s3://BUCKET/KEY.",
        metavar="FILE",
    ),
]
RequestRate = Annotated[
    int | None,
    typer.Option("--requests-per-second", min=1, help="With --backfill: at most so many, to S3.", metavar="N"),
]
ByteRate = Annotated[
    int | None,
    typer.Option("--bytes-per-second", min=1, help="With --backfill: at most so many, copied.", metavar="N"),
]


_Target = Annotated[
    str, typer.Argument(metavar="s3://BUCKET/KEY", help="The object; with --backfill, bucket and prefix.")
]
_Backfill = Annotated[
    bool, typer.Option("--backfill", help="Start everything below a prefix that is missing or different.")
]
_DryRun = Annotated[bool, typer.Option("--dry-run", help="With --backfill: show what would be started, start nothing.")]
_StartAfter = Annotated[
    str, typer.Option("--start-after", help="With --backfill: begin behind this key.", metavar="KEY")
]
_ContentOnly = Annotated[
    bool, typer.Option("--content-only", help="With --backfill: look at no headers, metadata and tags.")
]
_Include = Annotated[
    list[str] | None,
    typer.Option("--include", help="With --backfill: only keys like this; may be repeated.", metavar="PATTERN"),
]
_Exclude = Annotated[
    list[str] | None,
    typer.Option("--exclude", help="With --backfill: no keys like this; may be repeated.", metavar="PATTERN"),
]


_OF_BACKFILL = (
    *("dry_run", "start_after", "content_only", "report", "manifest"),
    *("include", "exclude", "requests_per_second", "bytes_per_second"),
)


@app.command()
def replicate(  # noqa: PLR0913 (Typer passes parameters by name)
    cli: Cli,
    target: _Target,
    *,
    to: Destinations = None,
    wait: Wait = False,
    force: Annotated[bool, typer.Option("--force", help="Copy to every destination, whatever lies there.")] = False,
    backfill: _Backfill = False,
    dry_run: _DryRun = False,
    start_after: _StartAfter = "",
    content_only: _ContentOnly = False,
    report: Report = None,
    manifest: ManifestOption = None,
    include: _Include = None,
    exclude: _Exclude = None,
    requests_per_second: RequestRate = None,
    bytes_per_second: ByteRate = None,
    on: On = "here",
) -> None:
    """Copy an object to the destination buckets, or with --backfill all objects that they lack."""
    of_backfill = {f"--{name.replace('_', '-')}": cli.params[name] for name in _OF_BACKFILL} | {"--on": on != "here"}
    _refuse_mixtures(of_backfill, backfill=backfill, force=force, wait=wait)
    _check_place(cli, on, report, wait=wait)
    if manifest:
        _refuse({"--start-after": start_after}, "does not go with --manifest")

    from waybill.cli.replication.backfill import BackfillCommand
    from waybill.cli.replication.run import replicate
    from waybill.cli.replication.runtime import Replication
    from waybill.cli.replication.server_backfills import WorkedBy
    from waybill.replication.domain.backfill_job import Limits
    from waybill.replication.domain.key_filter import KeyFilter

    if not backfill:
        replicate(Replication(cli), target, to, wait=wait, force=force)
        return
    BackfillCommand(
        replication=Replication(cli),
        target=target,
        to=to,
        start_after=start_after,
        dry_run=dry_run,
        content_only=content_only,
        wait=wait,
        report=report,
        manifest=manifest,
        keys=KeyFilter(tuple(include or ()), tuple(exclude or ())),
        limits=Limits(requests_per_second=requests_per_second, bytes_per_second=bytes_per_second),
        on=WorkedBy(on),
    ).run()


@app.command()
def verify(
    cli: Cli,
    target: Annotated[
        str | None, typer.Argument(metavar="s3://BUCKET/PREFIX", help="The sources whose copies are compared.")
    ] = None,
    *,
    to: Destinations = None,
    deep: Annotated[
        bool, typer.Option("--deep", help="Read both. Without it, what S3 keeps of them is compared.")
    ] = False,
    sample: Annotated[
        int | None,
        typer.Option("--sample", min=1, max=100, help="With --deep: read so many in a hundred.", metavar="PERCENT"),
    ] = None,
    resume: Annotated[
        str | None, typer.Option("--resume", help="Go on with a verification that was stopped.", metavar="ID")
    ] = None,
    repair: Annotated[
        bool, typer.Option("--repair", help="Copy what is missing or differs once more, wait, and look again.")
    ] = False,
    report: Report = None,
    include: Annotated[
        list[str] | None, typer.Option("--include", help="Only keys like this; may be repeated.", metavar="PATTERN")
    ] = None,
    exclude: Annotated[
        list[str] | None, typer.Option("--exclude", help="No keys like this; may be repeated.", metavar="PATTERN")
    ] = None,
) -> None:
    """Compare copies with their sources now; exit status 1 when one differs, is missing, or could not be compared."""
    from waybill.cli.replication.runtime import Replication
    from waybill.cli.replication.verifying import VerifyCommand
    from waybill.replication.domain.key_filter import KeyFilter

    if resume:
        asked = {"s3://BUCKET/PREFIX": target, "--to": to, "--deep": deep, "--sample": sample is not None}
        _refuse(
            asked | {"--include": include, "--exclude": exclude},
            "does not go with --resume, which goes on with what was asked for",
        )
    elif sample is not None and not deep:
        raise typer.BadParameter("--sample needs --deep")
    elif target is None:
        raise typer.BadParameter("s3://BUCKET/PREFIX is needed, or --resume ID")
    keys = KeyFilter(tuple(include or ()), tuple(exclude or ()))
    command = VerifyCommand(Replication(cli), target or "", to, deep, repair, report, keys, sample or 100)
    command.resume(resume) if resume else command.run()


_STATUSES = ("IN_PROGRESS", "COMPLETED", "FAILED", "SUPERSEDED", "DISMISSED")
RecordLimit = Annotated[int, typer.Option("--limit", min=1, max=200, help="At most so many records.", metavar="N")]
StatusOption = Annotated[
    str | None,
    typer.Option("--status", metavar="|".join(_STATUSES), help="Only these.", autocompletion=among(_STATUSES)),
]
CursorOption = Annotated[
    str | None, typer.Option("--cursor", help="Go on where the JSON of an earlier list ended.", metavar="C")
]
WatchOption = Annotated[bool, typer.Option("--watch", help="Refresh until Ctrl-C.")]


PendingOption = Annotated[
    bool, typer.Option("--pending", help="What is on its way, the oldest first, and what it comes to.")
]


@records.callback(invoke_without_command=True)
def replications(
    cli: Cli,
    status: StatusOption = None,
    limit: RecordLimit = _RECORDS,
    cursor: CursorOption = None,
    watch: WatchOption = False,
    pending: PendingOption = False,
) -> None:
    """List the tracking records, newest first; or look into one, or mend what is stuck."""
    if cli.invoked_subcommand is None:
        list_records(cli, status, limit, cursor, watch, pending)
    else:
        given = {
            "--status": status,
            "--limit": limit != _RECORDS,
            "--cursor": cursor,
            "--watch": watch,
            "--pending": pending,
        }
        _refuse(given, f"does not go before `{cli.invoked_subcommand}`")


@records.command("list")
def list_records(
    cli: Cli,
    status: StatusOption = None,
    limit: RecordLimit = _RECORDS,
    cursor: CursorOption = None,
    watch: WatchOption = False,
    pending: PendingOption = False,
) -> None:
    """List the tracking records, newest first."""
    from waybill.cli.replication.runtime import Replication
    from waybill.cli.replication.showing import list_newest, list_pending, status_named, watch_newest

    if pending:
        _refuse({"--status": status, "--cursor": cursor, "--watch": watch}, "does not go with --pending")
        list_pending(Replication(cli), limit)
        return
    if watch:
        _refuse({"--json": cli.options.json, "--cursor": cursor}, "does not go with --watch")
        watch_newest(Replication(cli), status_named(status), limit)
    else:
        list_newest(Replication(cli), status_named(status), limit, cursor)


@records.command()
def show(cli: Cli, target: Target) -> None:
    """Show the record of one file, its destinations and its last runs."""
    from waybill.cli.replication.runtime import Replication
    from waybill.cli.replication.showing import show_file

    show_file(Replication(cli), target)


@records.command()
def dismiss(
    cli: Cli,
    target: Target,
    *,
    to: Annotated[
        str | None, typer.Option("--to", help="The destination. Default: all that failed.", metavar="BUCKET")
    ] = None,
    reason: Annotated[str, typer.Option("--reason", help="Why nobody will mend it; it is kept.", metavar="TEXT")],
) -> None:
    """Take failures that nobody will mend off the list of failures; no copy is touched."""
    from waybill.cli.replication.dismissal import dismiss_failures
    from waybill.cli.replication.runtime import Replication

    dismiss_failures(Replication(cli), target, to, reason)


@records.command()
def retry(
    cli: Cli,
    target: Annotated[
        str | None,
        typer.Argument(metavar="s3://BUCKET/PREFIX", help="Only these files. Default: the stack's source bucket."),
    ] = None,
    *,
    to: Annotated[
        list[str] | None,
        typer.Option("--to", help="Only this destination; may be repeated.", metavar="BUCKET"),
    ] = None,
    cause: Annotated[
        str | None, typer.Option("--cause", help="Only what failed with this code.", metavar="CODE")
    ] = None,
    wait: Wait = False,
    report: Report = None,
    on: On = "here",
) -> None:
    """Start everything that has failed once more, as a backfill job; what has arrived since is left alone."""
    from waybill.cli.replication.retrying import retry_failures
    from waybill.cli.replication.runtime import Replication
    from waybill.cli.replication.server_backfills import WorkedBy

    _check_place(cli, on, report, wait=wait)
    retry_failures(Replication(cli), target, to, cause, wait=wait, report=report, on=WorkedBy(on))


@records.command()
def redrive(
    cli: Cli,
    limit: Limit = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the messages, move none.")] = False,
) -> None:
    """Send the events in the dead-letter queue on their way once more."""
    from waybill.cli.replication import redriving
    from waybill.cli.replication.runtime import Replication

    (redriving.show_dead_letters if dry_run else redriving.redrive)(Replication(cli), limit)


@records.command()
def reconcile(cli: Cli) -> None:
    """Close the runs that ended without saying so, as the schedule does every few minutes."""
    from waybill.cli.replication.reconciling import reconcile
    from waybill.cli.replication.runtime import Replication

    reconcile(Replication(cli))


def _backfills(cli: Cli) -> list[str]:
    from waybill.cli.replication.runtime import Replication

    return [job.backfill_id for job in Replication(cli).backfills.newest(KNOWN, None).jobs]


JobCursor = Annotated[str | None, typer.Option("--cursor", help="Go on where an earlier list ended.", metavar="C")]
BackfillId = Annotated[
    str,
    typer.Argument(metavar="ID", help="The id of the job, as `list` shows it.", autocompletion=known(_backfills)),
]


@jobs.command("list")
def list_jobs(
    cli: Cli,
    limit: Annotated[int, typer.Option("--limit", min=1, max=200, help="At most so many jobs.", metavar="N")] = 50,
    cursor: JobCursor = None,
) -> None:
    """List the jobs, newest first."""
    from waybill.cli.replication.backfills import list_backfills
    from waybill.cli.replication.runtime import Replication

    list_backfills(Replication(cli), limit, cursor)


@jobs.command("show")
def show_job(cli: Cli, backfill_id: BackfillId, *, report: Report = None) -> None:
    """Show how one job stands."""
    from waybill.cli.replication.backfills import show_backfill
    from waybill.cli.replication.runtime import Replication

    show_backfill(Replication(cli), backfill_id, report)


@jobs.command("resume")
def resume_job(
    cli: Cli,
    backfill_id: BackfillId,
    *,
    wait: Wait = False,
    report: Report = None,
    on: On = "here",
) -> None:
    """Go on with a job that was stopped, here or on another machine; one that has started everything is waited for."""
    from waybill.cli.replication.backfills import resume_backfill
    from waybill.cli.replication.runtime import Replication
    from waybill.cli.replication.server_backfills import WorkedBy

    _check_place(cli, on, report, wait=wait)
    resume_backfill(Replication(cli), backfill_id, wait=wait, report=report, on=WorkedBy(on))


@jobs.command("cancel")
def cancel_job(cli: Cli, backfill_id: BackfillId) -> None:
    """End a job, wherever it is worked on; runs that it has started go on."""
    from waybill.cli.replication.backfills import cancel_backfill
    from waybill.cli.replication.runtime import Replication

    cancel_backfill(Replication(cli), backfill_id)


@verifications.command("list")
def list_checks(
    cli: Cli,
    limit: Annotated[
        int, typer.Option("--limit", min=1, max=200, help="At most so many verifications.", metavar="N")
    ] = 50,
    cursor: JobCursor = None,
) -> None:
    """List the verifications, newest first."""
    from waybill.cli.replication.runtime import Replication
    from waybill.cli.replication.verifying import list_verifications

    list_verifications(Replication(cli), limit, cursor)


@verifications.command("show")
def show_checks(
    cli: Cli,
    verification_id: Annotated[str, typer.Argument(metavar="ID", help="Its id, as `list` shows it.")],
    *,
    report: Report = None,
) -> None:
    """Show what a verification has found; --report gets each finding."""
    from waybill.cli.replication.runtime import Replication
    from waybill.cli.replication.verifying import show_verification

    show_verification(Replication(cli), verification_id, report)


def _check_place(cli: Cli, on: str, report: str | None, *, wait: bool) -> None:
    if on not in _ON:
        raise typer.BadParameter(f"--on {on}: here or aws")
    if on != "here" and not wait and report:
        may = cli.stack.outputs.get("BackfillReportBucketName")
        if may and report.startswith(f"s3://{may}/"):
            return
        where = f", or a place in s3://{may}/" if may else ", or a stack with BackfillReportBucket"
        because = f"needs --wait with --on aws{where}; later, `waybill backfills show ID --report FILE` writes it"
        _refuse({"--report": report}, because)


def _refuse_mixtures(of_backfill: Mapping[str, object], *, backfill: bool, force: bool, wait: bool) -> None:
    if backfill:
        _refuse({"--force": force}, "is for one object: it does not go with --backfill")
    else:
        _refuse(of_backfill, "needs --backfill")
    if of_backfill["--dry-run"]:
        others = {name: of_backfill[name] for name in ("--report", "--manifest", "--on")}
        _refuse({"--wait": wait, **others}, "does not go with --dry-run")


def _refuse(options: Mapping[str, object], reason: str) -> None:
    for option in (option for option, given in options.items() if given):
        raise typer.BadParameter(f"{option} {reason}")
