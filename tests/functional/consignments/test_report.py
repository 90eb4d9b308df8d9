"""The printable report, and the BagIt manifest of what was accepted."""

import json
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import bagit
import pytest
from rich.console import Console

from tests.functional.consignments.bench import (
    CLEAN,
    RESULTS,
    UPLOADS,
    ConsignmentRun,
    Workbench,
    clean_check,
    described,
    format_result,
    virus_result,
)
from waybill.cli.app import main
from waybill.cli.consignments.bagging import Holders, payload_name, payload_names, write_bag
from waybill.cli.consignments.showing import overview
from waybill.consignments.domain.reports.page import report
from waybill.core.aws.clients import client
from waybill.core.settings import load
from waybill.core.text import escaped

EVIL = '<script>alert("1")</script>\n&amp; {{reference}}.txt'
FILES = {"ä/good.pdf": b"good", "a/virus.exe": b"bad", EVIL: b"odd", "../up.txt": b"up", "x.zip": b"zip"}


@pytest.fixture
def consignment_id(bench: Workbench, cli_stack: None) -> str:
    """A consignment with good and bad files, checked."""
    results = {
        "a/virus.exe": {"antivirus": [virus_result("eicar")]},
        "x.zip": {"fileFormat": [format_result("x-fmt/263", formatName="<b>ZIP</b>")]},
    }
    bench.check = lambda record, content: clean_check(record, content) | results.get(record["originalPath"], {})
    consignment_id = bench.received(FILES, reference="TDR-<i>1</i>")
    bench.run(consignment_id)
    return consignment_id


