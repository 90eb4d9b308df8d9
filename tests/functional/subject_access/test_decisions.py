"""What people decide while a request runs: restart, hold, extend, go without, suspend."""

from dataclasses import replace
from typing import Any

import pytest
from moto.dynamodb.models import Table

from tests.fakes.subject_access import CREATED, a_part
from tests.functional.subject_access.conftest import Office, SubjectAccess, claim_of
from waybill.subject_access.adapters.audited_table import AuditedTable
from waybill.subject_access.domain.audit import Action, sealed
from waybill.subject_access.domain.intake import duplicate
from waybill.subject_access.domain.ports import Change
from waybill.subject_access.errors import WrongStateError
from waybill.subject_access.models import HoldReason, PartStatus, RequestState


def given_up_on(sar: SubjectAccess) -> None:
    """A request of which one part is finished, one is fetched and one has failed."""
    sar.create("request-1", "G1", "G2", "G3")
    claim = sar.claim()
    sar.finish(claim, PartStatus.COMPLETE, "G1")
    sar.store.save_part(claim, a_part("G2", 1, PartStatus.FETCHED, answer_key="work/request-1/1/G2/answer.json"))
    sar.store.save_part(claim, a_part("G3", 2, PartStatus.ERRORED, error_code="upstream_4003", attempts=3))
    sar.clock.advance(hours=49)
    assert sar.lifecycle.expire() == ["request-1"]


def statuses(sar: SubjectAccess, request_id: str = "request-1") -> dict[str, str]:
    parts = {part.service: part.render_status.value for part in sar.store.parts(request_id)}
    assert parts == {name: part.status.value for name, part in sar.now(request_id).services.items()}
    return parts


@pytest.mark.parametrize(
    ("fresh", "kept"),
    [
        (False, {"G1": "COMPLETE", "G2": "FETCHED", "G3": "PENDING"}),
        (True, {"G1": "PENDING", "G2": "PENDING", "G3": "PENDING"}),
    ],
)
def test_a_restart_keeps_what_is_there_unless_asked_not_to(sar: SubjectAccess, fresh: bool, kept: Any) -> None:
    given_up_on(sar)
    after = sar.decisions.restart("request-1", "alice", fresh=fresh)
    assert statuses(sar) == kept
    assert (after.state, after.claim_attempts, after.requested_at) == (RequestState.PENDING, 0, sar.clock())
    # Within the lease of its last claim, and at once.
    taken = sar.claimer().claim_oldest("worker")
    assert taken is not None
    assert set(taken.missing) == {name for name, status in kept.items() if status != "COMPLETE"}
    assert taken.generation == 2


@pytest.mark.parametrize("state", ["Pending", "InProgress", "Completed"])
def test_only_what_was_given_up_on_is_restarted(sar: SubjectAccess, state: str) -> None:
    sar.create("request-1", "G1", state=RequestState(state))
    with pytest.raises(WrongStateError):
        sar.decisions.restart("request-1", "alice", fresh=False)
    assert sar.actions() == ["CREATED"]


@pytest.mark.parametrize(
    ("reason", "state"), [(HoldReason.IDENTITY, "AwaitingIdentity"), (HoldReason.CLARIFICATION, "OnHold")]
)
def test_a_hold_takes_the_request_from_its_worker(office: Office, reason: HoldReason, state: str) -> None:
    made = office.create().text
    claim = office.sar.claim(made)
    held = office.ask("PATCH", f"/api/subjectAccessRequests/{made}/hold", body={"reason": reason.value}).json
    assert (held["state"], held["status"]) == (state, "Pending")
    late = {"claimToken": claim.claim_token, "generation": 1}
    assert office.ask("PATCH", f"/api/subjectAccessRequests/{made}/heartbeat", "sar-worker", body=late).status == 409
    office.sar.clock.advance(days=5)
    released = office.ask("PATCH", f"/api/subjectAccessRequests/{made}/release").json
    # UK GDPR Article 12A: the month begins with the proof; the six days of a question do not count.
    due = {HoldReason.IDENTITY: (0, "2026-12-07"), HoldReason.CLARIFICATION: (6, "2026-12-08")}
    assert (released["state"], released["heldDays"], released["dueDate"]) == ("Pending", *due[reason])
    assert released["holds"] == [{"since": "2026-11-02", "until": "2026-11-07", "reason": reason.value}]
    assert office.ask("PATCH", f"/api/subjectAccessRequests/{made}/release").status == 400


