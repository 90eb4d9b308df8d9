"""Takes the console's style sheet and scripts from packages of npm, unpacked side by side in a folder.

    npm pack govuk-frontend@6.3.0 hash-wasm@4.13.0
    for each in *.tgz; do mkdir "${each%.tgz}" && tar xzf "$each" -C "${each%.tgz}" --strip-components 1; done
    python -m scripts.vendor_console .

The typeface GDS Transport and the royal crest are for gov.uk alone, and stay behind; no source maps either.
"""

import hashlib
import json
import re
import sys
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[1] / "src" / "waybill" / "console" / "static" / "vendor"
SYSTEM_FONTS = 'system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans","Liberation Sans",Arial,sans-serif'
# Name here: package, version, file in it, licence.
FILES = {
    "govuk-frontend.css": ("govuk-frontend", "6.3.0", "dist/govuk/govuk-frontend.min.css", "MIT"),
    "govuk-frontend.js": ("govuk-frontend", "6.3.0", "dist/govuk/govuk-frontend.min.js", "MIT"),
    "sha256.js": ("hash-wasm", "4.13.0", "dist/sha256.umd.min.js", "MIT"),
}
_FACE = re.compile(r"@font-face\{[^}]*\}")
_CREST = re.compile(r"[^{}]*\{[^{}]*govuk-crest\.svg[^{}]*\}")
_MAP = re.compile(r"/[/*]# sourceMappingURL=\S+(\s*\*/)?")


def vendored(text: str, name: str) -> str:
    """Return a file as it is kept here."""
    text = _MAP.sub("", text).rstrip() + "\n"
    if name.endswith(".css"):
        text = _CREST.sub("", _FACE.sub("", text))
        text = re.sub(r'"?GDS Transport"?,arial,sans-serif', SYSTEM_FONTS, text)
    return text


def main(packages: Path) -> None:
    """Write the files, and what they are."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    told = {}
    for name, (package, version, inside, licence) in FILES.items():
        text = vendored((packages / f"{package}-{version}" / inside).read_text("utf-8"), name)
        (FOLDER / name).write_text(text, "utf-8")
        told[name] = {
            "package": package,
            "version": version,
            "file": inside,
            "licence": licence,
            "sha256": hashlib.sha256(text.encode()).hexdigest(),
        }
    (FOLDER / "VENDOR.json").write_text(json.dumps(told, indent=2) + "\n", "utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
