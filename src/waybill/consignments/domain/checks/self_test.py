"""What every rule set has to get right before it is used: EICAR is found, and harmless files are not."""

import io
import zipfile
import zlib
from collections.abc import Mapping

from waybill.consignments.domain.checks.errors import RuleSetInvalidError
from waybill.consignments.domain.checks.malware_rules import MalwareRules
from waybill.consignments.domain.checks.rule_set import RuleSet


def eicar() -> bytes:
    """Return the test file of the European Institute for Computer Antivirus Research.

    Put together here, since a scanner would take a file that holds it for malware.
    """
    return b"".join((b"X5O!P%@AP[4\\PZX54(P^)7CC)7}$", b"EICAR-STANDARD-", b"ANTIVIRUS-TEST-FILE", b"!$H+H*"))


def harmless() -> dict[str, bytes]:
    """Return small files that no rule may match, by name."""
    return {
        "empty": b"",
        "text.txt": "Minutes of the meeting, 3 May.\nPrésents : Zoë, Łukasz, 王.\n".encode(),
        "table.csv": b"name,amount\r\nCoal,12\r\nPaper,7\r\n",
        "page.html": b"<!DOCTYPE html><html><head><title>Index</title></head><body><script>go()</script></body>",
        "letter.rtf": rb"{\rtf1\ansi\deff0 {\fonttbl {\f0 Times New Roman;}} Dear Sir or Madam,\par}",
        "mail.eml": b"From: a@example.org\r\nTo: b@example.org\r\nSubject: Records\r\n\r\nThey are attached.\r\n",
        "document.pdf": _PDF,
        "pixel.png": _png(),
        "archive.zip": _zip({"notes.txt": b"some notes"}),
        "document.docx": _zip({"[Content_Types].xml": b"<Types/>", "word/document.xml": b"<w:document/>"}),
        "run.sh": b'#!/bin/sh\nset -eu\nfor file in "$@"; do\n    sha256sum "$file"\ndone\n',
        "list.ps1": b"Get-ChildItem -Recurse | Select-Object FullName, Length | Export-Csv list.csv\r\n",
        "form.php": b'<?php echo htmlspecialchars($_GET["name"] ?? "nobody"); ?>\n',
    }


def prove(rules: RuleSet, extra: Mapping[str, bytes]) -> list[str]:
    """Return the names of the rules that find EICAR; `extra` are more harmless files, by name.

    Raises
    ------
    RuleSetInvalidError
        EICAR is not found, or a harmless file is.
    """
    scanner = MalwareRules(rules.compiled, rules.excluded)
    found = scanner.scan(eicar())
    if not found:
        raise RuleSetInvalidError(
            "self-test: no rule finds the EICAR test file; add one, such as src/waybill/consignments/rules/eicar.yar"
        )
    for name, content in {**harmless(), **extra}.items():
        if matching := scanner.scan(content):
            raise RuleSetInvalidError(
                f"self-test: {', '.join(matching)} takes the harmless {name} for malware; exclude or mend the rule"
            )
    return found


_PDF = b"""%PDF-1.4
1 0 obj <</Type/Catalog/Pages 2 0 R>> endobj
2 0 obj <</Type/Pages/Kids[3 0 R]/Count 1>> endobj
3 0 obj <</Type/Page/Parent 2 0 R/MediaBox[0 0 200 200]>> endobj
trailer <</Root 1 0 R/Size 4>>
%%EOF
"""


def _png() -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return len(data).to_bytes(4) + kind + data + zlib.crc32(kind + data).to_bytes(4)

    header = (1).to_bytes(4) + (1).to_bytes(4) + bytes((8, 0, 0, 0, 0))
    pixels = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0\x80")) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + pixels


def _zip(members: Mapping[str, bytes]) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, member in members.items():
            archive.writestr(zipfile.ZipInfo(name), member)
    return content.getvalue()
