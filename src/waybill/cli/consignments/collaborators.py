"""The consignment checks on the stack that a command is for."""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from waybill.cli.context import Cli
from waybill.consignments.adapters.result_files import S3ResultFiles
from waybill.consignments.adapters.table import ConsignmentsTable
from waybill.consignments.domain.corrections import Corrector
from waybill.consignments.domain.listing import ConsignmentLists
from waybill.consignments.domain.lookup import as_it_stands
from waybill.consignments.domain.registration import Registrar, existing
from waybill.consignments.domain.starter import CheckStarter
from waybill.consignments.domain.tables import shipped
from waybill.consignments.domain.waivers import Waivers
from waybill.consignments.errors import FileNotFoundInConsignmentError
from waybill.consignments.models import Consignment
from waybill.consignments.views import consignment_view, file_documents
from waybill.core.aws.states import StepFunctions
from waybill.core.clock import now


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
    def corrector(self) -> Corrector:
        """What takes corrections in."""
        return Corrector(self.table, self.table, now)

    @property
    def starter(self) -> CheckStarter:
        """What starts the checks."""
        return CheckStarter(self.table, self.executions, self.cli.stack.output("ConsignmentChecksWorkflowArn"))

    @property
    def result_files(self) -> S3ResultFiles:
        """Where reports and exports are kept."""
        client = self.cli.client("s3")
        return S3ResultFiles(client, client, self.cli.stack.output("ConsignmentResultsBucketName"))

    @property
    def waivers(self) -> Waivers:
        """What makes exceptions."""
        return Waivers(self.table, self.table, now)

    def standing(self, consignment_id: str) -> Consignment:
        """Return a consignment as it stands; raises `ConsignmentNotFoundError`."""
        return as_it_stands(self.find(consignment_id), self.table, self.executions)

    def listed(self, status: str | None, limit: int) -> list[Consignment]:
        """Return everybody's consignments, newest first."""
        return ConsignmentLists(self.table, self.executions).page(None, status, limit, None)[0]

    def find(self, consignment_id: str) -> Consignment:
        """Return a consignment; raises `ConsignmentNotFoundError`."""
        return existing(self.table, consignment_id)

    def shown(self, consignment_id: str) -> dict[str, Any]:
        """Return a consignment as the API shows it."""
        return consignment_view(self.standing(consignment_id), self.table, self.table).wire()

    def file_id(self, consignment_id: str, named: str) -> str:
        """Return the id of the file that is named by its id or its path; raises `FileNotFoundInConsignmentError`."""
        for file in self.table.files(consignment_id):
            if named in {file.file_id, file.path}:
                return file.file_id
        raise FileNotFoundInConsignmentError(f"there is no file {named} in the consignment")

    def files(self, consignment_id: str) -> Iterator[dict[str, Any]]:
        """Yield the files as the API shows them."""
        yield from file_documents(self.find(consignment_id), self.table, shipped())
