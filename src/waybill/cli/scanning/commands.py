"""`waybill scan`, `waybill scans`, `waybill findings`, `waybill scan-file`: look for sensitive data."""

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from pydantic import ValidationError

from waybill.cli.context import Cli
from waybill.cli.grammar import App
from waybill.cli.output import ProgressBar, table
from waybill.cli.scanning import reporting, showing
from waybill.cli.scanning.options import (
    BaselineOption,
    ConfidenceOption,
    DetectorOption,
    FailOption,
    FormatOption,
    JobArgument,
    JobFormatOption,
    RegionOption,
    SortOption,
    WriteBaselineOption,
    check_detectors,
    check_regions,
    place_of,
    request_of,
    sample_of,
)
from waybill.cli.scanning.runtime import scanner_of
from waybill.cli.watch import watch
from waybill.core.errors import InvalidInputError
from waybill.core.wire import field_errors

if TYPE_CHECKING:
    from waybill.scanning.domain.schedules import Schedule
    from waybill.scanning.runtime import Runtime


app = App()
scans = App(name="scans", help="The jobs of `waybill scan`.")
app.add_typer(scans)
schedules = App(name="schedule", help="Scans that are made every hour, day or week.")
scans.add_typer(schedules)
ScheduleArgument = Annotated[str, typer.Argument(help="Its id.", metavar="SCHEDULE")]
_OBJECTS_AT_ONCE = 200
_COMPARED = ("key", "line", "detector", "confidence", "masked_match")
_RUNNING = frozenset({"listing", "processing"})
_GOOD = frozenset({"completed", "processing", "listing"})


@app.command()
def scan(  # noqa: PLR0913, PLR0917 (options)
    cli: Cli,
    place: Annotated[str, typer.Argument(help="s3://BUCKET or s3://BUCKET/PREFIX", metavar="S3_URL")],
    detector: DetectorOption = None,
    region: RegionOption = None,
    include: Annotated[
        list[str] | None, typer.Option("--include", help="Only keys that match; may be repeated.", metavar="GLOB")
    ] = None,
    exclude: Annotated[
        list[str] | None, typer.Option("--exclude", help="No keys that match; may be repeated.", metavar="GLOB")
    ] = None,
    max_bytes: Annotated[
        int | None, typer.Option("--max-bytes", help="Leave out larger objects.", metavar="N", min=1)
    ] = None,
    sample: Annotated[
        str | None, typer.Option("--sample", help="Only a part: 5% of the objects, or 500 of them.", metavar="N[%]")
    ] = None,
    manifest: Annotated[
        str | None,
        typer.Option("--inventory", help="Take the objects from this inventory's manifest.json.", metavar="S3_URL"),
    ] = None,
    webhook: Annotated[
        str | None, typer.Option("--webhook", help="Send the end of the job to this https address.", metavar="URL")
    ] = None,
    export: Annotated[bool, typer.Option("--export", help="Export the findings as NDJSON at the end.")] = False,
    wait: Annotated[bool, typer.Option("--wait", help="Wait until the job has ended, and show what it found.")] = False,
) -> None:
    """Scan a bucket for sensitive data; with --wait, exit status 1 when the job fails or something cannot be read."""
    from waybill.cli.scanning.estimating import estimated

    bucket, prefix = place_of(place)
    request = request_of(
        bucket=bucket,
        prefix=prefix,
        detectors=detector or (),
        regions=region or (),
        include=include or (),
        exclude=exclude or (),
        max_object_bytes=max_bytes,
        sample=sample_of(sample) if sample is not None else None,
        source="inventory" if manifest else "list",
        manifest=manifest,
        webhook_url=webhook,
        export=export,
    )
    check_regions(region)
    deployed = scanner_of(cli)
    check_detectors(detector, deployed)
    estimate = None if manifest else estimated(cli, deployed, bucket, prefix)
    job = deployed.jobs.create(request, "waybill scan", None)
    deployed.jobs.start(job, deployed.executions, deployed.workflow_arn)
    cli.output.note(f"job {job.job_id}: waybill scans show {job.job_id}")
    report = _watched(cli, deployed, job.job_id) if wait else deployed.jobs.report(job.job_id)
    coverage = deployed.jobs.coverage(job.job_id)
    shown = {**report, "coverage": coverage, **({"estimate": estimate} if estimate else {})}
    cli.output.show(shown, showing.job(report, coverage))
    _end(report, coverage)


@scans.command("show")
def show_scan(cli: Cli, job_id: JobArgument) -> None:
    """Show a job, what it found, and what was not looked at."""
    jobs = scanner_of(cli).jobs
    report, coverage = jobs.report(job_id), jobs.coverage(job_id)
    cli.output.show({**report, "coverage": coverage}, showing.job(report, coverage))


