"""The services of the table, and the versions of their templates."""

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

from waybill.core.clock import iso
from waybill.core.dynamodb import ConditionFailedError, Item, Update, from_item, to_item, translated
from waybill.disclosure.errors import ContendedError, SubjectAccessStoreUnavailableError
from waybill.disclosure.items import service_attributes, service_of, template_attributes, template_of
from waybill.disclosure.models import Service, TemplateVersion, report_order

_ATTEMPTS = 5
_SERVICES = "SERVICE"


class ServiceCatalogue:
    """`Catalogue` on DynamoDB; `client` is a boto3 `dynamodb` client."""

    def __init__(self, client: Any, table: str, *, now: Callable[[], datetime]) -> None:
        self._client = client
        self._table = table
        self._now = now

    def services(self) -> list[Service]:
        """Return all services, in the order of the report."""
        found = [service_of(item) for item in self._query(_SERVICES)]
        return sorted(found, key=lambda service: report_order(service.name, service.label, service.category))

    def service(self, name: str) -> Service | None:
        """Return one service, as of now."""
        with translated(SubjectAccessStoreUnavailableError):
            answer = self._client.get_item(TableName=self._table, Key=_key(_SERVICES, name), ConsistentRead=True)
        return service_of(from_item(answer["Item"])) if answer.get("Item") else None

    def save_service(self, service: Service, *, new: bool) -> bool:
        """Write a service; False when there is one already (`new`), or none (not `new`)."""
        item = _key(_SERVICES, service.name) | to_item(service_attributes(service))
        return self._put(item, "attribute_not_exists(pk)" if new else "attribute_exists(pk)")

    def template_versions(self, service: str) -> list[TemplateVersion]:
        """Return the template versions of a service, newest first."""
        return [template_of(item) for item in self._query(f"TPL#{service}", newest_first=True, prefix="V#")]

    def register_template(self, service: str, file_hash: str) -> TemplateVersion:
        """Return the version that has this hash: the newest one if it is that, else a new one that is PENDING.

        Raises
        ------
        ContendedError
            Others registered versions at the same time, again and again.
        """
        for _ in range(_ATTEMPTS):
            newest = next(iter(self.template_versions(service)), None)
            if newest and newest.file_hash == file_hash:
                return newest
            number = newest.version + 1 if newest else 1
            made = TemplateVersion(service, number, file_hash, "PENDING", self._now())
            item = _key(f"TPL#{service}", f"V#{number:05}") | to_item(template_attributes(made))
            if self._put(item, "attribute_not_exists(pk)"):
                return made
        raise ContendedError("versions of this template are being registered by others")

    def publish_template(self, service: str, version: int) -> None:
        """Make a version the published one; once."""
        update = Update.of({"status": "PUBLISHED", "published_at": iso(self._now())})
        arguments = update.arguments("attribute_exists(pk) AND #status = :pending", pending="PENDING")
        arguments["ExpressionAttributeNames"] |= {"#status": "status"}
        try:
            with translated(SubjectAccessStoreUnavailableError):
                self._client.update_item(
                    TableName=self._table, Key=_key(f"TPL#{service}", f"V#{version:05}"), **arguments
                )
        except ConditionFailedError:
            # It was published before.
            return

    def _put(self, item: Item, condition: str) -> bool:
        try:
            with translated(SubjectAccessStoreUnavailableError):
                self._client.put_item(TableName=self._table, Item=item, ConditionExpression=condition)
        except ConditionFailedError:
            return False
        return True

    def _query(self, pk: str, *, newest_first: bool = False, prefix: str = "") -> Iterator[Item]:
        values = {":pk": pk} | ({":prefix": prefix} if prefix else {})
        pages = self._client.get_paginator("query").paginate(
            TableName=self._table,
            KeyConditionExpression="pk = :pk" + (" AND begins_with(sk, :prefix)" if prefix else ""),
            ExpressionAttributeValues=to_item(values),
            ConsistentRead=True,
            ScanIndexForward=not newest_first,
        )
        with translated(SubjectAccessStoreUnavailableError):
            for page in pages:
                yield from map(from_item, page["Items"])


def _key(pk: str, sk: str) -> Item:
    return to_item({"pk": pk, "sk": sk})
