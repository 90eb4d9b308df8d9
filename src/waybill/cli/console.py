"""`waybill console`: opens the pages of the local stack, signed in."""

import json
import time
import webbrowser
from typing import Annotated

import typer

from waybill.cli.context import Cli
from waybill.cli.errors import CommandError
from waybill.cli.grammar import App
from waybill.cli.token import complete_role, refuse_unknown_roles
from waybill.core.errors import WaybillError
from waybill.core.http_client import HttpClient
from waybill.core.roles import Role

_SECONDS = 30.0
# As long as a session of the console lasts at most.
_TOKEN_SECONDS = 8 * 3600

app = App()


@app.command()
def console(
    cli: Cli,
    role: Annotated[
        list[str] | None,
        typer.Option(
            "--role", help="A role; may be repeated; default: admin.", metavar="R", autocompletion=complete_role
        ),
    ] = None,
    subject: Annotated[str, typer.Option("--subject", help="Who is signed in.", metavar="S")] = "local-user",
    no_open: Annotated[bool, typer.Option("--no-open", help="Print the address, open nothing.")] = False,
) -> None:
    """Open the console of the local stack, signed in; the address works once, within a minute.

    On the local stack buckets and console have one origin: open no HTML from a bucket there that you do not trust.
    """
    refuse_unknown_roles(role or ())
    local = cli.local_stack()
    if not local.stack_file.exists() or not cli.stack.endpoint:
        raise CommandError("no local stack is up: run `waybill up`; on AWS, open ConsoleUrl in a browser")
    token = local.signing_key.token(subject=subject, roles=role or [Role.ADMIN], expires_in=_TOKEN_SECONDS)
    address = f"{cli.stack.api_url}/console"
    link = f"{address}/handover?code={_code(f'{address}/handover', token)}"
    opened = not no_open and webbrowser.open(link)
    cli.output.show({"url": link, "opened": opened}, f"the console is open at {address}" if opened else link)


def _code(address: str, token: str) -> str:
    client = HttpClient(schemes=frozenset({"http"}), permits=lambda _address: True)
    try:
        with client.exchange(
            "POST",
            address,
            deadline=time.monotonic() + _SECONDS,
            headers={"Authorization": f"Bearer {token}"},
            body=b"",
        ) as answer:
            status, content = answer.status, answer.read()
    except WaybillError as error:
        raise CommandError(f"the console cannot be reached: {error}") from None
    if status != 201:
        raise CommandError(f"the console answered {status}: is the stack up to date? `waybill up`")
    return str(json.loads(content)["code"])
