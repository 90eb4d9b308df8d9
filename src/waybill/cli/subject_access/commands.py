"""`waybill sar`: subject access requests."""

import json
from datetime import date
from itertools import islice
from pathlib import Path
from typing import Annotated, Any

import typer

from waybill.cli import completion
from waybill.cli.context import Cli
from waybill.cli.errors import CommandError
from waybill.cli.files import read_json, write_private
from waybill.cli.grammar import App
from waybill.cli.output import table
from waybill.cli.subject_access import names, preview, redactions, stub
from waybill.cli.subject_access.auditing import audited, holds, verdict
from waybill.cli.subject_access.fulfilling import fulfilled
from waybill.cli.subject_access.runtime import Deployed
from waybill.cli.subject_access.showing import readable
from waybill.subject_access.domain.downloads import What
from waybill.subject_access.domain.letters import LetterKind
from waybill.subject_access.models import REPORTED, HoldReason, Regime, SubjectRequest

app = App()
sar = App(name="sar", help="Requests for everything that is held about one person.")
sar.add_typer(names.app)
sar.add_typer(stub.app)
sar.add_typer(redactions.app)
sar.add_typer(preview.app)
app.add_typer(sar)


def _newest(cli: Cli) -> list[str]:
    return list(islice(Deployed(cli).lists.newest(""), completion.KNOWN))


IdArgument = Annotated[
    str, typer.Argument(help="Id of the request.", metavar="ID", autocompletion=completion.known(_newest))
]
OnOption = Annotated[str | None, typer.Option("--on", help="Day on which it was, 2026-01-31; default: today.")]
OutputOption = Annotated[
    Path | None,
    typer.Option("--output", "-o", help="File to write, or its folder; default: its own name.", writable=True),
]
ForceOption = Annotated[bool, typer.Option("--force", help="Write over a file that is there.")]
UndoOption = Annotated[bool, typer.Option("--undo", help="Take it back.")]


_Service = Annotated[
    list[str] | None, typer.Option("--service", help="A service to ask; default: all that are enabled.")
]
_LawEnforcement = Annotated[
    bool, typer.Option("--law-enforcement", help="Part 3 of the Data Protection Act 2018 sets the deadline.")
]
_Requester = Annotated[
    str | None, typer.Option("--requester", help="Who asks for the person, where somebody else does.")
]


@sar.command()
def create(  # noqa: PLR0913, PLR0917 (Typer passes parameters by name)
    cli: Cli,
    reference: Annotated[str, typer.Option("--reference", help="Case reference, at most 20 characters.")],
    nomis: Annotated[str | None, typer.Option("--nomis", help="Prison number, such as A1234AA.")] = None,
    ndelius: Annotated[str | None, typer.Option("--ndelius", help="Probation case number, such as X123456.")] = None,
    first: Annotated[str | None, typer.Option("--from", help="First day, 2020-01-31 or 31/01/2020.")] = None,
    last: Annotated[str | None, typer.Option("--to", help="Last day; default: today.")] = None,
    service: _Service = None,
    name: Annotated[str | None, typer.Option("--name", help="The person's name, SURNAME, Forename.")] = None,
    received: Annotated[str | None, typer.Option("--received", help="Day of receipt; default: today.")] = None,
    law_enforcement: _LawEnforcement = False,
    requester: _Requester = None,
    authority: Annotated[str | None, typer.Option("--authority", help="What lets them, in one line.")] = None,
    review: Annotated[bool, typer.Option("--review", help="Somebody approves the report before it counts.")] = False,
    wait: Annotated[bool, typer.Option("--wait", help="Start a worker, and wait until the request has ended.")] = False,
) -> None:
    """Create a request; with --wait, exit status 1 when it cannot be completed now."""
    from waybill.subject_access.domain.deadlines import london_day
    from waybill.subject_access.domain.intake import NewRequest, accept
    from waybill.subject_access.domain.intake import create as create_request

    deployed = Deployed(cli)
    known = {each.name: each for each in deployed.catalogue.services()}
    wanted = NewRequest(
        nomis_id=nomis,
        ndelius_id=ndelius,
        date_from=_day(first),
        date_to=_day(last) or f"{london_day(deployed.now()):%d/%m/%Y}",
        sar_case_reference_number=reference,
        services=tuple(service or (each.name for each in known.values() if each.enabled)),
        subject_name=name,
        requester_name=requester,
        requester_authority=authority,
        received_date=_day(received),
        regime=Regime.LAW_ENFORCEMENT if law_enforcement else Regime.UK_GDPR,
        review=review,
    )
    accepted = accept(wanted, known, london_day(deployed.now()))
    made = create_request(accepted, deployed.actor, deployed.now(), deployed.store, None)
    if not wait:
        _show(cli, deployed, made)
        return
    ended = fulfilled(cli, deployed, made.request_id)
    _show(cli, deployed, ended)
    if ended.state not in REPORTED:
        raise typer.Exit(1)


