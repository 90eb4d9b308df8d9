"""Writes docs/openapi.json from the routes; with --check, only says whether it is up to date."""

import difflib
import json
import sys
from pathlib import Path

from waybill import __version__
from waybill.gateway.openapi import openapi_document
from waybill.gateway.registry import apis

DOCUMENT = Path(__file__).resolve().parents[1] / "docs" / "openapi.json"


def document() -> str:
    """The document that `GET /openapi.json` answers with, to be read: indented, the same bytes every time."""
    return json.dumps(openapi_document(apis(), __version__), ensure_ascii=False, indent=2) + "\n"


def main() -> int:
    """Write the document, or compare it."""
    wanted = document()
    if "--check" not in sys.argv[1:]:
        DOCUMENT.write_text(wanted, "utf-8")
        return 0
    found = DOCUMENT.read_text("utf-8") if DOCUMENT.exists() else ""
    if found == wanted:
        return 0
    sys.stderr.writelines(
        difflib.unified_diff(found.splitlines(True), wanted.splitlines(True), "docs/openapi.json", "the routes")
    )
    print("docs/openapi.json differs from the routes: run scripts/openapi", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
