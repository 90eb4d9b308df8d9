"""What stands between the braces of a template: names, texts, numbers, and calls of helpers that may be nested."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from waybill.subject_access.domain.report.errors import TemplateError
from waybill.subject_access.domain.report.helpers import HELPER_NAMES, Helper
from waybill.subject_access.domain.report.models import Json

_TOKEN = re.compile(r"""\s*(?:(?P<mark>[()])|"(?P<double>[^"]*)"|'(?P<single>[^']*)'|(?P<word>[^\s()"']+))""")
_NUMBER = re.compile(r"-?\d+")
_NAME = re.compile(r"\.|this|@(?:index|number|key|first|last)|(?:\.\./)*[^\s./@{}][^\s/@{}]*")
_LITERALS: Final[Mapping[str, Json]] = {"true": True, "false": False, "null": None}


@dataclass(frozen=True)
class Name:
    """A name that is looked up in the data, ``.`` for the data itself."""

    text: str


@dataclass(frozen=True)
class Literal:
    """A text, number, true, false or null."""

    value: Json


@dataclass(frozen=True)
class Call:
    """A helper with what it is called with."""

    helper: str
    arguments: tuple["Expression", ...]


type Expression = Name | Literal | Call


def parse(text: str) -> Expression:
    """Parse ``optionalValue (formatDate createdAt)``.

    Raises
    ------
    TemplateError
        Brackets or quotes do not match, a helper is unknown, or a name has characters that names do not have.
    """
    tokens = _tokens(text)
    expression = _sequence(text, tokens, nested=False)
    if tokens:
        raise TemplateError(f"a bracket is closed that was not opened: {text}")
    return expression


def _tokens(text: str) -> list[tuple[str, str]]:
    """Return kind and text of each token, last one first, so that the next one is popped."""
    found, position, stripped = [], 0, text.rstrip()
    while position < len(stripped):
        match = _TOKEN.match(stripped, position)
        if match is None:
            raise TemplateError(f"a quote is not closed: {text}")
        found.append((match.lastgroup or "", match[match.lastgroup or 0]))
        position = match.end()
    return found[::-1]


def _sequence(text: str, tokens: list[tuple[str, str]], nested: bool) -> Expression:
    parts: list[tuple[str, Expression]] = []
    while tokens:
        kind, token = tokens[-1]
        if (kind, token) == ("mark", ")"):
            break
        tokens.pop()
        if kind == "mark":
            parts.append(("", _sequence(text, tokens, nested=True)))
        else:
            parts.append((token if kind == "word" else "", _atom(kind, token)))
    if nested:
        if not tokens:
            raise TemplateError(f"a bracket is not closed: {text}")
        tokens.pop()
    if not parts:
        raise TemplateError(f"nothing between the brackets or braces: {text}")
    (first, expression), *others = parts
    if others or first in HELPER_NAMES:
        if first not in HELPER_NAMES:
            raise TemplateError(f"no helper is called {first or text}")
        return Call(first, tuple(argument for _, argument in others))
    return expression


def _atom(kind: str, token: str) -> Expression:
    if kind != "word":
        return Literal(token)
    if _NUMBER.fullmatch(token):
        return Literal(int(token))
    if token in _LITERALS:
        return Literal(_LITERALS[token])
    if not _NAME.fullmatch(token):
        raise TemplateError(f"not a name: {token}")
    return Name(token)


@dataclass(frozen=True)
class Frame:
    """One level of the data: the value, and where it is in the list or object that a section goes through."""

    value: Json
    index: int | None = None
    key: str | None = None
    last: bool = False


@dataclass(frozen=True)
class Scope:
    """What names mean at one place of a template: the innermost frame last.

    Names never reach anything but the data: no attributes, no methods.
    """

    frames: tuple[Frame, ...]
    helpers: Mapping[str, Helper] = field(default_factory=dict)

    def within(self, frame: Frame) -> "Scope":
        """Return the scope inside a section for the value of `frame`."""
        return Scope((*self.frames, frame), self.helpers)

    def evaluate(self, expression: Expression) -> Json:
        """Return the value of `expression`; what is not there is null."""
        match expression:
            case Literal(value):
                return value
            case Name(text):
                return self._look_up(text)
            case Call(helper, arguments):
                values = [self.evaluate(argument) for argument in arguments]
                try:
                    return self.helpers[helper](*values)
                except TypeError:  # too many arguments
                    return values[0] if values else None

    def _look_up(self, name: str) -> Json:
        frames = self.frames
        while name.startswith("../"):
            frames, name = frames[:-1] or frames[:1], name[3:]
        if name in (".", "this"):
            return frames[-1].value
        if name.startswith("@"):
            return _place(frames, name)
        first, *others = name.removeprefix("this.").split(".")
        objects = (frame.value for frame in reversed(frames) if isinstance(frame.value, dict))
        value: Json = next((one[first] for one in objects if first in one), None)
        for step in others:
            value = _step(value, step)
        return value


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


def _step(value: Json, step: str) -> Json:
    if isinstance(value, dict):
        return value.get(step)
    if isinstance(value, list) and step.isdigit():
        return value[int(step)] if int(step) < len(value) else None
    return None
