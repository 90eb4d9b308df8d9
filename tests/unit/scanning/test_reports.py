"""Findings in the forms that other tools read; known faults, K13."""

import csv
import io
import json
from typing import Any

import pytest

from waybill.core.errors import InvalidInputError
from waybill.scanning.domain.baseline import baseline_text, read_baseline
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
    """RFC 4180, section 2; OWASP, "CSV injection"."""
    rows = list(csv.reader(io.StringIO(csv_text([finding(file='=1+1\n,"x'), finding(file="@b", byte_offset=0)]))))
    assert len(rows) == 3
    assert [row[0] for row in rows[1:]] == ["'=1+1\n,\"x", "'@b"]
    assert rows[1][rows[0].index("byte_offset")] == "0"


def test_ndjson_has_a_line_for_each_finding_and_the_coverage_last() -> None:
    lines = [json.loads(line) for line in ndjson_text([finding(file="a\nb")], {"files": 1}).splitlines()]
    assert lines[0]["finding"]["file"] == "a\nb"
    assert lines[1:] == [{"coverage": {"files": 1}}]


def test_a_baseline_knows_what_was_written_to_it_and_shows_no_value() -> None:
    text = baseline_text([finding(), finding(fingerprint="b" * 64, masked_match="secret")])
    assert read_baseline(text) == {"a" * 64, "b" * 64}
    assert "6789" not in text
    assert "secret" not in text


@pytest.mark.parametrize(
    "text", ["", "{}", "[]", '{"version": 2, "known": {}}', '{"version": 1, "known": {"x": ""}}', "["]
)
def test_what_is_no_baseline_is_refused(text: str) -> None:
    with pytest.raises(InvalidInputError):
        read_baseline(text)
