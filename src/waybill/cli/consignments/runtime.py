"""The consignment checks on the stack that a command is for: the same code as its functions."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from waybill.cli.context import Cli
from waybill.consignments import runtime
from waybill.consignments.adapters.result_files import S3ResultFiles
from waybill.consignments.adapters.table import ConsignmentsTable
from waybill.consignments.domain.corrections import Corrector
from waybill.consignments.domain.listing import ConsignmentLists
from waybill.consignments.domain.lookup import OwnExecutions, as_it_stands
from waybill.consignments.domain.registration import Registrar, existing
from waybill.consignments.domain.starter import CheckStarter
from waybill.consignments.domain.tables import shipped
from waybill.consignments.domain.waivers import Waivers
from waybill.consignments.errors import FileNotFoundInConsignmentError
from waybill.consignments.models import Consignment
from waybill.consignments.views import consignment_view, file_documents
from waybill.core.aws.step_functions import StepFunctions


@dataclass(frozen=True)
class Consignments:
    """The collaborators, built when a command first needs them."""

    cli: Cli

    def _of_stack[T](self, build: Callable[[], T]) -> T:
        """Return what the functions of the stack work with too."""
        self.cli.enter()
        return build()

    @cached_property
    def table(self) -> ConsignmentsTable:
        """The consignments table."""
        return self._of_stack(runtime.table)

    @cached_property
    def executions(self) -> StepFunctions:
        """Step Functions."""
        return self._of_stack(runtime.executions)

    @cached_property
    def registrar(self) -> Registrar:
        """What takes registrations in."""
        return self._of_stack(runtime.registrar)

    @cached_property
    def corrector(self) -> Corrector:
        """What takes corrections in."""
        return self._of_stack(runtime.corrector)

    @cached_property
    def execution_states(self) -> OwnExecutions:
        """What knows how this stack's executions stand."""
        return self._of_stack(runtime.execution_states)

    @cached_property
    def starter(self) -> CheckStarter:
        """What starts the checks."""
        return self._of_stack(runtime.starter)

    @cached_property
    def result_files(self) -> S3ResultFiles:
        """Where reports and exports are kept."""
        return self._of_stack(runtime.result_files)

    @cached_property
    def waivers(self) -> Waivers:
        """What makes exceptions."""
        return self._of_stack(runtime.waivers)

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