@sar.command("list")
def list_requests(
    cli: Cli,
    search: Annotated[str, typer.Option("--search", help="Part of a name, a case reference or a number.")] = "",
    hide_names: Annotated[bool, typer.Option("--hide-names", help="Print no names of people.")] = False,
    limit: Annotated[int, typer.Option("--limit", min=1, max=1000, help="At most so many requests.", metavar="N")] = 50,
) -> None:
    """List requests, the newest first."""
    from waybill.subject_access.domain.paging import page_of
    from waybill.subject_access.domain.refusals import day_trail

    deployed = Deployed(cli)
    deployed.record(day_trail(deployed.now()), "LIST_VIEWED")
    wanted = page_of(deployed.lists.newest(search.strip()), 0, limit)
    found = [deployed.answers.request(each) for each in deployed.lists.many(wanted)]
    columns = {
        "Id": "id",
        "Reference": "sarCaseReferenceNumber",
        **({} if hide_names else {"Name": "subjectName"}),
        "Number": "subjectId",
        "State": "state",
        "Due": "dueDate",
        "Left": "daysLeft",
    }
    rows = [[_of(each)[name] for name in columns.values()] for each in found]
    cli.output.show({"requests": found}, table(list(columns), rows))


@sar.command()
def show(cli: Cli, request_id: IdArgument) -> None:
    """Show a request with the state of each service."""
    deployed = Deployed(cli)
    deployed.record(request_id, "REQUEST_VIEWED")
    request = deployed.found(request_id)
    told = deployed.answers.request(request) | {"related": deployed.lists.related(request)}
    cli.output.show(told, readable(told))


@sar.command()
def download(
    cli: Cli,
    request_id: IdArgument,
    output: OutputOption = None,
    force: ForceOption = False,
    subject: Annotated[bool, typer.Option("--subject", help="The person's copy, without internal pages.")] = False,
) -> None:
    """Download the report of a completed request."""
    _save(cli, request_id, "subject" if subject else "staff", output, force=force)


@sar.command()
def package(cli: Cli, request_id: IdArgument, output: OutputOption = None, force: ForceOption = False) -> None:
    """Download the person's copy of the report with every attachment that is not in it, as a ZIP file."""
    _save(cli, request_id, "package", output, force=force)


@sar.command()
def restart(
    cli: Cli,
    request_id: IdArgument,
    fresh: Annotated[bool, typer.Option("--fresh", help="Ask every service again.")] = False,
) -> None:
    """Restart a request that was given up on; finished parts are kept."""
    deployed = Deployed(cli)
    _show(cli, deployed, deployed.decisions.restart(request_id, deployed.actor, fresh=fresh))


@sar.command()
def hold(
    cli: Cli,
    request_id: IdArgument,
    reason: Annotated[HoldReason, typer.Option("--reason", help="What is waited for.")],
    since: Annotated[str | None, typer.Option("--from", help="Day on which it was asked for; default: today.")] = None,
    note: Annotated[str | None, typer.Option("--note", help="One line about it.")] = None,
) -> None:
    """Note that identity, a fee or clarification is waited for."""
    from waybill.subject_access.domain.holds import HoldOrder

    deployed = Deployed(cli)
    order = HoldOrder(reason=reason, from_=since, note=note)
    _show(cli, deployed, deployed.holds.hold(request_id, deployed.actor, order))


@sar.command()
def release(
    cli: Cli,
    request_id: IdArgument,
    on: OnOption = None,
    reason: Annotated[
        HoldReason | None, typer.Option("--reason", help="What has come, where several things are waited for.")
    ] = None,
) -> None:
    """Note that what was waited for has come."""
    from waybill.subject_access.domain.holds import Release

    deployed = Deployed(cli)
    _show(cli, deployed, deployed.holds.release(request_id, deployed.actor, Release(on=on, reason=reason)))


@sar.command()
def extend(
    cli: Cli,
    request_id: IdArgument,
    reason: Annotated[str | None, typer.Option("--reason", help="The reason that the person was told.")] = None,
    on: OnOption = None,
    undo: Annotated[bool, typer.Option("--undo", help="Take back an extension that was a mistake.")] = False,
) -> None:
    """Take the two further months, of which the person was told within the first."""
    from waybill.subject_access.domain.decisions import Extension

    deployed = Deployed(cli)
    extension = Extension(reason=reason, on=on, undo=undo)
    _show(cli, deployed, deployed.decisions.extend(request_id, deployed.actor, extension))


