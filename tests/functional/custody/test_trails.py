"""The audit trail of subject access: what its own chain of hashes cannot see, the log does."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from tests.fakes.subject_access import CREATED, a_part, a_request
from tests.functional.custody.conftest import CustodyOnMoto, typed
from tests.functional.custody.samples import NOW
from waybill.cli.app import main
from waybill.cli.context import Cli
from waybill.cli.deployment import Stack
from waybill.core.aws.dynamodb import from_item
from waybill.custody import runtime
from waybill.custody.domain.interpreting import Workflow
from waybill.custody.domain.log_files import head_path
from waybill.subject_access.adapters.items import entry_attributes, entry_of
from waybill.subject_access.adapters.table import SubjectAccessTable
from waybill.subject_access.domain.audit import Action, AuditEntry, first_break, link
from waybill.subject_access.domain.entry_digests import statements

TABLE, DAY = "SubjectAccessTable", "AUDIT#2026-11-29"
OUTPUTS = {
    "SubjectAccessTableName": TABLE,
    "SubjectAccessReportsBucketName": "reports",
    "CustodyTableName": "CustodyTable",
    "CustodyLogBucketName": "custodylogbucket",
}


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


REQUEST, ABOUT = "request-1", "SAR#request-1"


class Audited:
    """A request with a trail of four entries that is sealed, and what `waybill sar audit` says of it."""

    def __init__(self, custody: CustodyOnMoto, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
        self.custody, self.capsys, self.dynamodb = custody, capsys, custody.dynamodb
        monkeypatch.setattr(Cli, "stack", Stack("waybill", "eu-west-1", "", OUTPUTS))
        monkeypatch.setattr("waybill.core.clock.now", lambda: custody.at)
        self.store = SubjectAccessTable(self.dynamodb, TABLE, now=lambda: custody.at)
        self.store.create(a_request(REQUEST, at=custody.at), [a_part("G1", 0)], CREATED)
        for name in ("REQUEST_VIEWED", "LETTER_DRAWN", "REQUEST_VIEWED"):
            self.store.record(REQUEST, Action("alice", name, {}))
        self.seal()

    def seal(self) -> None:
        self.custody.record(Workflow.SUBJECT_ACCESS)
        self.custody.seal()

    def audit(self, named: str = REQUEST) -> tuple[int, Any]:
        self.capsys.readouterr()
        status = main(["sar", "audit", named, "--json"])
        printed = self.capsys.readouterr().out
        return status, json.loads(printed) if printed.strip() else None

    def item(self, sk: str) -> dict[str, Any]:
        return from_item(self.dynamodb.get_item(TableName=TABLE, Key=typed({"pk": ABOUT, "sk": sk}))["Item"])

    def put(self, item: dict[str, Any]) -> None:
        self.dynamodb.put_item(TableName=TABLE, Item=typed(item))

    def delete(self, sk: str) -> None:
        self.dynamodb.delete_item(TableName=TABLE, Key=typed({"pk": ABOUT, "sk": sk}))

    def write_anew(self, request: dict[str, Any], says: bool = True) -> None:
        """Do what who may write to the table can: every entry anew, with what it seals, and where the trail ends."""
        previous = ""
        for number, old in enumerate(self.store.audit(REQUEST), 1):
            sealed = statements({}, request) | {n: d for n, d in old.says.items() if n.startswith("part ")}
            action = Action("nobody", old.action, old.detail)
            entry = link(ABOUT, number, old.at, action, previous, sealed if says and number == 1 else None)
            self.put({"pk": ABOUT, "sk": f"AUD#{number:08}", **without_none(entry_attributes(entry))})
            previous = entry.hash
        self.put(request | {"audit_hash": previous})


def without_none(item: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in item.items() if value is not None}


def cut(audited: Audited) -> None:
    audited.delete("AUD#00000004")
    audited.put(audited.item("META") | {"audit_count": 3, "audit_hash": audited.store.audit(REQUEST)[-1].hash})


def anew(audited: Audited) -> None:
    audited.write_anew(audited.item("META") | {"received": "2026-11-20"})


def anew_without_statements(audited: Audited) -> None:
    audited.write_anew(audited.item("META") | {"received": "2026-11-20"}, says=False)


def removed(audited: Audited) -> None:
    for sk in ("META", "SVC#000#G1", *(f"AUD#{number:08}" for number in range(1, 5))):
        audited.delete(sk)


def changed(audited: Audited) -> None:
    audited.put(audited.item("META") | {"received": "2026-11-20"})


def part_changed(audited: Audited) -> None:
    audited.put(audited.item("SVC#000#G1") | {"sha256": "0" * 64})


# NIST SP 800-92: a log proves something only against what its writer cannot rewrite; RFC 9162: published heads show
# what is cut off.
@pytest.mark.parametrize(
    ("attack", "number", "problem"),
    [
        (cut, 4, "is in the log, and not here"),
        (anew, 1, "was altered since it was sealed"),
        (anew_without_statements, 1, "was altered since it was sealed"),
        (removed, 1, "is in the log, and not here"),
        (changed, 1, "says something else than the request does: received"),
        (part_changed, 1, "says something else than the request does: part G1"),
    ],
)
def test_an_audit_asks_the_log(
    custody: CustodyOnMoto,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    attack: Callable[[Audited], None],
    number: int,
    problem: str,
) -> None:
    audited = Audited(custody, monkeypatch, capsys)
    status, told = audited.audit()
    assert (status, told["intact"], told["notShown"]) == (0, True, [])
    assert (told["log"]["sealed"], told["log"]["waiting"], told["log"]["unsealed"]) == (4, 0, [])
    attack(audited)
    status, told = audited.audit()
    assert (status, told["intact"], told["break"]) == (1, False, {"number": number, "problem": problem})


def test_an_audit_says_what_is_not_sealed_and_what_should_be(
    custody: CustodyOnMoto, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    audited = Audited(custody, monkeypatch, capsys)
    audited.store.record(REQUEST, Action("alice", "REQUEST_VIEWED", {}))
    status, told = audited.audit()
    assert (status, told["log"]["sealed"], told["log"]["waiting"]) == (0, 4, 1)
    custody.at += timedelta(hours=2)
    status, told = audited.audit()
    assert (status, told["intact"], told["log"]["unsealed"]) == (1, True, [5])
    audited.seal()
    assert audited.audit()[0] == 0
    # A day of which the log has nothing is one on which nothing was recorded; one that was removed is not.
    assert audited.audit("2026-11-27") == (0, audited.audit("2026-11-27")[1])
    audited.store.record(DAY, Action("alice", "LIST_VIEWED", {}))
    audited.seal()
    for sk in ("META", "AUD#00000001"):
        custody.dynamodb.delete_item(TableName=TABLE, Key=typed({"pk": DAY, "sk": sk}))
    assert audited.audit("2026-11-29")[1]["break"]["number"] == 1
    # A log that does not hold proves nothing.
    custody.s3.put_object(Bucket="custodylogbucket", Key=f"log/{head_path(999)}", Body=b"no head")
    status, told = audited.audit()
    assert (status, told["intact"], told["log"]["holds"]) == (1, True, False)
