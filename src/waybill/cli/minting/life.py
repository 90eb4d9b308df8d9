"""`waybill ids reserve|replace|withdraw`: the life of an identifier."""

import uuid
from typing import Annotated

import typer

from waybill.cli.context import Cli
from waybill.cli.grammar import App
from waybill.cli.minting.runtime import Minting
from waybill.cli.output import details
from waybill.core.retry import Retry
from waybill.minting.domain.canonical_ids import Drawing, parse_canonical_id
from waybill.minting.domain.lifecycle import RESERVE_LIMIT, IdentifierLives, reserve
from waybill.minting.models import Life
from waybill.minting.views import LifeView

_RETRY = Retry(tries=8, first_pause=0.2, longest_pause=5.0)
_CANONICAL_ID = Annotated[str, typer.Argument(help="A canonical ID.", metavar="ID")]
_REASON = Annotated[str, typer.Option("--reason", help="Why; look-ups show it.")]


def add_commands(ids: App) -> None:
    """Add the commands to `waybill ids`."""
    ids.command("reserve")(_reserve)
    ids.command("replace")(_replace)
    ids.command("withdraw")(_withdraw)


def _reserve(
    cli: Cli,
    count: Annotated[int, typer.Argument(help="How many.", min=1, metavar="N")],
    purpose: Annotated[str, typer.Option("--purpose", help="What for; look-ups show it.")],
) -> None:
    """Reserve canonical IDs before their records exist; `ids import` gives them their sources."""
    table, reserved = Minting(cli).lives, list[str]()
    one = drawing(cli).draw
    while len(reserved) < count:
        some, key = min(RESERVE_LIMIT, count - len(reserved)), uuid.uuid4().hex
        reserved += _RETRY.call(lambda: reserve(table, one, some, purpose, key=key))  # noqa: B023 - called at once
    cli.output.show({"canonicalIds": reserved, "purpose": purpose.strip()}, "\n".join(reserved))


def _replace(
    cli: Cli,
    canonical_id: _CANONICAL_ID,
    by: Annotated[str, typer.Option("--by", help="The canonical ID that stands in its place.")],
    reason: _REASON,
) -> None:
    """Let another canonical ID stand in place of this one, which keeps its source and leads there."""
    old, successor = parse_canonical_id(canonical_id, "ID"), parse_canonical_id(by, "--by")
    _show(cli, _RETRY.call(lambda: IdentifierLives(Minting(cli).lives).replace(old, successor, reason)))


def _withdraw(cli: Cli, canonical_id: _CANONICAL_ID, reason: _REASON) -> None:
    """Take a canonical ID back; it keeps its source, and is never used again."""
    old = parse_canonical_id(canonical_id, "ID")
    _show(cli, _RETRY.call(lambda: IdentifierLives(Minting(cli).lives).withdraw(old, reason)))


def drawing(cli: Cli) -> Drawing:
    """Return how the stack's minter draws new canonical IDs."""
    name = cli.stack.output("IdMinterFunctionName")
    variables = cli.client("lambda").get_function_configuration(FunctionName=name)["Environment"]["Variables"]
    return Drawing.of(
        check=variables.get("CHECK_CHARACTER", "false").lower() == "true",
        words=variables.get("FORBIDDEN_WORDS", ""),
        prefixes=variables.get("IDENTIFIER_PREFIX", ""),
    )


def _show(cli: Cli, life: Life) -> None:
    view = LifeView.of_life(life)
    shown = {"Canonical ID": view.canonical_id, "Status": view.status}
    if view.replaced_by:
        shown["Replaced by"] = view.replaced_by
    cli.output.show(view.wire(), details({**shown, "Reason": view.reason or ""}))
