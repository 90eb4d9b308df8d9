"""Changes of the catalogue: each is one transaction with its audit entry, and none undoes another."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from moto.dynamodb.models import Table

from tests.fakes.subject_access import CATALOGUED, a_service
from tests.functional.subject_access.conftest import Office, SubjectAccess
from waybill.core.errors import ForbiddenError, WaybillError
from waybill.subject_access.domain.services import Move, ServiceEntry, Services
from waybill.subject_access.domain.upstream.addresses import Destinations
from waybill.subject_access.errors import AddressChangeError, ApproverError
from waybill.subject_access.service_models import Service

DAY = "AUDIT#2026-11-02"
ELSEWHERE = "https://other.service.example"


def trail(sar: SubjectAccess) -> list[tuple[str, dict[str, Any]]]:
    """What the trail of the day says, which must hold."""
    entries = sar.store.audit(DAY)
    assert sar.trail_holds(DAY) or not entries
    return [(entry.action, dict(entry.detail)) for entry in entries]


def services(sar: SubjectAccess) -> Services:
    return Services(sar.catalogue, sar.reports, Destinations.parse("*.example"), sar.clock)


def entry(name: str = "G1", **more: Any) -> ServiceEntry:
    return ServiceEntry(**{"name": name, "label": "First", "url": "https://g1.example", "category": "PRISON", **more})


CHANGES: dict[str, Callable[[SubjectAccess], object]] = {
    "SERVICE_CREATED": lambda sar: services(sar).add(entry("G2"), "alice"),
    "SERVICE_CHANGED": lambda sar: services(sar).change("G1", entry(url=a_service("G1").url), "alice", may_move=True),
    "SERVICE_MOVE_PROPOSED": lambda sar: services(sar).change("G1", entry(url=ELSEWHERE), "alice", may_move=True),
    "SERVICE_SUSPENDED": lambda sar: services(sar).suspend("G1", "alice", suspended=True),
    "SERVICE_RESUMED": lambda sar: services(sar).suspend("G1", "alice", suspended=False),
    "TEMPLATE_REGISTERED": lambda sar: services(sar).register("G1", b"new", lambda text: None, "alice"),
    "TEMPLATE_PUBLISHED": lambda sar: sar.catalogue.publish_template("G1", 1),
}


@pytest.fixture
def known(sar: SubjectAccess, monkeypatch: pytest.MonkeyPatch) -> SubjectAccess:
    """A catalogue of one service with a template that is pending; a transaction that fails leaves nothing."""
    monkeypatch.delattr(Table, "__deepcopy__")
    sar.catalogue.save_service(a_service("G1"), CATALOGUED, new=True)
    sar.catalogue.register_template("G1", "0" * 64, CATALOGUED)
    return sar


def facts(sar: SubjectAccess) -> list[Any]:
    """Everything in the table but for the trail."""
    items = sar.client.scan(TableName="SubjectAccessTable")["Items"]
    return [item for item in items if not item["pk"]["S"].startswith("AUDIT#")]


@pytest.mark.parametrize("action", CHANGES)
def test_a_change_is_recorded_with_it(known: SubjectAccess, action: str) -> None:
    before = len(trail(known))
    CHANGES[action](known)
    ((name, detail),) = trail(known)[before:]
    assert (name, detail["service"]) == (action, "G2" if action == "SERVICE_CREATED" else "G1")


@pytest.mark.parametrize("action", CHANGES)
def test_a_change_that_cannot_be_recorded_is_not_made(
    known: SubjectAccess, monkeypatch: pytest.MonkeyPatch, action: str
) -> None:
    before = facts(known)
    # Somebody else is always faster to the trail of the day: the end that is read is never the end.
    head = {"version": 99, "audit_count": 99, "audit_hash": ""}
    get = "waybill.subject_access.adapters.audited_table.AuditedTable.get"
    real = type(known.catalogue._items).get
    monkeypatch.setattr(get, lambda self, pk, sk: head if pk == DAY else real(self, pk, sk))
    monkeypatch.setattr("waybill.core.retry.Retry.attempts", lambda self: iter(range(2)))
    with pytest.raises(WaybillError, match=r"others|too many"):
        CHANGES[action](known)
    assert facts(known) == before


def test_of_two_changes_at_once_none_is_lost(known: SubjectAccess) -> None:
    class Interrupted(Services):
        """Somebody suspends the service between the look at it and the write."""

        looked = False

        def found(self, name: str) -> Any:
            seen = super().found(name)
            if not Interrupted.looked:
                Interrupted.looked = True
                services(known).suspend(name, "bob", suspended=True)
            return seen

    changing = Interrupted(**vars(services(known)))
    changed = changing.change("G1", entry(label="Other", url=a_service("G1").url), "alice", may_move=True)
    assert (changed.label, changed.suspended) == ("Other", True)
    stored = known.catalogue.service("G1")
    assert stored is not None
    assert (stored.label, stored.suspended) == ("Other", True)


def test_a_service_that_was_changed_since_it_was_read_is_not_written_over(known: SubjectAccess) -> None:
    read = known.catalogue.service("G1")
    assert read is not None
    assert known.catalogue.save_service(replace(read, label="One"), CATALOGUED, new=False)
    assert not known.catalogue.save_service(replace(read, label="Two"), CATALOGUED, new=False)
    assert not known.catalogue.save_service(a_service("G1"), CATALOGUED, new=True)
    assert not known.catalogue.save_service(a_service("G9"), CATALOGUED, new=False)


def test_a_day_is_verified_like_a_request(office: Office) -> None:
    office.ask("PATCH", "/api/services/G1/suspend", "sar-admin")
    path = "/api/subjectAccessRequests/2026-11-02/audit"
    told = office.ask("GET", path, "sar-support").json
    assert told["intact"]
    assert told["entries"][-1]["action"] == "SERVICE_SUSPENDED"
    assert (told["entries"][-1]["actor"], told["entries"][-1]["detail"]) == ("alice", {"service": "G1"})
    office.sar.client.delete_item(TableName="SubjectAccessTable", Key={"pk": {"S": DAY}, "sk": {"S": "AUD#00000002"}})
    assert office.ask("GET", path, "sar-support").json["break"]["number"] == 2
    assert office.ask("GET", "/api/subjectAccessRequests/2026-11-01/audit", "sar-support").status == 404


# RFC 6750, section 5.3: where a service is decides where its token goes.
def test_only_an_admin_proposes_another_origin(known: SubjectAccess) -> None:
    before = found(known)
    with pytest.raises(ForbiddenError):
        services(known).change("G1", entry(url=ELSEWHERE), "alice", may_move=False)
    assert found(known) == before
    same_host = services(known).change("G1", entry(url=f"{before.url}/v2"), "alice", may_move=False)
    assert (same_host.url, same_host.proposed_url) == (before.url, f"{before.url}/v2")


def test_a_service_moves_when_a_second_person_agrees(known: SubjectAccess) -> None:
    before = found(known)
    assert known.catalogue.save_service(replace(before, credential_origin=before.url), CATALOGUED, new=False)
    proposed = services(known).change("G1", entry(label="Other", url=ELSEWHERE), "alice", may_move=True)
    assert (proposed.label, proposed.url, proposed.proposed_by) == ("Other", before.url, "alice")
    agreed = Move(url=ELSEWHERE, agreed=True)
    with pytest.raises(ApproverError):
        services(known).move("G1", agreed, "alice")
    with pytest.raises(AddressChangeError):
        services(known).move("G1", Move(url=f"{ELSEWHERE}/v2", agreed=True), "bob")
    assert found(known).url == before.url
    moved = services(known).move("G1", agreed, "bob")
    assert (moved.url, moved.proposed_url, moved.credential_origin) == (ELSEWHERE, None, None)
    # The same again, as when an answer was lost.
    with pytest.raises(AddressChangeError):
        services(known).move("G1", agreed, "bob")
    assert [name for name, _ in trail(known)][-2:] == ["SERVICE_MOVE_PROPOSED", "SERVICE_MOVED"]


@pytest.mark.parametrize(
    "between",
    [
        lambda one: one.change("G1", entry(label="Renamed", url=a_service("G1").url), "carol", may_move=True),
        lambda one: one.change("G1", entry(url="https://third.example"), "carol", may_move=True),
        lambda one: one.move("G1", Move(url=ELSEWHERE, agreed=False), "alice"),
        lambda one: one.move("G1", Move(url=ELSEWHERE, agreed=False), "carol"),
    ],
    ids=["changed", "another-address", "taken-back", "refused"],
)
def test_what_comes_in_between_makes_a_proposal_void(
    known: SubjectAccess, between: Callable[[Services], object]
) -> None:
    before = found(known)
    services(known).change("G1", entry(url=ELSEWHERE), "alice", may_move=True)
    between(services(known))
    with pytest.raises(AddressChangeError):
        services(known).move("G1", Move(url=ELSEWHERE, agreed=True), "bob")
    assert found(known).url == before.url


def test_a_suspension_leaves_a_proposal(known: SubjectAccess) -> None:
    services(known).change("G1", entry(url=ELSEWHERE), "alice", may_move=True)
    services(known).suspend("G1", "alice", suspended=True)
    moved = services(known).move("G1", Move(url=ELSEWHERE, agreed=True), "bob")
    assert (moved.url, moved.suspended) == (ELSEWHERE, True)


def found(sar: SubjectAccess) -> Service:
    """The service as it is kept."""
    service = sar.catalogue.service("G1")
    assert service is not None
    return service