def test_an_extension_needs_a_reason_and_is_taken_once(office: Office) -> None:
    made = office.create().text
    path = f"/api/subjectAccessRequests/{made}/extend"
    assert office.ask("PATCH", path, body={"reason": " "}).fields == ["reason"]
    extended = office.ask("PATCH", path, body={"reason": "forty boxes of paper"}).json
    assert (extended["extended"], extended["dueDate"]) == (True, "2027-02-02")
    assert office.ask("PATCH", path, body={"reason": "again"}).status == 400


def test_a_suspended_service_holds_its_requests_back_and_no_attempt_is_counted(office: Office) -> None:
    sar = office.sar
    made = office.create().text
    assert office.ask("PATCH", "/api/services/G1/suspend", "sar-admin", query={"suspended": "true"}).status == 200
    for _ in range(7):
        claim = sar.claim(made)
        for part in sar.store.parts(made):
            status = PartStatus.SUSPENDED if part.service == "G1" else PartStatus.COMPLETE
            sar.store.save_part(claim, a_part(part.service, part.rank, status))
        failed = sar.fulfilment.fail(claim, "PartsMissingError")
        assert (failed.state, failed.code, failed.counted) == (RequestState.PENDING, "request_10105", False)
        assert sar.claimer().claim_oldest("worker") is None
        sar.clock.advance(minutes=61)
    shown = office.ask("GET", f"/api/subjectAccessRequest/{made}").json
    assert [part["renderStatus"] for part in shown["services"]] == ["SUSPENDED", "COMPLETE"]
    assert (shown["status"], shown["claimAttempts"]) == ("Pending", 0)
    claim = sar.claim(made)
    sar.fulfilment.fail(claim, "PartsMissingError")
    resumed = office.ask("PATCH", "/api/services/G1/suspend", "sar-admin", query={"suspended": "false"})
    assert (resumed.json["suspended"], resumed.json["suspendedAt"]) == (False, None)
    freed = sar.store.audit(made)[-1]
    assert (freed.actor, freed.action) == ("alice", "SERVICE_RESUMED")
    taken = sar.claimer().claim_oldest("worker")
    assert taken is not None
    assert list(taken.missing) == ["G1"]


def test_a_service_that_must_not_be_asked_yet_costs_no_attempt(sar: SubjectAccess) -> None:
    sar.create("request-1", "G1", "G2")
    claim = sar.claim()
    again = int(sar.clock().timestamp()) + 600
    sar.finish(claim, PartStatus.COMPLETE, "G2")
    open_circuit = a_part("G1", 0, PartStatus.ERRORED, error_code="upstream_4012", retry_at=again)
    sar.store.save_part(claim, open_circuit)
    assert sar.fulfilment.fail(claim, "PartsMissingError").counted is False
    assert (sar.now().claim_attempts, sar.now().claim_expires_at) == (0, again)


def test_a_part_that_comes_after_all_is_not_called_missing(office: Office) -> None:
    made, sar = office.create().text, office.sar
    claim = sar.claim(made)
    path = f"/api/admin/subjectAccessRequests/{made}/issue-without"
    # Decided while a worker was asking.
    office.ask("PATCH", path, "sar-admin", body={"service": "G1", "reason": "closed in 2019"})
    sar.finish(claim)
    assert sar.complete(claim)
    assert office.ask("GET", f"/api/subjectAccessRequest/{made}").json["issuedWithout"] == []
    assert dict(sar.store.audit(made)[-2].detail) == {"generation": 1, "without": 0}


def test_what_people_write_is_in_no_trail_and_can_be_proved_while_it_is_kept(office: Office) -> None:
    made, sar = office.create().text, office.sar
    said = "Mr Smith of 5 High Street objects"
    office.ask("PATCH", f"/api/subjectAccessRequests/{made}/extend", body={"reason": said})
    body = {"service": "G1", "reason": said}
    office.ask("PATCH", f"/api/admin/subjectAccessRequests/{made}/issue-without", "sar-admin", body=body)
    shown = office.ask("GET", f"/api/subjectAccessRequest/{made}").json
    assert (shown["extensionReason"], shown["issuedWithout"][0]["reason"]) == (said, said)
    request = sar.now(made)
    seals = {entry.action: entry.detail.get("reasonSha256") for entry in sar.store.audit(made)}
    assert seals["EXTENDED"] == sealed(said, str(request.extension_salt))
    assert seals["ISSUE_WITHOUT"] == sealed(said, request.accepted_gaps["G1"].salt)
    assert seals["EXTENDED"] != seals["ISSUE_WITHOUT"]
    sar.store.change(made, lambda found: Change(replace(found, state=RequestState.ARCHIVED), CREATED))
    sar.store.forget(made, Action("schedule", "DELETED", {}))
    left = repr(sar.client.scan(TableName="SubjectAccessTable")["Items"])
    assert seals["EXTENDED"] in left
    assert said not in left
    assert str(request.extension_salt) not in left
    assert sar.trail_holds(made)


