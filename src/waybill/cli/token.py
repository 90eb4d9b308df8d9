"""`waybill token`: a JWT that the local stack accepts."""

import json
from collections.abc import Iterable
from difflib import get_close_matches
from typing import Annotated, Any

import typer

from waybill.cli.context import Cli
from waybill.cli.errors import CommandError
from waybill.cli.grammar import App
from waybill.core.roles import Role

app = App()


def complete_role(incomplete: str) -> list[str]:
    """Return the roles that begin with what is typed."""
    return [role.value for role in Role if role.value.startswith(incomplete)]


@app.command()
def token(
    cli: Cli,
    role: Annotated[
        list[str] | None,
        typer.Option("--role", help="A role; may be repeated.", metavar="R", autocompletion=complete_role),
    ] = None,
    subject: Annotated[str, typer.Option("--subject", help="Who the token speaks for.", metavar="S")] = "local-user",
    claim: Annotated[
        list[str] | None,
        typer.Option("--claim", help="One more claim; a value that is JSON is taken as such.", metavar="K=V"),
    ] = None,
    expires: Annotated[int, typer.Option("--expires", help="Seconds until it expires.", metavar="SECONDS")] = 3600,
) -> None:
    """Print a JWT that the local stack accepts."""
    refuse_unknown_roles(role or ())
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


def refuse_unknown_roles(names: Iterable[str]) -> None:
    """Raise `BadParameter` for the first that is no role."""
    known = [role.value for role in Role]
    for name in names:
        if name not in known:
            near = get_close_matches(name, known, n=1)
            hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(known)}"
            raise typer.BadParameter(f"--role {name} is no role: {hint}")


def _claim(text: str) -> tuple[str, Any]:
    name, separator, value = text.partition("=")
    if not name or not separator:
        raise typer.BadParameter(f"--claim {text} is not of the form name=value")
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value
