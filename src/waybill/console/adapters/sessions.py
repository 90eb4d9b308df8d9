"""Sessions, and what lives as shortly as they do, in a table with a time to live."""

import time
from collections.abc import Mapping

from waybill.console.domain.sealing import Content, name_of, seal, unseal
from waybill.core.aws.dynamodb import ConditionFailedError, Item
from waybill.core.aws.table import Table


class Sessions:
    """Keeps things for the holder of a secret, and nobody else."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def keep(self, secret: str, purpose: str, content: Mapping[str, object], seconds: int) -> None:
        """Keep `content` for so long, in place of what was kept."""
        self._table.put(
            {
                "id": name_of(secret, purpose),
                "sealed": seal(secret, content),
                "expires": int(time.time()) + seconds,
            }
        )

    def renew(self, secret: str, purpose: str, content: Mapping[str, object], seconds: int) -> bool:
        """Keep `content` for so long in place of what is kept; False where it was taken meanwhile, and stays gone."""
        item = {
            "id": name_of(secret, purpose),
            "sealed": seal(secret, content),
            "expires": int(time.time()) + seconds,
        }
        try:
            self._table.put(item, "attribute_exists(id)")
        except ConditionFailedError:
            return False
        return True

    def find(self, secret: str, purpose: str) -> Content | None:
        """Return what is kept, None when there is nothing or its time is over."""
        return self._opened(secret, self._table.get({"id": name_of(secret, purpose)}))

    def take(self, secret: str, purpose: str) -> Content | None:
        """Return what is kept and forget it: of two who ask, one gets it."""
        return self._opened(secret, self._table.delete({"id": name_of(secret, purpose)}))

    def begin(self, secret: str, purpose: str, seconds: int) -> bool:
        """Note that something is being done; False where it was noted before."""
        item = {"id": name_of(secret, purpose), "expires": int(time.time()) + seconds}
        try:
            self._table.put(item, "attribute_not_exists(id)")
        except ConditionFailedError:
            return False
        return True

    @staticmethod
    def _opened(secret: str, item: Item | None) -> Content | None:
        # DynamoDB removes what has expired within days (developer guide, "Time to Live").
        if item is None or "sealed" not in item or int(item["expires"]) <= time.time():
            return None
        return unseal(secret, bytes(item["sealed"]))
