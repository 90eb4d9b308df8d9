"""Every page of the routes, on the examples of the API's description."""

import re
from datetime import datetime, timedelta
from html.parser import HTMLParser
from zoneinfo import ZoneInfo

import pytest
from markupsafe import escape

from tests.console.pages import FILE, ID, prepared
from tests.fakes.console import Console, ExampleApi, Problem, example, operations
from waybill.console.domain.operations import OPERATIONS
from waybill.console.routes import ROUTES

# A page of each route that shows something to somebody who is signed in.
PAGES = [
    "",
    "search",
    "help",
    "accessibility",
    "consignments",
    "consignments?status=Failed",
    "consignments/new",
    f"consignments/{ID}",
    f"consignments/{ID}?show=all",
    f"consignments/{ID}/upload",
    f"consignments/{ID}/corrections",
    f"consignments/{ID}/file?file={FILE}",
    "replication",
    "replication?status=FAILED",
    "replication/file?bucket=waybill-source&key=reports/annual.pdf",
    "replication/dismiss-group?code=UNKNOWN&destination=waybill-copy-us",
    "replication/dismiss?bucket=waybill-source&key=reports/annual.pdf",
    "replication/verifications",
    f"replication/verification?id={ID}",
    "replication/backfills",
    f"replication/backfill?id={ID}",
    "findings",
    "findings?state=all",
    "scans",
    "scans/new",
    f"scans/compare?later={ID}",
    f"scans/compare?later={ID}&earlier={ID}",
    f"scans/{ID}",
    f"scans/{ID}/objects",
    "scans/schedules",
    "detectors",
    "detectors/new",
    "detectors/new?kind=allow",
    "detectors/IP",
    "detectors/TOWN_HALL_BADGE",
    "detectors/TOWN_HALL_BADGE/test",
    "services/keyworker-api",
    "requests",
    "requests?group=ended",
    "requests?group=OnHold",
    "requests/search",
    "requests/new",
    f"requests/{ID}",
    *(
        f"requests/{ID}/decide?what={what}"
        for what in ("approve", "deliver", "hold", "release", "extend", "refuse", "withdraw", "render", "duplicate")
    ),
    f"requests/{ID}/redact",
    f"requests/{ID}/audit",
    "services",
    "identifiers",
    "identifiers/mint",
    "identifiers/registry",
    "identifiers/kx7dn2ph",
    "custody",
    "custody/file?bucket=waybill-source&key=reports/annual.pdf",
    "custody/erase",
]
# In the examples no part is drawn, and a page of a request shows parts by their service.
PARTS = {"renderStatus": "COMPLETE"}


@pytest.fixture
def signed_in(console: Console, api: ExampleApi) -> Console:
    from tests.fakes.console import example

    parts = example("listParts")
    parts["parts"] = [{**each, **PARTS} for each in parts["parts"]]
    api.answers["listParts"] = parts
    # A copy that failed, whose result was cut off: its cause is not known.
    row = {**example("listReplications")["replications"][0], "failedBuckets": ["waybill-copy-us"]}
    api.answers["listReplications"] = {"replications": [row], "cursor": "next"}
    console.sign_in("admin")
    return console


