"""Findings in the forms that other tools read."""

import csv
import io
import json
import re
import zipfile
from typing import Any

import jsonschema
import pytest

from tests.unit.scanning.conftest import Scan
from waybill.core.errors import InvalidInputError
from waybill.scanning.domain.baseline import baseline_text, mark_of, read_baseline
from waybill.scanning.domain.reports import csv_text, ndjson_text, relative_uri, sarif


def finding(**changes: Any) -> dict[str, Any]:
    return {
        "file": "logs/day 1.txt",
        "detector": "US_SSN",
        "confidence": "HIGH",
        "byte_offset": 0,
        "byte_length": 11,
        "line": 1,
        "column": 5,
        "masked_match": "XXX-XX-6789",
        "fingerprint": "a" * 64,
    } | changes


def test_sarif_is_what_code_scanning_reads() -> None:
    """GitHub documentation, "SARIF support for code scanning", supported properties."""
    log = sarif([finding(), finding(detector="EMAIL", confidence="LOW", line=7)], {"US_SSN": "A number"}, "1.0", ["x"])
    [run] = log["runs"]
    assert (log["version"], run["tool"]["driver"]["name"]) == ("2.1.0", "Waybill")
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    assert [rules[result["ruleIndex"]] for result in run["results"]] == ["US_SSN", "EMAIL"]
    assert [result["level"] for result in run["results"]] == ["error", "note"]
    [place] = run["results"][0]["locations"]
    assert place["physicalLocation"]["artifactLocation"]["uri"] == "logs/day%201.txt"
    assert place["physicalLocation"]["region"]["startLine"] == 1
    assert run["results"][0]["partialFingerprints"] == {"waybill/v1": "a" * 64}
    assert run["invocations"][0]["executionSuccessful"] is False


def _object(required: str = "", **properties: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "required": required.split(),
        "properties": properties,
        "additionalProperties": False,
    }