@sar.command()
def refuse(
    cli: Cli,
    request_id: IdArgument,
    ground: Annotated[
        str | None,
        typer.Option("--ground", help="manifestly unfounded, excessive, exemption or identity not shown."),
    ] = None,
    reason: Annotated[str | None, typer.Option("--reason", help="Why, in one line.")] = None,
    on: OnOption = None,
    undo: UndoOption = False,
) -> None:
    """Note that the person was told that the request is refused."""
    from waybill.subject_access.domain.endings import Refusal

    deployed = Deployed(cli)
    refusal = Refusal(ground=ground, reason=reason, on=on, undo=undo)
    _show(cli, deployed, deployed.endings.refuse(request_id, deployed.actor, refusal))


@sar.command()
def withdraw(
    cli: Cli,
    request_id: IdArgument,
    reason: Annotated[str | None, typer.Option("--reason", help="Why, in one line.")] = None,
    on: OnOption = None,
    undo: UndoOption = False,
) -> None:
    """Note that the person does not want an answer any more."""
    from waybill.subject_access.domain.endings import Withdrawal

    deployed = Deployed(cli)
    withdrawal = Withdrawal(reason=reason, on=on, undo=undo)
    _show(cli, deployed, deployed.endings.withdraw(request_id, deployed.actor, withdrawal))


@sar.command()
def correct(  # noqa: PLR0913, PLR0917 (Typer passes parameters by name)
    cli: Cli,
    request_id: IdArgument,
    reason: Annotated[str, typer.Option("--reason", help="Why, in one line.")],
    reference: Annotated[str | None, typer.Option("--reference", help="Case reference.")] = None,
    nomis: Annotated[
        str | None, typer.Option("--nomis", help="Prison number; only before services were asked.")
    ] = None,
    ndelius: Annotated[
        str | None, typer.Option("--ndelius", help="Probation case number; only before services were asked.")
    ] = None,
    first: Annotated[str | None, typer.Option("--from", help="First day; services are asked again.")] = None,
    last: Annotated[str | None, typer.Option("--to", help="Last day; services are asked again.")] = None,
    name: Annotated[str | None, typer.Option("--name", help="The person's name, SURNAME, Forename.")] = None,
    received: Annotated[str | None, typer.Option("--received", help="Day of receipt.")] = None,
    regime: Annotated[Regime | None, typer.Option("--regime", help="Which law sets the deadline.")] = None,
) -> None:
    """Correct what is wrong about a request; what was made with it is made again."""
    from waybill.subject_access.domain.corrections import Correction

    given = {
        "sar_case_reference_number": reference,
        "nomis_id": nomis,
        "ndelius_id": ndelius,
        "date_from": first,
        "date_to": last,
        "subject_name": name,
        "received_date": received,
        "regime": regime,
    }
    deployed = Deployed(cli)
    correction = Correction(reason=reason, **{field: value for field, value in given.items() if value is not None})
    _show(cli, deployed, deployed.corrections.correct(request_id, deployed.actor, correction))


@sar.command()
def duplicate(cli: Cli, request_id: IdArgument) -> None:
    """Make a new request for the same, with the clock of this one."""
    from waybill.subject_access.domain.intake import duplicate as copied

    deployed = Deployed(cli)
    _show(cli, deployed, copied(request_id, deployed.actor, deployed.now(), deployed.store))


@sar.command()
def overdue(cli: Cli) -> None:
    """List what the law wants an answer to now or within 14 days. Exit status 1 when a time limit has passed."""
    from waybill.subject_access.domain.refusals import day_trail
    from waybill.subject_access.domain.sweep import by_due_day

    deployed = Deployed(cli)
    deployed.record(day_trail(deployed.now()), "OVERDUE_VIEWED")
    urgent = by_due_day(deployed.lists, deployed.answers.clock)
    shown = deployed.answers.overdue([], urgent)["byLaw"]
    columns = {
        "Id": "id",
        "Reference": "sarCaseReferenceNumber",
        "State": "state",
        "Due": "dueDate",
        "Left": "daysLeft",
    }
    rows = [[each[name] for name in columns.values()] for each in shown]
    cli.output.show({"requests": shown}, table(list(columns), rows))
    if any(map(deployed.answers.clock.is_past_due, urgent)):
        raise typer.Exit(1)


@sar.command()
def approve(
    cli: Cli,
    request_id: IdArgument,
    near_misses: Annotated[
        int, typer.Option("--near-misses", min=0, help="How many near misses you saw that nobody has decided about.")
    ] = 0,
    not_searched: Annotated[
        int, typer.Option("--not-searched", min=0, help="How many attachments you saw that were not searched.")
    ] = 0,
) -> None:
    """Let a report that was to be reviewed count as completed; not by who made the request.

    Near misses and attachments that were not searched have to be seen first: `parts` lists them.
    """
    from waybill.subject_access.domain.endings import Approval

    deployed = Deployed(cli)
    said = Approval(near_misses=near_misses, not_searched=not_searched)
    _show(cli, deployed, deployed.endings.approve(request_id, deployed.actor, said))


