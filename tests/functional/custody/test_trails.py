"""The audit trail of subject access: what its own chain of hashes cannot see, the log does."""

from collections.abc import Callable

import pytest

from tests.functional.custody.conftest import CustodyOnMoto, typed
from tests.functional.custody.samples import NOW
from waybill.core.aws.dynamodb import from_item
from waybill.custody import runtime
from waybill.custody.domain.interpreting import Workflow
from waybill.subject_access.adapters.items import entry_attributes, entry_of
from waybill.subject_access.adapters.table import SubjectAccessTable
from waybill.subject_access.domain.audit import Action, AuditEntry, first_break, link

TABLE, DAY = "SubjectAccessTable", "AUDIT#2026-11-29"


class Trail:
    """A day's trail of five entries that is sealed, as its table has it."""

    def __init__(self, custody: CustodyOnMoto) -> None:
        self.custody, self.dynamodb = custody, custody.dynamodb
        store = SubjectAccessTable(self.dynamodb, TABLE, now=lambda: NOW)
        for number in range(5):
            store.record(DAY, Action("alice", "REFUSED", {"status": 400 + number}))
        custody.record(Workflow.SUBJECT_ACCESS)
        custody.seal()

    def entries(self) -> list[AuditEntry]:
        found = self.dynamodb.query(
            TableName=TABLE,
            KeyConditionExpression="pk = :pk AND begins_with(sk, :entry)",
            ExpressionAttributeValues={":pk": {"S": DAY}, ":entry": {"S": "AUD#"}},
        )["Items"]
        return [entry_of(from_item(item)) for item in found]

    def put(self, entry: AuditEntry) -> None:
        item = {"pk": DAY, "sk": f"AUD#{entry.number:08}", **entry_attributes(entry)}
        self.dynamodb.put_item(TableName=TABLE, Item=typed(item))

    def delete(self, sk: str) -> None:
        self.dynamodb.delete_item(TableName=TABLE, Key=typed({"pk": DAY, "sk": sk}))

    def end_with(self, entry: AuditEntry) -> None:
        head = {"pk": DAY, "sk": "META", "version": 9, "audit_count": entry.number, "audit_hash": entry.hash}
        self.dynamodb.put_item(TableName=TABLE, Item=typed(head))

    def holds_by_itself(self) -> bool:
        head = self.dynamodb.get_item(TableName=TABLE, Key=typed({"pk": DAY, "sk": "META"})).get("Item")
        kept = from_item(head) if head else {"audit_count": 0, "audit_hash": ""}
        return first_break(DAY, self.entries(), kept["audit_count"], kept["audit_hash"]) is None


def cut_the_end(trail: Trail) -> None:
    for number in (4, 5):
        trail.delete(f"AUD#{number:08}")
    trail.end_with(trail.entries()[-1])


def make_it_anew(trail: Trail) -> None:
    previous = trail.entries()[2].hash
    for number in (4, 5):
        entry = link(DAY, number, "2026-11-29T11:00:00.000Z", Action("nobody", "NOTHING", {}), previous)
        trail.put(entry)
        previous = entry.hash
    trail.end_with(trail.entries()[-1])


def remove_it(trail: Trail) -> None:
    for entry in trail.entries():
        trail.delete(f"AUD#{entry.number:08}")
    trail.delete("META")


@pytest.mark.parametrize(
    ("attack", "found"),
    [
        (cut_the_end, [("MISSING", 4), ("MISSING", 5)]),
        (make_it_anew, [("ALTERED", 4), ("ALTERED", 5)]),
        (remove_it, [("MISSING", number) for number in range(1, 6)]),
    ],
)
def test_what_the_chain_alone_does_not_see_is_named(
    custody: CustodyOnMoto, attack: Callable[[Trail], None], found: list[tuple[str, int]]
) -> None:
    trail = Trail(custody)
    assert trail.holds_by_itself()
    assert runtime.verifier().verify().findings == []
    attack(trail)
    assert trail.holds_by_itself()
    findings = runtime.verifier().verify().findings
    assert [(finding.code, finding.about.split()[1]) for finding in findings] == [
        (code, str(number)) for code, number in found
    ]
