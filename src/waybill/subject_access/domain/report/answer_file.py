"""Reads an answer from its file; of a long list each item is read when it is looked at, so that none stays in memory.

An answer of 60 MB has some hundred thousand records, which take five times as much as objects. They are drawn one after
the other, so a list keeps where each of its items is, and no more.
"""

import json
from array import array
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO, Final, TextIO, overload, override

from waybill.subject_access.domain.report.models import Json, Number

_CHUNK: Final = 1_000_000
# A list whose text is shorter than this is read as a whole.
_SHORT: Final = 1_000_000
_DECODER: Final = json.JSONDecoder(parse_float=Number, parse_int=Number)
_SPACE: Final = " \t\n\r"
_OF_NUMBERS: Final = "0123456789+-.eE"
_ERRORS: Final = "surrogatepass"


class Items(Sequence[Json]):
    """A list of JSON values whose texts lie in a file, one behind the other; there are always some.

    Parameters
    ----------
    file : Path
        Where they lie, as long as the list is used.
    ends : array of int
        Where each of them ends, in bytes.
    """

    def __init__(self, file: Path, ends: "array[int]") -> None:
        self._file = file
        self._ends = ends

    @override
    def __len__(self) -> int:
        return len(self._ends)

    @override
    def __iter__(self) -> Iterator[Json]:
        with self._file.open("rb") as file:
            begin = 0
            for end in self._ends:
                yield _decoded(file, end - begin)
                begin = end

    @overload
    def __getitem__(self, place: int) -> Json: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[Json]: ...
    @override
    def __getitem__(self, place: int | slice) -> Json:
        if isinstance(place, slice):
            return [self[one] for one in range(*place.indices(len(self)))]
        number = range(len(self))[place]
        begin = self._ends[number - 1] if number else 0
        with self._file.open("rb") as file:
            file.seek(begin)
            return _decoded(file, self._ends[number] - begin)

    @override
    def __str__(self) -> str:
        raise TypeError("a long list has no text of its own")


# What a list of an answer is.
LISTS: Final = (list, Items)


def read_answer(file: Path, work: Path) -> Json:
    """Return what stands in `file`, JSON in UTF-8; long lists of it are `Items`, in files of the folder `work`.

    Raises
    ------
    ValueError
        It is not JSON.
    RecursionError
        It is nested deeper than Python goes.
    """
    with file.open(encoding="utf-8-sig", errors=_ERRORS, newline="") as text:
        reader = _Reader(text, work)
        value = reader.value()
        if reader.character():
            raise ValueError("more than one value")
    return value


def _decoded(file: BinaryIO, size: int) -> Any:
    return _DECODER.decode(file.read(size).decode("utf-8", _ERRORS))


class _Reader:
    """A window on a text, which is moved over its values.

    Objects are read member by member and lists item by item, down to the first list of each way: what is in a list is
    read as a whole.
    """

    def __init__(self, text: TextIO, work: Path) -> None:
        self._text = text
        self._work = work
        self._window = ""
        self._place = 0
        self._files = 0

    def value(self) -> Json:
        match self.character():
            case "{":
                return self._object()
            case "[":
                return self._list()
        return self._whole()[0]

    def character(self) -> str:
        """Return the next character that is no space, without going over it; nothing at the end."""
        while True:
            while self._place < len(self._window):
                if self._window[self._place] not in _SPACE:
                    return self._window[self._place]
                self._place += 1
            if not self._more():
                return ""

    def _object(self) -> Json:
        found: dict[str, Json] = {}
        self._place += 1
        if self.character() == "}":
            self._place += 1
            return found
        while True:
            if self.character() != '"':
                raise ValueError("a member has no name")
            name, _ = self._whole()
            self._over(":")
            found[name] = self.value()
            if self._over(",}") == "}":
                return found

    def _list(self) -> Json:
        self._place += 1
        if self.character() == "]":
            self._place += 1
            return []
        items, texts, size = [], [], 0
        while size < _SHORT:
            item, text = self._item()
            items.append(item)
            texts.append(text)
            size += len(text)
            if self._over(",]") == "]":
                return items
        return self._long(texts)

    def _long(self, before: Sequence[str]) -> Items:
        """Go on with a list that turned out to be long."""
        self._files += 1
        file = self._work / f"items-{self._files}"
        ends, end = array("Q"), 0
        with file.open("wb") as out:
            for text in chain(before, self._following()):
                end += out.write(text.encode("utf-8", _ERRORS))
                ends.append(end)
        return Items(file, ends)

    def _following(self) -> Iterator[str]:
        while True:
            yield self._item()[1]
            if self._over(",]") == "]":
                return

    def _item(self) -> tuple[Json, str]:
        self.character()
        return self._whole()

    def _whole(self) -> tuple[Json, str]:
        """Read a value as a whole; return it and its text."""
        while True:
            try:
                value, end = _DECODER.raw_decode(self._window, self._place)
            except ValueError:
                # The window may end within it.
                if not self._more():
                    raise
                continue
            # A number may go on behind the window, and be a shorter one until then.
            if isinstance(value, Number) and not self._window[end:].strip(_OF_NUMBERS) and self._more():
                continue
            text = self._window[self._place : end]
            self._place = end
            return value, text

    def _over(self, wanted: str) -> str:
        """Go over one of some characters, and return which it is."""
        found = self.character()
        if not found or found not in wanted:
            raise ValueError(f"one of {wanted} is missing")
        self._place += 1
        return found

    def _more(self) -> bool:
        """Read on: at least as much as there is, so that a long value is not begun anew too often."""
        rest = self._window[self._place :]
        read = self._text.read(max(_CHUNK, len(rest)))
        self._window, self._place = rest + read, 0
        return bool(read)
