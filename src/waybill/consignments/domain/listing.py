"""Lists of consignments, each as it stands."""

from dataclasses import dataclass
from typing import Protocol

from waybill.consignments.domain.lookup import as_it_stands
from waybill.consignments.domain.ports import Reader, Register
from waybill.consignments.models import Consignment
from waybill.core.executions import ExecutionStates

# Where few consignments have the status that is asked for, a page may have fewer than asked for, and a cursor.
_PAGES = 10


class _Table(Reader, Register, Protocol):
    """What both knows the lists and what is in them."""


@dataclass(frozen=True)
class ConsignmentLists:
    """The lists of consignments of each owner, and of everybody."""

    table: _Table
    executions: ExecutionStates

    def page(
        self, owner: str | None, status: str | None, limit: int, after: str | None
    ) -> tuple[list[Consignment], str | None]:
        """Return a page of an owner's consignments, or of everybody's, newest first, and where the next page begins.

        `status` is that at this moment, also of one whose execution has ended without a word.
        """
        found: list[Consignment] = []
        for _ in range(_PAGES):
            page, after = self.table.listed(owner, limit - len(found), after)
            standing = (as_it_stands(consignment, self.table, self.executions) for consignment in page)
            found += [consignment for consignment in standing if status in {None, consignment.status}]
            if after is None or len(found) >= limit:
                break
        return found, after
