"""`waybill replications redrive`: events that nothing could handle, sent on their way once more."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

from waybill.cli.adapters.dead_letters import BATCH, DeadLetter, DeadLetters
from waybill.cli.errors import CommandError
from waybill.cli.output import details, table
from waybill.cli.replication.addresses import uri_of
from waybill.cli.replication.runtime import Replication
from waybill.cli.replication.showing import reading
from waybill.core.clock import iso
from waybill.core.text import escaped
from waybill.replication.domain.events import ObjectCreated, TagsChanged, records
from waybill.replication.models import FileId


def dead_letters(replication: Replication) -> DeadLetters:
    """Return the stack's dead-letter queue."""
    stack = replication.cli.stack
    source, target = stack.output("ReplicationDeadLetterQueueUrl"), stack.output("ReplicationRetryQueueUrl")
    return DeadLetters(replication.cli.client("sqs"), source, target)


def redrive(replication: Replication, limit: int | None) -> None:
    """Move the messages of the dead-letter queue to the retry queue."""
    letters, output = dead_letters(replication), replication.cli.output
    moved, refused, reason = 0, [], ""
    with (
        output.progress("moving messages", letters.waiting()) as bar,
        ThreadPoolExecutor(BATCH) as pool,
    ):
        for messages in letters.received(limit):
            for message, problem in zip(messages, pool.map(letters.move, messages), strict=True):
                moved += problem is None
                refused += [message] if problem else []
                reason = problem or reason
            bar.advance(len(messages))
    letters.release(refused)
    data = {"moved": moved, "failed": len(refused), "left": letters.waiting()}
    output.show(data, details({"Moved": moved, "Not moved": len(refused), "Left": data["left"]}))
    if refused:
        raise CommandError(f"not all messages could be moved: {reason}")


def show_dead_letters(replication: Replication, limit: int | None) -> None:
    """Print the messages of the dead-letter queue, and leave them there."""
    letters, output = dead_letters(replication), replication.cli.output
    held: list[DeadLetter] = []
    try:
        with output.progress("reading messages", letters.waiting()) as bar:
            for messages in letters.received(limit):
                held += messages
                bar.advance(len(messages))
    finally:
        letters.release(held)
    found = [_described(message) for message in held]
    rows = ((reading(item["sentAt"]), "\n".join(map(escaped, item["objects"])) or "?", item["error"]) for item in found)
    output.show(
        {"messages": found, "count": len(found)},
        table(("Sent (UTC)", "Objects", "Error"), rows) if found else "no message waits in the dead-letter queue",
    )


def _described(message: DeadLetter) -> dict[str, Any]:
    sent = datetime.fromtimestamp(int(message["Attributes"]["SentTimestamp"]) / 1000, UTC)
    return {
        "messageId": message["MessageId"],
        "sentAt": iso(sent),
        "objects": [
            uri_of(FileId(record.bucket, record.key))
            for record in records(message["Body"])
            if isinstance(record, ObjectCreated | TagsChanged)
        ],
        "error": _error(message["Body"]),
    }


def _error(body: str) -> str | None:
    """Return the name of the error with which Lambda gave the event up, where the message says so."""
    try:
        told = json.loads(body)
    except ValueError:
        return None
    match told:
        case {"responsePayload": {"errorType": str(name)}} | {"requestContext": {"condition": str(name)}}:
            return name
    return None
