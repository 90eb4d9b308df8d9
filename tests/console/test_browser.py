"""The console in a browser: Debian's Chromium, on a console whose API answers with its own examples."""

import os
import shutil
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.console.pages import ID, SHOWN, pictured, prepared
from tests.fakes.console import Console, ExampleApi, Problem, example, served
from waybill.console import runtime, signing_in
from waybill.console.visit import Visit

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
AXE = (Path(__file__).parent / "axe" / "axe.min.js").read_text("utf-8")
# Rules of WCAG 2.0 to 2.2, A and AA (axe-core, "Axe-core Tags").
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
WIDTHS = {360: 740, 1280: 900}
# Where pictures of the pages go, for whoever wants to look at them.
PICTURES = os.environ.get("WAYBILL_PICTURES")

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium: apt-get install chromium")


@pytest.fixture(scope="module")
def browser() -> Iterator["Browser"]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-dev-shm-usage"])
        yield started
        started.close()


@pytest.fixture
def address(console: Console, api: ExampleApi) -> Iterator[str]:
    prepared(api)
    with served() as home:
        yield home


def open_session(page: "Page", home: str, console: Console, *roles: str) -> None:
    """Sign in as `waybill console` does."""
    token = console.key.token(subject="local-user", roles=roles)
    code = page.request.post(f"{home}/handover", headers={"Authorization": f"Bearer {token}"}).json()["code"]
    page.goto(f"{home}/handover?code={code}")


def watched(page: "Page") -> list[str]:
    """Return where what the page complains of is collected: refusals by the policy, errors of scripts."""
    told: list[str] = []
    page.on("console", lambda message: told.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: told.append(str(error)))
    return told


def violations(page: "Page", rules: list[str] = RULES) -> list[str]:
    # Of another world than the page's, whose policy would refuse it.
    page.evaluate(AXE)
    found: dict[str, Any] = page.evaluate(
        "rules => axe.run(document, {runOnly: rules, resultTypes: ['violations']})", rules
    )
    return [f"{each['id']}: {node['html'][:160]}" for each in found["violations"] for node in each["nodes"]]


@pytest.mark.timeout(300)
@pytest.mark.parametrize("width", WIDTHS)
def test_no_page_keeps_anybody_out(browser: "Browser", address: str, console: Console, width: int) -> None:
    """axe-core finds nothing, nothing is wider than the screen, the policy refuses nothing."""
    context = browser.new_context(viewport={"width": width, "height": WIDTHS[width]})
    page = context.new_page()
    told = watched(page)
    open_session(page, address, console, "admin")
    wrong: dict[str, list[str]] = {}
    for name, path in SHOWN.items():
        page.goto(f"{address}/{path}".rstrip("/"))
        if PICTURES:
            page.screenshot(path=f"{PICTURES}/{name}-{width}.png", full_page=True)
        found = violations(page)
        # In the dark the words are the same and the colours others.
        page.emulate_media(color_scheme="dark")
        if PICTURES:
            page.screenshot(path=f"{PICTURES}/{name}-{width}-dark.png", full_page=True)
        found += [f"dark: {each}" for each in violations(page, ["color-contrast"])]
        page.emulate_media(color_scheme="light")
        wide = page.evaluate("document.documentElement.scrollWidth")
        found += [f"{wide} pixels wide"] if wide > width else []
        wrong |= {name: found} if found else {}
    context.close()
    assert wrong == {}
    assert told == []


def test_a_form_is_sent_with_the_keyboard_alone_and_its_errors_lead_to_their_fields(
    browser: "Browser", address: str, console: Console, api: ExampleApi
) -> None:
    page = browser.new_page(viewport={"width": 360, "height": 740})
    open_session(page, address, console, "scanning")
    page.goto(f"{address}/scans/new")
    api.answers["startScan"] = Problem(400, "", (("bucket", "is not a bucket to scan"),))
    page.locator("#bucket").focus()
    page.keyboard.type("nowhere")
    page.keyboard.press("Enter")
    page.wait_for_selector(".govuk-error-summary")
    assert page.title().startswith("Error: ")
    page.locator(".govuk-error-summary a").focus()
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "bucket"
    assert page.locator("#bucket").input_value() == "nowhere"
    page.close()


