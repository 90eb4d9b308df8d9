"""Who calls the API, and what the roles in their token let them do."""

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """Every role that a token's `roles` claim can give: those that routes name, and `admin`, which has all of them."""

    # scripts/lists: roles
    CONSIGNMENTS = "consignments"
    CONSIGNMENTS_APPROVER = "consignments-approver"
    CONSIGNMENTS_SERVICE = "consignments-service"
    CUSTODY = "custody"
    CUSTODY_ADMIN = "custody-admin"
    MINTING = "minting"
    REPLICATION = "replication"
    SAR_ADMIN = "sar-admin"
    SAR_APPROVER = "sar-approver"
    SAR_SUPPORT = "sar-support"
    SAR_USER = "sar-user"
    SAR_WORKER = "sar-worker"
    SCANNING = "scanning"
    # end
    ADMIN = "admin"


def known_roles(names: Collection[str]) -> frozenset[Role]:
    """Return those of `names` that are Waybill's; a token may carry other systems' roles as well."""
    return frozenset(role for role in Role if role.value in names)


@dataclass(frozen=True)
class Caller:
    """The holder of the verified token: its `sub` claim, its known roles, and whether it is for a rehearsal."""

    subject: str
    roles: frozenset[Role]
    rehearsal: bool = False

    def may(self, allowed: Collection[Role]) -> bool:
        """Return whether one of `allowed` is among the caller's roles; `admin` has all of them."""
        return Role.ADMIN in self.roles or not self.roles.isdisjoint(allowed)