def test_a_part_is_accepted_as_missing_by_name_and_with_a_reason(office: Office) -> None:
    made = office.create().text
    sar, path = office.sar, f"/api/admin/subjectAccessRequests/{made}/issue-without"
    claim = sar.claim(made)
    sar.finish(claim, PartStatus.COMPLETE, "keyworker-api")
    sar.finish(claim, PartStatus.ERRORED, "G1")
    sar.fulfilment.fail(claim, "PartsMissingError")
    assert office.ask("PATCH", path, body={"service": "G1", "reason": "gone"}).status == 403
    for body, field in (
        ({"service": "G1", "reason": ""}, "reason"),
        ({"service": "other", "reason": "gone"}, "service"),
        ({"service": "keyworker-api", "reason": "gone"}, "service"),
    ):
        assert office.ask("PATCH", path, "sar-admin", body=body).fields == [field]
    shown = office.ask("PATCH", path, "sar-admin", body={"service": "G1", "reason": "closed in 2019"}).json
    assert shown["issuedWithout"] == [
        {"serviceName": "G1", "reason": "closed in 2019", "acceptedBy": "alice", "at": "2026-11-02T09:00:00Z"}
    ]
    taken = sar.claim(made)
    assert sar.fulfilment.missing(taken) == []
    assert sar.complete(taken)
    last = sar.store.audit(made)[-1]
    assert (last.action, dict(last.detail)) == ("COMPLETED", {"generation": 2, "without": 1})


def test_a_part_that_is_accepted_as_missing_is_asked_for_again_after_a_restart(office: Office) -> None:
    made = office.create(review=True).text
    sar, path = office.sar, f"/api/admin/subjectAccessRequests/{made}"
    claim = sar.claim(made)
    sar.finish(claim, PartStatus.COMPLETE, "keyworker-api")
    sar.finish(claim, PartStatus.SUSPENDED, "G1")
    sar.fulfilment.fail(claim, "PartsMissingError")

    def asked() -> list[str]:
        taken = office.ask("PATCH", f"/api/subjectAccessRequests/{made}/claim", "sar-worker").json
        return [part["service"] for part in taken["services"]]

    office.ask("PATCH", f"{path}/issue-without", "sar-admin", body={"service": "G1", "reason": "closed"})
    assert asked() == []
    assert sar.complete(claim_of(sar.now(made)))
    assert office.ask("PATCH", f"{path}/restart", "sar-admin", query={"fresh": "true"}).status == 200
    # The service may be back: what it has is in the report, and if it fails the decision holds.
    assert asked() == ["G1", "keyworker-api"]
    sar.finish(claim_of(sar.now(made)), PartStatus.COMPLETE, "keyworker-api")
    assert sar.fulfilment.missing(claim_of(sar.now(made))) == []


def test_a_duplicate_is_a_new_request_of_the_caller(office: Office) -> None:
    made = office.create().text
    office.sar.claim(made)
    office.sar.clock.advance(hours=1)
    answer = office.ask("POST", f"/api/subjectAccessRequests/{made}/duplicate", "sar-support")
    copy = answer.json
    assert answer.status == 201
    assert copy == {"id": copy["id"], "originalId": made, "sarCaseReferenceNumber": "SAR-2025-0042"}
    shown = office.ask("GET", f"/api/subjectAccessRequest/{copy['id']}").json
    assert (shown["status"], shown["claimAttempts"], shown["originalId"]) == ("Pending", 0, made)
    assert (shown["requestDateTime"], shown["receivedDate"]) == ("2026-11-02T10:00:00Z", "2026-11-02")
    assert [part["renderStatus"] for part in shown["services"]] == ["PENDING", "PENDING"]
    assert office.ask("POST", "/api/subjectAccessRequests/unknown/duplicate", "sar-support").status == 404


