"""Remembers that rules were published, elsewhere than beside them.

A lifecycle rule, a restore into a new bucket or a clean-up empties a bucket as a whole. Whoever has built rules must
not be served by the demonstration rules of the project then.
"""

from waybill.core.aws.dynamodb import Item
from waybill.core.aws.table import Table

# Consignments have UUIDs for this.
_KEY: Item = {"pk": "RULES", "sk": "PUBLISHED"}


class RulePublications:
    """The one item of the consignments table that is about rules; raises the table's error for what passes."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def note(self, version: str) -> None:
        """Remember, before a set is published, that there is one; `version` is that of the newest."""
        self._table.put({**_KEY, "version": version})

    def newest(self) -> str | None:
        """Return the version of the set that was published last; None if none ever was."""
        found = self._table.get(_KEY)
        return None if found is None else str(found["version"])
