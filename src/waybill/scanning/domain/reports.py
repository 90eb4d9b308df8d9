"""Findings in the forms that other tools read: SARIF 2.1.0, CSV (RFC 4180) and lines of JSON."""

import io
import json
from collections.abc import Iterable, Mapping, Sequence
from urllib.parse import quote

from waybill.core.spreadsheets import write_rows
from waybill.scanning.domain.finding_documents import FindingDocument

FORMATS = ("table", "json", "ndjson", "csv", "sarif")
_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
# What code scanning of GitHub reads of one run.
_RESULTS_LIMIT = 25_000
_LEVELS = {"HIGH": "error", "MEDIUM": "warning", "LOW": "note"}
_COLUMNS = (
    *(
        "place",
        "member",
        "cell",
        "line",
        "column",
        "byte_offset",
        "byte_length",
        "detector",
        "confidence",
        "masked_match",
    ),
    *("sample", "fingerprint"),
)


def place_of(finding: FindingDocument) -> str:
    """Return the file or the key that a finding is in."""
    return str(finding.get("file") or finding.get("key") or "")


def csv_text(findings: Iterable[FindingDocument]) -> str:
    """Return findings as CSV, a row each."""
    text = io.StringIO(newline="")
    shown = ({**finding, "place": place_of(finding)} for finding in findings)
    write_rows(text, [_COLUMNS, *([values.get(name) for name in _COLUMNS] for values in shown)])
    return text.getvalue()


def ndjson_text(findings: Iterable[FindingDocument], coverage: Mapping[str, object] | None = None) -> str:
    """Return findings as lines of JSON, and the coverage as the last one."""
    # One encoder: with options, `json.dumps` makes another one for each line.
    encode = json.JSONEncoder(ensure_ascii=False).encode
    lines = [encode({"finding": finding}) for finding in findings]
    if coverage is not None:
        lines.append(encode({"coverage": coverage}))
    return "".join(f"{line}\n" for line in lines)


def sarif(
    findings: Sequence[FindingDocument], descriptions: Mapping[str, str], version: str, notes: Sequence[str] = ()
) -> dict[str, object]:
    """Return findings as a SARIF log; values are masked in it as they are elsewhere.

    Parameters
    ----------
    descriptions
        Of the detectors, by id.
    notes
        What was not looked at.
    """
    used = sorted({str(finding["detector"]) for finding in findings})
    shown = findings[:_RESULTS_LIMIT]
    left_out = len(findings) - len(shown)
    told = [*notes, *([f"{left_out} more findings than one run may hold"] if left_out else [])]
    run: dict[str, object] = {
        "tool": {
            "driver": {
                "name": "Waybill",
                "version": version,
                "rules": [
                    {"id": name, "shortDescription": {"text": descriptions.get(name, name)}, "name": name}
                    for name in used
                ],
            }
        },
        "results": [_result(finding, used.index(str(finding["detector"])), descriptions) for finding in shown],
        "columnKind": "unicodeCodePoints",
    }
    if told:
        # An invocation that has not looked at everything has not been a success (SARIF, section 3.20.14).
        run["invocations"] = [
            {
                "executionSuccessful": not notes,
                "toolExecutionNotifications": [{"message": {"text": text}, "level": "warning"} for text in told],
            }
        ]
    return {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}


def _result(finding: FindingDocument, rule: int, descriptions: Mapping[str, str]) -> dict[str, object]:
    name = str(finding["detector"])
    member = "".join(f" in {part}" for part in (finding.get("cell"), finding.get("member")) if part)
    return {
        "ruleId": name,
        "ruleIndex": rule,
        "level": _LEVELS[str(finding["confidence"])],
        "message": {"text": f"{descriptions.get(name, name)}: {finding['masked_match']}{member}"},
        "locations": [_location(finding)],
        "partialFingerprints": {"waybill/v1": str(finding["fingerprint"])},
    }


def _location(finding: FindingDocument) -> dict[str, object]:
    """Return where a finding is; lines and bytes within a member are none of the file that the member is in."""
    physical: dict[str, object] = {"artifactLocation": {"uri": _uri(finding)}}
    region: dict[str, object] = {"byteOffset": finding["byte_offset"], "byteLength": finding["byte_length"]}
    region |= {"startLine": finding["line"], "startColumn": finding["column"]}
    member, cell = finding.get("member"), finding.get("cell")
    if not member:
        return {"physicalLocation": physical | {"region": region}}
    # SARIF, section 3.33.7: a kind that none of the listed ones describes is the tool's own.
    logical = [{"fullyQualifiedName": str(member), "kind": "member"}]
    if cell:
        logical.append({"fullyQualifiedName": f"{member}!{cell}", "name": str(cell), "kind": "cell"})
    return {"physicalLocation": physical, "logicalLocations": logical, "properties": {"withinMember": region}}


def _uri(finding: FindingDocument) -> str:
    if finding.get("file"):
        return relative_uri(str(finding["file"]))
    # Of a key every sign counts, a slash at its beginning too, where it would make an address of another host.
    key = place_of(finding)
    slashes = len(key) - len(key.lstrip("/"))
    return "%2F" * slashes + quote(key[slashes:], safe="/~", errors="surrogatepass")


def relative_uri(path: str) -> str:
    """Return a path as a relative reference, whose colons would make a scheme (RFC 3986, section 4.2)."""
    return quote(path.replace("\\", "/").lstrip("/"), safe="/~", errors="surrogatepass")