class Outline(HTMLParser):
    """Headings, ids and links of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.headings: list[int] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.labels: set[str] = set()
        self.fields: list[dict[str, str | None]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if re.fullmatch(r"h[1-6]", tag):
            self.headings.append(int(tag[1]))
        if given.get("id"):
            self.ids.append(str(given["id"]))
        if tag in {"a", "link", "script"} and (given.get("href") or given.get("src")):
            self.links.append(str(given.get("href") or given["src"]))
        if tag == "form":
            self.links.append(str(given.get("action")))
        if tag == "label":
            self.labels.add(str(given.get("for")))
        if tag in {"input", "select", "textarea", "progress"} and given.get("type") not in {"hidden", "submit"}:
            self.fields.append(given)
        assert "style" not in given, "the policy of content refuses it"
        assert not any(name.startswith("on") for name in given), "the policy of content refuses it"


@pytest.mark.parametrize("path", PAGES)
def test_every_page_shows_what_the_api_says(signed_in: Console, path: str) -> None:
    page = signed_in.get(path)
    assert page.status == 200, re.sub(r"<[^>]+>|\s+", " ", page.text)[:600]
    outline = Outline(page.text)
    assert outline.headings.count(1) == 1
    assert all(later - earlier <= 1 for earlier, later in zip(outline.headings, outline.headings[1:], strict=False))
    assert len(outline.ids) == len(set(outline.ids)), [each for each in outline.ids if outline.ids.count(each) > 1]
    assert {field.get("id") for field in outline.fields} <= outline.labels | {None}
    assert all(field.get("id") for field in outline.fields)
    # Relative, so that they work under any prefix.
    assert [link for link in outline.links if re.match(r"[a-z]+:|//|/", link)] == []


def test_no_page_is_left_out_of_these_tests() -> None:
    shown = {re.sub(r"\{\w+\}", "*", route.path) for route in ROUTES}
    tried = {re.sub(rf"{ID}|kx7dn2ph|TOWN_HALL_BADGE|keyworker-api", "*", path.partition("?")[0]) for path in PAGES}
    elsewhere = {
        "session", "sign-in", "sign-in/start", "callback", "handover", "sign-out", "signed-out", "static/*",
        "consignments/register", "consignments/*/progress", "consignments/*/addresses", "consignments/*/start",
        "consignments/*/export", "replication/retry", "scans/*/progress", "scans/*/act", "requests/*/report",
    }  # fmt: skip
    assert shown - tried == elsewhere


def test_the_console_uses_operations_that_the_api_has() -> None:
    offered = {name: (method, path) for method, path, name, _ in operations()}
    assert {name: offered.get(name) for name in OPERATIONS} == OPERATIONS


def test_links_of_the_menu_lead_to_pages_from_every_depth(signed_in: Console) -> None:
    from urllib.parse import urljoin

    base = "http://console.test/stage/console"
    for path in ("", "consignments", f"consignments/{ID}", f"consignments/{ID}/upload"):
        here = f"{base}/{path}".rstrip("/")
        found = {urljoin(here, link) for link in Outline(signed_in.get(path).text).links}
        assert all(link.startswith((f"{base}/", base)) for link in found), found
        for link in found:
            if "/static/" in link:
                assert signed_in.get(link.removeprefix(f"{base}/")).status == 200, link
        assert {f"{base}/replication", f"{base}/custody", base} <= found


def test_home_lists_what_needs_somebody_the_late_first(signed_in: Console, api: ExampleApi) -> None:
    from tests.fakes.console import example

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


def test_names_are_erased_once_it_was_seen_which(console: Console, api: ExampleApi) -> None:
    """Custody, section 4.4: for good, so the places are shown before, and the second step alone does it."""
    console.sign_in("custody-admin")
    place, reason = {"bucket": "waybill-source", "key": "a<b>.pdf"}, "case 4711"
    assert console.post("custody/erase", place).status == 400
    seen = console.post("custody/erase", {**place, "reason": reason, "step": "look"})
    assert seen.status == 200
    assert "a&lt;b&gt;.pdf" in seen.text
    api.answers["eraseNames"] = {"erased": True, "places": [place, place]}
    gone = console.post("custody/erase", {**place, "reason": reason, "step": "erase"})
    assert gone.headers["Location"].endswith("custody/erase?done=names-erased.2")
    assert [each.body["dryRun"] for each in api.of("eraseNames")] == [True, False]
    api.answers["eraseNames"] = Problem(404)
    assert console.post("custody/erase", {**place, "reason": reason, "step": "erase"}).status == 400


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
    from tests.fakes.console import example

    found: dict[str, object] = example("listTasks")["tasks"][0]
    return found


def test_without_a_role_it_is_said_whom_to_ask(console: Console) -> None:
    console.sign_in(subject="new-colleague")
    text = console.get().text
    assert "you have no role in Waybill yet" in text
    assert "new-colleague" in text


HOSTILE = [
    "<script>alert(1)</script>.pdf",
    '"><img src=x onerror=alert(1)>.txt',
    "a\u202efdp.exe",
    "two\nlines.txt",
    "x" * 4000,
]


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_are_shown_as_what_they_are(signed_in: Console, api: ExampleApi, name: str) -> None:
    from tests.fakes.console import example

    files = example("listConsignmentFiles")
    api.answers["listConsignmentFiles"] = {"files": [{**files["files"][0], "path": name}], "cursor": None}
    text = signed_in.get(f"consignments/{ID}?show=all").text
    assert "<script>alert" not in text
    assert "<img src=x" not in text
    assert "\u202e" not in text
    if "\u202e" in name:
        assert '<span class="app-unseen">U+202E</span>' in text
    if "\n" in name:
        assert '<span class="app-unseen">U+000A</span>' in text


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_are_shown_in_headings_and_titles_too(signed_in: Console, api: ExampleApi, name: str) -> None:
    from tests.fakes.console import example

    api.answers["showConsignment"] = {**example("showConsignment"), "reference": name, "status": "Registered"}
    text = signed_in.get(f"consignments/{ID}").text
    for place in (re.findall(r"<title>.*?</title>", text, re.DOTALL), re.findall(r"<h1.*?</h1>", text, re.DOTALL)):
        (shown,) = place
        assert "<script>alert" not in shown
        assert "<img" not in shown
        assert not set(shown) & {"\u202e", "\n"}


def test_a_list_of_many_stays_small(signed_in: Console, api: ExampleApi) -> None:
    """The design's bound: 120 kB of HTML for a page of 50 rows."""
    from tests.fakes.console import example

    row = example("listReplications")["replications"][0]
    api.answers["listReplications"] = {"replications": [row] * 50, "cursor": "next"}
    page = signed_in.get("replication")
    assert len(page.text.encode()) < 120_000
    assert "cursor=next" in page.text
    assert api.of("listReplications")[-1].query["limit"] in {"50", "200"}


def test_a_page_asks_the_api_few_times(signed_in: Console, api: ExampleApi) -> None:
    api.asked.clear()
    signed_in.get()
    assert len(api.asked) <= 6
    for path in PAGES[1:]:
        api.asked.clear()
        signed_in.get(path)
        assert len(api.asked) <= 4, path


def test_an_export_is_handed_over_as_a_file(signed_in: Console, api: ExampleApi) -> None:
    api.answers["exportConsignment"] = "path,verdict\n"
    page = signed_in.get(f"consignments/{ID}/export?format=csv")
    assert (page.status, page.text) == (200, "path,verdict\n")
    assert page.headers["Content-Disposition"] == f'attachment; filename="{ID}.csv"'