def test_the_same_idempotency_key_makes_one_duplicate(office: Office) -> None:
    made, other = office.create().text, office.create().text

    def copied(request_id: str, **headers: str) -> Any:
        path = f"/api/subjectAccessRequests/{request_id}/duplicate"
        return office.ask("POST", path, "sar-support", headers=headers).json["id"]

    named = {"Idempotency-Key": "key-1"}
    first = copied(made, **named)
    assert copied(made, **named) == first
    assert office.sar.actions(made) == ["CREATED", "DUPLICATED"]
    assert office.sar.actions(first) == ["CREATED"]
    assert len({first, copied(other, **named), copied(made), copied(made)}) == 4


def test_a_duplicate_and_its_entry_in_the_trail_are_one_transaction(
    sar: SubjectAccess, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(Table, "__deepcopy__")
    sar.create("request-1", "G1")
    read, looks = AuditedTable.get, []

    def interrupted(items: AuditedTable, pk: str, sk: str) -> Any:
        found = read(items, pk, sk)
        if (pk, sk) == ("SAR#request-1", "META") and not looks:
            looks.append(pk)
            sar.store.record("request-1", CREATED)
        return found

    monkeypatch.setattr(AuditedTable, "get", interrupted)
    copy = duplicate("request-1", "bob", sar.clock(), sar.store, "key")
    assert sar.actions() == ["CREATED", "CREATED", "DUPLICATED"]
    assert sar.actions(copy.request_id) == ["CREATED"]


def test_a_duplicate_waits_for_what_its_original_waits_for(office: Office) -> None:
    made = office.create().text
    office.ask("PATCH", f"/api/subjectAccessRequests/{made}/hold", body={"reason": "fee"})
    office.sar.clock.advance(days=5)
    copy = office.ask("POST", f"/api/subjectAccessRequests/{made}/duplicate", "sar-support").json["id"]
    released = office.ask("PATCH", f"/api/subjectAccessRequests/{copy}/release").json
    assert (released["state"], released["dueDate"]) == ("Pending", "2026-12-07")


def test_the_catalogue_is_kept_in_the_order_of_the_report(office: Office) -> None:
    for name, label, category in (
        ("z-probation", "Approved premises", "PROBATION"),
        ("z-prison", "zebra", "PRISON"),
        ("b-prison", "Activities", "PRISON"),
        ("G3", "Third", "PROBATION"),
        ("G2", "Second", "PRISON"),
    ):
        entry = {"name": name, "label": label, "url": f"https://{name}.example", "enabled": True, "category": category}
        assert office.ask("POST", "/api/services", "sar-support", body=entry).status == 201
    listed = office.ask("GET", "/api/services").json
    assert [one["id"] for one in listed] == [
        "G1",
        "G2",
        "G3",
        "b-prison",
        "keyworker-api",
        "z-prison",
        "z-probation",
    ]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": "G1"}, "name"),
        ({"name": "../x"}, "name"),
        ({"name": ""}, "name"),
        ({"label": "  "}, "label"),
        ({"url": "ftp://service.example"}, "url"),
        ({"url": "//service.example"}, "url"),
        ({"url": "https://user:secret@service.example"}, "url"),
        ({"url": "https://service.example/?a=b"}, "url"),
        ({"url": "https://service.example:99999"}, "url"),
        # Not on the list of allowed hosts: nothing would ever be asked there.
        ({"url": "https://service.exampel"}, "url"),
        ({"url": "https://example"}, "url"),
        ({"url": "http://service.example"}, "url"),
        ({"url": "https://service.example:8443"}, "url"),
        ({"url": "https://service.example.attacker.test"}, "url"),
        ({"category": "OTHER"}, "category"),
        ({"enabled": "perhaps"}, "enabled"),
        ({"redactions": [{"path": "", "reason": "third party"}]}, "redactions[0].path"),
        ({"redactions": [{"path": "contacts[0].phone", "reason": "third party"}]}, "redactions[0].path"),
        ({"redactions": [{"path": "contacts..phone", "reason": "third party"}]}, "redactions[0].path"),
        ({"redactions": [{"path": "contacts[].phone", "reason": "third\nparty"}]}, "redactions[0].reason"),
    ],
)
def test_a_service_that_cannot_be_is_refused(office: Office, changes: dict[str, Any], field: str) -> None:
    right = {"name": "new", "label": "New", "url": "https://new.example", "enabled": True, "category": "PRISON"}
    answer = office.ask("POST", "/api/services", "sar-support", body=right | changes)
    assert answer.status == 400
    assert field in answer.fields
    assert [one.name for one in office.sar.catalogue.services()] == ["G1", "keyworker-api"]


