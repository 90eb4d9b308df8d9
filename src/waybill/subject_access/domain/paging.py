"""Pages by number, as the first version of the API has them."""

import sys
from collections.abc import Iterable
from itertools import islice


def page_of[T](found: Iterable[T], number: int | None, size: int | None) -> list[T]:
    """Return the page `number`, counted from 0; everything unless both are given."""
    if number is None or size is None:
        return list(found)
    first = min(number * size, sys.maxsize - size)
    return list(islice(found, first, first + size))