def _list(items: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": items}


def _integer(least: int) -> dict[str, Any]:
    return {"type": "integer", "minimum": least}


# What the JSON schema of SARIF 2.1.0 (OASIS, Errata 01) asks of the objects that are used, by their sections.
TEXT, BAG = {"type": "string"}, {"type": "object"}
MESSAGE = _object("text", text=TEXT)  # 3.11, 3.12
LEVEL = {"enum": ["none", "note", "warning", "error"]}  # 3.27.10
REGION = _object(  # 3.30
    **{name: _integer(1) for name in ("startLine", "startColumn", "endLine", "endColumn")},
    **{name: _integer(-1) for name in ("byteOffset", "charOffset")},
    **{name: _integer(0) for name in ("byteLength", "charLength")},
)
# RFC 3986, section 4.2: a relative reference, neither with a scheme nor with a host.
REFERENCE = {"type": "string", "pattern": r"^(?!//)(?:[A-Za-z0-9._~/-]|%[0-9A-F]{2})+$"}
PLACE = _object("artifactLocation", artifactLocation=_object(uri=REFERENCE), region=REGION)  # 3.29, 3.4
LOCATION = _object(  # 3.28, 3.33
    physicalLocation=PLACE,
    logicalLocations=_list(_object(name=TEXT, fullyQualifiedName=TEXT, kind=TEXT)) | {"uniqueItems": True},
    properties=BAG,
)
RESULT = _object(  # 3.27
    "message",
    ruleId=TEXT,
    ruleIndex=_integer(-1),
    level=LEVEL,
    message=MESSAGE,
    locations=_list(LOCATION),
    partialFingerprints={"type": "object", "additionalProperties": TEXT},
)
RULE = _object("id", id=TEXT, name=TEXT, shortDescription=MESSAGE)  # 3.49
INVOCATION = _object(  # 3.20, 3.58
    "executionSuccessful",
    executionSuccessful={"type": "boolean"},
    toolExecutionNotifications=_list(_object("message", message=MESSAGE, level=LEVEL)),
)
RUN = _object(  # 3.14, 3.18, 3.19
    "tool",
    tool=_object("driver", driver=_object("name", name=TEXT, version=TEXT, rules=_list(RULE) | {"uniqueItems": True})),
    results=_list(RESULT),
    columnKind={"enum": ["utf16CodeUnits", "unicodeCodePoints"]},
    invocations=_list(INVOCATION),
)
SARIF = _object("version runs", **{"$schema": TEXT, "version": {"enum": ["2.1.0"]}, "runs": _list(RUN)})  # 3.13

ODD_PLACES: tuple[dict[str, Any], ...] = (
    {"file": "logs/day 1.txt"},
    {"file": "/srv/x:y/a#b?c%.txt", "byte_offset": 0},
    {"file": None, "key": "//host/a b"},
    {"file": None, "key": "/"},
    {"file": None, "key": "a:b\\c\n\u202e\U0001f600"},
    {"file": "x.zip", "member": "a/b c.csv", "line": 7},
    {"file": "x.tar.gz", "member": "gzip!\n..!rows", "line": 3},
    {"file": None, "key": "t.parquet", "member": "rows", "cell": "column ssn, row 9, row group 0", "line": 10},
    {"file": "x.pdf", "member": "page 3"},
)


@pytest.mark.parametrize("notes", [(), ("a.zip was not read whole",)])
def test_sarif_holds_to_its_schema_wherever_a_finding_is(notes: tuple[str, ...]) -> None:
    log = sarif([finding(**place) for place in ODD_PLACES], {"US_SSN": "A number"}, "1.0", notes)
    jsonschema.validate(json.loads(json.dumps(log)), SARIF, jsonschema.Draft7Validator)
    uris = [
        result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for result in log["runs"][0]["results"]
    ]
    assert uris[2:5] == ["%2F%2Fhost/a%20b", "%2F", "a%3Ab%5Cc%0A%E2%80%AE%F0%9F%98%80"]


def test_the_schema_tells_a_log_that_is_none() -> None:
    log = json.loads(json.dumps(sarif([finding()], {}, "1.0")))
    log["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["region"]["startLine"] = 0
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(log, SARIF, jsonschema.Draft7Validator)


def test_a_place_in_an_archive_is_no_place_in_its_file(scan: Scan) -> None:
    """SARIF 2.1.0, section 3.29.4: without a region, a location is the whole of the file."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("notes/a.txt", "\n\nssn 219-45-6789\n")
    [found] = scan(file.getvalue()).findings
    [run] = sarif([{"file": "x.zip"} | found._asdict()], {}, "1.0")["runs"]
    [place] = run["results"][0]["locations"]
    assert place["physicalLocation"] == {"artifactLocation": {"uri": "x.zip"}}
    assert place["logicalLocations"] == [{"fullyQualifiedName": "notes/a.txt", "kind": "member"}]
    assert place["properties"]["withinMember"]["startLine"] == 3
    assert re.search("in notes/a.txt$", run["results"][0]["message"]["text"])


def test_sarif_of_many_findings_says_how_many_are_left_out() -> None:
    log = sarif([finding()] * 25_002, {}, "1.0")
    [run] = log["runs"]
    assert len(run["results"]) == 25_000
    assert run["invocations"][0]["toolExecutionNotifications"][0]["message"]["text"].startswith("2 more")


@pytest.mark.parametrize(
    ("path", "uri"),
    [
        ("/srv/a b%.txt", "srv/a%20b%25.txt"),
        ("c:x", "c%3Ax"),
        ("é", "%C3%A9"),
        ("a/../b#c?d", "a/../b%23c%3Fd"),
        ("\udc80", "%ED%B2%80"),
    ],
)
def test_a_place_is_a_relative_reference(path: str, uri: str) -> None:
    """RFC 3986, sections 2.1 and 4.2."""
    assert relative_uri(path) == uri


def test_csv_keeps_its_rows_and_runs_no_formula() -> None:
    """RFC 4180, section 2."""
    rows = list(csv.reader(io.StringIO(csv_text([finding(file='=1+1\n,"x'), finding(file="@b", byte_offset=0)]))))
    assert len(rows) == 3
    assert [row[0] for row in rows[1:]] == ["'=1+1\n,\"x", "'@b"]
    assert rows[1][rows[0].index("byte_offset")] == "0"


@pytest.mark.parametrize("sign", [*"=+-@\t\r\n", "\uff1d", "\uff0b", "\uff0d", "\uff20"])
@pytest.mark.parametrize("name", ["file", "member", "cell", "masked_match"])
def test_no_cell_of_csv_begins_a_formula(sign: str, name: str) -> None:
    """OWASP, "CSV Injection": equals, plus, minus, at, tab, carriage return, line feed, and those of full width."""
    [heads, row] = csv.reader(io.StringIO(csv_text([finding(**{name: f"{sign}cmd"})])))
    assert row[heads.index("place" if name == "file" else name)] == f"'{sign}cmd"


def test_ndjson_has_a_line_for_each_finding_and_the_coverage_last() -> None:
    lines = [json.loads(line) for line in ndjson_text([finding(file="a\nb")], {"files": 1}).splitlines()]
    assert lines[0]["finding"]["file"] == "a\nb"
    assert lines[1:] == [{"coverage": {"files": 1}}]


MARK = mark_of(b"key")


def test_a_baseline_knows_what_was_written_to_it_and_shows_no_value() -> None:
    text = baseline_text([finding(), finding(fingerprint="b" * 64, masked_match="secret")], {"c" * 64: "IBAN"}, MARK)
    assert read_baseline(text, MARK) == {"a" * 64: "US_SSN", "b" * 64: "US_SSN", "c" * 64: "IBAN"}
    assert "6789" not in text
    assert "secret" not in text


def test_a_baseline_of_another_key_is_no_empty_one() -> None:
    """Field notes, K13: a baseline that cannot be read is an error. No fingerprint of another key is known."""
    with pytest.raises(InvalidInputError, match="another key"):
        read_baseline(baseline_text([finding()], {}, MARK), mark_of(b"other"))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        "[]",
        '{"version": 2, "key": "", "known": {}}',
        '{"version": 1, "known": {}}',
        '{"version": 1, "key": "", "known": {"x": ""}}',
        f'{{"version": 1, "key": "", "known": {{"{"a" * 64}": 1}}}}',
        "[" * 100_000,
    ],
)
def test_what_is_no_baseline_is_refused(text: str) -> None:
    with pytest.raises(InvalidInputError, match="is not a baseline"):
        read_baseline(text, MARK)
