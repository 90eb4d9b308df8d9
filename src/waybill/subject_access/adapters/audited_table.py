"""The table: reads by key, and writes that are one transaction with their audit entry: nothing is done unrecorded."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from waybill.core.aws.dynamodb import Item
from waybill.core.aws.table import Read, Table
from waybill.core.clock import iso
from waybill.core.retry import Retry
from waybill.subject_access.adapters.items import entry_attributes
from waybill.subject_access.domain.audit import Action, AuditEntry, link
from waybill.subject_access.errors import SubjectAccessStoreUnavailableError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import TransactWriteItemTypeDef

# DynamoDB Developer Guide, Quotas: bytes of a partition key and of a sort key.
_LONGEST_KEY = (2048, 1024)


class AuditedTable:
    """Reads items, builds and writes transactions; `client` is a boto3 `dynamodb` client.

    The item `META` of whatever a trail is about holds the number of its entries and the last hash; `version` counts the
    writes to it, and every transaction is made under the condition that nobody has written since it was read.
    """

    def __init__(self, client: "DynamoDBClient", name: str, now: Callable[[], datetime]) -> None:
        self.table = Table(client, name, SubjectAccessStoreUnavailableError)
        # Whoever was slower reads what has changed, and decides again.
        self._once = Table(client, name, SubjectAccessStoreUnavailableError, retry=Retry(tries=1))
        self._now = now

    def get(self, pk: str, sk: str) -> Item | None:
        """Return an item, as of now; None also for a key that no item can have, such as an id out of an address."""
        if not _possible(pk, sk):
            return None
        return self.table.get(item_key(pk, sk))

    def query(self, pk: str, prefix: str = "", *, newest_first: bool = False) -> Iterator[Item]:
        """Yield the items of a partition whose sort keys begin with `prefix`, as of now, in the order of those keys."""
        if not _possible(pk, prefix):
            return
        condition = "pk = :pk" + (" AND begins_with(sk, :prefix)" if prefix else "")
        values = {":pk": pk, ":prefix": prefix or None}
        yield from self.table.query(condition, values, Read(consistent=True, newest_first=newest_first))

    def entry(
        self, about: str, count: int, head: str, action: Action, says: Mapping[str, str] | None = None
    ) -> AuditEntry:
        """Return the entry behind `count` others, the last of which has the hash `head`."""
        return link(about, count + 1, iso(self._now()), action, head, says)

    def put(self, item: Item, condition: str, **bound: int) -> "TransactWriteItemTypeDef":
        """Return the write of an item under a condition, whose `:values` are `bound`."""
        return self.table.put_action(item, condition, {f":{name}": value for name, value in bound.items()})

    def head_put(self, about: str, attributes: Item, seen_version: int) -> "TransactWriteItemTypeDef":
        """Return the write of the item `META`, if it still has the version that was seen; 0 where there was none."""
        item = item_key(about, "META") | attributes | {"version": seen_version + 1}
        if not seen_version:
            return self.put(item, "attribute_not_exists(pk)")
        return self.put(item, "version = :seen", seen=seen_version)

    def entry_put(self, about: str, entry: AuditEntry) -> "TransactWriteItemTypeDef":
        """Return the write of an audit entry, which is never written again."""
        item = item_key(about, f"AUD#{entry.number:08}") | entry_attributes(entry)
        return self.put(item, "attribute_not_exists(pk)")

    def transact(self, writes: "Sequence[TransactWriteItemTypeDef]") -> None:
        """Do all writes or none.

        Raises
        ------
        ConditionFailedError
            The condition of one of them is false.
        SubjectAccessStoreUnavailableError
            DynamoDB fails, throttles, or has another transaction on one of the items.
        """
        self._once.transact(writes)

    def append(self, trail: str, action: Action, writes: "Sequence[TransactWriteItemTypeDef]" = ()) -> None:
        """Record an action in a trail that is about no request, together with `writes`; one try.

        Raises
        ------
        ConditionFailedError
            Somebody else was faster to the trail, or the condition of one of `writes` is false.
        SubjectAccessStoreUnavailableError
            As in `transact`.
        """
        head = self.get(trail, "META") or {"version": 0, "audit_count": 0, "audit_hash": ""}
        entry = self.entry(trail, int(head["audit_count"]), str(head["audit_hash"]), action)
        kept = {"audit_count": entry.number, "audit_hash": entry.hash}
        self.transact([self.head_put(trail, kept, int(head["version"])), self.entry_put(trail, entry), *writes])


def _possible(pk: str, sk: str) -> bool:
    return all(len(part.encode()) <= most for part, most in zip((pk, sk), _LONGEST_KEY, strict=True))


def item_key(pk: str, sk: str) -> Item:
    """Return the key of an item."""
    return {"pk": pk, "sk": sk}