def test_without_scripts_every_link_is_there_and_progress_is_a_link_away(
    browser: "Browser", address: str, console: Console, api: ExampleApi
) -> None:
    context = browser.new_context(java_script_enabled=False, viewport={"width": 360, "height": 740})
    page = context.new_page()
    open_session(page, address, console, "admin")
    menu = page.get_by_role("navigation", name="Menu")
    assert menu.get_by_role("link", name="Trace a file").is_visible()
    head = {**api.answers["showConsignment"], "status": "InProgress"}
    api.answers["showConsignment"] = head
    page.goto(f"{address}/consignments/{ID}")
    assert page.get_by_role("link", name="Look again").is_visible()
    assert page.get_by_text("7 of 7").first.is_visible()
    context.close()


def test_progress_changes_by_itself_and_ends(
    browser: "Browser", address: str, console: Console, api: ExampleApi
) -> None:
    page = browser.new_page()
    open_session(page, address, console, "admin")
    head = api.answers["showConsignment"]
    api.answers["showConsignment"] = {**head, "status": "InProgress", "progress": {**head["progress"], "antivirus": 3}}
    page.goto(f"{address}/consignments/{ID}")
    assert page.get_by_text("3 of 7").is_visible()
    api.answers["showConsignment"] = head
    page.get_by_text("The checks have ended.").wait_for(timeout=30_000)
    page.close()


def test_progress_leaves_the_focus_where_it_is(
    browser: "Browser", address: str, console: Console, api: ExampleApi
) -> None:
    """WCAG 2.2, 3.2: numbers change without a reload, and neither focus nor place on the page is taken away."""
    page = browser.new_page()
    page.clock.install()
    open_session(page, address, console, "admin")
    head = api.answers["showConsignment"]
    running = {**head, "status": "InProgress"}
    api.answers["showConsignment"] = {**running, "progress": {**head["progress"], "antivirus": 3}}
    page.goto(f"{address}/consignments/{ID}")
    page.evaluate("window.same = true")
    again = page.get_by_role("link", name="Look again")
    again.focus()
    for done in (4, 5):
        api.answers["showConsignment"] = {**running, "progress": {**head["progress"], "antivirus": done}}
        page.clock.fast_forward(3100)
        page.get_by_text(f"{done} of 7").wait_for(timeout=10_000)
        assert page.evaluate("document.activeElement.textContent") == "Look again"
    assert page.evaluate("window.same"), "the page was not loaded again"
    page.close()


def test_names_from_right_to_left_turn_nothing_round_and_are_copied_as_they_are(
    browser: "Browser", address: str, console: Console, api: ExampleApi
) -> None:
    """UAX 9: the parts of a path stand from left to right, and what is copied is the key, byte for byte."""
    key = "minutes/תיק 7/تقرير 1934 (نهائي).docx"
    file = {**api.answers["listConsignmentFiles"]["files"][0], "path": key}
    api.answers["listConsignmentFiles"] = {"files": [file], "cursor": None}
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    open_session(page, address, console, "admin")
    page.goto(f"{address}/consignments/{ID}?show=all")
    name = page.locator("bdi.app-name", has_text="minutes").first
    lefts = name.evaluate("(node) => [...node.children].map((part) => part.getBoundingClientRect().left)")
    assert len(lefts) == 3
    assert lefts == sorted(lefts)
    size = page.get_by_text("48.2 kB").first
    assert size.evaluate("(node) => getComputedStyle(node).direction") == "ltr"
    copied = name.evaluate(
        "(node) => { const all = getSelection(); all.selectAllChildren(node); return all.toString(); }"
    )
    assert copied.encode() == key.encode()
    page.close()


def unused_for(page: "Page", seconds: int) -> None:
    """Let the session be as if nobody had used it for so long."""
    (secret,) = [each["value"] for each in page.context.cookies() if each["name"] == signing_in.SESSION]
    held = runtime.sessions().find(secret, "session")
    assert held is not None
    runtime.sessions().keep(secret, "session", {**held, "used": int(time.time()) - seconds}, 60)


def test_somebody_is_asked_before_a_session_ends_and_stays_by_one_press(
    browser: "Browser", address: str, console: Console
) -> None:
    """WCAG 2.2, 2.2.1: a warning with time to act; the session's own clock is the server's."""
    page = browser.new_page()
    page.clock.install()
    open_session(page, address, console, "scanning")
    page.goto(f"{address}/scans/new")
    page.locator("#bucket").fill("town-hall")
    unused_for(page, signing_in.SESSION_SECONDS - 200)
    page.clock.fast_forward(3_300_000)
    page.get_by_role("dialog").get_by_text("4 minutes").wait_for()
    assert violations(page) == []
    assert page.evaluate("document.activeElement.textContent") == "Stay signed in"
    page.keyboard.press("Enter")
    page.get_by_role("dialog").wait_for(state="hidden")
    assert page.locator("#bucket").input_value() == "town-hall"
    unused_for(page, signing_in.SESSION_SECONDS + 1)
    page.clock.fast_forward(3_700_000)
    page.get_by_role("heading", name="You are signed out").wait_for()
    page.close()


