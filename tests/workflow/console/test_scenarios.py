"""Scenarios of the console on the running stack, with the real API behind it: what a page says is what became true."""

import hashlib
import io
import re
from collections.abc import Callable
from datetime import date, datetime
from typing import Any
from urllib.parse import urljoin
from zoneinfo import ZoneInfo

import pytest
from pypdf import PdfReader

from tests.console.forms import shape_of
from tests.workflow.console.conftest import Page, Visitor
from tests.workflow.scanning.conftest import Scanner
from tests.workflow.subject_access.conftest import Case
from tests.workflow.support.application import Application
from tests.workflow.support.direct import DIRECT
from tests.workflow.support.polling import THROTTLED, until
from waybill.cli.subject_access.stub_service import StubReply

type SignIn = Callable[..., Visitor]


def links_of(page: Page, home: str) -> set[str]:
    found = {
        urljoin(page.url, each.replace("&amp;", "&")) for each in re.findall(r'<a [^>]*href="([^"#]+)"', page.text)
    }
    return {each for each in found if each == home or each.startswith(f"{home}/")}


def whole(visitor: Visitor, address: str) -> Page:
    """The page with all its parts: one whose functions only start is looked at again, as it says."""

    seen: list[list[str]] = []

    def look() -> Page | None:
        page = visitor.get(address)
        seen.append(re.findall(r"could not ask [^.]*\.[^.]*\.[^.]*", page.words))
        return None if seen[-1] else page

    return until(look, f"{address} says all that it has to say", within=THROTTLED, seen=seen)


def test_every_link_of_every_page_leads_to_a_page_under_the_stacks_own_prefix(visitor: SignIn) -> None:
    """As somebody with every role, one page of each kind; files that are handed over are left to other tests."""
    somebody = visitor("everybody", "admin")
    waiting, seen, wrong = [somebody.home], {"?"}, []
    while waiting:
        page = whole(somebody, waiting.pop(0))
        if page.status != 200:
            wrong.append((page.url, page.status, page.words[:200]))
        for link in sorted(links_of(page, somebody.home)):
            shape = shape_of(link.removeprefix(somebody.home).lstrip("/"))
            if shape not in seen and "/export" not in shape and "/report" not in shape:
                seen.add(shape)
                waiting.append(link)
    assert wrong == []
    assert len(seen) > 25


def test_the_menu_of_one_role_has_its_own_page_alone(visitor: SignIn) -> None:
    page = visitor("operator", "replication").get("")
    (menu,) = re.findall(r'<nav aria-label="Menu".*?</nav>', page.text, re.DOTALL)
    assert re.findall(r"service-navigation__link[^>]*>\s*(?:<strong[^>]*>)?([^<]+?)\s*<", menu) == [
        "Home",
        "Replication",
    ]
    assert page.words.count("Nothing needs you.") + page.words.count("could not be copied") > 0
    refused = visitor("minter", "minting").get("requests")
    assert (refused.status, "You cannot see this page" in refused.words, "sar-user" in refused.words) == (
        403,
        True,
        True,
    )


VALUES = ("219-45-6789", "528-61-2794", "457-55-5462")


