"""Known vulnerabilities of everything that is pinned, from a file of advisories: no service has to be reachable.

    make audit ADVISORIES=all.zip

The file is an archive of the OSV database for one ecosystem (documents by id, https://google.github.io/osv.dev/data/,
"Data dumps"; schema https://ossf.github.io/osv-schema/), here PyPI. Exit status 0: none of the pinned versions is
affected; 1: the affected ones are named; 2: the file says nothing that could be judged.
"""

import json
import sys
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

PROJECT = Path(__file__).resolve().parents[1]


class Pin(NamedTuple):
    """A version that a file of the project pins."""

    name: str
    version: Version
    place: str


def pins(project: Path) -> Iterator[Pin]:
    """Yield every pinned version of the layers and the tools."""
    for path in sorted([*project.glob("layers/*/requirements.txt"), *project.glob("tools/*/requirements.txt")]):
        for line in path.read_text("utf-8").splitlines():
            text = line.removesuffix("\\").strip()
            if not text or text.startswith(("#", "--")):
                continue
            requirement = Requirement(text)
            (pin,) = requirement.specifier
            yield Pin(canonicalize_name(requirement.name), Version(pin.version), str(path.relative_to(project)))


def advisories(archive: Path) -> Iterator[Mapping[str, Any]]:
    """Yield the documents of an archive of the OSV database that have not been withdrawn."""
    with zipfile.ZipFile(archive) as opened:
        for name in opened.namelist():
            if name.endswith(".json"):
                document = json.loads(opened.read(name))
                if "withdrawn" not in document:
                    yield document


def affects(advisory: Mapping[str, Any], pin: Pin) -> bool:
    """Return whether an advisory names the pinned version (OSV schema, "affected[].versions" and "ranges").

    A version that is listed is affected; so is one inside a range of kind ECOSYSTEM, whose events are applied in order
    of their versions: `introduced` opens, `fixed` closes at that version, `last_affected` closes behind it.
    """
    return any(
        canonicalize_name(str(one["package"]["name"])) == pin.name
        and one["package"].get("ecosystem") == "PyPI"
        and (_listed(one, pin.version) or any(_inside(span, pin.version) for span in one.get("ranges", ())))
        for one in advisory.get("affected", ())
    )


def _listed(affected: Mapping[str, Any], version: Version) -> bool:
    return any(_version(text) == version for text in affected.get("versions", ()))


def _inside(span: Mapping[str, Any], version: Version) -> bool:
    if span.get("type") != "ECOSYSTEM":
        return False
    inside = False
    for kind, at in sorted(_events(span), key=lambda event: event[1]):
        if kind == "introduced" and version >= at:
            inside = True
        elif (kind == "fixed" and version >= at) or (kind == "last_affected" and version > at):
            inside = False
    return inside


def _events(span: Mapping[str, Any]) -> Iterator[tuple[str, Version]]:
    for event in span.get("events", ()):
        for kind, text in event.items():
            at = _version("0.dev0" if text == "0" else text)
            if at is not None:
                yield kind, at


def _version(text: str) -> Version | None:
    try:
        return Version(text)
    except InvalidVersion:
        return None


def main(arguments: list[str]) -> int:
    """Print what is affected; return the exit status."""
    if len(arguments) != 1 or not zipfile.is_zipfile(arguments[0]):
        print("audit: name an archive of the OSV database for PyPI: make audit ADVISORIES=all.zip", file=sys.stderr)
        return 2
    pinned = list(pins(PROJECT))
    read = 0
    found: set[str] = set()
    for advisory in advisories(Path(arguments[0])):
        read += 1
        summary = " ".join(str(advisory.get("summary") or advisory.get("details") or "").split())[:100]
        found |= {
            f"{pin.name} {pin.version} ({pin.place}): {advisory['id']} {summary}"
            for pin in pinned
            if affects(advisory, pin)
        }
    print("\n".join(sorted(found)))
    print(f"{len(pinned)} pins looked at against {read:,} advisories: {len(found)} affected", file=sys.stderr)
    return 2 if not read else 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