class Elements(HTMLParser):
    """The elements of a page, and whether they are nested as they should be."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.open: list[str] = []
        self.links: list[str] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.found.append(tag)
        self.links += [value for name, value in attrs if name in {"src", "href"}]
        if tag not in {"meta", "br", "col"}:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def test_a_report_is_kept_in_s3_and_shows_every_file(
    consignment_id: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["consignments", "report", consignment_id, "--output", str(tmp_path / "report.html")]) == 0
    assert f"s3://{RESULTS}/reports/{consignment_id}.html" in capsys.readouterr().out
    stored = client("s3").get_object(Bucket=RESULTS, Key=f"reports/{consignment_id}.html")
    assert stored["ContentType"] == "text/html; charset=utf-8"
    page = stored["Body"].read().decode()
    assert page == (tmp_path / "report.html").read_text("utf-8")
    elements = Elements(page)
    assert elements.open == []
    for path in FILES:
        assert escaped(path.rpartition("/")[2]) in elements.text
    for told in ("Virus detected", "What the archive has to do", "What the sender has to do", "x-fmt/263", "rules-1"):
        assert told in elements.text
    assert "Table of formats that are refused: 2026-11-30" in elements.text


def test_nothing_that_was_sent_becomes_part_of_the_page(consignment_id: str, tmp_path: Path) -> None:
    main(["consignments", "report", consignment_id, "--output", str(tmp_path / "report.html")])
    elements = Elements((tmp_path / "report.html").read_text("utf-8"))
    assert not {"script", "i", "a", "img", "link"} & set(elements.found)
    assert elements.links == []
    assert "TDR-<i>1</i>" in elements.text


BROKEN = {
    "consignmentId": "id",
    "type": "standard",
    "reference": "R",
    "transferringBody": "",
    "status": "Failed",
    "statuses": {"ClientChecks": "Failed"},
}


def test_a_consignment_that_broke_has_a_report_too() -> None:
    shown = {
        **BROKEN,
        "executionArn": "arn",
        "failure": {"step": "Get Files", "error": "UploadMismatchError"},
    }
    page = report(shown, [], datetime(2026, 11, 22, tzinfo=UTC))
    text = Elements(page).text
    assert "The checks broke at Get Files: UploadMismatchError" in text
    assert "22 November 2026, 00:00 UTC" in text


def test_what_is_missing_and_what_is_extra_is_reported() -> None:
    shown = {
        **BROKEN,
        "progress": {"files": 3},
        "failure": {"step": "Get Files", "error": "UploadMismatchError", "cause": "3 missing; 1 extra"},
        "differences": {
            "missing": {"count": 3, "first": [{"fileId": "1", "path": "a<b>.txt"}, {"fileId": "2", "path": ""}]},
            "extra": {"count": 1, "first": [""]},
        },
    }
    elements = Elements(report(shown, [], datetime(2026, 11, 22, tzinfo=UTC)))
    assert elements.open == []
    console = Console(width=200)
    with console.capture() as printed:
        console.print(overview(shown))
    for text in (elements.text, printed.get()):
        for told in ("a<b>.txt", "2", "… and 1 more", "(the folder itself)"):
            assert told in text


def test_a_bag_of_the_accepted_files_is_valid_once_they_are_fetched(
    bench: Workbench, consignment_id: str, tmp_path: Path
) -> None:
    folder = tmp_path / "bag"
    assert main(["consignments", "manifest", consignment_id, "--output", str(folder)]) == 0
    bag = bagit.Bag(str(folder))
    assert len(bag.payload_entries()) == 3
    assert bag.info["External-Identifier"] == consignment_id
    assert not bag.is_valid()
    for line in (folder / "fetch.txt").read_text("utf-8").splitlines():
        url, length, name = line.split(" ", 2)
        bucket, _, key = url.removeprefix("s3://").partition("/")
        content = client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
        assert len(content) == int(length)
        target = folder / name
        assert target.resolve().is_relative_to(folder / "data")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
    assert bagit.Bag(str(folder)).validate()
    sent = {json.loads(line)["path"] for line in (folder / "file-ids.jsonl").read_text("utf-8").splitlines()}
    assert sent == {"ä/good.pdf", EVIL, "../up.txt"}


@pytest.mark.parametrize("owner", ["alice", "auth0|al ice/100%"])
def test_a_bag_of_files_that_were_not_copied_leads_to_the_checked_uploads(
    bench: Workbench, consignment_id: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, owner: str
) -> None:
    monkeypatch.setenv("COPY_CHECKED_FILES", "false")
    load.cache_clear()
    body = {"reference": "R", "files": [described("a.pdf", b"one"), described("b.pdf", b"two")]}
    registered = bench.ask("POST", "/consignments", who=owner, body=body).json
    bench.upload(registered, {"a.pdf": b"one", "b.pdf": b"two"})
    held = bench.keys(CLEAN)
    bench.run(registered["consignmentId"], "run-of-another")
    assert bench.keys(CLEAN) == held
    # What is uploaded afterwards was never checked.
    bench.upload(registered, {"a.pdf": b"later", "b.pdf": b"later"})
    assert main(["consignments", "manifest", registered["consignmentId"], "--output", str(tmp_path / "bag")]) == 0
    contents = {}
    for line in (tmp_path / "bag" / "fetch.txt").read_text("utf-8").splitlines():
        url, _, name = line.split(" ", 2)
        address = urlsplit(url)
        (version,) = parse_qs(address.query)["versionId"]
        stored = client("s3").get_object(Bucket=address.netloc, Key=unquote(address.path)[1:], VersionId=version)
        contents[name] = (address.netloc, stored["Body"].read())
    assert contents == {"data/a.pdf": (UPLOADS, b"one"), "data/b.pdf": (UPLOADS, b"two")}


def test_a_bag_has_the_sizes_of_what_is_stored(bench: Workbench, consignment_id: str, tmp_path: Path) -> None:
    """What the sender says of a file's size decides nothing, and may be wrong."""
    said = described("a.pdf", b"four") | {"size": 9}
    registered = bench.register({"a.pdf": b"four"}, files=[said])
    bench.upload(registered, {"a.pdf": b"four"})
    bench.run(registered["consignmentId"], "run-of-another")
    assert main(["consignments", "manifest", registered["consignmentId"], "--output", str(tmp_path / "bag")]) == 0
    assert bagit.Bag(str(tmp_path / "bag")).info["Payload-Oxum"] == "4.1"
    assert (tmp_path / "bag" / "fetch.txt").read_text("utf-8").split(" ")[1] == "4"


def test_a_folder_that_holds_something_is_left_alone(consignment_id: str, tmp_path: Path) -> None:
    (tmp_path / "kept").write_text("mine")
    assert main(["consignments", "manifest", consignment_id, "--output", str(tmp_path)]) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["kept"]


