"""Detectors as data: `detectors/*.yaml`, read once, and proved on their own examples.

A detector has

    id, description, source   the name in findings, and where its facts come from
    validator                 a function of validators/, by its name in validators/registry.py
    mask                      what is shown instead, see masking.py
    keywords                  words that make a value likelier; up to four letters: whole words only. Whatever is not
                              ASCII is found in small letters and capitals, and without its accents
    columns                   names of columns, or their ends, that say what the values in them are; default: keywords
    keyword_distance          how near, in bytes of the same line (default 50)
    yields                    gives way to other detectors that claim the same bytes
    samples                   normal forms that everybody knows from documentation
    rules                     one per shape:
        pattern               the exact shape, every quantifier bounded; where it begins with a look-behind, this also
                              holds behind an escape sequence of JSON, C or an address
        gates                 short patterns without look-around: within whatever `pattern` matches, one of them ends in
                              the first `lead` bytes (default 80). Rules with the same text share the gate. Where all
                              is classes of bytes, control bytes in those with few others keep Hyperscan from looking
                              for each of these by itself, which takes twice as long
        needs_region          is looked for where somebody has said of which regions values may be: which of them are
                              meant, by a name of REGIONS in validators/telephone.py; its gates cost speed
        needs_keyword         without a keyword near (or in the column's name) it is nothing; keywords are its gates
        needs_column          is looked for in columns alone that are named so; it has no gates
        confidence            without, and
        with_keyword          with a keyword
        lookahead             longest match, and how far the validator looks behind it, in bytes (default 256)
        digits                how many digits a value has at least, where the validator asks for more than the pattern
    examples                  text, and what is found in it: nothing, or a value with confidence and `sample`;
                              with `regions`: when these are given
"""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from importlib import resources
from typing import Any

from waybill.core import containers
from waybill.scanning.domain.detection.gates import LEAD
from waybill.scanning.domain.detection.keywords import Keywords, gate_of, hints_of
from waybill.scanning.domain.detection.models import Confidence, Validator
from waybill.scanning.domain.detection.pattern_facts import as_class, first_bytes
from waybill.scanning.domain.detection.validators.registry import VALIDATORS
from waybill.scanning.domain.detection.validators.telephone import REGIONS
from waybill.scanning.errors import DetectorError

# Names that a value without keywords of its own may stand right behind.
_NAMES = ("token", "key", "secret", "password", "id", "auth", "bearer")


@dataclass(frozen=True)
class Rule:
    """One shape of a detector's values.

    `core` is what `pattern` and `behind_escapes` have in common: all but what must stand in front.
    """

    pattern: re.Pattern[bytes]
    behind_escapes: bytes
    core: bytes
    gates: tuple[str, ...]
    lead: int
    needs_keyword: bool
    needs_column: bool
    needs_region: str
    confidence: Confidence
    with_keyword: Confidence
    lookahead: int
    digits: int

    def first_in(self, text: bytes) -> int:
        """Return where the first match of the pattern begins; the length of the text without one.

        Without its look-behind a pattern is found in a tenth of the time; what it is made of stays.
        """
        found = self._shape.search(text)
        while found and not self.pattern.match(text, found.start()):
            found = self._shape.search(text, found.start() + 1)
        return found.start() if found else len(text)

    @cached_property
    def escaped(self) -> re.Pattern[bytes]:
        """The pattern for lines with escapes or glued keywords: few have them, and it takes longer, to compile too."""
        return re.compile(self.behind_escapes)

    @cached_property
    def _shape(self) -> re.Pattern[bytes]:
        return re.compile(self.core)


@dataclass(frozen=True, eq=False)
class Detector:
    """One kind of sensitive value.

    Where `keywords` match, one of `hints` is found in small letters, which takes less time.
    A value may stand right behind one of `borders`; where it does, `glued` matches.
    """

    id: str
    description: str
    mask: str
    keywords: Keywords | None
    columns: re.Pattern[str] | None
    hints: tuple[bytes, ...]
    words: tuple[str, ...]
    borders: tuple[bytes, ...]
    glued: re.Pattern[bytes] | None
    keyword_distance: int
    yields: bool
    samples: frozenset[bytes]
    validator: Validator
    rules: tuple[Rule, ...]
    examples: tuple[Mapping[str, Any], ...]

    def named_by(self, column: str) -> bool:
        """Return whether a column of that name says that its values are of this kind."""
        if self.columns:
            return self.columns.search(column) is not None
        return self.keywords is not None and self.keywords.are_in(column.encode())


@cache
def detectors() -> tuple[Detector, ...]:
    """Return every detector that Waybill has.

    Raises
    ------
    DetectorError
        A detector is not of the form above.
    """
    folder = resources.files(__package__) / "detectors"
    files = sorted((file for file in folder.iterdir() if file.name.endswith(".yaml")), key=lambda file: file.name)
    return tuple(detector for file in files for detector in parse_detectors(file.read_text("utf-8")))


@cache
def ruleset() -> str:
    """Return what stands for the detectors and the code that applies them; another rule, another text."""
    here = resources.files(__package__)
    digest = hashlib.sha256()
    for folder in (here, here / "detectors", here / "validators", resources.files(containers)):
        for part in sorted(folder.iterdir(), key=lambda part: part.name):
            if part.name.endswith((".py", ".yaml")):
                digest.update(part.name.encode() + part.read_bytes())
    return digest.hexdigest()


def parse_detectors(text: str) -> list[Detector]:
    """Return the detectors that a YAML document describes.

    Raises
    ------
    DetectorError
        It is not of the form above; names the detector.
    """
    import yaml

    loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        entries = yaml.load(text, loader)  # noqa: S506 (a safe loader, in C where there is one)
    except yaml.YAMLError as error:
        raise DetectorError(f"not YAML: {error}") from None
    if not isinstance(entries, list):
        raise DetectorError("a file of detectors is a list")
    return [detector_of(entry) for entry in entries]


