"""The console in a browser: Debian's Chromium, on a console whose API answers with its own examples."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.console.pages import ID, SHOWN, prepared
from tests.fakes.console import Console, ExampleApi, Problem, example, served

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
    assert page.get_by_role("link", name="Trace a file").is_visible()
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
