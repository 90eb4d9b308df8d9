"""What the layers carry."""

import re
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[3]

_PINNED = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)==", re.MULTILINE)


@cache
def packages_of(layer: str) -> frozenset[str]:
    """The top-level packages of a layer: `layers/auth` has `jwt` and `cryptography`, among others."""
    requirements = (PROJECT / layer / "requirements.txt").read_text("utf-8")
    distributions = {_canonical(found["name"]) for found in _PINNED.finditer(requirements)}
    return frozenset(
        package
        for package, sources in packages_distributions().items()
        if distributions & {_canonical(source) for source in sources}
    )


def _canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
