"""`waybill replications reconcile`."""

import json
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from waybill.cli.errors import CommandError
from waybill.cli.replication.runtime import Replication
from waybill.cli.watch import command_retry
from waybill.core.aws.faults import is_throttle
from waybill.core.errors import RateLimitedError
from waybill.core.text import count

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient


def reconcile(replication: Replication) -> None:
    """Run the stack's reconciler once and print how many runs it has closed."""
    cli = replication.cli
    name = cli.stack.output("ReconcileReplicationsFunctionName")
    answer = command_retry().call(lambda: _invoke(cli.client("lambda"), name))
    told = json.loads(answer["Payload"].read())
    if "FunctionError" in answer:
        raise CommandError(f"{name} failed: {told.get('errorType')}: {told.get('errorMessage')}")
    closed = told["abandoned"]
    cli.output.show({"closed": closed}, f"{count(closed, 'abandoned run')} closed")


def _invoke(client: "LambdaClient", name: str) -> Any:
    try:
        return client.invoke(FunctionName=name, Payload=b'{"byHand": true}')
    except ClientError as error:
        if is_throttle(error):
            raise RateLimitedError(f"Lambda has no room for {name}: {error}") from error
        raise