@scans.command("list")
def list_scans(
    cli: Cli,
    limit: Annotated[int, typer.Option("--limit", min=1, max=200, help="At most so many jobs.", metavar="N")] = 50,
) -> None:
    """List jobs, newest first."""
    deployed = scanner_of(cli)
    found = [deployed.jobs.report(job.job_id) for job in deployed.table.jobs.newest(limit, None)[0]]
    columns = ("job_id", "status", "bucket", "prefix", "total", "total_findings", "created_at")
    rows = ([report[name] for name in columns] for report in found)
    cli.output.show({"scans": found}, table([name.replace("_", " ").capitalize() for name in columns], rows))


@scans.command("objects")
def list_objects(
    cli: Cli,
    job_id: JobArgument,
    status: Annotated[
        str | None, typer.Option("--status", help="Only objects with this outcome, such as PARTIAL.", metavar="S")
    ] = None,
    reason: Annotated[
        str | None, typer.Option("--reason", help="Only objects not read for this reason.", metavar="R")
    ] = None,
) -> None:
    """Name the objects of a job, what became of each, and what of it was not read."""
    from waybill.scanning.domain.objects import STATUSES, Objects

    if status is not None and status not in STATUSES:
        raise typer.BadParameter(f"--status {status} is none of {', '.join(STATUSES)}")
    deployed = scanner_of(cli)
    job = deployed.jobs.find(job_id)
    # The cursors of one process need no secret of the stack's.
    objects = Objects(deployed.table.ranges, deployed.table.outcomes, b"of this process")
    found: list[dict[str, Any]] = []
    cursor: str | None = None
    while True:
        page = objects.page(job, _OBJECTS_AT_ONCE, cursor, status, reason)
        found += page["objects"]
        cursor = page["cursor"]
        if cursor is None:
            break
    cli.output.show({"objects": found}, showing.objects(found))


@scans.command("compare")
def compare_scans(
    cli: Cli,
    earlier: Annotated[str, typer.Argument(help="Id of the earlier job.", metavar="EARLIER")],
    later: Annotated[str, typer.Argument(help="Id of the later job.", metavar="LATER")],
    fail_on_new: Annotated[bool, typer.Option("--fail-on-new", help="Exit with status 3 when a value is new.")] = False,
) -> None:
    """Show which values are new in the objects of a later job, and which are gone, wherever they have moved to."""
    from waybill.scanning.domain.comparison import compared

    deployed = scanner_of(cli)
    jobs = [deployed.jobs.find(job_id).job_id for job_id in (earlier, later)]
    result = compared(*(_findings(deployed, job_id, None) for job_id in jobs))
    rows = [(what, *(str(each[name]) for name in _COMPARED)) for what in ("new", "gone") for each in result[what]]
    human = table(("", "Key", "Line", "Detector", "Confidence", "Value"), rows)
    cli.output.note(f"{len(result['new'])} new, {len(result['gone'])} gone, {result['same']} as before")
    cli.output.show(result, human)
    if fail_on_new and result["new"]:
        raise typer.Exit(reporting.FOUND)


@scans.command("cancel")
def cancel_scan(cli: Cli, job_id: JobArgument) -> None:
    """Cancel a job."""
    jobs = scanner_of(cli).jobs
    jobs.cancel(job_id)
    report, coverage = jobs.report(job_id), jobs.coverage(job_id)
    cli.output.show(report, showing.job(report, coverage))


@scans.command("resume")
def resume_scan(
    cli: Cli,
    job_id: JobArgument,
    wait: Annotated[bool, typer.Option("--wait", help="Wait until the job has ended, and show what it found.")] = False,
) -> None:
    """Go on with a job that has failed, from where it was; with --wait, exit status 1 as `waybill scan` has it."""
    deployed = scanner_of(cli)
    deployed.jobs.resume(job_id, deployed.restarter)
    report = _watched(cli, deployed, job_id) if wait else deployed.jobs.report(job_id)
    coverage = deployed.jobs.coverage(job_id)
    cli.output.show({**report, "coverage": coverage}, showing.job(report, coverage))
    _end(report, coverage)


