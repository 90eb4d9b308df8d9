"""Writes docs/openapi.json from the routes; with --check, only says whether it is up to date."""

import json
import sys
from pathlib import Path

from scripts.generated import write_or_compare
from waybill import __version__
from waybill.gateway.openapi import openapi_document
from waybill.gateway.registry import apis

DOCUMENT = Path(__file__).resolve().parents[1] / "docs" / "openapi.json"


def document() -> str:
    """The document that `GET /openapi.json` answers with, to be read: indented, the same bytes every time."""
    return json.dumps(openapi_document(apis(), __version__), ensure_ascii=False, indent=2) + "\n"


def main() -> int:
    """Write the document, or compare it."""
    return write_or_compare(DOCUMENT, document(), "the routes")


if __name__ == "__main__":
    sys.exit(main())
