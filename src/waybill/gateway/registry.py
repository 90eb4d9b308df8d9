"""The list of everything that offers HTTP routes."""

from importlib import import_module  # noqa: TID251 - the modules of the list below, when all are wanted

from waybill.core.api import Api

# Each has `app`, made by `build_api`; a new workflow adds its module here.
API_MODULES = (
    "waybill.consignments.api",
    "waybill.custody.admin_api",
    "waybill.custody.api",
    "waybill.subject_access.admin_api",
    "waybill.subject_access.api",
    "waybill.gateway.api",
    "waybill.minting.api",
    "waybill.replication.api",
    "waybill.scanning.api",
)


def apis() -> tuple[Api, ...]:
    """Return every API, importing its module."""
    return tuple(import_module(module).app for module in API_MODULES)
