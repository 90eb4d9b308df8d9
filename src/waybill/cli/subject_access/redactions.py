"""`waybill sar parts|content|redact|render`: what is taken out of one request's report."""

from typing import Annotated, Any

import typer

from waybill.cli.context import Cli
from waybill.cli.grammar import App
from waybill.cli.output import table
from waybill.cli.subject_access.fulfilling import fulfilled
from waybill.cli.subject_access.runtime import Deployed
from waybill.subject_access.models import REPORTED

app = App()

_IdArgument = Annotated[str, typer.Argument(help="Id of the request.", metavar="ID")]


@app.command()
def parts(cli: Cli, request_id: _IdArgument) -> None:
    """Show what became of each part: pages, attachments, what is taken out, and what is nearly that."""
    deployed = Deployed(cli)
    found = deployed.redacting.parts(request_id, deployed.actor)
    rows = [
        (
            each["serviceName"],
            each["renderStatus"],
            each["pages"],
            each["redacted"],
            each["redactedLeft"],
            "\n".join(f"{near['path']}: {near['kind']}{', stays' if near['stays'] else ''}" for near in each["near"]),
            "\n".join(f"{one['number']} {one['fileName']}: {_fate(one)}" for one in each["attachments"]),
        )
        for each in found
    ]
    columns = ("Service", "State", "Pages", "Redacted", "Left", "Nearly", "Attachments")
    cli.output.show({"id": request_id, "parts": found}, table(columns, rows))
    for each in found:
        for warning in each["warnings"]:
            cli.output.note(f"{each['serviceName']}: {warning}")
        if each["notSearched"]:
            count = each["notSearched"]
            cli.output.note(f"{each['serviceName']}: {count} attachments not searched: look at them, or take them out")
        if each["nearMissesOpen"]:
            cli.output.note(
                f"{each['serviceName']}: {each['nearMissesOpen']} near misses: waybill sar redact, or sar keep"
            )


@app.command()
def content(
    cli: Cli,
    request_id: _IdArgument,
    service: Annotated[str, typer.Option("--service", help="The service.")],
    limit: Annotated[int, typer.Option("--limit", min=1, max=200, help="How many values.")] = 50,
    cursor: Annotated[str | None, typer.Option("--cursor", help="The cursor of the previous answer.")] = None,
) -> None:
    """Show the values of a service's answer, each with the path that `redact` takes."""
    deployed = Deployed(cli)
    found = deployed.redacting.content(request_id, service, deployed.actor, limit, cursor)
    rows = [(each["path"], each["value"]) for each in found["values"]]
    cli.output.show(found, table(("Path", "Value"), rows))
    if found["cursor"]:
        cli.output.note(f"more: --cursor {found['cursor']}")


@app.command()
def redact(  # noqa: PLR0917 (Typer passes parameters by name)
    cli: Cli,
    request_id: _IdArgument,
    reason: Annotated[str | None, typer.Option("--reason", help="Why, as the report says it.")] = None,
    text: Annotated[list[str] | None, typer.Option("--text", help="A text, wherever it is.")] = None,
    path: Annotated[
        list[str] | None, typer.Option("--path", help="A value: SERVICE:PATH, such as keyworker-api:notes[3].author.")
    ] = None,
    attachment: Annotated[
        list[str] | None, typer.Option("--attachment", help="A whole attachment: SERVICE:NUMBER.")
    ] = None,
    page: Annotated[
        list[str] | None, typer.Option("--page", help="A page of a service's part as it is drawn: SERVICE:PAGE.")
    ] = None,
    exemption: Annotated[str | None, typer.Option("--exemption", help="The exemption of the law.")] = None,
    here: Annotated[bool, typer.Option("--here", help="A value in this place alone, not everywhere.")] = False,
    clear: Annotated[bool, typer.Option("--clear", help="Take nothing out of what was taken out so far.")] = False,
) -> None:
    """Take something out of the report, besides what is taken out already; without options, show what that is."""
    from waybill.subject_access.domain.answers import redactions_answer
    from waybill.subject_access.domain.mark_requests import Marks

    deployed = Deployed(cli)
    known = redactions_answer(deployed.redacting.marks(request_id, deployed.actor))
    marks = {"values": [], "pages": [], "attachments": []} if clear else known
    why = {"reason": reason or "", "exemption": exemption}
    marks["values"] += [{"text": each, **why} for each in text or ()]
    for each in path or ():
        service, where = _pair(each)
        marks["values"].append({"service": service, "path": where, "everywhere": not here, **why})
    marks["attachments"] += [
        {"service": name, "number": _number(at), **why} for name, at in map(_pair, attachment or ())
    ]
    marks["pages"] += [{"service": name, "page": _number(at), **why} for name, at in map(_pair, page or ())]
    if text or path or attachment or page or clear:
        deployed.redacting.mark(request_id, deployed.actor, Marks.parse(marks))
        cli.output.note("the report is to be drawn again: waybill sar render")
    _show(cli, request_id, marks)