def test_marks_elsewhere_stay_when_one_part_is_saved(signed_in: Console, api: ExampleApi) -> None:
    other = {"reason": "name of staff", "exemption": None, "service": "other", "path": "a.b", "text": None,
             "everywhere": True, "kind": None, "givenName": False}  # fmt: skip
    api.answers["showRedactions"] = {"values": [other], "pages": [], "attachments": []}
    service = api.answers["listParts"]["parts"][0]["serviceName"]
    page = f"requests/{ID}/redact?service={service}"
    shown = {"service": service, "shown": ["notes[0].author", "notes[0].text"], "take.1": "yes",
             "reason.1": "about somebody else", "words": "Daniel Okoro\n", "pages": "7, 3",
             "reason": "legal privilege"}  # fmt: skip
    answer = signed_in.post(page, shown, page=page)
    assert answer.status == 303, answer.text
    sent = api.of("redactRequest")[0].body
    assert [(each.get("path"), each.get("text"), each["reason"]) for each in sent["values"]] == [
        ("a.b", None, "name of staff"),
        ("notes[0].text", None, "about somebody else"),
        (None, "Daniel Okoro", "legal privilege"),
    ]
    assert [each["page"] for each in sent["pages"]] == [3, 7]


def test_what_the_api_refuses_stands_at_the_field(signed_in: Console, api: ExampleApi) -> None:
    api.answers["startScan"] = Problem(400, "The request is not valid", (("bucket", "is not a bucket to scan"),))
    page = signed_in.post("scans/new", {"bucket": "nowhere"})
    assert page.status == 400
    assert '<a href="#bucket">is not a bucket to scan</a>' in page.text
    assert 'value="nowhere"' in page.text
    assert "<title>Error: " in page.text


def test_the_log_holds_nothing_of_a_person(signed_in: Console, caplog: pytest.LogCaptureFixture) -> None:
    signed_in.get("replication/file?bucket=marker-bucket&key=marker-key")
    signed_in.post("scans/new", {"bucket": "marker-form"})
    told = [vars(record) for record in caplog.records if record.getMessage() == "page"]
    assert {"replication/file", "scans/new"} <= {each["route"] for each in told}
    assert "marker" not in str(told)
    assert "somebody" not in str(told)


def test_whom_a_file_waits_for_is_said_as_the_api_says_it(signed_in: Console, api: ExampleApi) -> None:
    """The words are those of the checks' own table of sentences, version of TDR's table and ours."""
    from waybill.consignments.domain.tables import shipped
    from waybill.console.domain.verdicts import verdict_of

    told = shipped().sentences
    for key, who in (("ffid.zeroByteFile", "sender"), ("antivirus.failed", "us")):
        sentence = told[key]
        explained = {"statusName": "FFID", "value": "x", "sentence": sentence.sentence, "action": sentence.action}
        assert verdict_of({"accepted": False, "explanations": [explained]}).who == who


def test_files_that_could_not_be_asked_for_are_not_counted(signed_in: Console, api: ExampleApi) -> None:
    from tests.fakes.console import example

    api.answers["showConsignment"] = {**example("showConsignment"), "status": "CompletedWithIssues"}
    api.answers["listConsignmentFiles"] = Problem(503)
    text = signed_in.get(f"consignments/{ID}").text
    assert "We could not ask for the files just now" in text
    assert "Some files cannot be accepted yet" in text
    assert not re.search(r"\d+ of \d+ files? cannot|app-figures|looks at 200", text)


def test_a_file_that_was_not_checked_is_not_called_right(signed_in: Console, api: ExampleApi) -> None:
    from tests.fakes.console import example

    file = {**example("listConsignmentFiles")["files"][0], "explanations": []}
    for accepted, said in ((False, "Not checked yet."), (True, "Nothing wrong.")):
        api.answers["listConsignmentFiles"] = {"files": [{**file, "accepted": accepted}], "cursor": None}
        text = signed_in.get(f"consignments/{ID}?show=all").text
        assert [each for each in ("Not checked yet.", "Nothing wrong.") if each in text] == [said]


def test_parts_that_could_not_be_asked_for_have_no_near_misses_known(signed_in: Console, api: ExampleApi) -> None:
    api.answers["listParts"] = Problem(503)
    text = signed_in.get(f"requests/{ID}").text
    assert "We could not ask what is in the parts just now" in text
    assert re.search(r'data-label="Near misses">–<', text)


NO_DIFFERENCE = dict.fromkeys(("differs", "missing", "notProven", "notChecked"), 0)


