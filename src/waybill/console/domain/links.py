"""Links from one page to another: relative, so that they work under every prefix without knowing it."""

import re
from collections.abc import Mapping
from urllib.parse import parse_qsl, quote, urlencode

_OWN = re.compile(
    r"(?:[A-Za-z0-9_-][A-Za-z0-9_.-]*(?:/[A-Za-z0-9_-][A-Za-z0-9_.-]*){0,2})?(?:\?[A-Za-z0-9%&=+._~*-]*)?"
)

# A key of S3 has 1,024 bytes at most, which take three characters each in an address.
_LONGEST = 4096


def link(here: tuple[str, ...], to: str, query: Mapping[str, object] | None = None) -> str:
    """Return the address of the page `to` (its path below `/console`) for a page at the segments `here`.

    Values of `query` that are None or empty are left out.
    """
    if here:
        base = "../" * (len(here) - 1)
        path = f"{base}{quote(to)}" if to else f"{base}../console"
        path = path or "."
    else:
        path = f"console/{quote(to)}" if to else "console"
    asked = {name: str(value) for name, value in (query or {}).items() if value not in (None, "")}
    return f"{path}?{urlencode(asked)}" if asked else path


def is_own(to: str) -> bool:
    """Return whether `to` is a path below `/console` with a query at most, and no other address."""
    return len(to) < _LONGEST and _OWN.fullmatch(to) is not None


def own(path: str, query: Mapping[str, str]) -> str:
    """Return a page's address as `is_own` takes it: its path below `/console`, its query without what it has said."""
    asked = urlencode(_lasting(query))
    return f"{path}?{asked}" if asked else path


def taken_apart(to: str) -> tuple[str, dict[str, str]]:
    """Return path and query of an address that `own` has made."""
    path, _, query = to.partition("?")
    return path, dict(parse_qsl(query, keep_blank_values=True))


def saying(location: str, notice: str) -> str:
    """Return an address that says `notice` above the page's content, in place of what it said."""
    path, query = taken_apart(location)
    return f"{path}?{urlencode({**_lasting(query), 'done': notice})}"


def _lasting(query: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in query.items() if name != "done"}