def test_what_is_marked_as_not_real_does_not_come_back(
    visitor: SignIn, scanner: Scanner, application: Application, label: str
) -> None:
    analyst = visitor("analyst", "scanning")
    bucket = scanner.bucket(label, {"people.txt": "\n".join(f"ssn {each}" for each in VALUES).encode()})

    def scanned() -> Page:
        form = analyst.get("scans/new")
        begun = analyst.send(form, "scans/new", {"bucket": bucket, "prefix": ""})
        assert "The scan has started." in begun.words
        job = re.findall(r"scans/([0-9a-f-]{36})", begun.url)[0]
        scanner.ended(job)
        return analyst.get(f"scans/{job}")

    first = scanned()
    assert "3 findings" in first.words
    listed = analyst.get(f"findings?state=open&bucket={bucket}")
    chosen = re.findall(r'name="value" id="[^"]+" value="([0-9a-f]{64})"', listed.text)
    assert len(chosen) == 3
    decision = {"value": chosen, "state": "false_positive", "reason": "made up for a test"}
    decided = analyst.send(listed, f"findings?state=open&bucket={bucket}", decision)
    assert "3 findings are marked as not real." in decided.words
    again = scanned()
    assert "Of these findings 3 are marked as not real, and not open." in again.words
    listed = analyst.get(f"findings?state=open&bucket={bucket}")
    assert "No open findings." in listed.words
    assert "3 are marked as not real" in listed.words
    later, earlier = (re.findall(r"scans/([0-9a-f-]{36})", each.url)[0] for each in (again, first))
    compared = analyst.get(f"scans/compare?later={later}&earlier={earlier}")
    assert "As many findings as before" in compared.words
    told = application.stack.client("logs").filter_log_events(logGroupName=application.resources["ConsoleLogGroup"])
    for value in VALUES:
        assert not any(value in text for text in analyst.seen)
        assert not any(value in each["message"] for each in told["events"])


def created(worker: Visitor, case: Case, received: str = "", review: str = "yes") -> Page:
    """Create a request of one service by the form; return its page."""
    name = case.name("a")
    fields = {
        "person": "A1234AA", "reference": "SAR-2027-1", "dateTo": "31/12/2025", "services": name, "received": received,
        "review": review,
    }  # fmt: skip
    page = worker.send(worker.get("requests/new"), "requests/new", fields)
    assert "The request is on the clock." in page.words, page.words
    return page


def registered(case: Case) -> None:
    """Serve something about somebody, from a service that the console offers."""
    case.serve(a=StubReply.data({"notes": [{"author": "Daniel Okoro", "text": "Seen on the wing"}]}))


def test_the_clock_is_that_of_the_law_and_a_hold_moves_it(visitor: SignIn, case: Case) -> None:
    """UK GDPR Article 12(3), and the ICO on it: one month, where there is no such day the last one of the month; from a
    weekend to the next working day. 31 January 2026 and a month is Saturday, 28 February. Article 12A(5): the days of
    clarification, 3 to 7 February, do not count: Thursday, 5 March."""
    registered(case)
    worker = visitor("worker", "sar-user")
    page = created(worker, case, "31/01/2026")
    assert "due Monday 2 March 2026" in page.words
    late = (datetime.now(ZoneInfo("Europe/London")).date() - date(2026, 3, 2)).days
    assert f"{late} days late" in page.words
    assert f"{late} days late due Monday 2 March 2026" in worker.get("").words
    here = page.url.partition("?")[0].removeprefix(f"{worker.home}/")
    form = worker.get(f"{here}/decide?what=hold")
    held = worker.send(form, f"{here}/decide?what=hold", {"reason": "clarification", "from": "03/02/2026"})
    assert "The clock is stopped. The date of the law will move." in held.words, held.words
    assert "(the clock is stopped: the date will move)" in worker.get(here).words
    form = worker.get(f"{here}/decide?what=release")
    free = worker.send(form, f"{here}/decide?what=release", {"on": "07/02/2026"})
    assert "due Thursday 5 March 2026" in free.words, free.words
    assert "will move" not in free.words
    assert "<title>Received Saturday 31 January 2026, due Thursday 5 March 2026, 5 days on hold</title>" in free.text
    form = worker.get(f"{here}/decide?what=withdraw")
    ended = worker.send(form, f"{here}/decide?what=withdraw", {"reason": "the test is over"})
    assert "The request is withdrawn." in ended.words


def made(page: Page, home: str, case: Case, application: Application) -> str:
    """Do what the poll does every minute, which is as good as off here: start a worker. Return the page's path."""
    here = page.url.partition("?")[0].removeprefix(f"{home}/")
    ended = application.ended(case.start({"requestId": here.partition("/")[2]}), within=150)
    assert ended.output["status"] == "Completed", ended.output
    return here


