"""`waybill token`: a JWT that the local stack accepts."""

import json
from typing import Annotated, Any

import typer

from waybill.cli.context import Cli
from waybill.cli.errors import CommandError
from waybill.cli.grammar import App

app = App()


@app.command()
def token(
    cli: Cli,
    role: Annotated[list[str] | None, typer.Option("--role", help="A role; may be repeated.", metavar="R")] = None,
    subject: Annotated[str, typer.Option("--subject", help="Who the token speaks for.", metavar="S")] = "local-user",
    claim: Annotated[
        list[str] | None,
        typer.Option("--claim", help="One more claim; a value that is JSON is taken as such.", metavar="K=V"),
    ] = None,
    expires: Annotated[int, typer.Option("--expires", help="Seconds until it expires.", metavar="SECONDS")] = 3600,
) -> None:
    """Print a JWT that the local stack accepts."""
    local = cli.local_stack()
    if not local.stack_file.exists():
        raise CommandError("no local stack is up: run `waybill up`")
    signed = local.signing_key.token(
        subject=subject,
        roles=role or [],
        claims=dict(_claim(text) for text in claim or []),
        expires_in=expires,
    )
    cli.output.show({"token": signed}, signed)


def _claim(text: str) -> tuple[str, Any]:
    name, separator, value = text.partition("=")
    if not name or not separator:
        raise typer.BadParameter(f"--claim {text} is not of the form name=value")
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value