@app.command()
def findings(  # noqa: PLR0917 (options)
    cli: Cli,
    job_id: JobArgument,
    detector: DetectorOption = None,
    min_confidence: ConfidenceOption = None,
    sort: SortOption = "place",
    form: JobFormatOption = "table",
    fail_on_findings: FailOption = False,
    baseline: BaselineOption = None,
    write_baseline: WriteBaselineOption = None,
) -> None:
    """Show what a job has found, masked; with --fail-on-findings, exit status 3 when anything of it is open."""
    deployed = scanner_of(cli)
    check_detectors(detector, deployed)
    job = deployed.jobs.find(job_id)
    baselined = reporting.known(baseline)
    found = reporting.wanted(_findings(deployed, job_id, detector), baselined, min_confidence, sort)
    coverage = deployed.jobs.coverage(job.job_id)
    states = deployed.triage.states(str(item["fingerprint"]) for item in found)
    found = [{**item, "state": states[str(item["fingerprint"])]} for item in found]
    columns = ("Key", "Line", "Column", "Detector", "Confidence", "Value", "State")
    names = ("key", "line", "column", "detector", "confidence", "masked_match", "state")
    shown = table(columns, ([item[name] for name in names] for item in found))
    if form == "asff":
        reporting.show_security_hub(cli, found, job, deployed)
    else:
        reporting.show(cli, form, {"findings": found}, shown, reporting.notes(coverage["reasons"]), coverage)
    reporting.save(write_baseline, found, baselined)
    if fail_on_findings and any(item["state"] == "open" for item in found):
        raise typer.Exit(reporting.FOUND)


@schedules.command("add")
def add_schedule(  # noqa: PLR0917 (options)
    cli: Cli,
    place: Annotated[str, typer.Argument(help="s3://BUCKET or s3://BUCKET/PREFIX", metavar="S3_URL")],
    every: Annotated[str, typer.Option("--every", help="hour, day or week.", metavar="TIME")],
    first: Annotated[
        str | None,
        typer.Option("--first", help="When it is made first, such as 2027-01-31T02:00:00Z; else soon.", metavar="TIME"),
    ] = None,
    detector: DetectorOption = None,
    region: RegionOption = None,
    export: Annotated[bool, typer.Option("--export", help="Export the findings as NDJSON at the end.")] = False,
) -> None:
    """Let a scan of a bucket be made again and again, without anybody asking for it."""
    from getpass import getuser

    from waybill.scanning.request_models import ScheduleRequest

    bucket, prefix = place_of(place)
    fields = {"bucket": bucket, "prefix": prefix, "every": every, "first_at": first, "export": export}
    check_regions(region)
    deployed = scanner_of(cli)
    check_detectors(detector, deployed)
    try:
        wanted = ScheduleRequest.model_validate(fields | {"detectors": detector or (), "regions": region or ()})
    except ValidationError as error:
        raise InvalidInputError(*field_errors(error)) from None
    made = deployed.planning.create(wanted, getuser())
    cli.output.show(_schedule_document(made), f"{made.id}: every {made.every}, first at {made.next_at}")


@schedules.command("list")
def list_schedules(cli: Cli) -> None:
    """List the scans that are made again and again, and when each is due."""
    found = [_schedule_document(each) for each in scanner_of(cli).table.schedules.all()]
    columns = ("id", "every", "bucket", "prefix", "next_at", "last_job")
    rows = ([_cell(each, name) for name in columns] for each in found)
    cli.output.show({"schedules": found}, table([name.replace("_", " ").capitalize() for name in columns], rows))


@schedules.command("suspend")
def suspend_schedule(cli: Cli, schedule: ScheduleArgument) -> None:
    """Let a schedule make no scan until it is resumed."""
    found = scanner_of(cli).planning.suspend(schedule)
    cli.output.show(_schedule_document(found), f"{found.id} is suspended")


@schedules.command("resume")
def resume_schedule(cli: Cli, schedule: ScheduleArgument) -> None:
    """Let a suspended schedule go on at the next of its times; those that have passed are not made up."""
    found = scanner_of(cli).planning.resume(schedule)
    cli.output.show(_schedule_document(found), f"{found.id}: every {found.every}, next at {found.next_at}")


@schedules.command("delete")
def delete_schedule(cli: Cli, schedule: ScheduleArgument) -> None:
    """Delete a schedule; the jobs that it has made stay."""
    gone = scanner_of(cli).planning.delete(schedule)
    cli.output.show(_schedule_document(gone), f"{gone.id} is deleted")


def _cell(schedule: dict[str, Any], name: str) -> str:
    if name == "next_at" and schedule["suspended"]:
        return "suspended"
    return str(schedule[name] if name in schedule else schedule["request"][name])


def _schedule_document(schedule: "Schedule") -> dict[str, Any]:
    shown = {name: value for name, value in vars(schedule).items() if name != "created_by"}
    return shown | {
        "request": schedule.request.model_dump(mode="json", exclude_defaults=True) | {"prefix": schedule.request.prefix}
    }


