"""The consignment checks on the stack that a command is for."""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from waybill.cli.context import Cli
from waybill.consignments.adapters.table import ConsignmentsTable
from waybill.consignments.domain.lookup import as_it_stands
from waybill.consignments.domain.registration import Registrar, existing
from waybill.consignments.domain.starter import CheckStarter
from waybill.consignments.domain.tables import shipped
from waybill.consignments.models import Consignment
from waybill.consignments.views import consignment_view, file_page
from waybill.core.aws.states import StepFunctions
from waybill.core.clock import now

_PAGE = 200


@dataclass(frozen=True)
class Consignments:
    """The collaborators, built when a command first needs them."""

    cli: Cli

    @cached_property
    def table(self) -> ConsignmentsTable:
        """The consignments table."""
        name = self.cli.stack.output("ConsignmentsTableName")
        return ConsignmentsTable(self.cli.client("dynamodb"), name)

    @cached_property
    def executions(self) -> StepFunctions:
        """Step Functions."""
        return StepFunctions(self.cli.client("stepfunctions"))

    @property
    def registrar(self) -> Registrar:
        """What takes registrations in."""
        return Registrar(self.table, now, lambda: str(uuid.uuid4()))

    @property
    def starter(self) -> CheckStarter:
        """What starts the checks."""
        return CheckStarter(self.table, self.executions, self.cli.stack.output("ConsignmentChecksWorkflowArn"))

    def keep(self, key: str, text: str, content_type: str) -> str:
        """Store a document in the results bucket; return its address, `s3://bucket/key`."""
        bucket = self.cli.stack.output("ConsignmentResultsBucketName")
        content = text.encode(errors="replace")
        self.cli.client("s3").put_object(Bucket=bucket, Key=key, Body=content, ContentType=content_type)
        return f"s3://{bucket}/{key}"

    def find(self, consignment_id: str) -> Consignment:
        """Return a consignment; raises `ConsignmentNotFoundError`."""
        return existing(self.table, consignment_id)

    def shown(self, consignment_id: str) -> dict[str, Any]:
        """Return a consignment as the API shows it."""
        consignment = as_it_stands(self.find(consignment_id), self.table, self.executions)
        return consignment_view(consignment, self.table, self.table).wire()

    def files(self, consignment_id: str) -> Iterator[dict[str, Any]]:
        """Yield the files as the API shows them."""
        consignment, after = self.find(consignment_id), None
        while True:
            page, after = file_page(consignment, self.table, shipped(), _PAGE, after)
            yield from (file.wire() for file in page)
            if after is None:
                return
