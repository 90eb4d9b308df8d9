"""Where a position of a text is in the object that the text was read from."""


class Place:
    """Line, column and raw offset of ascending positions, in time linear in the length of the text.

    Parameters
    ----------
    encoding
        Of the object. The text itself is UTF-8 where that is UTF-16 or UTF-32, Latin-1 where it is EBCDIC, else the
        object's bytes.
    skipped
        Bytes of the object before the first of these positions.
    at
        The first position.
    """

    def __init__(self, encoding: str, skipped: int = 0, at: int = 0) -> None:
        self._unit = 4 if encoding.startswith("utf-32") else 2 if encoding.startswith("utf-16") else 1
        self.text_encoding = "utf-8" if self._unit > 1 else "latin-1" if encoding.startswith("cp") else encoding
        self._at = at
        self.raw = skipped
        self.line = 1
        self.column = 1

    def advance(self, text: bytes, offset: int, position: int) -> None:
        """Go to `position` of `text`, which begins at `offset` of the whole; never back."""
        if position <= self._at - offset:
            return
        passed = text[self._at - offset : position]
        self._at = offset + position
        lines = passed.count(b"\n")
        if lines:
            self.line += lines
            self.column = 1
        rest = passed[passed.rfind(b"\n") + 1 :] if lines else passed
        self.column += len(rest) if rest.isascii() else len(rest.decode(self.text_encoding, "replace"))
        if self._unit == 1:
            self.raw += len(passed)
        elif passed.isascii():
            self.raw += self._unit * len(passed)
        elif self._unit == 4:
            self.raw += 4 * len(passed.decode("utf-8", "replace"))
        else:
            self.raw += len(passed.decode("utf-8", "replace").encode("utf-16-le", "surrogatepass"))

    def width(self, value: bytes) -> int:
        """Return the bytes that a part of the text takes in the object."""
        if self._unit == 1 or value.isascii():
            return self._unit * len(value)
        return len(value.decode("utf-8", "replace").encode("utf-16-le" if self._unit == 2 else "utf-32-le"))
