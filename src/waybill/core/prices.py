"""What AWS charges, in dollars: the prices are in prices.json beside this, with the page that each was taken from."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from typing import Self


@dataclass(frozen=True)
class Price:
    """`usd` for every `per` units; `page` is the name of the price page."""

    usd: float
    per: int
    unit: str
    page: str


@dataclass(frozen=True)
class PriceTable:
    """Prices by name, of one Region at one time."""

    region: str
    as_of: str
    prices: Mapping[str, Price]

    @classmethod
    def read(cls) -> Self:
        """Return the table of this project."""
        found = json.loads((resources.files(__package__) / "prices.json").read_text("utf-8"))
        return cls(found["region"], found["as_of"], {name: Price(**one) for name, one in found["prices"].items()})

    def usd(self, name: str, quantity: float) -> float:
        """Return what `quantity` units cost.

        Raises
        ------
        KeyError
            There is no such price.
        """
        price = self.prices[name]
        return quantity * price.usd / price.per