@app.command()
def keep(
    cli: Cli,
    request_id: _IdArgument,
    near: Annotated[
        list[str],
        typer.Option("--near", help="A near miss: SERVICE:PATH as `parts` lists it, or SERVICE for all of it."),
    ],
    reason: Annotated[str, typer.Option("--reason", help="Why it stays in the report.")],
) -> None:
    """Decide that near misses stay in the report; who does that does not approve it."""
    from waybill.subject_access.domain.mark_requests import Marks

    deployed = Deployed(cli)
    places = [(service, path or None) for service, _, path in (each.partition(":") for each in near)]
    asked = [{"service": service, "path": path, "reason": reason} for service, path in places]
    deployed.redacting.decide(request_id, deployed.actor, Marks.parse({"nearMisses": asked}).near_misses)
    cli.output.show({"id": request_id, "nearMisses": asked}, f"{len(asked)} decisions are noted")


@app.command()
def render(
    cli: Cli,
    request_id: _IdArgument,
    wait: Annotated[bool, typer.Option("--wait", help="Wait until it is drawn.")] = False,
) -> None:
    """Have the report drawn again without what is taken out; somebody else approves it then.

    With --wait, exit status 1 when it could not be drawn.
    """
    deployed = Deployed(cli)
    request = deployed.redacting.render(request_id, deployed.actor)
    if wait:
        request = fulfilled(cli, deployed, request_id)
        said = f"{request_id}: {request.state.value}"
    else:
        deployed.start_worker(request_id)
        said = f"{request_id} is drawn again"
    cli.output.show({"id": request_id, "state": request.state.value}, said)
    if wait and request.state not in REPORTED:
        raise typer.Exit(1)


def _show(cli: Cli, request_id: str, marks: dict[str, Any]) -> None:
    rows = [
        (one.get("service"), _what(one), one["reason"], one["exemption"])
        for kind in ("values", "pages", "attachments")
        for one in marks[kind]
    ]
    cli.output.show({"id": request_id, **marks}, table(("Service", "What", "Reason", "Exemption"), rows))


def _what(one: dict[str, Any]) -> str:
    if "page" in one:
        return f"page {one['page']}"
    return f"attachment {one['number']}" if "number" in one else str(one.get("path") or one["text"])


def _pair(text: str) -> tuple[str, str]:
    service, colon, rest = text.partition(":")
    if not (service and colon and rest):
        raise typer.BadParameter(f"{text} is not SERVICE:PLACE")
    return service, rest


def _number(text: str) -> int:
    if not text.isdecimal():
        raise typer.BadParameter(f"{text} is no number")
    return int(text)


def _fate(one: dict[str, Any]) -> str:
    if one["redacted"]:
        return "redacted"
    return "shown" if one["shown"] else one["withheld"] or "not drawn yet"
