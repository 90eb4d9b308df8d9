"""`waybill services` and `waybill templates`: which services are asked, and the templates of their parts."""

import difflib
from pathlib import Path
from typing import Annotated

import typer

from waybill.cli.context import Cli
from waybill.cli.errors import CommandError
from waybill.cli.files import read_json
from waybill.cli.grammar import App
from waybill.cli.output import details, table
from waybill.cli.subject_access.runtime import Deployed

app = App()
services = App(name="services", help="The services that are asked for what they hold.")
templates = App(name="templates", help="The templates of services' parts.")
app.add_typer(services)
app.add_typer(templates)

_Name = Annotated[str, typer.Argument(help="The service.", metavar="NAME")]
_File = Annotated[Path, typer.Argument(help="The file.", exists=True, dir_okay=False)]
_MOST_BYTES = 2_000_000


@services.command("list")
def list_services(cli: Cli) -> None:
    """List the services, in the order of the report."""
    from waybill.subject_access.domain.answers import service_answer

    found = [service_answer(one) for one in Deployed(cli).catalogue.services()]
    columns = {"Name": "name", "Label": "label", "Address": "url", "Enabled": "enabled", "Suspended": "suspended"}
    rows = [[each[key] for key in columns.values()] for each in found]
    cli.output.show({"services": found}, table(list(columns), rows))


@services.command("show")
def show_service(cli: Cli, name: _Name) -> None:
    """Show a service with what its part does not show."""
    _show(cli, name)


@services.command()
def put(cli: Cli, file: _File) -> None:
    """Add a service, or change the one of this name; FILE is JSON as `POST /api/services` takes it.

    Another address is proposed: somebody else has to agree (`waybill services agree`).
    """
    from waybill.subject_access.domain.services import ServiceEntry

    deployed = Deployed(cli)
    entry = ServiceEntry.parse(read_json(file))
    if deployed.catalogue.service(entry.name) is None:
        deployed.services.add(entry, deployed.actor)
    else:
        changed = deployed.services.change(entry.name, entry, deployed.actor, may_move=True)
        if changed.proposed_url:
            cli.output.note(f"{entry.name} stays at {changed.url} until somebody else agrees")
    _show(cli, entry.name)


_Address = Annotated[
    str, typer.Argument(help="The address that is proposed, as `services show` has it.", metavar="URL")
]


@services.command()
def agree(cli: Cli, name: _Name, url: _Address) -> None:
    """Move a service to the address that somebody else has proposed."""
    _decide(cli, name, url, agreed=True)


@services.command()
def disagree(cli: Cli, name: _Name, url: _Address) -> None:
    """Leave a service where it is, and drop the address that is proposed."""
    _decide(cli, name, url, agreed=False)


def _decide(cli: Cli, name: str, url: str, *, agreed: bool) -> None:
    from waybill.subject_access.domain.services import Move

    deployed = Deployed(cli)
    deployed.services.move(name, Move.parse({"url": url, "agreed": agreed}), deployed.actor)
    _show(cli, name)


@services.command()
def suspend(cli: Cli, name: _Name) -> None:
    """Ask a service no more for now; its requests wait."""
    deployed = Deployed(cli)
    deployed.services.suspend(name, deployed.actor, suspended=True)
    _show(cli, name)


@services.command()
def resume(cli: Cli, name: _Name) -> None:
    """Ask a service again; the requests that waited for it can be worked on at once."""
    deployed = Deployed(cli)
    deployed.services.suspend(name, deployed.actor, suspended=False)
    freed = deployed.decisions.resumed(name, deployed.actor)
    _show(cli, name)
    cli.output.note(f"{freed} requests waited for it")


@templates.command("list")
def list_templates(cli: Cli, name: _Name) -> None:
    """List the versions of a service's template, the newest first."""
    from waybill.subject_access.domain.answers import template_answer

    deployed = Deployed(cli)
    deployed.services.found(name)
    found = [template_answer(one) for one in deployed.catalogue.template_versions(name)]
    rows = [[each["version"], each["status"], each["createdAt"], each["fileHash"]] for each in found]
    cli.output.show({"templates": found}, table(("Version", "Status", "Registered", "SHA-256"), rows))


@templates.command("show")
def show_template(
    cli: Cli,
    name: _Name,
    version: Annotated[int | None, typer.Option("--version", help="Which; default: the newest.")] = None,
) -> None:
    """Print the text of a template."""
    text = _text(Deployed(cli), name, version)
    cli.output.show({"service": name, "text": text}, text)


@templates.command()
def diff(
    cli: Cli,
    name: _Name,
    older: Annotated[int, typer.Option("--from", help="The older version.")],
    newer: Annotated[int | None, typer.Option("--to", help="The newer one; default: the newest.")] = None,
) -> None:
    """Print what differs between two versions of a template."""
    deployed = Deployed(cli)
    before, after = (_text(deployed, name, version).splitlines() for version in (older, newer))
    lines = list(difflib.unified_diff(before, after, f"version {older}", f"version {newer or 'newest'}", lineterm=""))
    cli.output.show({"service": name, "diff": lines}, "\n".join(lines) or "no difference")


@templates.command()
def register(cli: Cli, name: _Name, file: _File) -> None:
    """Register the text of a service's template; it is published when the service is found to use it."""
    from waybill.subject_access.domain.answers import template_answer
    from waybill.subject_access.domain.report.templates import check_registration

    deployed = Deployed(cli)
    version = deployed.services.register(name, file.read_bytes(), check_registration, deployed.actor)
    told = template_answer(version)
    cli.output.show(told, f"{name}: version {told['version']}, {told['status']}, {told['fileHash']}")


@templates.command()
def validate(cli: Cli, file: _File) -> None:
    """Say whether a text can be a template, without a stack; an error names the line. Exit status 2 where it cannot."""
    from waybill.subject_access.domain.report.templates import check_registration
    from waybill.subject_access.domain.services import checked_template

    digest = checked_template(file.read_bytes(), check_registration)
    cli.output.show({"valid": True, "fileHash": digest}, f"{file} can be used: {digest}")


def _show(cli: Cli, name: str) -> None:
    from waybill.subject_access.domain.answers import service_answer

    told = service_answer(Deployed(cli).services.found(name))
    rules = "\n".join(f"{one['path']}: {one['reason']}" for one in told["redactions"])
    facts = {key: value for key, value in told.items() if key not in ("id", "redactions") and value is not None}
    cli.output.show(told, details({**facts, **({"redactions": rules} if rules else {})}))


def _text(deployed: Deployed, name: str, version: int | None) -> str:
    from waybill.subject_access.domain.keys import template_key

    deployed.services.found(name)
    versions = deployed.catalogue.template_versions(name)
    found = next((one for one in versions if version in (None, one.version)), None)
    text = deployed.reports.document(template_key(found.file_hash), _MOST_BYTES) if found else None
    if text is None:
        raise CommandError(f"{name} has no such template")
    return text.decode()
