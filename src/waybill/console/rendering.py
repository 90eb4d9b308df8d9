"""Templates and static files: found once per process, named by what they hold."""

import hashlib
import pickle
import re
from functools import cache
from importlib.resources import files
from pathlib import Path

from jinja2 import BytecodeCache, Environment, PackageLoader, PrefixLoader
from jinja2.bccache import Bucket

from waybill.console.domain import format as shown
from waybill.core.text import count

_TYPES = {
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
}
COMPILED = "compiled-templates"
_IMPORT = re.compile(r"@@(?P<name>[a-z0-9.-]+)@@")


class Compiled(BytecodeCache):
    """Templates as the layer's build has compiled them: at the first request that would take most of its time.

    They are found by what their source holds, so that one that has changed since is compiled anew.
    """

    def __init__(self, folder: Path, *, writes: bool = False) -> None:
        self._folder, self._writes = folder, writes

    def get_bucket(self, environment: Environment, name: str, filename: str | None, source: str) -> Bucket:
        """Return the place of a template by its source."""
        checksum = self.get_source_checksum(source)
        bucket = Bucket(environment, checksum, checksum)
        self.load_bytecode(bucket)
        return bucket

    def load_bytecode(self, bucket: Bucket) -> None:
        """Take what was compiled; Jinja2 looks whether it is of this source and this Python."""
        try:
            bucket.bytecode_from_string((self._folder / bucket.key).read_bytes())
        except (OSError, ValueError, EOFError, TypeError, pickle.UnpicklingError):
            bucket.reset()

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep what was compiled, where a build wants it."""
        if self._writes:
            (self._folder / bucket.key).write_bytes(bucket.bytecode_to_string())


def compile_all(folder: Path) -> int:
    """Compile every template into `folder`; return how many there are."""
    folder.mkdir(parents=True, exist_ok=True)
    made = environment().overlay(bytecode_cache=Compiled(folder, writes=True))
    names = made.list_templates(extensions=["html"])
    for name in names:
        made.get_template(name)
    return len(names)


@cache
def environment() -> Environment:
    """Return the templates."""
    loader = PrefixLoader(
        {"govuk_frontend_jinja": PackageLoader("govuk_frontend_jinja"), "console": PackageLoader("waybill.console")}
    )
    made = Environment(
        loader=loader,
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
        # Beside the macros, which the console's own layer alone brings.
        bytecode_cache=Compiled(Path(str(files("govuk_frontend_jinja"))).parent / COMPILED),
    )
    made.filters.update(number=shown.number, size=shown.size, name=shown.name_of, plain=shown.plain_name_of)
    made.filters.update(day=shown.day_of, count=count)
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
