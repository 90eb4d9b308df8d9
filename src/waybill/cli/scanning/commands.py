"""`waybill scan`, `waybill scans`, `waybill findings`, `waybill scan-file`: look for sensitive data."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from waybill.cli.context import Cli
from waybill.cli.grammar import App
from waybill.cli.output import ProgressBar, table
from waybill.cli.scanning import reporting, showing
from waybill.cli.scanning.options import (
    BaselineOption,
    ConfidenceOption,
    DetectorOption,
    ExcludeOption,
    ExportOption,
    FailOption,
    FormatOption,
    IncludeOption,
    JobArgument,
    JobFormatOption,
    MaxBytesOption,
    RegionOption,
    SampleOption,
    ScanOptions,
    SortOption,
    WebhookOption,
    WriteBaselineOption,
    check_detectors,
    check_regions,
    place_of,
    request_of,
)
from waybill.cli.scanning.runtime import scanner_of
from waybill.cli.watch import watch
from waybill.core.errors import InvalidInputError

if TYPE_CHECKING:
    from waybill.scanning.domain.finding_documents import FindingDocument
    from waybill.scanning.domain.schedules import Schedule
    from waybill.scanning.models import Job
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
def scan(  # noqa: PLR0913 (Typer passes parameters by name)
    cli: Cli,
    place: Annotated[str, typer.Argument(help="s3://BUCKET or s3://BUCKET/PREFIX", metavar="S3_URL")],
    *,
    detector: DetectorOption = None,
    region: RegionOption = None,
    include: IncludeOption = None,
    exclude: ExcludeOption = None,
    max_bytes: MaxBytesOption = None,
    sample: SampleOption = None,
    webhook: WebhookOption = None,
    export: ExportOption = False,
    manifest: Annotated[
        str | None,
        typer.Option("--inventory", help="Take the objects from this inventory's manifest.json.", metavar="S3_URL"),
    ] = None,
    wait: Annotated[bool, typer.Option("--wait", help="Wait until the job has ended, and show what it found.")] = False,
) -> None:
    """Scan a bucket for sensitive data; with --wait, exit status 1 when the job fails or something cannot be read."""
    from waybill.cli.scanning.estimating import estimated
    from waybill.scanning.request_models import ScanRequest

    options = ScanOptions(detector, region, include, exclude, max_bytes, sample, webhook, export)
    bucket, prefix = place_of(place)
    source = {"source": "inventory" if manifest else "list", "manifest": manifest}
    request = request_of(ScanRequest, bucket=bucket, prefix=prefix, **source, **options.fields())
    deployed = scanner_of(cli)
    options.check(deployed)
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
    """Show which values are new in the objects of a later job, and which are gone, wherever they have moved to.

    Where a job has not looked at an object, or not for such values, it says so. With --fail-on-new, exit status 3 when
    a value is new, else 1 when that cannot be said of one, or the later job has not looked at all there is.
    """
    from waybill.scanning.domain.comparison import Side, compared

    deployed = scanner_of(cli)
    sides = [Side(deployed.jobs.find(job_id), _findings(deployed, job_id)) for job_id in (earlier, later)]
    result = compared(sides[0], sides[1], deployed.table.outcomes)
    coverages = [deployed.jobs.coverage(side.job.job_id) for side in sides]
    result["rules"] = {"earlier": coverages[0]["rules"], "later": coverages[1]["rules"]}
    _note_comparison(cli, result)
    rows = [(what, *(str(each[name]) for name in _COMPARED)) for what in ("new", "gone") for each in result[what]]
    rows += [
        (f"{each['found_by']} only: {each['reason']}", *(str(each[name]) for name in _COMPARED))
        for each in result["unknown"]
    ]
    cli.output.show(result, table(("", "Key", "Line", "Detector", "Confidence", "Value"), rows))
    if fail_on_new:
        if result["new"]:
            raise typer.Exit(reporting.FOUND)
        if any(each["found_by"] == "later" for each in result["unknown"]):
            raise typer.Exit(1)
        _end_of(sides[1].job, coverages[1])


def _note_comparison(cli: Cli, result: Mapping[str, Any]) -> None:
    counts = f"{len(result['new'])} new, {len(result['gone'])} gone, {result['same']} as before"
    cli.output.note(f"{counts}, {len(result['unknown'])} that one of the jobs cannot say anything of")
    if result["rules"]["earlier"].keys() != result["rules"]["later"].keys():
        cli.output.note("the jobs were read by different rules: what differs may be due to these")


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
    key: Annotated[
        str | None, typer.Option("--key", help="Only findings of objects whose keys begin so.", metavar="PREFIX")
    ] = None,
    min_confidence: ConfidenceOption = None,
    sort: SortOption = "place",
    form: JobFormatOption = "table",
    fail_on_findings: FailOption = False,
    baseline: BaselineOption = None,
    write_baseline: WriteBaselineOption = None,
) -> None:
    """Show what a job has found, masked.

    With --fail-on-findings, exit status 3 when anything of it is open, else 1 when the job has not ended well, or
    something of it could not be read because of a fault.
    """
    from waybill.scanning.domain.baseline import mark_of

    deployed = scanner_of(cli)
    # What one that is deleted has found stays.
    check_detectors(detector, deployed.table.detectors.all() if detector else ())
    job = deployed.jobs.find(job_id)
    mark = mark_of(f"{cli.stack.region} {cli.stack.output('ScansTableName')}".encode())
    baselined = reporting.known(baseline, mark)
    every = list(_findings(deployed, job_id, key or "", detector))
    found = reporting.wanted(every, baselined, min_confidence, sort)
    coverage = deployed.jobs.coverage(job.job_id)
    states = deployed.triage.states(item["fingerprint"] for item in found)
    for item in found:
        item["state"] = states[item["fingerprint"]]
    columns = ("Key", "Line", "Column", "Detector", "Confidence", "Value", "State")
    names = ("key", "line", "column", "detector", "confidence", "masked_match", "state")
    shown = table(columns, map(itemgetter(*names), found))
    if form == "asff":
        reporting.show_security_hub(cli, found, job, deployed)
    else:
        notes, own = reporting.notes(coverage["reasons"]), deployed.table.detectors.all() if form == "sarif" else ()
        reporting.show(cli, form, {"findings": found}, shown, notes, coverage, own)
    reporting.save(write_baseline, every, baselined, mark)
    if fail_on_findings:
        if any(item["state"] == "open" for item in found):
            raise typer.Exit(reporting.FOUND)
        _end_of(job, coverage)


@schedules.command("add")
def add_schedule(  # noqa: PLR0913 (Typer passes parameters by name)
    cli: Cli,
    place: Annotated[str, typer.Argument(help="s3://BUCKET or s3://BUCKET/PREFIX", metavar="S3_URL")],
    *,
    every: Annotated[str, typer.Option("--every", help="hour, day or week.", metavar="TIME")],
    detector: DetectorOption = None,
    region: RegionOption = None,
    include: IncludeOption = None,
    exclude: ExcludeOption = None,
    max_bytes: MaxBytesOption = None,
    sample: SampleOption = None,
    webhook: WebhookOption = None,
    export: ExportOption = False,
    first: Annotated[
        str | None,
        typer.Option("--first", help="When it is made first, such as 2027-01-31T02:00:00Z; else soon.", metavar="TIME"),
    ] = None,
) -> None:
    """Let a scan of a bucket be made again and again, without anybody asking for it."""
    from getpass import getuser

    from waybill.scanning.request_models import ScheduleRequest

    options = ScanOptions(detector, region, include, exclude, max_bytes, sample, webhook, export)
    bucket, prefix = place_of(place)
    when = {"every": every, "first_at": first}
    wanted = request_of(ScheduleRequest, bucket=bucket, prefix=prefix, **when, **options.fields())
    deployed = scanner_of(cli)
    options.check(deployed)
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
    decision = request_of(TriageRequest, state=state, reason=reason, until=until)
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
    from waybill.scanning.domain.baseline import mark_of
    from waybill.scanning.runtime import local_engine, scan_local_files

    check_detectors(detector)
    check_regions(region)
    engine = local_engine(region or ())
    key = _fingerprint_key(needed=bool(baseline or write_baseline))
    mark = mark_of(key or b"")
    baselined = reporting.known(baseline, mark)
    result = scan_local_files(paths, engine, frozenset(detector) if detector else None, key)
    every = result["findings"]
    result["findings"] = reporting.wanted(every, baselined, min_confidence, sort)
    left_out = _by_detector(every) - _by_detector(result["findings"])
    coverage = result["coverage"]
    notes = reporting.notes(coverage["reasons"])
    reporting.show(cli, form, result, showing.local_files(result, left_out), notes, coverage)
    reporting.save(write_baseline, every, baselined, mark)
    if fail_on_findings and result["findings"]:
        raise typer.Exit(reporting.FOUND)
    if reporting.FAULTS & set(coverage["reasons"]):
        raise typer.Exit(1)


def _by_detector(findings: Iterable[Mapping[str, Any]]) -> Counter[str]:
    return Counter(str(finding["detector"]) for finding in findings)


def _fingerprint_key(*, needed: bool) -> bytes | None:
    from waybill.scanning.runtime import fingerprint_key

    try:
        return fingerprint_key()
    except InvalidInputError:
        # Where nothing can be kept, fingerprints hold within this call.
        if needed:
            raise
    return None


def _end_of(job: "Job", coverage: Mapping[str, Any]) -> None:
    """Leave with status 1 where a job does not say all there is: it goes on, was cut short, or has met a fault."""
    if not job.ended:
        raise typer.Exit(1)
    _end({"status": job.status.value}, coverage)


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


def _findings(
    deployed: "Runtime", job_id: str, key: str = "", detectors: list[str] | None = None
) -> "Iterator[FindingDocument]":
    position: str | None = None
    wanted = {"key": key} if key else {}
    while True:
        items, position = deployed.table.findings.page(job_id, 1000, position, wanted)
        for item in items:
            if not detectors or item["detector"] in detectors:
                shown = {name: value for name, value in item.items() if name not in {"pk", "sk"}}
                yield cast("FindingDocument", shown)
        if position is None:
            return
