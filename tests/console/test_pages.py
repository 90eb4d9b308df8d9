"""Every page of the routes, on the examples of the API's description."""

import re
from html.parser import HTMLParser

import pytest

from tests.console.pages import FILE, ID
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


HOSTILE = [
    "<script>alert(1)</script>.pdf",
    '"><img src=x onerror=alert(1)>.txt',
    "a\u202efdp.exe",
    "two\nlines.txt",
    "x" * 4000,
]


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_are_shown_as_what_they_are(signed_in: Console, api: ExampleApi, name: str) -> None:
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
    api.answers["showConsignment"] = {**example("showConsignment"), "reference": name, "status": "Registered"}
    text = signed_in.get(f"consignments/{ID}").text
    for place in (re.findall(r"<title>.*?</title>", text, re.DOTALL), re.findall(r"<h1.*?</h1>", text, re.DOTALL)):
        (shown,) = place
        assert "<script>alert" not in shown
        assert "<img" not in shown
        assert not set(shown) & {"\u202e", "\n"}


def test_a_list_of_many_stays_small(signed_in: Console, api: ExampleApi) -> None:
    """The design's bound: 120 kB of HTML for a page of 50 rows."""
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
