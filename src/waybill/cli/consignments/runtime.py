"""The consignment checks on the stack that a command is for: the same code as its functions."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from waybill.cli.context import Cli, OfStack
from waybill.consignments import runtime
from waybill.consignments.domain.listing import ConsignmentLists
from waybill.consignments.domain.lookup import as_it_stands
from waybill.consignments.domain.registration import existing
from waybill.consignments.domain.tables import shipped
from waybill.consignments.errors import FileNotFoundInConsignmentError
from waybill.consignments.models import Consignment
from waybill.consignments.views import consignment_view, file_documents


@dataclass(frozen=True)
class Consignments:
    """The collaborators, each built when a command needs it."""

    cli: Cli

    table = OfStack(runtime.table)
    executions = OfStack(runtime.executions)
    registrar = OfStack(runtime.registrar)
    corrector = OfStack(runtime.corrector)
    execution_states = OfStack(runtime.execution_states)
    starter = OfStack(runtime.starter)
    result_files = OfStack(runtime.result_files)
    waivers = OfStack(runtime.waivers)

    def standing(self, consignment_id: str) -> Consignment:
        """Return a consignment as it stands; raises `ConsignmentNotFoundError`."""
        return as_it_stands(self.find(consignment_id), self.table, self.execution_states)

    def listed(self, status: str | None, limit: int) -> list[Consignment]:
        """Return everybody's consignments, newest first."""
        return ConsignmentLists(self.table, self.execution_states).page(None, status, limit, None)[0]

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