@pytest.mark.parametrize(
    ("status", "counts", "said"),
    [
        ("RUNNING", {}, "Copies are being compared"),
        ("STOPPED", {}, "The comparison was stopped"),
        ("STOPPED", {"missing": 2}, "The comparison was stopped, 2 copies differ or are missing"),
        ("COMPLETED_WITH_FINDINGS", {"notProven": 2, "notChecked": 1}, "3 copies are not known to be equal"),
        ("COMPLETED_WITH_FINDINGS", {}, "Not every copy is known to be equal"),
        ("COMPLETED", {}, "No copy differs from its source"),
    ],
)
def test_a_comparison_is_called_what_it_is(
    signed_in: Console, api: ExampleApi, status: str, counts: dict[str, int], said: str
) -> None:
    """The statuses are those of the API's description of a verification."""
    from tests.fakes.console import DESCRIPTION, example

    assert (
        f"`{status}`"
        in DESCRIPTION["components"]["schemas"]["VerificationReport"]["properties"]["status"]["description"]
    )
    found = example("showVerification")
    numbers = {**found["counts"], **NO_DIFFERENCE, **counts}
    api.answers["showVerification"] = {**found, "status": status, "counts": numbers}
    # An id as the API gives them: the name of an execution.
    text = signed_in.get(f"replication/verification?id={found['verificationId']}").text
    assert f'<h1 class="govuk-heading-l"><bdi class="app-name">{said}</bdi></h1>' in text
    assert ("Everything up to" in text and "was compared" in text) is (status == "STOPPED")
    assert "These are the first" not in text


def test_a_list_of_findings_that_is_cut_says_so(signed_in: Console, api: ExampleApi) -> None:
    from tests.fakes.console import example

    found = example("showVerification")
    api.answers["showVerification"] = {**found, "findings": found["findings"] * 200}
    assert "These are the first 200" in signed_in.get(f"replication/verification?id={found['verificationId']}").text


def test_an_empty_page_of_failures_that_goes_on_is_no_all_clear(signed_in: Console, api: ExampleApi) -> None:
    for cursor, is_said in (("next", False), (None, True)):
        api.answers["listReplications"] = {"replications": [], "cursor": cursor}
        assert ("No copy has failed." in signed_in.get("replication").text) is is_said


WHOLE = {
    "bytes_scanned": 52428800,
    "reasons": {},
    "members_not_read": {},
    "objects_pending": 0,
    "listing_complete": True,
}


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ({}, "Nothing was left out."),
        ({"listing_complete": False}, "Not everything was listed"),
        ({"objects_pending": 3}, "3 objects have no outcome"),
        ({"members_not_read": {"ENCRYPTED": 2}}, "encrypted: 2 members, attachments or parts"),
        ({"reasons": {"OVERSIZE": {"objects": 2, "bytes_not_scanned": 8}}}, "What was not looked at, and why"),
    ],
)
def test_a_scan_left_nothing_out_where_the_api_says_so_of_everything(
    signed_in: Console, api: ExampleApi, told: dict[str, object], said: str
) -> None:
    from tests.fakes.console import example

    api.answers["showCoverage"] = {**example("showCoverage"), **WHOLE, **told}
    text = signed_in.get(f"scans/{ID}").text
    assert said in text
    assert ("Nothing was left out." in text) is (not told)


def test_a_scan_is_named_by_what_it_looked_at_and_never_rounded_up(signed_in: Console, api: ExampleApi) -> None:
    from tests.fakes.console import example

    api.answers["showJob"] = {**example("showJob"), "status": "completed", "bucket": "b-1", "prefix": "in/"}
    nearly = {"bytes_total": 100_000, "bytes_scanned": 99_999, "truncated_findings": 1}
    api.answers["showCoverage"] = {**example("showCoverage"), **nearly}
    text = signed_in.get(f"scans/{ID}").text
    assert re.search(r"<title>99\.9 % of b-1/in/ was looked at", text)
    assert "1 object holds more findings than are kept" in text


def failing(name: str, **buckets: str) -> dict[str, object]:
    """Return the record of a file whose copies fail at `buckets`, each for its cause."""
    from tests.fakes.console import example

    row: dict[str, object] = example("listReplications")["replications"][0]
    results = [{"destinationBucket": bucket, "status": "FAILED", "code": code} for bucket, code in buckets.items()]
    failed = list(buckets)
    return {**row, "fileKey": name, "status": "FAILED", "copyResults": results, "failedBuckets": failed}


def test_failures_of_one_cause_are_started_again_together(signed_in: Console, api: ExampleApi) -> None:
    """Interface: `POST /replications/retry` takes a cause and destinations; without a cause files are named."""
    from tests.fakes.console import example

    rows = [failing("a", eu="ACCESS_DENIED", us="THROTTLED"), failing("b", eu="ACCESS_DENIED"), failing("c", us="X")]
    api.answers["listReplications"] = {"replications": rows, "cursor": None}
    group = {"code": "ACCESS_DENIED", "destination": "eu"}
    answer = signed_in.post("replication/retry", group, page="replication")
    backfill = example("retryReplications")["backfillId"]
    assert answer.headers["Location"].endswith(f"replication/backfill?id={backfill}&done=retried")
    (asked,) = api.of("retryReplications")
    assert asked.body == {"cause": "ACCESS_DENIED", "sourceBucket": rows[0]["sourceBucket"], "to": ["eu"]}
    assert asked.headers["Idempotency-Key"]
    assert "What failed is started again." in signed_in.get(f"replication/backfill?id={backfill}&done=retried").text
    api.asked.clear()
    rows[0] = {**failing("a", eu=""), "copyResults": []}
    signed_in.post("replication/retry", {"code": "UNKNOWN", "destination": "eu"}, page="replication")
    (asked,) = api.of("retryReplications")
    assert asked.body == {"files": [{"sourceBucket": rows[0]["sourceBucket"], "sourceKey": "a"}], "to": ["eu"]}


