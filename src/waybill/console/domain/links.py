"""Links from one page to another: relative, so that they work under every prefix without knowing it."""

from collections.abc import Mapping
from urllib.parse import quote, urlencode


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
    return (
        not to.startswith("/")
        and "//" not in to.partition("?")[0]
        and ":" not in to
        and "\\" not in to
        and len(to) < 2048
    )
