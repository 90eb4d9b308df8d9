"""What the first page shows whom."""

import re
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from tests.fakes.console import Console, ExampleApi, Problem, example


def test_home_lists_what_needs_somebody_the_late_first(signed_in: Console, api: ExampleApi) -> None:
    yesterday = (datetime.now(ZoneInfo("Europe/London")).date() - timedelta(days=1)).isoformat()
    late = {**example("listTasks")["tasks"][0], "overdue": True, "dueDate": yesterday, "state": "Completed"}
    api.answers["listTasks"] = {"tasks": [late], "cursor": None}
    row = example("listConsignments")["consignments"][0]
    api.answers["listConsignments"] = {
        "consignments": [{**row, "status": "CompletedWithIssues", "reference": "HB-1921-38"}],
        "cursor": None,
    }
    text = signed_in.get().text
    assert text.index("1 day late") < text.index("HB-1921-38")
    assert "Give the report to the person" in text


def test_a_part_that_cannot_be_asked_is_said_and_the_rest_stands(signed_in: Console, api: ExampleApi) -> None:
    api.answers["listValues"] = Problem(500)
    api.answers["listReplications"] = {"replications": [], "cursor": None}
    page = signed_in.get()
    assert page.status == 200
    assert "We could not ask Findings just now" in page.text
    assert "Nothing needs you" not in page.text


def test_nothing_to_do(console: Console, api: ExampleApi) -> None:
    api.answers["listReplications"] = {"replications": [], "cursor": None}
    console.sign_in("replication")
    text = console.get().text
    assert "Nothing needs you." in text
    (menu,) = re.findall(r'<nav aria-label="Menu".*?</nav>', text, re.DOTALL)
    assert re.findall(r">\s*([^<>\s][^<>]*?)\s*<", menu.partition("<ul")[2]) == ["Home", "Replication"]


@pytest.mark.parametrize(
    ("role", "path"),
    [
        ("consignments", "consignments/new"),
        ("replication", "replication/backfills"),
        ("scanning", "scans/new"),
        ("sar-user", "requests/new"),
        ("minting", "identifiers"),
        ("custody", "custody"),
        ("custody-admin", "custody/erase"),
        ("sar-approver", ""),
        ("consignments-approver", ""),
    ],
)
def test_home_leads_each_role_to_what_it_begins(console: Console, role: str, path: str) -> None:
    """Console, "Pages": what each role does first, from the home page, without help."""
    console.sign_in(role)
    begun = console.get().text.partition("Begin something")[2].partition("</p>")[0]
    assert re.findall(r'<a class="govuk-link" href="console/([^"]+)"', begun) == ([path] if path else [])
    assert not path or console.get(path).status == 200


@pytest.mark.parametrize("role", ["minting", "custody"])
def test_nothing_is_called_done_that_was_not_looked_at(console: Console, api: ExampleApi, role: str) -> None:
    console.sign_in(role)
    text = console.get().text
    assert "Nothing needs you" not in text
    assert "Your roles are for none of them" in text


@pytest.mark.parametrize(
    ("role", "operation", "name", "said"),
    [
        ("consignments", "listConsignments", "consignments", "Only the 200 newest consignments were looked at."),
        ("replication", "listReplications", "replications", "Not all copies that failed were looked at."),
        ("scanning", "listValues", "findings", "Only 200 open findings were looked at."),
        ("sar-user", "listTasks", "tasks", "Only the 200 requests due first were looked at."),
    ],
)
def test_a_list_that_goes_on_is_no_all_clear(
    console: Console, api: ExampleApi, role: str, operation: str, name: str, said: str
) -> None:
    api.answers[operation] = {name: [], "cursor": "more"}
    console.sign_in(role)
    text = console.get().text
    assert "Nothing needs you" not in text
    assert said in text


def test_nobody_is_asked_to_approve_while_it_is_not_known_what_is_theirs(console: Console, api: ExampleApi) -> None:
    waits = {**api_task(), "state": "ReadyForReview"}
    api.answers["listTasks"] = lambda asked: (
        Problem(503) if "mine" in asked.query else {"tasks": [waits], "cursor": None}
    )
    console.sign_in("sar-approver")
    text = console.get().text
    assert "approve exactly that file" not in text
    assert "We could not ask Requests just now" in text


def api_task() -> dict[str, object]:
    found: dict[str, object] = example("listTasks")["tasks"][0]
    return found


def test_without_a_role_it_is_said_whom_to_ask(console: Console) -> None:
    console.sign_in(subject="new-colleague")
    text = console.get().text
    assert "you have no role in Waybill yet" in text
    assert "new-colleague" in text
