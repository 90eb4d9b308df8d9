"""`waybill replications dismiss`: failures that nobody will mend."""

import typer

from waybill.cli.output import details
from waybill.cli.replication.addresses import file_of, uri_of
from waybill.cli.replication.runtime import Replication
from waybill.core.clock import now
from waybill.core.errors import InvalidInputError
from waybill.core.text import escaped
from waybill.replication.domain.dismissal import dismiss
from waybill.replication.views import DismissalReply, file_report


def dismiss_failures(replication: Replication, target: str, to: str | None, reason: str) -> None:
    """Dismiss the failure of the file at `target` at the destination `to`, or at every one."""
    file, records = file_of(target), replication.tracking
    try:
        buckets = dismiss(records, file, to, by=replication.user(), reason=reason, now=now)
    except InvalidInputError as error:
        raise typer.BadParameter("; ".join(f"--{wrong.field} {wrong.message}" for wrong in error.errors)) from error
    status = file_report(records, file).status
    reply = DismissalReply(
        source_bucket=file.source_bucket, source_key=file.source_key, destination_buckets=buckets, status=status
    )
    shown = {"File": escaped(uri_of(file)), "Dismissed": "\n".join(buckets), "Status": status}
    replication.cli.output.show(reply.wire(), details(shown))
