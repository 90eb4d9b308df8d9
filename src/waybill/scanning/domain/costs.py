"""What a scan uses of AWS and what that costs: a model of its requests, which a test holds against a counted run."""

from collections.abc import Mapping
from dataclasses import dataclass

from waybill.core.prices import PriceTable
from waybill.scanning.domain.slices import BYTES_LIMIT, OBJECTS_LIMIT

_PAGE_KEYS = 1000
_PAGES_PER_BATCH = 10
# A page's item holds its keys compressed; so large are keys of 40 characters with their ETags.
_PAGE_UNITS = 42
_TRANSITIONS_PER_BATCH = 2
_TRANSITIONS_AT_THE_ENDS = 3

LISTER_GB = 512 / 1024
# A page is listed, stored and sent in about so long.
SECONDS_PER_PAGE = 0.4
WORKER_GB = 1769 / 1024
# Scanned by one worker; beside that an object waits for S3, which eight do at a time, and its share of DynamoDB.
BYTES_PER_SECOND = 100_000_000
SECONDS_PER_OBJECT = 0.01


@dataclass(frozen=True)
class Workload:
    """What is scanned: objects, their size in bytes, and what is found in them."""

    objects: int
    size: int
    findings: int = 0

    @property
    def messages(self) -> float:
        """Slices of 100 objects or 64 MiB, whichever is less."""
        return max(self.objects / OBJECTS_LIMIT, self.size / BYTES_LIMIT)


def usage(work: Workload) -> dict[str, float]:
    """Return what a scan uses when nothing is cached, by the names of the price table."""
    pages = work.objects / _PAGE_KEYS
    worker_seconds = work.size / BYTES_PER_SECOND + work.objects * SECONDS_PER_OBJECT
    return {
        "s3_writes": pages,
        "s3_reads": work.objects,
        # Ten messages are sent at a time, as two requests of 64 KiB; each is received, kept invisible, and deleted.
        "sqs_requests": work.messages * (0.2 + 3),
        "standard_transitions": pages / _PAGES_PER_BATCH * _TRANSITIONS_PER_BATCH + _TRANSITIONS_AT_THE_ENDS,
        # The outcome in a transaction and its copy for later jobs; a finding, and where its value was seen; of a
        # message, what counts it and them.
        "dynamodb_write_units": work.objects * 3 + work.findings * 2 + work.messages * 8 + pages * _PAGE_UNITS,
        # Is there an outcome, or (half of it) one of an earlier job; what people have said of a value; of a message,
        # the job and its sums.
        "dynamodb_read_units": work.objects * 1.5 + work.findings + work.messages * 16,
        "lambda_requests": work.messages + pages / _PAGES_PER_BATCH,
        "lambda_gb_seconds": worker_seconds * WORKER_GB + pages * SECONDS_PER_PAGE * LISTER_GB,
    }


def dollars(used: Mapping[str, float], prices: PriceTable) -> float:
    """Return what it costs."""
    return sum(prices.usd(name, quantity) for name, quantity in used.items())


def estimate(objects: int, size: int) -> float:
    """Return about how many dollars a scan of `objects` with `size` bytes in all costs."""
    return dollars(usage(Workload(objects, size)), PriceTable.read())
