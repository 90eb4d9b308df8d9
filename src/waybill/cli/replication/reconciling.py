"""`waybill replications reconcile`."""

import json
from typing import Any

from waybill.cli.context import Cli
from waybill.cli.errors import CommandError
from waybill.cli.replication.runtime import Replication
from waybill.cli.watch import command_retry
from waybill.core.aws.faults import AWS_FAULTS, is_throttle
from waybill.core.errors import RateLimitedError
from waybill.core.text import count


def reconcile(replication: Replication) -> None:
    """Run the stack's reconciler once and print how many runs it has closed."""
    cli = replication.cli
    name = cli.stack.output("ReconcileReplicationsFunctionName")
    answer = command_retry().call(lambda: _invoke(cli, name))
    told = json.loads(answer["Payload"].read())
    if "FunctionError" in answer:
        raise CommandError(f"{name} failed: {told.get('errorType')}: {told.get('errorMessage')}")
    closed = told["abandoned"]
    cli.output.show({"closed": closed}, f"{count(closed, 'abandoned run')} closed")


def _invoke(cli: Cli, name: str) -> Any:
    try:
        return cli.client("lambda").invoke(FunctionName=name, Payload=b'{"byHand": true}')
    except AWS_FAULTS as error:
        if is_throttle(error):
            raise RateLimitedError(f"Lambda has no room for {name}: {error}") from error
        raise
