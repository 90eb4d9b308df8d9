"""Who calls the API, and what the roles in their token let them do."""

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """Every role that a token's `roles` claim can give; a new workflow adds its own here."""

    REPLICATION = "replication"
    MINTING = "minting"
    CONSIGNMENTS = "consignments"
    CONSIGNMENTS_SERVICE = "consignments-service"
    CONSIGNMENTS_APPROVER = "consignments-approver"
    SCANNING = "scanning"
    CUSTODY = "custody"
    CUSTODY_ADMIN = "custody-admin"
    SAR_USER = "sar-user"
    SAR_WORKER = "sar-worker"
    SAR_SUPPORT = "sar-support"
    SAR_APPROVER = "sar-approver"
    SAR_ADMIN = "sar-admin"
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
