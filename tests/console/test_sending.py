"""Sending files from a browser: straight to the store, each with its checksum, and on from where it ended."""

import base64
import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import NAMESPACE_URL, uuid5

import pytest

from tests.console.pages import FILE, ID, prepared
from tests.console.test_browser import CHROMIUM, browser, open_session
from tests.fakes.console import Asked, Console, ExampleApi, Problem, Store, served

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

__all__ = ["browser"]

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium: apt-get install chromium")

FUTURE, PAST = "2099-01-01T00:00:00.000Z", "2000-01-01T00:00:00.000Z"
NAMES = [f"{number:02}.txt" for number in range(9)] + ["empty.txt", "تقرير 1934 (نهائي).txt"]


@pytest.fixture
def store() -> Store:
    return Store()


@pytest.fixture
def address(console: Console, api: ExampleApi, store: Store) -> Iterator[str]:
    prepared(api)
    with served(store) as home:
        origin = home.partition("/_aws")[0]

        def place(path: str, sha256: str, identity: str, expires: str = FUTURE) -> dict[str, Any]:
            headers = {"x-amz-checksum-sha256": base64.b64encode(bytes.fromhex(sha256)).decode()}
            upload = {"method": "PUT", "url": f"{origin}/store/{identity}", "headers": headers, "expiresAt": expires}
            return {"fileId": identity, "path": path, "uploadKey": identity, "upload": upload}

        known: dict[str, tuple[str, str]] = {}

        def register(asked: Asked) -> dict[str, Any]:
            files = []
            for number, each in enumerate(asked.body["files"]):
                identity = str(uuid5(NAMESPACE_URL, each["path"]))
                known[identity] = (each["path"], each["sha256"])
                # One address has ended before it is used.
                files.append(place(each["path"], each["sha256"], identity, PAST if number == 0 else FUTURE))
            return {"consignmentId": asked.body["consignmentId"], "files": files}

        def renew(asked: Asked) -> dict[str, Any]:
            return {"uploads": [place(*known[identity], identity) for identity in asked.body["fileIds"]]}

        def correct(asked: Asked) -> dict[str, Any]:
            files = [place(each["path"], each["sha256"], each["fileId"]) for each in asked.body["replace"]]
            return {"consignmentId": ID, "files": files, "leftOut": []}

        api.answers |= {"registerConsignment": register, "renewUploads": renew, "correctConsignment": correct}
        yield home


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "records"
    made.mkdir()
    for name in [*NAMES, ".DS_Store"]:
        (made / name).write_bytes(b"" if name == "empty.txt" else f"content of {name}".encode())
    return made


@pytest.fixture
def page(browser: "Browser", address: str, console: Console) -> Iterator["Page"]:
    opened = browser.new_page()
    open_session(opened, address, console, "consignments")
    yield opened
    opened.close()


def choose(page: "Page", folder: Path) -> None:
    page.set_input_files("#folder", folder)
    page.get_by_text("11 files").first.wait_for()


def identity_of(name: str) -> str:
    return str(uuid5(NAMESPACE_URL, name))


def test_a_folder_is_sent_with_the_checksum_of_each_file(
    page: "Page", address: str, api: ExampleApi, store: Store, folder: Path
) -> None:
    page.goto(f"{address}/consignments/new")
    choose(page, folder)
    assert page.get_by_text("1 will be left out:").is_visible()
    page.fill("#reference", "HB-1921-38")
    # The answer to the first try is lost.
    api.answers["registerConsignment"], register = Problem(503), api.answers["registerConsignment"]
    page.get_by_role("button", name="Send 11 files").click()
    page.get_by_text("What you sent may have been done all the same").wait_for()
    api.answers["registerConsignment"] = register
    page.get_by_role("button", name="Send 11 files").click()
    page.wait_for_url("**/consignments/*?done=checks-started")
    first, second = (each.body for each in api.of("registerConsignment"))
    assert first == second, "the same consignment goes on"
    assert {each["path"]: each["sha256"] for each in second["files"]} == {
        name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in NAMES
    }
    assert [each["path"] for each in second["notSent"]] == [".DS_Store"]
    assert store.held == {identity_of(name): (folder / name).read_bytes() for name in NAMES}
    assert len(store.puts) == len(NAMES)
    assert [len(each.body["fileIds"]) for each in api.of("renewUploads")] == [1]
    assert len(api.of("startChecks")) == 1


def test_whoever_comes_back_sends_what_is_missing_alone(
    page: "Page", address: str, api: ExampleApi, store: Store, folder: Path
) -> None:
    missing = NAMES[7:]
    store.refusals = {identity_of(name): (403, "gone") for name in missing}
    page.goto(f"{address}/consignments/new")
    choose(page, folder)
    page.fill("#reference", "HB-1921-38")
    page.get_by_role("button", name="Send 11 files").click()
    page.get_by_text("4 could not be sent. The others have arrived.").wait_for()
    assert page.url.endswith("/upload")
    assert api.of("startChecks") == []
    sent, store.refusals = len(store.puts), {}
    page.evaluate("window.onbeforeunload = null")
    identity = page.url.split("/")[-2]
    api.answers["showConsignment"] = {**api.answers["showConsignment"], "consignmentId": identity}
    page.reload()
    choose(page, folder)
    page.get_by_role("button", name="Send 11 files").click()
    page.wait_for_url("**/consignments/*?done=checks-started")
    assert sorted(store.puts[sent:]) == sorted(map(identity_of, missing))
    assert len(store.held) == len(NAMES)


def test_a_file_that_changes_while_it_is_sent_is_named_and_the_others_arrive(
    page: "Page", address: str, store: Store, folder: Path
) -> None:
    store.refusals = {identity_of("03.txt"): (400, "<Error><Code>BadDigest</Code></Error>")}
    page.goto(f"{address}/consignments/new")
    choose(page, folder)
    page.fill("#reference", "HB-1921-38")
    page.get_by_role("button", name="Send 11 files").click()
    page.get_by_text("This file changed while it was being sent.").wait_for()
    page.get_by_text("1 could not be sent. The others have arrived.").wait_for()
    assert set(store.held) == {identity_of(name) for name in NAMES if name != "03.txt"}
    assert store.puts.count(identity_of("03.txt")) == 1


def test_only_what_was_wrong_is_sent_again(
    page: "Page", address: str, api: ExampleApi, store: Store, tmp_path: Path
) -> None:
    better = tmp_path / "minutes_1921.pdf"
    better.write_bytes(b"%PDF-1.4 better")
    page.goto(f"{address}/consignments/{ID}/corrections")
    page.set_input_files("#corrected-1", better)
    page.get_by_role("button", name="Send the corrected files").click()
    page.wait_for_url("**/consignments/*?done=checks-started")
    (sent,) = api.of("correctConsignment")[0].body["replace"]
    digest = hashlib.sha256(better.read_bytes()).hexdigest()
    assert (sent["fileId"], sent["path"], sent["sha256"]) == (FILE, "minutes/1921/minutes_1921.pdf", digest)
    assert store.held == {FILE: better.read_bytes()}
