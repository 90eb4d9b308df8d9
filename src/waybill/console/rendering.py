"""Templates and static files: found once per process, named by what they hold."""

import hashlib
import re
from functools import cache
from importlib.resources import files

from jinja2 import Environment, PackageLoader, PrefixLoader

from waybill.console.domain import format as shown

_TYPES = {
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
}
_IMPORT = re.compile(r"@@(?P<name>[a-z0-9.-]+)@@")


@cache
def environment() -> Environment:
    """Return the templates."""
    loader = PrefixLoader(
        {"govuk_frontend_jinja": PackageLoader("govuk_frontend_jinja"), "console": PackageLoader("waybill.console")}
    )
    made = Environment(loader=loader, autoescape=True, trim_blocks=True, lstrip_blocks=True, auto_reload=False)
    made.filters.update(number=shown.number, size=shown.size, name=shown.name_of, plain=shown.plain_name_of)
    made.filters.update(day=shown.day_of, count=shown.count)
    return made


@cache
def static_files() -> dict[str, tuple[str, str]]:
    """Return content and media type of each static file by its name with the hash of what it holds."""
    return {name: (text, _TYPES[name.rpartition(".")[2]]) for name, text in _hashed().values()}


@cache
def static_name(name: str) -> str:
    """Return the name with its hash of a static file: `console.css` is `console-0123456789ab.css`."""
    return _hashed()[name][0]


@cache
def _hashed() -> dict[str, tuple[str, str]]:
    found: dict[str, tuple[str, str]] = {}
    folder = files("waybill.console") / "static"
    sources = {each.name: each for place in ("vendor", "src") for each in (folder / place).iterdir()}
    # What others import comes first, so that they hold its name.
    for name in sorted(sources, key=lambda each: (each in _IMPORTING, each)):
        stem, _, ending = name.rpartition(".")
        if ending in _TYPES:
            text = _IMPORT.sub(lambda match: found[match["name"]][0], sources[name].read_text("utf-8"))
            found[name] = (f"{stem}-{hashlib.sha256(text.encode()).hexdigest()[:12]}.{ending}", text)
    return found


_IMPORTING = frozenset({"console.js", "upload.js", "hash-worker.js"})