def test_a_destination_that_was_dismissed_fails_no_longer(signed_in: Console, api: ExampleApi) -> None:
    """`copyResults` is what the latest run came to; `failedBuckets` follows what was done since (views of the API)."""
    row = {**failing("a", eu="ACCESS_DENIED", us="THROTTLED"), "failedBuckets": ["us"]}
    api.answers["listReplications"] = {"replications": [row], "cursor": None}
    text = signed_in.get("replication").text
    assert "THROTTLED" in text
    assert "ACCESS_DENIED" not in text


def test_how_many_copies_were_started_is_said(signed_in: Console, api: ExampleApi) -> None:
    from tests.fakes.console import example

    rows = [failing(name, eu="X") | {"sourceBucket": f"source-{name}"} for name in "abc"]
    api.answers["listReplications"] = {"replications": rows, "cursor": None}
    api.answers["retryReplications"] = lambda asked: (
        Problem(503, "The workflow cannot be started now.")
        if asked.body["sourceBucket"] == "source-b"
        else example("retryReplications")
    )
    answer = signed_in.post("replication/retry", {"code": "X", "destination": "eu"}, page="replication")
    assert answer.status == 400
    assert "2 of 3 are started. The workflow cannot be started now." in answer.text


def test_a_group_that_nobody_mends_is_dismissed_as_it_was_shown(signed_in: Console, api: ExampleApi) -> None:
    page = "replication/dismiss-group?code=X&destination=eu"
    api.answers["listReplications"] = {"replications": [failing("a/b", eu="X"), failing("c", eu="X")], "cursor": None}
    text = signed_in.get(page).text
    assert "Stop trying to copy 2 files?" in text
    shown = re.findall(r'name="file" value="([^"]*)"', text)
    # One that failed since was not shown.
    api.answers["listReplications"]["replications"].append(failing("d", eu="X"))
    assert signed_in.post(page, {"file": shown}).status == 400
    answer = signed_in.post(page, {"file": shown, "reason": "The bucket is gone"})
    assert answer.headers["Location"].endswith("replication?done=group-dismissed.2")
    asked = [each.body for each in api.of("dismissFailures")]
    assert {each["sourceKey"] for each in asked} == {"a/b", "c"}
    assert {(each["destinationBucket"], each["reason"]) for each in asked} == {("eu", "The bucket is gone")}


def test_a_detector_is_saved_as_it_was_typed_and_not_over_somebody_elses(signed_in: Console, api: ExampleApi) -> None:
    page = "detectors/TOWN_HALL_BADGE"
    definition = '{"description": "x", "rules": []}'
    api.answers["putDetector"] = Problem(400, "It does not hold", (("examples[0]", "finds nothing"),))
    answer = signed_in.post(page, {"what": "save", "version": "1", "definition": definition})
    assert answer.status == 400
    assert "examples[0]: finds nothing" in answer.text
    assert escape(definition) in answer.text
    del api.answers["putDetector"]
    assert signed_in.post(page, {"what": "save", "version": "1", "definition": definition}).status == 303
    assert api.of("putDetector")[-1].body == {"description": "x", "rules": []}
    answer = signed_in.post(page, {"what": "delete", "version": "7"})
    assert (answer.status, api.of("deleteDetector")) == (409, [])
    assert "Somebody else has changed it meanwhile" in answer.text


@pytest.mark.parametrize("definition", ["{", "[1]", "nothing", "9" * 5000, "[" * 20_000])
def test_what_is_no_definition_is_not_sent(signed_in: Console, api: ExampleApi, definition: str) -> None:
    api.answers["showDetector"] = Problem(404)
    answer = signed_in.post("detectors/new", {"id": "NEW_ONE", "definition": definition})
    assert (answer.status, api.of("putDetector")) == (400, [])


def test_a_new_detector_takes_no_id_that_is_taken(signed_in: Console, api: ExampleApi) -> None:
    answer = signed_in.post("detectors/new", {"id": "TOWN_HALL_BADGE", "definition": "{}"})
    assert "There is a detector of this id already" in answer.text
    assert signed_in.post("detectors/new", {"id": "small", "definition": "{}"}).status == 400
    assert api.of("putDetector") == []


def test_schedules_are_made_and_ended(signed_in: Console, api: ExampleApi) -> None:
    page = "scans/schedules"
    assert "Enter the bucket" in signed_in.post(page, {"every": "week"}).text
    assert "Choose how often" in signed_in.post(page, {"bucket": "b", "every": "year"}).text
    answer = signed_in.post(page, {"bucket": "exports", "prefix": "2027/", "every": "day", "first": "2027-01-31"})
    assert answer.status == 303
    sent = {"bucket": "exports", "prefix": "2027/", "every": "day", "first_at": "2027-01-31"}
    assert [each.body for each in api.of("createSchedule")] == [sent]
    assert signed_in.post(page, {"end": "5d0f"}).status == 303
    assert [each.query for each in api.of("deleteSchedule")] == [{"id": "5d0f"}]


