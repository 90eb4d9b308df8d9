"""A compiled set of YARA rules: built from files, versioned by what is in them, and tried before it is used."""

import hashlib
import io
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.metadata import version as installed_version
from pathlib import Path
from typing import Any, Self

from waybill.consignments.domain.checks.errors import RuleSetInvalidError
from waybill.consignments.domain.checks.spool import write_whole

SUFFIXES = frozenset({".yar", ".yara"})
# Rules of the common collections ask for these. They stay empty, so that a verdict depends on the bytes alone.
EXTERNAL_VARIABLES = ("extension", "filename", "filepath", "filetype")
_FORMAT = 1


def yara_version() -> str:
    """Return the version of YARA-X, without loading it."""
    return installed_version("yara-x")


@dataclass(frozen=True)
class RuleSource:
    """One file of rules; `name` is its path below the folder, with `/`."""

    name: str
    text: str


@dataclass(frozen=True)
class Skipped:
    """A file that is not in the set, and why."""

    name: str
    reason: str


@dataclass(frozen=True)
class RuleSet:
    """A compiled set.

    Attributes
    ----------
    version : str
        SHA-256 (hex) of the sources and exclusions, so that the same rules have the same version wherever they are
        compiled.
    yara : str
        The version of YARA-X that has compiled them, and the only one that reads `compiled`.
    compiled : bytes
        What YARA-X serialises.
    excluded : tuple of (str, str)
        File and name of the rules whose matches do not count.
    files : int
        Files in the set.
    built : str
        When it was published, as ISO 8601; empty where that was not noted.
    """

    version: str
    yara: str
    compiled: bytes
    excluded: tuple[tuple[str, str], ...]
    files: int
    built: str = ""

    def manifest(self) -> dict[str, Any]:
        """Return what has to be known of the set besides `compiled`."""
        return {
            "format": _FORMAT,
            "version": self.version,
            "yaraX": self.yara,
            "sha256": hashlib.sha256(self.compiled).hexdigest(),
            "excluded": [list(pair) for pair in self.excluded],
            "files": self.files,
            **({"built": self.built} if self.built else {}),
        }

    def write(self, folder: Path) -> Path:
        """Return the file of `compiled` in `folder`, whose name no other set has."""
        return write_whole(folder, f"{hashlib.sha256(self.compiled).hexdigest()}.yarc", self.compiled)

    @classmethod
    def restore(cls, manifest: Any, compiled: bytes) -> Self:
        """Return the set that was stored as `manifest` and `compiled`.

        Raises
        ------
        RuleSetInvalidError
            They do not belong together, are damaged, or are for another version of YARA-X.
        """
        if not isinstance(manifest, dict) or manifest.get("format") != _FORMAT:
            raise RuleSetInvalidError(f"the rule set's manifest is not one of format {_FORMAT}; build the rules again")
        if hashlib.sha256(compiled).hexdigest() != manifest.get("sha256"):
            raise RuleSetInvalidError("the compiled rule set is not what its manifest describes; build the rules again")
        if manifest.get("yaraX") != yara_version():
            raise RuleSetInvalidError(
                f"the rule set was compiled by YARA-X {manifest.get('yaraX')}, here is {yara_version()}; "
                "build the rules again"
            )
        try:
            excluded = tuple((str(file), str(rule)) for file, rule in manifest["excluded"])
            files, built = int(manifest["files"]), str(manifest.get("built", ""))
            return cls(str(manifest["version"]), manifest["yaraX"], compiled, excluded, files, built)
        except (KeyError, TypeError, ValueError) as error:
            raise RuleSetInvalidError("the rule set's manifest is incomplete; build the rules again") from error


def sources_in(folder: Path) -> tuple[list[RuleSource], list[Skipped]]:
    """Return all files of rules below `folder`, and those that are not text."""
    sources, skipped = [], []
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() not in SUFFIXES or not path.is_file():
            continue
        name = path.relative_to(folder).as_posix()
        try:
            sources.append(RuleSource(name, path.read_text("utf-8")))
        except UnicodeDecodeError:
            skipped.append(Skipped(name, "is not UTF-8 text"))
    return sources, skipped


def parse_exclusions(text: str) -> dict[str, list[str]]:
    """Return the rules to leave out by file, from JSON `{"<file>": ["<rule>", …]}`.

    Raises
    ------
    RuleSetInvalidError
        It is something else.
    """
    try:
        found = json.loads(text)
    except ValueError as error:
        raise RuleSetInvalidError(f"the exclusions are not JSON: {error}") from error
    if not isinstance(found, dict) or not all(
        isinstance(rules, list) and all(isinstance(rule, str) for rule in rules) for rules in found.values()
    ):
        raise RuleSetInvalidError('the exclusions must be of the form {"<file>": ["<rule>", …]}')
    return found


def build(sources: Iterable[RuleSource], exclusions: Mapping[str, list[str]]) -> tuple[RuleSet, list[Skipped]]:
    """Compile every source that compiles alone into one set; return it, and what was left out.

    Raises
    ------
    RuleSetInvalidError
        Nothing is left, or an exclusion names no file.
    """
    good, skipped = _separate(sources)
    if not good:
        raise RuleSetInvalidError("there is no file of rules that compiles")
    unknown = exclusions.keys() - {source.name for source in good} - {left.name for left in skipped}
    if unknown:
        raise RuleSetInvalidError(f"the exclusions name {min(unknown)}, which is not among the rules")
    excluded = tuple(sorted((file, rule) for file, rules in exclusions.items() for rule in rules))
    compiler = _compiler()
    for source in good:
        # Collections use the same names for different rules: each file is a namespace.
        compiler.new_namespace(source.name)
        compiler.add_source(source.text, origin=source.name)
    compiled = io.BytesIO()
    compiler.build().serialize_into(compiled)
    return RuleSet(_version(good, excluded), yara_version(), compiled.getvalue(), excluded, len(good)), skipped


def _separate(sources: Iterable[RuleSource]) -> tuple[list[RuleSource], list[Skipped]]:
    import yara_x

    good, skipped = [], []
    for source in sorted(sources, key=lambda source: source.name):
        try:
            compiler = _compiler()
            compiler.add_source(source.text, origin=source.name)
            compiler.build()
            good.append(source)
        except (yara_x.CompileError, ValueError) as error:
            skipped.append(Skipped(source.name, str(error).partition("\n")[0][:200]))
    return good, skipped


def _compiler() -> Any:
    import yara_x

    # Collections are written for YARA, which is more lenient; an include could read any file of this machine.
    compiler = yara_x.Compiler(relaxed_re_syntax=True, includes_enabled=False)
    for name in EXTERNAL_VARIABLES:
        compiler.define_global(name, "")
    return compiler


def _version(sources: list[RuleSource], excluded: tuple[tuple[str, str], ...]) -> str:
    content = [[[source.name, source.text] for source in sources], excluded, EXTERNAL_VARIABLES]
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()