@app.command()
def triage(
    cli: Cli,
    fingerprint: Annotated[str, typer.Argument(help="`fingerprint` of a finding.", metavar="FINGERPRINT")],
    state: Annotated[str, typer.Option("--state", help="open, accepted, false_positive or resolved.", metavar="S")],
    reason: Annotated[str, typer.Option("--reason", help="Why; kept, and shown to others.", metavar="TEXT")],
    until: Annotated[
        str | None, typer.Option("--until", help="When it runs out, such as 2027-01-31; never without.", metavar="DAY")
    ] = None,
) -> None:
    """Say of a value, in whatever job and bucket it is found, that it is accepted, a false alarm or dealt with."""
    from getpass import getuser

    from waybill.scanning.request_models import TriageRequest

    deployed = scanner_of(cli)
    try:
        decision = TriageRequest.model_validate({"state": state, "reason": reason, "until": until})
    except ValidationError as error:
        raise InvalidInputError(*field_errors(error)) from None
    said = deployed.triage.decide(fingerprint, decision.state, decision.reason, decision.until or "", getuser())
    shown = deployed.triage.document(said)
    cli.output.show(shown, showing.value(shown))


@app.command("scan-file")
def scan_file(  # noqa: PLR0917 (options)
    cli: Cli,
    paths: Annotated[
        list[Path], typer.Argument(help="Files, or folders with everything below them.", metavar="PATH…", exists=True)
    ],
    detector: DetectorOption = None,
    region: RegionOption = None,
    min_confidence: ConfidenceOption = None,
    sort: SortOption = "place",
    form: FormatOption = "table",
    fail_on_findings: FailOption = False,
    baseline: BaselineOption = None,
    write_baseline: WriteBaselineOption = None,
) -> None:
    """Scan local files with the engine that scans buckets.

    Exit status 3 with --fail-on-findings when there is anything, else 1 when something could not be read.
    """
    from waybill.scanning.adapters.local_files import files_under, scan_files
    from waybill.scanning.domain.detection.proof import standard_engine

    check_detectors(detector)
    check_regions(region)
    engine = standard_engine(regions=region or ())
    baselined = reporting.known(baseline)
    result = scan_files(
        files_under(paths),
        engine,
        frozenset(detector) if detector else None,
        key=_fingerprint_key(needed=bool(baseline or write_baseline)),
    )
    every = Counter(finding["detector"] for finding in result["findings"])
    result["findings"] = reporting.wanted(result["findings"], baselined, min_confidence, sort)
    left_out = every - Counter(finding["detector"] for finding in result["findings"])
    coverage = result["coverage"]
    notes = reporting.notes(coverage["reasons"])
    reporting.show(cli, form, result, showing.local_files(result, left_out), notes, coverage)
    reporting.save(write_baseline, result["findings"], baselined)
    if fail_on_findings and result["findings"]:
        raise typer.Exit(reporting.FOUND)
    if reporting.FAULTS & set(coverage["reasons"]):
        raise typer.Exit(1)


def _fingerprint_key(*, needed: bool) -> bytes | None:
    from waybill.scanning.adapters.local_files import fingerprint_key

    try:
        return fingerprint_key()
    except InvalidInputError:
        # Where nothing can be kept, fingerprints hold within this call.
        if needed:
            raise
    return None


def _end(report: Mapping[str, Any], coverage: Mapping[str, Any]) -> None:
    """Leave with status 1 where a job has failed, or something of it could not be read because of a fault."""
    if report["status"] not in _GOOD or reporting.FAULTS & set(coverage["reasons"]):
        raise typer.Exit(1)


def _watched(cli: Cli, deployed: "Runtime", job_id: str) -> dict[str, Any]:
    with cli.output.progress("listing") as bar:
        done = 0
        for report in watch(lambda: deployed.jobs.report(job_id)):
            done = _advance(bar, report, done)
            if report["status"] not in _RUNNING:
                break
    return report


def _advance(bar: ProgressBar, report: dict[str, Any], before: int) -> int:
    done = int(report["succeeded"] + report["skipped"] + report["failed"])
    bar.describe(str(report["status_message"]))
    bar.expect(int(report["total"]))
    bar.advance(done - before)
    return done


def _findings(deployed: "Runtime", job_id: str, detectors: list[str] | None) -> Iterator[dict[str, Any]]:
    position: str | None = None
    while True:
        items, position = deployed.table.findings.page(job_id, 1000, position, {})
        yield from (
            {name: value for name, value in item.items() if name not in {"pk", "sk"}}
            for item in items
            if not detectors or item["detector"] in detectors
        )
        if position is None:
            return
