"""What a design costs per million of whatever it handles, from what one of them uses."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from benchmarks.billing_units import PriceTable

MILLION = 1_000_000

# The parts of a bill, and the prices of prices.json that belong to each.
SECTIONS: Mapping[str, Sequence[str]] = {
    "orchestration": (
        "standard_transitions",
        "express_requests",
        "express_gb_seconds",
        "lambda_requests",
        "lambda_gb_seconds",
    ),
    "S3": ("s3_writes", "s3_reads"),
    "DynamoDB": ("dynamodb_write_units", "dynamodb_read_units"),
    "messages": ("sns_publishes", "sqs_requests"),
    "API": ("api_requests",),
    "secrets": ("secret_requests",),
    "logs": ("log_gb",),
    "standing": ("kms_keys", "secrets", "alarms", "dashboards", "custom_metrics", "schedule_invocations"),
}


@dataclass(frozen=True)
class Usage:
    """What one unit of work uses, by the names of prices.json."""

    quantities: Mapping[str, float] = field(default_factory=dict)

    def __or__(self, other: Mapping[str, float]) -> "Usage":
        return Usage({**self.quantities, **other})


@dataclass(frozen=True)
class Bill:
    """USD per million, by the names of prices.json."""

    usd: Mapping[str, float]

    def section(self, name: str) -> float:
        """Return the sum of one of `SECTIONS`."""
        return sum(self.usd.get(price, 0.0) for price in SECTIONS[name])

    @property
    def total(self) -> float:
        """The sum of everything."""
        return sum(self.usd.values())

    @property
    def dominant(self) -> str:
        """The name of the largest part of the orchestration."""
        return max(SECTIONS["orchestration"], key=lambda price: self.usd.get(price, 0.0))


def bill_per_million(usage: Usage, prices: PriceTable) -> Bill:
    """Return what a million units of work cost.

    Raises
    ------
    KeyError
        The table has no price for something that is used.
    """
    return Bill({name: prices.usd(name, quantity * MILLION) for name, quantity in usage.quantities.items()})
