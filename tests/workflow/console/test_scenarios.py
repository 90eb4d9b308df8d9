"""Scenarios of the console on the running stack, with the real API behind it: what a page says is what became true."""

import re
from collections.abc import Callable
from urllib.parse import urljoin

import pytest

from tests.console.forms import shape_of
from tests.workflow.console.conftest import Page, Visitor
from tests.workflow.scanning.conftest import Scanner
from tests.workflow.subject_access.conftest import Case
from tests.workflow.support.application import Application
from tests.workflow.support.polling import until
from waybill.cli.subject_access.stub_service import StubReply, StubService

type SignIn = Callable[..., Visitor]


def links_of(page: Page, home: str) -> set[str]:
    found = {
        urljoin(page.url, each.replace("&amp;", "&")) for each in re.findall(r'<a [^>]*href="([^"#]+)"', page.text)
    }
    return {each for each in found if each == home or each.startswith(f"{home}/")}


def whole(visitor: Visitor, address: str) -> Page:
    """The page with all its parts: one whose functions only start is looked at again, as it says."""

    def look() -> Page | None:
        page = visitor.get(address)
        return None if "could not ask" in page.words else page

    return until(look, f"{address} says all that it has to say")


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


def registered(case: Case) -> None:
    """Serve something about somebody, from a service that the console offers."""
    case.serve(a=StubReply.data({"notes": [{"author": "Daniel Okoro", "text": "Seen by Daniel Okoro on the wing"}]}))
    case.stub.services[case.name("a")] = StubService(
        [StubReply.data({"notes": [{"author": "Daniel Okoro", "text": "Seen on the wing"}]})]
    )


@pytest.mark.parametrize("path", ["requests/search"])
def test_a_search_by_number_finds_and_is_in_no_address(visitor: SignIn, case: Case, path: str) -> None:
    registered(case)
    worker = visitor("worker", "sar-user")
    found = worker.send(worker.get(path), path, {"text": "A1234AA"})
    assert found.status == 200
    assert "A1234AA" in found.words
    assert "A1234AA" not in found.url