def test_findings_are_none_only_where_everything_was_looked_at(signed_in: Console, api: ExampleApi) -> None:
    found = {"findings": [], "passed_over": {"accepted": 1, "false_positive": 14}, "cursor": None}
    api.answers["listValues"] = found
    text = signed_in.get("findings").text
    assert "No open findings." in text
    assert "1 is accepted, 14 are marked as not real: counted apart, in every scan." in text
    assert len(api.of("listValues")) == 1
    api.answers["listValues"] = {**found, "cursor": "further"}
    text = signed_in.get("findings").text
    assert "No open findings." not in text
    assert "14 or more are marked as not real" in text
    assert 'cursor=further"' in text


def test_a_schedule_is_suspended_and_resumed(signed_in: Console, api: ExampleApi) -> None:
    page = "scans/schedules"
    (shown,) = example("listSchedules")["schedules"]
    for suspended, button in ((False, "suspend"), (True, "resume")):
        api.answers["listSchedules"] = {"schedules": [shown | {"suspended": suspended}], "cursor": None}
        text = signed_in.get(page).text
        assert f'name="{button}" value="{shown["id"]}"' in text
        assert (">Suspended</strong>" in text) is suspended
        assert signed_in.post(page, {button: shown["id"]}).status == 303
        asked = api.of("changeSchedule")[-1]
        assert (asked.query, asked.body) == ({"id": shown["id"]}, {"suspended": not suspended})


def test_a_detector_is_tried_on_a_text_that_no_address_and_no_table_holds(signed_in: Console, api: ExampleApi) -> None:
    page, typed = "detectors/TOWN_HALL_BADGE/test", "badge B-QWERTZUI\r\nand <b>more</b>"
    # That of the header's form, which signs out.
    assert signed_in.get(page).text.count('name="once"') == 1
    answer = signed_in.post(page, {"text": typed})
    assert (answer.status, api.of("testDetector")[-1].body) == (200, {"text": typed.replace("\r\n", "\n")})
    assert "1 value found" in answer.text
    assert escape("<b>more</b>") in answer.text
    assert "Enter a text" in signed_in.post(page, {"text": "  "}).text
    api.answers["testDetector"] = {"findings": [], "total": 0, "allowed": 2}
    assert "Nothing is found in this text, 2 more on an allow list." in signed_in.post(page, {"text": "x"}).text
    api.answers["testDetector"] = Problem(400, "", (("text", "must have at most 10000 characters"),))
    refused = signed_in.post(page, {"text": typed})
    assert (refused.status, "must have at most 10000 characters" in refused.text) == (400, True)


def test_a_template_is_checked_before_it_is_registered(signed_in: Console, api: ExampleApi) -> None:
    """HTML, "Form submission": line ends are sent as CR LF; the template is what was typed."""
    page = "services/keyworker-api"
    typed = "  <h1>{{ name }}</h1>\r\n<p>żółw</p>\r\n"
    answer = signed_in.post(page, {"template": typed, "what": "check"})
    assert "It is not registered yet" in answer.text
    assert [each.body for each in api.of("validateTemplate")] == [typed.replace("\r\n", "\n")]
    assert api.of("registerTemplate") == []
    api.answers["registerTemplate"] = Problem(400, "The template does not parse: line 1")
    refused = signed_in.post(page, {"template": typed, "what": "register"})
    assert "The template does not parse: line 1" in refused.text
    assert "żółw" in refused.text


def test_a_service_is_added(signed_in: Console, api: ExampleApi) -> None:
    fields = {"what": "add", "name": "gym", "label": "Gym", "url": "https://gym.example.org", "category": "PRISON"}
    assert signed_in.post("services", {**fields, "category": "SCHOOL"}).status == 400
    assert signed_in.post("services", fields).status == 303
    del fields["what"]
    assert [each.body for each in api.of("createService")] == [fields]


def test_a_service_moves_when_two_people_say_so(signed_in: Console, api: ExampleApi) -> None:
    """RFC 6750, section 5.3: where a service is decides where its token goes."""
    from tests.fakes.console import example

    page, there = "services/keyworker-api", "https://new.example.org"
    assert "Enter the address" in signed_in.post(page, {"what": "propose"}).text
    assert signed_in.post(page, {"what": "propose", "url": there}).status == 303
    known = {**example("listServices")[0]}
    api.answers["listServices"] = [known]
    kept = {field: known[field] for field in ("name", "label", "enabled", "category", "templateMigrated", "redactions")}
    assert [each.body for each in api.of("changeService")] == [{**kept, "url": there}]
    known |= {"proposedUrl": there, "proposedBy": "somebody else", "proposedAt": "2026-11-02T09:15:00Z"}
    text = signed_in.get(page).text
    assert there in text
    assert "Agree: move it there" in text
    assert signed_in.post(page, {"what": "agree", "address": there}).status == 303
    assert [each.body for each in api.of("moveService")] == [{"url": there, "agreed": True}]
    api.answers["moveService"] = Problem(409, "This address is not proposed, or the service was changed since")
    refused = signed_in.post(page, {"what": "agree", "address": there})
    assert (refused.status, "not proposed" in refused.text) == (409, True)
    known["proposedBy"] = "somebody"
    assert "Agree: move it there" not in signed_in.get(page).text


def test_who_only_reads_services_has_no_buttons(console: Console, api: ExampleApi) -> None:
    console.sign_in("sar-user")
    text = console.get("services").text
    assert "Suspend" not in text
    assert "services/keyworker-api" not in text
    assert console.get("services/keyworker-api").status == 403


