"""The services of the table, and the versions of their templates."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, override

from waybill.core.aws.dynamodb import ConditionFailedError, Update
from waybill.core.clock import iso
from waybill.core.retry import CONTENTION, Retry
from waybill.subject_access.adapters.audited_table import AuditedTable, item_key
from waybill.subject_access.adapters.items import service_attributes, service_of, template_attributes, template_of
from waybill.subject_access.domain.audit import WORKER, Action
from waybill.subject_access.domain.ports import Catalogue
from waybill.subject_access.domain.refusals import day_trail
from waybill.subject_access.errors import ContendedError, SubjectAccessStoreUnavailableError
from waybill.subject_access.service_models import Service, TemplateVersion, report_order

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import TransactWriteItemTypeDef

_SERVICES = "SERVICE"
_NONE = "attribute_not_exists(pk)"
_UNCHANGED = "version = :seen"


class ServiceCatalogue(Catalogue):
    """`Catalogue` on DynamoDB; `client` is a boto3 `dynamodb` client. Every change is in the trail of its day."""

    def __init__(
        self, client: "DynamoDBClient", table: str, *, now: Callable[[], datetime], contention: Retry = CONTENTION
    ) -> None:
        self._now = now
        self._contention = contention
        self._items = AuditedTable(client, table, now)

    @override
    def services(self) -> list[Service]:
        found = [service_of(item) for item in self._items.query(_SERVICES)]
        return sorted(found, key=lambda service: report_order(service.name, service.label, service.category))

    @override
    def service(self, name: str) -> Service | None:
        """Return one service, as of now."""
        item = self._items.get(_SERVICES, name)
        return service_of(item) if item else None

    @override
    def save_service(self, service: Service, action: Action, *, new: bool) -> bool:
        """Write a service, in one transaction with its audit entry.

        Returns
        -------
        bool
            False when there is one already (`new`), or none, or it has changed since it was read (not `new`).

        Raises
        ------
        ContendedError
            Others wrote to the audit trail, each time.
        """
        written = replace(service, version=service.version + 1)
        item = item_key(_SERVICES, service.name) | service_attributes(written)
        put = self._items.put(item, _NONE) if new else self._items.put(item, _UNCHANGED, seen=service.version)
        for _ in self._contention.attempts():
            if self._recorded(action, put):
                return True
            found = self.service(service.name)
            if (found is not None) if new else (found is None or found.version != service.version):
                return False
        raise ContendedError("the audit trail is being written to by too many at once")

    @override
    def template_versions(self, service: str) -> list[TemplateVersion]:
        return [template_of(item) for item in self._items.query(f"TPL#{service}", "V#", newest_first=True)]

    @override
    def register_template(self, service: str, file_hash: str, action: Action) -> TemplateVersion:
        """Return the version that has this hash: the newest one if it is that, else a new one that is PENDING.

        Raises
        ------
        ContendedError
            Others registered versions at the same time, again and again.
        """
        for _ in self._contention.attempts():
            newest = next(iter(self.template_versions(service)), None)
            number = newest.version + 1 if newest else 1
            made = TemplateVersion(service, number, file_hash, "PENDING", self._now())
            writes = []
            if newest and newest.file_hash == file_hash:
                made = newest
            else:
                item = item_key(f"TPL#{service}", f"V#{number:05}") | template_attributes(made)
                writes = [self._items.put(item, _NONE)]
            if self._recorded(action, *writes):
                return made
        raise ContendedError("versions of this template are being registered by others")

    @override
    def publish_template(self, service: str, version: int) -> None:
        """Make a version the published one, and record it; once.

        Raises
        ------
        ContendedError
            Others wrote to the audit trail, each time.
        """
        update = Update.of({"status": "PUBLISHED", "published_at": iso(self._now())})
        key, is_pending = item_key(f"TPL#{service}", f"V#{version:05}"), "attribute_exists(pk) AND #status = :pending"
        publish = self._items.table.update_action(
            key, update, is_pending, {":pending": "PENDING"}, {"#status": "status"}
        )
        action = Action(WORKER, "TEMPLATE_PUBLISHED", {"service": service, "version": version})
        for _ in self._contention.attempts():
            if self._recorded(action, publish):
                return
            now = next((one for one in self.template_versions(service) if one.version == version), None)
            if now is None or now.status == "PUBLISHED":
                # It was published before, or is gone.
                return
        raise ContendedError("the audit trail is being written to by too many at once")

    def _recorded(self, action: Action, *writes: "TransactWriteItemTypeDef") -> bool:
        """Write, and record it in the trail of the day; False when a condition was false or others were faster."""
        try:
            self._items.append(day_trail(self._now()), action, writes)
        except (ConditionFailedError, SubjectAccessStoreUnavailableError):
            return False
        return True