def detector_of(entry: Any) -> Detector:
    """Return the detector that an entry describes; raises DetectorError where it is not of the form above."""
    name = str(entry.get("id", "?")) if isinstance(entry, Mapping) else "?"
    try:
        keywords = tuple(entry["keywords"])
        spoken = keywords or (() if entry.get("yields") else _NAMES)
        borders = [word for word in spoken if word.isalpha() and word.isascii()]
        return Detector(
            id=name,
            description=entry["description"],
            mask=entry["mask"],
            keywords=Keywords(keywords) if keywords else None,
            columns=re.compile(f"(?i)(?:{'|'.join(entry['columns'])})$") if entry.get("columns") else None,
            hints=tuple(hint for keyword in keywords for hint in hints_of(keyword)),
            words=tuple(part for keyword in keywords for part in re.split(r"[^a-z]+", str(keyword).lower()) if part),
            borders=tuple(word.encode("ascii") for word in borders),
            glued=re.compile(rf"(?:{'|'.join(borders)})[0-9a-z]".encode("ascii")) if borders else None,
            # Counted in bytes, of which a letter has up to four.
            keyword_distance=int(entry.get("keyword_distance", 50))
            + max((len(word.encode()) - len(word) for word in keywords), default=0),
            yields=bool(entry.get("yields", False)),
            samples=frozenset(str(sample).encode() for sample in entry.get("samples", ())),
            validator=VALIDATORS[entry["validator"]],
            rules=tuple(_rule(rule, keywords, borders) for rule in entry["rules"]),
            examples=tuple(entry["examples"]),
        )
    except (KeyError, TypeError, ValueError, AttributeError, re.error) as error:
        raise DetectorError(f"{name}: {type(error).__name__}: {error}") from None


def _rule(entry: Mapping[str, Any], keywords: tuple[str, ...], borders: Sequence[str]) -> Rule:
    needs_column = bool(entry.get("needs_column", False))
    needs_keyword = needs_column or bool(entry.get("needs_keyword", False))
    gates = [gate_of(keyword) for keyword in keywords] if needs_keyword else entry["gates"]
    confidence = Confidence[entry.get("confidence", "LOW")]
    if not gates and not needs_column:
        raise ValueError("a rule needs gates, or keywords")
    return Rule(
        pattern=re.compile(_quick(entry["pattern"]).encode("ascii")),
        behind_escapes=_behind_escapes(entry["pattern"], borders).encode("ascii"),
        core=_core(entry["pattern"]).encode("ascii"),
        gates=tuple(gates),
        lead=min(int(entry.get("lead", LEAD)), LEAD),
        needs_keyword=needs_keyword,
        needs_column=needs_column,
        needs_region=_regions(entry.get("needs_region", "")),
        confidence=confidence,
        with_keyword=Confidence[entry.get("with_keyword", confidence.name)],
        lookahead=int(entry.get("lookahead", 256)),
        digits=int(entry.get("digits", 0)),
    )


_LEFT_BORDER = re.compile(r"((?:\(\?[a-z]+\))?)(\(\?<!\[(?:[^\]\\]|\\.)+\]\))")
# Escapes of JSON (RFC 8259, section 7), of C and of addresses (RFC 3986, section 2.1) end in letters and digits. In an
# address, what is not ASCII is several bytes in UTF-8; `%adam` is a name behind a sign.
_HIGH, _NEXT = "[89A-Fa-f][0-9A-Fa-f]", "%[89ABab][0-9A-Fa-f]"
_ESCAPES = (
    *(r"(?<=\\[nrtbfv0])", r"(?<=\\x[0-9A-Fa-f]{2})", r"(?<=\\u[0-9A-Fa-f]{4})"),
    *(r"(?<=%[0-7][0-9A-Fa-f])", r"(?<=%25[0-7][0-9A-Fa-f])", rf"(?<=%{_HIGH}{_NEXT})"),
)
_WITHIN_ESCAPE = (
    r"(?!(?<=\\)[nrtbfv0xu]|(?<=%25)[0-7][0-9A-Fa-f]"
    rf"|(?<=%)(?:[0-7][0-9A-Fa-f]|{_HIGH}{_NEXT})|(?<=%{_HIGH}%)[89ABab][0-9A-Fa-f])"
)


def _behind_escapes(pattern: str, borders: Sequence[str]) -> str:
    """Return a pattern that takes an escape sequence, or one of `borders`, for what its look-behind asks for."""
    border = _LEFT_BORDER.match(pattern)
    if border is None:
        return pattern
    flags, behind = border.groups()
    words = [f"(?<=(?i:{word}))" for word in borders]
    first = _first(_core(pattern))
    return f"{flags}{first}{_WITHIN_ESCAPE}(?:{'|'.join((behind, *_ESCAPES, *words))}){pattern[border.end() :]}"


def _quick(pattern: str) -> str:
    """Return a pattern that asks for its first byte before it looks at what stands in front."""
    border = _LEFT_BORDER.match(pattern)
    return f"{border[1]}{_first(_core(pattern))}{pattern[border.start(2) :]}" if border else pattern


def _first(core: str) -> str:
    found = first_bytes(core)
    return f"(?={as_class(found)})" if found else ""


def _core(pattern: str) -> str:
    border = _LEFT_BORDER.match(pattern)
    return f"{border[1]}{pattern[border.end() :]}" if border else pattern


def _regions(name: str) -> str:
    if name and name not in REGIONS:
        raise ValueError(f"needs_region is none of {', '.join(REGIONS)}")
    return name
