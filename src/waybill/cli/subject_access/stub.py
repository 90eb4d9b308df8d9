"""`waybill sar stub`: services to ask, on loopback."""

import re
from typing import Annotated

import typer

from waybill.cli.context import Cli
from waybill.cli.errors import CommandError
from waybill.cli.grammar import App
from waybill.cli.output import table
from waybill.cli.subject_access.stub_process import claim, detach, record_file, stop
from waybill.cli.subject_access.stub_service import (
    Manner,
    StubReply,
    StubServer,
    StubService,
    sample_content,
    serve_until_interrupt,
)

app = App()

_TEMPLATE = "<h1>{{content.service}}</h1>{{#content.records}}<p>{{recordNumber}}: {{note}}</p>{{/content.records}}\n"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,63}")
_JSON = {"Content-Type": "application/json"}
_DEFAULT = ("G1=data", "keyworker-api=data+2", "hmpps-stub-empty=204", "hmpps-stub-probation=209")


@app.command()
def stub(  # noqa: PLR0917 (Typer passes parameters by name)
    cli: Cli,
    service: Annotated[
        list[str] | None,
        typer.Option(
            "--service",
            help="A service and its replies in turn: a status, data, data+ATTACHMENTS, 429:SECONDS, slow:SECONDS,"
            " redirect, never, endless, trickle or cut.",
            metavar="NAME=REPLY[,REPLY…]",
        ),
    ] = None,
    count: Annotated[int, typer.Option("--count", help="Number of further services, stub-1 and so on.", min=0)] = 0,
    records: Annotated[int, typer.Option("--records", help="How many records each service holds.", min=0)] = 12,
    delay: Annotated[float, typer.Option("--delay", help="Seconds before every reply.", min=0)] = 0.0,
    port: Annotated[int, typer.Option("--port", help="Port to listen on; 0 is any free one.", min=0, max=65535)] = 8085,
    register: Annotated[bool, typer.Option("--register", help="Put them into the stack's catalogue.")] = False,
    background: Annotated[
        bool, typer.Option("--background", help="Serve until `--stop` or `waybill down`, and return at once.")
    ] = False,
    end: Annotated[bool, typer.Option("--stop", help="End those that serve in the background.")] = False,
) -> None:
    """Serve stub services on 127.0.0.1 until Ctrl-C; their addresses are printed first."""
    if end:
        stopped = stop(record_file(cli.project))
        cli.output.show({"stopped": stopped}, "the stub services have ended" if stopped else "no stub services ran")
        return
    asked = service or (() if count else _DEFAULT)
    described = [*asked, *(f"stub-{number}=data" for number in range(1, count + 1))]
    try:
        listening = StubServer({}, port)
    except OSError as error:
        raise CommandError(f"port {port} of 127.0.0.1: {error.strerror}; --port 0 takes any that is free") from None
    for text in described:
        name, _, replies = text.partition("=")
        listening.services[name] = stub_service(listening, name, replies or "data", records, delay)
    # Before the catalogue leads here: those that run already stay in it.
    lock = claim(record_file(cli.project)) if background else None
    # Requests that come before it serves wait: its port is open.
    if register:
        _register(cli, listening)
    shown = [{"name": name, "url": listening.url(name)} for name in listening.services]
    process = detach(lock) if lock is not None else 0
    if process or not background:
        cli.output.show({"services": shown}, table(("Service", "Address"), [tuple(each.values()) for each in shown]))
    if not process:
        serve_until_interrupt(listening)


def _register(cli: Cli, server: StubServer) -> None:
    from waybill.cli.subject_access.runtime import Deployed

    deployed = Deployed(cli)
    for name in server.services:
        deployed.register(name, server.url(name))


def stub_service(server: StubServer, name: str, replies: str, records: int, delay: float) -> StubService:
    """Return the service that `replies` (see `--service`) describes; its attachments are served by `server`.

    Raises
    ------
    typer.BadParameter
        The name or a reply is malformed.
    """
    if not _NAME.fullmatch(name):
        raise typer.BadParameter(f"--service {name}: a name has letters, digits and hyphens, at most 64")
    made = StubService([], StubReply(body=_TEMPLATE.encode(), headers={"Content-Type": "text/plain; charset=utf-8"}))
    made.replies = [_reply(server, name, text.strip(), records, delay, made) for text in replies.split(",")]
    return made


def _reply(server: StubServer, name: str, text: str, records: int, delay: float, made: StubService) -> StubReply:
    word, _, amount = text.partition(":")
    if word in Manner and word != Manner.WHOLE:
        body = b'{"content": "' + b"a" * 1000 + b'"}'
        return StubReply(body=body, headers=_JSON, delay=delay, manner=Manner(word))
    if word == "redirect":
        return StubReply(302, headers={"Location": "http://elsewhere.example/"}, delay=delay)
    try:
        if word == "data" or word.startswith("data+"):
            return _data(server, name, int(word.partition("+")[2] or 0), records, delay, made)
        if word == "slow":
            return StubReply.data(sample_content(name, records), delay=float(amount))
        if 200 <= int(word) <= 599:
            return StubReply(int(word), headers={"Retry-After": str(int(amount))} if amount else {}, delay=delay)
    except ValueError:
        pass
    raise typer.BadParameter(f"--service {name}: there is no reply {text}")


def _data(server: StubServer, name: str, files: int, records: int, delay: float, made: StubService) -> StubReply:
    attachments = []
    for number in range(1, files + 1):
        body = f"Attachment {number} of {name}.\n".encode()
        made.files[f"{number}.txt"] = [StubReply(body=body, headers={"Content-Type": "text/plain"})]
        attachments.append(
            {
                "attachmentNumber": number,
                "name": f"Note {number}",
                "contentType": "text/plain",
                "url": f"{server.url(name)}/files/{number}.txt",
                "filename": f"{number}.txt",
                "filesize": len(body),
            }
        )
    return StubReply.data(sample_content(name, records), attachments, delay)