def took_out(redactor: Visitor, here: str, ending: str) -> Page:
    """Take out the value whose path ends so, and leave what is taken out already; return the page of a request."""
    bench = redactor.get(f"{here}/redact")
    rows = re.findall(r'name="shown" value="([^"]+)"', bench.text)
    ticked = {int(each) for each in re.findall(r'name="take\.(\d+)"[^>]* checked', bench.text)}
    ticked.add(next(number for number, path in enumerate(rows) if path.endswith(ending)))
    marks: dict[str, Any] = dict(re.findall(r'type="hidden" name="(seen|service)" value="([^"]*)"', bench.text))
    marks |= {"shown": rows, "words": "", "pages": ""}
    for number in ticked:
        marks |= {f"take.{number}": "yes", f"reason.{number}": "name of staff"}
    saved = redactor.send(bench, f"{here}/redact", marks)
    assert "Your redactions are saved." in saved.words, saved.words
    stale = redactor.get(here).words
    assert "What is taken out has changed since this report was made. Make it again" in stale
    again = redactor.send(redactor.get(f"{here}/decide?what=render"), f"{here}/decide?what=render", {})
    assert "The report is made again within minutes." in again.words, again.words
    assert "The report is made from them within minutes, without you: look again then." in again.words
    return again


def test_what_is_taken_out_is_gone_and_somebody_else_approves_exactly_that_report(
    visitor: SignIn, case: Case, application: Application
) -> None:
    registered(case)
    maker, redactor = visitor("maker", "sar-user"), visitor("redactor", "sar-user", "sar-approver")
    approver = visitor("approver", "sar-approver")
    here = made(created(maker, case), maker.home, case, application)
    assert "Daniel Okoro" in redactor.get(f"{here}/redact").words
    made(took_out(redactor, here, "author"), maker.home, case, application)
    refused = redactor.get(f"{here}/decide?what=approve")
    assert "You made these redactions, so somebody else has to approve." in refused.words
    page = approver.get(f"{here}/decide?what=approve")
    assert shown_in(page) in page.words
    for what in ("", "?what=copy"):
        pdf = content_at(approver.get(f"{here}/report{what}").headers["Location"])
        assert b"Okoro" not in pdf
        assert "Okoro" not in "".join(each.extract_text() for each in PdfReader(io.BytesIO(pdf)).pages)
        assert what or hashlib.sha256(pdf).hexdigest() == shown_in(page)
    # Made again between opening the page and pressing the button: nothing is approved.
    made(took_out(redactor, here, "text"), maker.home, case, application)
    stale = approver.send(page, f"{here}/decide?what=approve", {"read": "yes", "sha256": shown_in(page)})
    assert (stale.status, "The report was made again on" in stale.words) == (409, True), stale.words
    assert "Ready for review" in maker.get(here).words
    fresh = approver.get(f"{here}/decide?what=approve")
    assert shown_in(fresh) != shown_in(page)
    done = approver.send(fresh, f"{here}/decide?what=approve", {"read": "yes", "sha256": shown_in(fresh)})
    assert "The report is approved." in done.words, done.words
    assert "Ready to hand over" in maker.get(here).words


def shown_in(page: Page) -> str:
    """Return the SHA-256 of the report that a page asks to approve."""
    (found,) = re.findall(r'name="sha256" value="([0-9a-f]{64})"', page.text)
    return str(found)


def content_at(address: str) -> bytes:
    with DIRECT.open(address, timeout=60) as answer:
        return bytes(answer.read())


@pytest.mark.parametrize("path", ["requests/search"])
def test_a_search_by_number_finds_and_is_in_no_address(visitor: SignIn, case: Case, path: str) -> None:
    registered(case)
    worker = visitor("worker", "sar-user")
    found = worker.send(worker.get(path), path, {"text": "A1234AA"})
    assert found.status == 200
    assert "A1234AA" in found.words
    assert "A1234AA" not in found.url
