"""What the table keeps about the services' health.

pk                sk       item
CIRCUIT#<name>    STATE    the circuit breaker; `version` counts its changes
TPL#<name>        HEALTH   whether the service's template is as registered, and when people were told that it is not
"""

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, override

from waybill.core.aws.dynamodb import ConditionFailedError, Item, Update
from waybill.core.aws.table import Table
from waybill.core.clock import iso
from waybill.subject_access.domain.upstream.ports import Circuit, Circuits, TemplateHealth
from waybill.subject_access.errors import SubjectAccessStoreUnavailableError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class HealthTable(Circuits, TemplateHealth):
    """`Circuits` and `TemplateHealth` on DynamoDB; every method raises `SubjectAccessStoreUnavailableError`."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._table = Table(client, table, SubjectAccessStoreUnavailableError)

    @override
    def circuit(self, service: str) -> Circuit:
        """Return the circuit of `service`, as of now; a closed one where nothing is known."""
        item = self._get(_circuit_key(service))
        return Circuit(
            failures=item.get("failures", 0),
            failed_at=item.get("failedAt", 0),
            open_until=item.get("openUntil"),
            version=item.get("version", 0),
        )

    @override
    def move(self, service: str, before: Circuit, after: Circuit) -> bool:
        """Store `after` if nobody has changed the circuit since it was `before`; False when somebody has."""
        update = Update.of(
            {
                "failures": after.failures,
                "failedAt": after.failed_at,
                "openUntil": after.open_until,
                "version": before.version + 1,
            }
        )
        condition = "attribute_not_exists(pk)" if before.version == 0 else "version = :before"
        return self._update(_circuit_key(service), update, condition, {":before": before.version or None})

    @override
    def unhealthy(self, service: str, code: str, at: datetime) -> bool:
        """Remember that the template is refused with `code`; True when nobody has been told yet."""
        key = _health_key(service)
        fresh = Update.of({"status": "UNHEALTHY", "code": code, "changedAt": iso(at)}, removed=("toldAt",))
        if self._update(key, fresh, "attribute_not_exists(#s0) OR #s0 <> :s0"):
            return True
        return "toldAt" not in self._get(key)

    @override
    def told(self, service: str, at: datetime) -> None:
        update = Update.of({"toldAt": iso(at)})
        self._update(_health_key(service), update, "attribute_exists(pk)")

    @override
    def healthy(self, service: str, at: datetime) -> None:
        """Remember that the template is as registered."""
        update = Update.of({"status": "HEALTHY", "changedAt": iso(at)}, removed=("code", "toldAt"))
        self._update(_health_key(service), update, "attribute_not_exists(#s0) OR #s0 <> :s0")

    def _get(self, key: Item) -> Item:
        return self._table.get(key) or {}

    def _update(
        self, key: Item, update: Update, condition: str, values: Mapping[str, int | None] | None = None
    ) -> bool:
        try:
            self._table.update(key, update, condition, values)
        except ConditionFailedError:
            return False
        return True


def _circuit_key(service: str) -> Item:
    return {"pk": f"CIRCUIT#{service}", "sk": "STATE"}


def _health_key(service: str) -> Item:
    return {"pk": f"TPL#{service}", "sk": "HEALTH"}