def test_a_run_that_broke_makes_no_bag_of_what_an_earlier_one_accepted(
    bench: Workbench, consignment_id: str, tmp_path: Path
) -> None:
    run = ConsignmentRun(bench, consignment_id, "run-2")
    run.begin()
    error = {"Error": "RunBucketRefusedError", "Cause": "refused"}
    run.state("record_failure", step="Map", error=error)
    assert any(file.get("accepted") for file in bench.files(consignment_id).values())
    assert main(["consignments", "manifest", consignment_id, "--output", str(tmp_path / "bag")]) == 1
    assert not (tmp_path / "bag").exists()


def test_nothing_accepted_makes_no_bag(bench: Workbench, consignment_id: str, tmp_path: Path) -> None:
    bench.check = lambda record, content: clean_check(record, content) | {"antivirus": []}
    bench.run(consignment_id, "run-2")
    assert main(["consignments", "manifest", consignment_id, "--output", str(tmp_path / "bag")]) == 1
    assert not (tmp_path / "bag").exists()


@pytest.mark.parametrize(
    ("path", "plain"),
    [
        ("a/b c.txt", True),
        ("ä.txt", True),
        ("../a", False),
        ("/a", False),
        ("a//b", False),
        ("a/./b", False),
        ("a\\b", False),
        ("50%.txt", False),
        ("line\nbreak", False),
        (" a", False),
        ("", False),
        ("by-id/a", False),
        # Names that Windows cannot hold (Microsoft, "Naming Files, Paths, and Namespaces"), in any component of a path.
        ("CON.txt", False),
        ("folder/aux", False),
        ("nul.tar/a", False),
        ("COM\u00b9.txt", False),
        ("lpt9.log", False),
        ("dot.", False),
        ("folder./a", False),
        ("console.txt", True),
        ("com.txt", True),
        ("auxiliary", True),
        ("By-ID/a", False),
        ("next\x85line", False),
        ("line\u2028break", False),
        # Microsoft, "Maximum Path Length Limitation": 260 characters, the folder of the bag and the end of it included.
        ("n" * 240, True),
        ("n" * 241, False),
        ("/".join(["folder"] * 35), False),
        ("ä" * 128, False),
    ],
)
def test_paths_that_could_lead_elsewhere_are_in_the_bag_by_id(path: str, plain: bool) -> None:
    assert payload_name({"path": path, "fileId": "id"}) == (f"data/{path}" if plain else "data/by-id/id")


@pytest.mark.parametrize(
    ("paths", "by_id"),
    [
        (["a.txt", "b.txt"], []),
        (["a.txt", "A.TXT", "b.txt"], [0, 1]),
        (["\u00e9", "e\u0301"], [0, 1]),
        (["a", "a/b", "a/c"], [0]),
        (["D/a", "d/b"], []),
        (["D/a", "d/A"], [0, 1]),
        # Apple TN1150: HFS Plus ignores such characters when it compares names.
        (["a\u200bb", "ab", "c\u200bd"], [0, 1]),
    ],
)
def test_names_that_some_system_takes_for_one_are_in_the_bag_by_id(paths: list[str], by_id: list[int]) -> None:
    files = [{"path": path, "fileId": f"id-{number}"} for number, path in enumerate(paths)]
    assert payload_names(files) == [
        f"data/by-id/id-{number}" if number in by_id else f"data/{path}" for number, path in enumerate(paths)
    ]


@pytest.mark.parametrize("end", ["\x85", "\u2028", "\u2029"])
def test_a_name_with_an_end_of_line_of_unicode_spoils_no_bag(end: str, tmp_path: Path) -> None:
    paths = [f"a{end}b.txt", "c.txt"]
    files = [
        {"fileId": str(number), "path": path, "accepted": True, "checksum": "0" * 64, "objectSize": 1}
        for number, path in enumerate(paths)
    ]
    shown = {
        "consignmentId": "id",
        "status": "Completed",
        "reference": "R",
        "transferringBody": "",
        "createdAt": "2026",
    }
    assert write_bag(tmp_path / "bag", shown, files, Holders("clean", "uploads", "alice/id/")) == 2
    assert set(bagit.Bag(str(tmp_path / "bag")).payload_entries()) == {"data/by-id/0", "data/c.txt"}


def test_a_name_that_turns_text_is_written_out() -> None:
    file = {"path": "a\u202etxt.exe", "size": 1, "statuses": {}, "explanations": []}
    shown = {**BROKEN, "status": "Completed"}
    page = report(shown, [file], datetime(2026, 11, 22, tzinfo=UTC))
    assert "\\u202etxt.exe" in page
    assert "\u202e" not in page
