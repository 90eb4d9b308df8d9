"""Every fault of the embedded AWS that is its own has a report for those who make it."""

import re

from tests.conftest import PROJECT

TOOLS = PROJECT / "tools" / "ministack"
# Ways of this project: how packages get to processes, and when what is stored is saved.
OWN = {"archives", "snapshots"}


def test_what_is_mended_is_reported_and_the_other_way_round() -> None:
    mends = {file.stem for file in (TOOLS / "mends").glob("[a-z]*.py")}
    reports = [file.read_text("utf-8") for file in (TOOLS / "upstream").glob("[a-z]*.md")]
    named = [set(re.findall(r"tools/ministack/mends/(\w+)\.py", report)) for report in reports]
    assert all(named)
    assert set().union(*named) == mends - OWN


def test_a_report_says_what_is_right_what_shows_it_and_what_happens() -> None:
    for file in (TOOLS / "upstream").glob("[a-z]*.md"):
        report = file.read_text("utf-8")
        assert report.startswith("# "), file.name
        for part in ("**On AWS.** ", "**To see it.** ", "**What happens.** "):
            assert len(report.partition(part)[2].partition("\n\n")[0]) > 10, (file.name, part)
