"""A public class is found by its name: one that stands twice means the same word of two trades, and says why."""

import ast
from collections import defaultdict

from scripts.template import PROJECT

SOURCE = PROJECT / "src" / "waybill"

# Of parts that do not know each other, or of two stages of one thing, such as a report and what it reports.
STAND_TWICE = {
    "ReportPlace": "of cli and of replication",
    "Api": "the API's routes, and what the console asks it with",
    "Attachment": "a file beside an answer, and the same on the pages of a report",
    "Attachments": "what fetches them, and what draws them",
    "Budget": "of one scanned object, and of the pages of a report",
    "Checkpoint": "of a signed log (C2SP tlog-checkpoint), and of a scan that goes on",
    "Client": "who the console is to a provider, and who Waybill is to a service (OAuth 2.0 calls both so)",
    "Corrections": "of files, and of requests",
    "Decision": "of somebody about a finding, and what the console offers",
    "Documents": "works that get identifiers, and texts of requests",
    "Entry": "a line of a listing, a backfill, a timeline, an overview",
    "Fetched": "a file that was read, and a text of the API's",
    "Finding": "of the scanner, and of a verification",
    "Limits": "of a job, of an archive, of a service",
    "Line": "of a chart, and of the cover of a report",
    "Named": "identifiers that an object lists, and files that a sentence names",
    "Outcome": "of an event, of a scanned object, of an answer",
    "Part": "what a service gave, and the same on its way into the report",
    "Person": "who is signed in, and a name in a text",
    "Place": "of a file, of a finding in a text, of a value in an answer",
    "Problem": "of files, and of a part",
    "Reconciler": "of runs that have ended unseen, and of what streams have not told custody",
    "Redaction": "as somebody asks for it, and as it is applied",
    "Report": "of a scanned object, and of a verification",
    "Restorer": "of a copy that something older has overwritten, and of custody's table from its log",
    "Run": "of digits that are text, and of a line in one direction",
    "Subject": "of a history, and of a report",
    "Table": "in DynamoDB, and on a page",
    "Tag": "of Handlebars, and of GOV.UK's design system",
    "Verdict": "about a value, and about a file",
}


def test_a_class_that_stands_twice_says_why() -> None:
    places = defaultdict(list)
    for file in SOURCE.rglob("*.py"):
        for node in ast.parse(file.read_text("utf-8")).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places[node.name].append(file.relative_to(SOURCE).as_posix())
    twice = {name: sorted(files) for name, files in places.items() if len(files) > 1}
    assert {name: files for name, files in twice.items() if name not in STAND_TWICE} == {}
    assert sorted(STAND_TWICE) == sorted(twice), "a name that is one class's again needs no reason"
