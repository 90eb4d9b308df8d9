"""What stands between the braces of a template: names, texts, numbers, and calls of helpers that may be nested.

Names mean what they mean in Handlebars (handlebarsjs.com, "Expressions"): ``this.name`` and ``./name`` belong to the
value of the innermost section alone, ``@root.name`` to the data. A bare ``name`` is looked for outwards, as Mustache
has it: once its first step is found, the other steps are looked for in there alone (mustache(5), broken chain
resolution). A name that is there with null is found, so that nobody else's value is printed for it.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from waybill.subject_access.domain.report.answer_file import LISTS
from waybill.subject_access.domain.report.errors import TemplateError
from waybill.subject_access.domain.report.helpers import ARGUMENTS, Helper
from waybill.subject_access.domain.report.models import Json

_TOKEN = re.compile(
    r"""\s*(?:(?P<mark>[()])|"(?P<double>[^"]*)"|'(?P<single>[^']*)'|(?P<word>(?:\[[^\]]*\]|[^\s()"'\[\]])+))"""
)
_NUMBER = re.compile(r"-?[0-9]{1,15}")
_STEP = r"(?:\[[^\]]*\]|[^\s./@{}|=\[\]]+)"
# Steps are parted by dots, or as older templates have it by slashes (handlebarsjs.com, "Expressions").
_STEPS = re.compile(rf"{_STEP}(?:[./]{_STEP})*")
_ONE_STEP = re.compile(r"\[([^\]]*)\]|([^./]+)")
_PLACES: Final = ("@index", "@number", "@key", "@first", "@last")
# The place of a section further out is written ``../@index`` or ``@../index``.
_OUTER_PLACE = re.compile(r"^@((?:\.\./)+)(?=[a-z]+$)")
# In front of the steps: what they begin at.
_BEGINNINGS: Final = (("@root", "root"), ("this", "own"), (".", "own"))
_INDEX = re.compile(r"[0-9]{1,9}")
_NESTING: Final = 50
# No helper takes more than three.
_MOST_VALUES: Final = 20
_LITERALS: Final[Mapping[str, Json]] = {"true": True, "false": False, "null": None, "undefined": None}


@dataclass(frozen=True)
class Name:
    """A name that is looked up in the data: `up` sections further out, beginning at `begin`, then by `steps`."""

    begin: Literal["anywhere", "own", "root", "place"]
    steps: tuple[str, ...] = ()
    up: int = 0


@dataclass(frozen=True)
class Constant:
    """A text, number, true, false or null."""

    value: Json


@dataclass(frozen=True)
class Call:
    """A helper with what it is called with."""

    helper: str
    arguments: tuple["Expression", ...]


type Expression = Name | Constant | Call


def parse(text: str) -> Expression:
    """Parse ``optionalValue (formatDate createdAt)``.

    Raises
    ------
    TemplateError
        Brackets or quotes do not match, a helper is unknown or is called with too few or too many arguments, or a name
        has characters that names do not have.
    """
    tokens = _tokens(text)
    expression = _sequence(text, tokens, depth=0)
    if tokens:
        raise TemplateError(f"a bracket is closed that was not opened: {text}")
    return expression


def _tokens(text: str) -> list[tuple[str, str]]:
    """Return kind and text of each token, last one first, so that the next one is popped."""
    found, position, stripped = [], 0, text.rstrip()
    while position < len(stripped):
        match = _TOKEN.match(stripped, position)
        if match is None:
            raise TemplateError(f"a quote is not closed: {text[:200]}")
        found.append((match.lastgroup or "", match[match.lastgroup or 0]))
        position = match.end()
    return found[::-1]


def _sequence(text: str, tokens: list[tuple[str, str]], depth: int) -> Expression:
    if depth > _NESTING:
        raise TemplateError(f"brackets are nested more than {_NESTING} deep")
    parts: list[tuple[str, Expression]] = []
    while tokens:
        kind, token = tokens[-1]
        if (kind, token) == ("mark", ")"):
            break
        tokens.pop()
        if len(parts) > _MOST_VALUES:
            raise TemplateError(f"more than {_MOST_VALUES} values between brackets or braces")
        if kind == "mark":
            parts.append(("", _sequence(text, tokens, depth + 1)))
        elif kind == "word" and not parts and token in ARGUMENTS:
            parts.append((token, Constant(None)))
        else:
            parts.append((token if kind == "word" else "", _atom(kind, token)))
    if depth:
        if not tokens:
            raise TemplateError(f"a bracket is not closed: {text[:200]}")
        tokens.pop()
    if not parts:
        raise TemplateError(f"nothing between the brackets or braces: {text[:200]}")
    (first, expression), *others = parts
    if first in ARGUMENTS:
        return _call(first, [argument for _, argument in others])
    if others:
        raise TemplateError(f"no helper is called {first or text[:200]}")
    return expression