def test_a_service_is_changed_but_for_its_name(office: Office) -> None:
    before = next(one for one in office.ask("GET", "/api/services").json if one["id"] == "G1")
    entry = {"name": "G1", "label": "First", "url": "https://other.example/", "enabled": False, "category": "PRISON"}
    typo = entry | {"url": "https://other.exampel"}
    assert office.ask("PUT", "/api/services/G1", "sar-admin", body=typo).fields == ["url"]
    changed = office.ask("PUT", "/api/services/G1", "sar-admin", body=entry).json
    assert (changed["label"], changed["url"], changed["enabled"]) == ("First", before["url"], False)
    assert (changed["proposedUrl"], changed["proposedBy"]) == ("https://other.example", "alice")
    agreed = {"url": "https://other.example", "agreed": True}
    assert office.ask("PATCH", "/api/services/G1", "sar-admin", body=agreed).json["code"] == "SAME_PERSON"
    assert office.ask("PATCH", "/api/services/G1", "sar-support", subject="bob", body=agreed).status == 403
    unsure = agreed | {"agreed": "yes"}
    assert office.ask("PATCH", "/api/services/G1", "sar-admin", subject="bob", body=unsure).status == 400
    moved = office.ask("PATCH", "/api/services/G1", "sar-admin", subject="bob", body=agreed).json
    assert (moved["url"], moved["proposedUrl"]) == ("https://other.example", None)
    again = office.ask("PATCH", "/api/services/G1", "sar-admin", subject="bob", body=agreed)
    assert (again.status, again.json["code"]) == (409, "NOT_PROPOSED")
    back = entry | {"url": "https://elsewhere.example"}
    assert office.ask("PUT", "/api/services/G1", "sar-support", body=back).status == 403
    assert office.create(services=["G1"]).fields == ["services[0]"]
    assert office.ask("PUT", "/api/services/G1", "sar-support", body=entry | {"name": "G9"}).fields == ["name"]
    assert office.ask("PUT", "/api/services/unknown", "sar-support", body=entry | {"name": "unknown"}).status == 404
    assert office.ask("PATCH", "/api/services/unknown/suspend", "sar-admin").status == 404


def form(text: bytes) -> dict[str, Any]:
    """A file in a form, as API Gateway hands it over."""
    head = b'--sep\r\nContent-Disposition: form-data; name="file"; filename="t.mustache"\r\n'
    body = head + b"Content-Type: text/plain\r\n\r\n" + text + b"\r\n--sep--\r\n"
    return {"body": body, "headers": {"content-type": "multipart/form-data; boundary=sep"}}


def test_templates_are_registered_by_their_text(office: Office) -> None:
    path, text = "/api/templates/service/G1", "<h1>{{content.title}} Łódź</h1>".encode()
    first = office.ask("POST", path, "sar-support", **form(text))
    assert (first.status, first.json["version"], first.json["status"]) == (201, 1, "PENDING")
    assert office.ask("POST", path, "sar-support", **form(text)).json == first.json
    second = office.ask("POST", path, "sar-support", **form(text + b" ")).json
    assert second["version"] == 2
    assert [one["version"] for one in office.ask("GET", path, "sar-support").json] == [2, 1]
    assert len(office.sar.keys("templates/")) == 2
    assert office.ask("POST", "/api/templates/service/unknown", "sar-support", **form(text)).status == 404
    assert office.ask("GET", "/api/templates/service/unknown", "sar-support").status == 404


@pytest.mark.parametrize("text", [b"", b"  ", b"{{#open}}", b"\xff\xfe", b"{{> partial}}"])
def test_what_is_no_template_is_refused_with_the_reason(office: Office, text: bytes) -> None:
    for path in ("/api/templates/validate", "/api/templates/service/G1"):
        answer = office.ask("POST", path, "sar-support", **form(text))
        assert (answer.status, answer.fields) == (400, ["file"])
    assert office.sar.catalogue.template_versions("G1") == []


def test_a_template_is_tried_before_it_is_registered(office: Office) -> None:
    told = office.ask("POST", "/api/templates/validate", "sar-support", **form(b"<p>{{content.name}}</p>")).json
    assert told["valid"] is True
    assert len(told["fileHash"]) == 64
    assert office.sar.keys() == []