MAIN = {
    "home": "", "consignment": f"consignments/{ID}?show=all", "replication": "replication",
    "findings": "findings?state=all", "request": f"requests/{ID}", "custody-file": SHOWN["custody-file"],
}  # fmt: skip
NOW = datetime(2026, 11, 30, 10, 41, tzinfo=UTC)


def test_the_pictures_of_the_documentation_are_those_of_the_pages(
    browser: "Browser", address: str, console: Console, api: ExampleApi, monkeypatch: pytest.MonkeyPatch, project: Path
) -> None:
    """Six main pages, within a tolerance that lets fonts differ and no part of a page be missing or elsewhere.

    What is seen is kept in `.local/pictures`; WAYBILL_PICTURES=docs/images takes new pictures into the documentation.
    """
    from PIL import Image, ImageChops, ImageStat

    pictured(api)
    monkeypatch.setattr(Visit, "now", property(lambda visit: NOW.astimezone(visit.zone)))
    kept = Path(PICTURES) if PICTURES else project / ".local" / "pictures"
    kept.mkdir(parents=True, exist_ok=True)
    page = browser.new_page(viewport={"width": 1280, "height": 1000}, device_scale_factor=0.75)
    open_session(page, address, console, "admin")
    wrong = {}
    for name, path in MAIN.items():
        page.goto(f"{address}/{path}".rstrip("/"))
        seen = kept / f"console-{name}.png"
        page.screenshot(path=seen)
        small = [
            Image.open(each).convert("L").resize((96, 75), Image.Resampling.BOX)
            for each in (seen, project / "docs" / "images" / f"console-{name}.png")
        ]
        apart = ImageStat.Stat(ImageChops.difference(*small)).mean[0]
        if apart > FURTHEST:
            wrong[name] = round(apart, 1)
    page.close()
    assert wrong == {}, f"look at {kept}"


# Mean difference of grey values, of 255, of pictures of a tenth of the size.
FURTHEST = 4.0

FOCUS = """() => {
  const on = document.activeElement, style = getComputedStyle(on), shown = [style.outlineStyle, style.boxShadow];
  const label = on.nextElementSibling && getComputedStyle(on.nextElementSibling, "::before").boxShadow;
  const seen = [...shown, label || "none"].some((each) => each !== "none");
  return {name: on.id || on.textContent.trim(), seen};
}"""


def tab_to(page: "Page", name: str) -> None:
    """Press Tab until what is called so has the focus; wherever the focus is, it can be seen (WCAG 2.4.7)."""
    for _ in range(60):
        page.keyboard.press("Tab")
        focus = page.evaluate(FOCUS)
        assert focus["seen"], focus
        if focus["name"] == name:
            return
    raise AssertionError(f"Tab never comes to {name}")


def test_a_report_is_approved_with_the_keyboard_alone(
    browser: "Browser", address: str, console: Console, api: ExampleApi
) -> None:
    """From the home page: the need, the decision, the tick, the button; at 360 pixels."""
    request = {**example("showSubjectAccessRequest"), "state": "ReadyForReview", "reportSha256": "9f" * 32}
    api.answers["showSubjectAccessRequest"] = request
    waits = {**example("listTasks")["tasks"][0], "state": "ReadyForReview"}
    api.answers["listTasks"] = lambda asked: {"tasks": [] if "mine" in asked.query else [waits], "cursor": None}
    page = browser.new_page(viewport={"width": 360, "height": 740})
    open_session(page, address, console, "sar-approver")
    tab_to(page, "SAR-2026-42 waits for approval")
    page.keyboard.press("Enter")
    page.wait_for_url("**/requests/*")
    tab_to(page, "Approve exactly this report")
    page.keyboard.press("Enter")
    page.wait_for_url("**/decide?what=approve")
    tab_to(page, "read")
    page.keyboard.press("Space")
    tab_to(page, "Approve exactly this report")
    page.keyboard.press("Enter")
    page.get_by_text("The report is approved.").wait_for()
    assert [each.body for each in api.of("approveReport")] == [{"sha256": "9f" * 32}]
    page.close()