def test_files_are_left_out_by_those_who_sent_them(signed_in: Console, api: ExampleApi) -> None:
    prepared(api)
    page = f"consignments/{ID}/corrections"
    text = signed_in.get(page).text
    assert "minutes_1921.zip" in text
    # What malware was found in, and what is for us to look at, is no sender's to put right.
    assert "minutes_1934.doc" not in text
    assert "Choose which files to leave out" in signed_in.post(page, {"leave": "x"}).text
    assert signed_in.post(page, {"leave": [FILE, FILE]}).headers["Location"].endswith("corrections?done=left-out.1")
    assert [each.body for each in api.of("correctConsignment")] == [{"leaveOut": [FILE]}]
    api.answers["correctConsignment"] = Problem(409, "the checks are under way")
    assert "the checks are under way" in signed_in.post(page, {"leave": FILE}).text


def test_a_page_that_only_reads_corrects_nothing(console: Console, api: ExampleApi) -> None:
    prepared(api)
    console.sign_in("consignments-approver")
    assert "Send corrected files" not in console.get(f"consignments/{ID}").text
    assert console.get(f"consignments/{ID}/corrections").status == 403


MARK = {"reason": "name of staff", "exemption": None, "service": "keyworker-api", "path": "notes[0].author",
        "text": None, "everywhere": True, "kind": None, "givenName": False}  # fmt: skip


def test_redactions_of_another_window_are_not_overwritten(signed_in: Console, api: ExampleApi) -> None:
    page = f"requests/{ID}/redact?service=keyworker-api"
    value = api_value("notes[0].author")
    api.answers["showPartContent"] = {**api_content(), "values": [value]}
    api.answers["showRedactions"] = {"values": [], "pages": [], "attachments": []}
    opened = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', signed_in.get(page).text))
    # The other window saves that the author is taken out.
    api.answers["showRedactions"] = {"values": [MARK], "pages": [], "attachments": []}
    mine = {**opened, "shown": value["path"], "reason.0": "name of staff", "words": "Daniel Okoro", "pages": "3"}
    answer = signed_in.send(page, mine)
    assert (answer.status, api.of("redactRequest")) == (409, [])
    assert "These redactions were changed in another window." in answer.text
    assert "still taken out, until you save" in answer.text
    assert "Daniel Okoro" in answer.text
    assert 'value="3"' in answer.text
    fresh = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', answer.text))
    assert signed_in.send(page, {**mine, **fresh}).status == 303
    assert [each.get("path") for each in api.of("redactRequest")[0].body["values"]] == [None]


def api_content() -> dict[str, object]:
    from tests.fakes.console import example

    found: dict[str, object] = example("showPartContent")
    return found


def api_value(path: str) -> dict[str, str]:
    from tests.fakes.console import example

    return {**example("showPartContent")["values"][0], "path": path}


def test_what_was_ticked_is_kept_where_something_else_is_wrong(signed_in: Console, api: ExampleApi) -> None:
    value = api_value("notes[0].text")
    api.answers["showPartContent"] = {**api_content(), "values": [value]}
    api.answers["showRedactions"] = {"values": [], "pages": [], "attachments": []}
    page = f"requests/{ID}/redact?service=keyworker-api"
    sent = {"service": "keyworker-api", "shown": value["path"], "take.0": "yes", "reason.0": "legal privilege"}
    answer = signed_in.post(page, {**sent, "pages": "three"})
    assert answer.status == 400
    assert re.search(r'name="take.0"[^>]*checked', answer.text)
    assert "<option selected>legal privilege</option>" in answer.text
    assert "not taken out yet: save first" in answer.text


NEAR = [
    {"path": "notes[1]", "kind": "given name alone", "stays": None},
    {"path": "notes[1]", "kind": "one letter differs", "stays": None},
    {"path": "attachments[1].name", "kind": "one letter differs", "stays": None},
    {"path": "notes[4]", "kind": "given name alone", "stays": {"reason": "Another <John>", "by": "carol",
                                                               "at": "2026-11-02T09:00:00+00:00"}},
]  # fmt: skip


def with_near_misses(api: ExampleApi) -> str:
    from tests.fakes.console import example

    parts = example("listParts")
    counts = {"nearMisses": 4, "nearMissesOpen": 3, "notSearched": 2, "near": NEAR}
    parts["parts"][0] |= {"renderStatus": "COMPLETE", **counts}
    api.answers["listParts"] = parts
    api.answers["showRedactions"] = {"values": [], "pages": [], "attachments": []}
    return f"requests/{ID}/redact?service={parts['parts'][0]['serviceName']}"


def test_near_misses_are_decided_about_in_the_workbench(signed_in: Console, api: ExampleApi) -> None:
    """Interface, "Subject access": `PUT …/redactions`; what stays is noted with its reason, what goes is marked."""
    page = with_near_misses(api)
    shown = signed_in.get(page).text
    assert re.findall(r'name="near" value="([^"]*)"', shown) == ["notes[1]", "attachments[1].name", ""]
    assert "given name alone, one letter differs" in shown
    assert "2 attachments of this part were not searched" in shown
    assert "Another &lt;John&gt;" in shown
    # What is in no value cannot be taken out as one.
    assert shown.count("Take it out</option>") == 1
    chosen = {"service": "keyworker-api", "near": ["notes[1]", "attachments[1].name", ""],
              "near.0": "take", "nearWhy.0": "third party", "near.1": "keep"}  # fmt: skip
    refused = signed_in.post(page, chosen)
    assert (refused.status, api.of("redactRequest")) == (400, [])
    assert 'href="#near-why-1"' in refused.text
    assert 'value="third party"' in refused.text
    assert signed_in.post(page, {**chosen, "nearWhy.1": "A form's title"}).status == 303
    sent = api.of("redactRequest")[0].body
    assert sent["values"] == [
        {"service": "keyworker-api", "path": "notes[1]", "reason": "third party", "everywhere": False}
    ]
    assert sent["nearMisses"] == [
        {"service": "keyworker-api", "path": "attachments[1].name", "reason": "A form's title"}
    ]