@sar.command()
def deliver(
    cli: Cli,
    request_id: IdArgument,
    on: OnOption = None,
    late_reason: Annotated[str | None, typer.Option("--late-reason", help="Why it was late, in one line.")] = None,
) -> None:
    """Note that the person has the report, which ends the time limit."""
    from waybill.subject_access.domain.endings import Delivery

    deployed = Deployed(cli)
    delivery = Delivery(on=on, late_reason=late_reason)
    _show(cli, deployed, deployed.endings.deliver(request_id, deployed.actor, delivery))


@sar.command()
def letter(
    cli: Cli,
    request_id: IdArgument,
    kind: Annotated[LetterKind, typer.Argument(help="Which letter.")],
    texts: Annotated[
        Path | None,
        typer.Option(
            "--texts",
            help="JSON: controller, contact, purposes, recipients, retention, codes.",
            exists=True,
            dir_okay=False,
        ),
    ] = None,
    output: OutputOption = None,
    force: ForceOption = False,
) -> None:
    """Draw a letter to who asked: acknowledgement, extension, refusal, or the cover of the report."""
    from waybill.subject_access.domain.letters import LetterTexts

    deployed, path = Deployed(cli), output or Path(f"{kind.value}.pdf")
    path = path / f"{kind.value}.pdf" if path.is_dir() else path
    if path.exists() and not force:
        raise CommandError(f"{path} is there already; --force writes over it")
    said = LetterTexts.parse(read_json(texts)) if texts else LetterTexts()
    drawn = deployed.letters.letter(request_id, deployed.actor, kind, said)
    write_private(path, drawn, force=force)
    cli.output.show({"file": str(path), "bytes": len(drawn)}, str(path))


@sar.command("issue-without")
def issue_without(
    cli: Cli,
    request_id: IdArgument,
    service: Annotated[str, typer.Option("--service", help="The service whose part is missing.")],
    reason: Annotated[str, typer.Option("--reason", help="Why; the report says so.")],
) -> None:
    """Accept that a service's part is missing."""
    deployed = Deployed(cli)
    _show(cli, deployed, deployed.decisions.issue_without(request_id, deployed.actor, service, reason))


@sar.command()
def audit(
    cli: Cli,
    request_id: Annotated[
        str, typer.Argument(help="Id of the request; or a day, 2026-11-02: what is about no request.", metavar="ID")
    ],
) -> None:
    """Show everything that was done about a request. Exit status 1 where it does not hold, or was not compared.

    Where custody is deployed the trail is compared with its log, all of which is read for that.
    """
    told = audited(cli, request_id)
    rows = [
        [one["number"], one["at"], one["actor"], one["action"], json.dumps(one["detail"])] for one in told["entries"]
    ]
    cli.output.show(told, table(("Number", "At", "Actor", "Action", "Detail"), rows))
    for sentence in verdict(told):
        cli.output.note(sentence)
    if not holds(told):
        raise typer.Exit(1)


def _save(cli: Cli, request_id: str, what: What, output: Path | None, *, force: bool) -> None:
    """Write what a request has for download to a file, and record that."""
    from waybill.subject_access.domain.answers import file_name
    from waybill.subject_access.domain.downloads import download as stamped

    deployed = Deployed(cli)
    request = deployed.found(request_id)
    name = file_name(request)
    name = f"{name.removesuffix('.pdf')}.zip" if what == "package" else name
    path = output or Path(name)
    if path.is_dir():
        path /= name
    # Before the download is recorded.
    if path.exists() and not force:
        raise CommandError(f"{path} is there already; --force writes over it")
    stamped(deployed.store, deployed.reports, request_id, deployed.actor, deployed.now(), "application/json", what)
    whole = request.report
    found = whole and {"staff": whole, "subject": whole.copy, "package": whole.package}[what]
    if found is None:
        raise CommandError("the request was completed only now; try again")
    deployed.save_report(found, path)
    written = {"file": str(path), "bytes": found.bytes, "sha256": found.sha256, "pages": found.pages}
    cli.output.show(written, f"{path}: {found.pages} pages" if found.pages else str(path))


def _day(text: str | None) -> str | None:
    """Return a day as the API writes it; what is no ISO date is left to the API's rules."""
    if text is None:
        return None
    try:
        return f"{date.fromisoformat(text):%d/%m/%Y}"
    except ValueError:
        return text


def _show(cli: Cli, deployed: Deployed, request: SubjectRequest) -> None:
    told = deployed.answers.request(request)
    cli.output.show(told, readable(told))


def _of(told: dict[str, Any]) -> dict[str, Any]:
    return told | {"subjectId": told["nomisId"] or told["ndeliusCaseReferenceId"]}
