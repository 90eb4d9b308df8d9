"""The public holidays of England and Wales."""

from collections.abc import Container
from datetime import date
from functools import cache

import holidays


@cache
def england_and_wales() -> Container[date]:
    """Return the public holidays, of any year."""
    found: Container[date] = holidays.country_holidays("GB", subdiv="ENG")
    return found