def test_a_page_of_a_request_on_hold_says_that_its_date_will_move(signed_in: Console, api: ExampleApi) -> None:
    from tests.fakes.console import example

    found = example("showSubjectAccessRequest")
    hold = {**found["holds"][0], "reason": "clarification", "until": None}
    api.answers["showSubjectAccessRequest"] = {**found, "state": "OnHold", "holds": [hold]}
    api.answers["listTasks"] = {"tasks": [{**example("listTasks")["tasks"][0], "clockStopped": True}], "cursor": None}
    for path in (f"requests/{ID}", f"requests/{ID}/decide?what=release"):
        assert "(the clock is stopped: the date will move)" in signed_in.get(path).text
    assert "which will move: the clock is stopped</title>" in signed_in.get(f"requests/{ID}").text
    assert "due Wednesday 2 December 2026, which will move" in signed_in.get("requests").text


def test_who_approves_says_how_much_was_seen(console: Console, api: ExampleApi) -> None:
    from tests.fakes.console import example

    with_near_misses(api)
    state = {"state": "ReadyForReview", "requestedBy": "alice", "redactedBy": [], "reportSha256": "9f" * 32}
    api.answers["showSubjectAccessRequest"] = {**example("showSubjectAccessRequest"), **state}
    console.sign_in("sar-approver", subject="bob")
    page = f"requests/{ID}/decide?what=approve"
    shown = console.get(page).text
    assert "I have looked at the 3 near misses that nobody has decided about" in shown
    assert "I have looked at the 2 attachments that no search has read" in shown
    sent = {"read": "yes", "sha256": "9f" * 32, "nearMisses": "3", "notSearched": "2"}
    assert console.post(page, sent).status == 303
    assert api.of("approveReport")[0].body == {"sha256": "9f" * 32, "nearMisses": 3, "notSearched": 2}


NO_COPIES = dict.fromkeys(("copies", "succeeded", "failed", "pending"), 0)


@pytest.mark.parametrize(
    ("status", "counts", "said"),
    [
        ("RUNNING", {}, "What is missing is being copied"),
        ("STOPPED", {}, "The backfill has stopped before its end"),
        ("CANCELLED", {}, "The backfill was ended early"),
        ("COMPLETED", {"copies": 2, "succeeded": 2}, "Nothing is missing of what was compared"),
        ("COMPLETED", {"copies": 2, "pending": 2}, "Not every copy is known to have arrived"),
        ("STARTED", {"copies": 2, "pending": 2}, "Not every copy is known to have arrived"),
        ("COMPLETED_WITH_ERRORS", {"copies": 2, "failed": 1, "succeeded": 1}, "1 copy failed"),
    ],
)
def test_a_backfill_is_called_what_it_is(
    signed_in: Console, api: ExampleApi, status: str, counts: dict[str, int], said: str
) -> None:
    """The statuses are those of the API's description of a backfill."""
    from tests.fakes.console import DESCRIPTION, example

    told = DESCRIPTION["components"]["schemas"]["BackfillView"]["properties"]["status"]["description"]
    assert f"`{status}`" in told
    found = example("showBackfill")
    api.answers["showBackfill"] = {**found, "status": status, "counts": {**found["counts"], **NO_COPIES, **counts}}
    text = signed_in.get(f"replication/backfill?id={found['backfillId']}").text
    assert f'<bdi class="app-name">{said}</bdi></h1>' in text
    assert ("Go on" in text) is (status == "STOPPED")
    assert ("End this backfill" in text) is (status in {"RUNNING", "STOPPED"})


def test_a_backfill_is_begun_resumed_and_ended(signed_in: Console, api: ExampleApi) -> None:
    answer = signed_in.post("replication/backfills", {"prefix": "2027/", "content": "yes"})
    assert "replication/backfill?id=20261102-091500-1f7c11aa&done=backfill-started" in answer.headers["Location"]
    (asked,) = api.of("startBackfill")
    assert asked.body == {"prefix": "2027/", "contentOnly": True}
    assert asked.headers["Idempotency-Key"]
    page = "replication/backfill?id=20261102-091500-1f7c11aa"
    for what, operation in (("resume", "resumeBackfill"), ("cancel", "cancelBackfill")):
        assert signed_in.post(page, {"what": what}).status == 303
        assert len(api.of(operation)) == 1
    assert signed_in.post(page, {"what": "delete"}).status == 404
    api.answers["startBackfill"] = Problem(400, "", (("sourceBucket", "is no source of this stack"),))
    assert "is no source of this stack" in signed_in.post("replication/backfills", {"bucket": "other"}).text