def _call(helper: str, arguments: list[Expression]) -> Call:
    least, most = ARGUMENTS[helper]
    if not least <= len(arguments) <= most:
        wanted = str(least) if least == most else f"{least} to {most}"
        raise TemplateError(f"{helper} takes {wanted} {'value' if most == 1 else 'values'}, not {len(arguments)}")
    return Call(helper, tuple(arguments))


def _atom(kind: str, token: str) -> Expression:
    if kind != "word":
        return Constant(token)
    if _NUMBER.fullmatch(token):
        return Constant(int(token))
    if token in _LITERALS:
        return Constant(_LITERALS[token])
    return _name(token)


def _name(token: str) -> Name:
    up, rest = 0, _OUTER_PLACE.sub(r"\1@", token)
    while rest == ".." or rest.startswith("../"):
        up, rest = up + 1, rest[3:]
    if rest in _PLACES:
        return Name("place", (rest,), up)
    if up and not rest:
        return Name("own", (), up)
    for word, begin in _BEGINNINGS:
        behind = rest.removeprefix(word)
        if behind != rest and (not behind or behind[0] in "./"):
            return Name("root" if begin == "root" else "own", _steps(behind[1:], token) if behind else (), up)
    return Name("anywhere", _steps(rest, token), up)


def _steps(text: str, token: str) -> tuple[str, ...]:
    if "=" in token and not token.startswith("["):
        raise TemplateError(f"helpers take no named values: {token[:200]}")
    if not _STEPS.fullmatch(text):
        raise TemplateError(f"not a name: {token[:200]}")
    return tuple(found[1] if found[2] is None else found[2] for found in _ONE_STEP.finditer(text))


@dataclass(frozen=True)
class Frame:
    """One level of the data: the value, and where it is in the list or object that a section goes through.

    `names` are what the section calls the value and its place (``as |item index|``).
    """

    value: Json
    index: int | None = None
    key: str | None = None
    last: bool = False
    names: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True)
class Scope:
    """What names mean at one place of a template: the innermost frame last, `root` is the data.

    Names never reach anything but the data: no attributes, no methods.
    """

    frames: tuple[Frame, ...]
    helpers: Mapping[str, Helper] = field(default_factory=dict)
    root: Json = None

    def within(self, frame: Frame) -> "Scope":
        """Return the scope inside a section for the value of `frame`."""
        return Scope((*self.frames, frame), self.helpers, self.root)

    def evaluate(self, expression: Expression) -> Json:
        """Return the value of `expression`; what is not there is null.

        Raises
        ------
        TemplateError
            A helper cannot use a value that it is called with.
        """
        match expression:
            case Constant(value):
                return value
            case Name():
                return self._look_up(expression)
            case Call(helper, arguments):
                return self.helpers[helper](*map(self.evaluate, arguments))

    def _look_up(self, name: Name) -> Json:
        frames = self.frames[: -name.up or None] or self.frames[:1]
        match name.begin:
            case "place":
                return _place(frames, name.steps[0])
            case "root":
                return _followed(self.root, name.steps)
            case "own":
                return _followed(frames[-1].value, name.steps)
        first, *others = name.steps
        for frame in reversed(frames):
            if first in frame.names:
                return _followed(frame.names[first], others)
            if isinstance(frame.value, dict) and first in frame.value:
                return _followed(frame.value[first], others)
        return None


def _place(frames: tuple[Frame, ...], name: str) -> Json:
    """Return where the innermost section that goes through something is."""
    frame = next((frame for frame in reversed(frames) if frame.index is not None), None)
    if frame is None or frame.index is None:
        return None
    places = {
        "@index": frame.index,
        "@number": frame.index + 1,
        "@key": frame.key,
        "@first": frame.index == 0,
        "@last": frame.last,
    }
    return places[name]


def _followed(value: Json, steps: tuple[str, ...] | list[str]) -> Json:
    for step in steps:
        value = member(value, step)
    return value


def member(value: Json, step: str) -> Json:
    """Return what an object has under a name, or a list at a place that counts from 0; None where it has nothing."""
    if isinstance(value, dict):
        return value.get(step)
    if isinstance(value, LISTS) and _INDEX.fullmatch(step):
        return value[int(step)] if int(step) < len(value) else None
    return None
