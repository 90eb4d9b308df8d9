"""What a scan costs on AWS: requests counted, prices from AWS's lists (us-east-1, on demand, November 2025)."""

from dataclasses import dataclass

from waybill.scanning.slices import BYTES_LIMIT, OBJECTS_LIMIT

# US dollars for one.
LIST = 0.005 / 1000
GET = 0.0004 / 1000
TRANSITION = 0.025 / 1000
SQS_REQUEST = 0.40 / 1_000_000
WRITE_UNIT = 0.625 / 1_000_000
READ_UNIT = 0.125 / 1_000_000
LAMBDA_REQUEST = 0.20 / 1_000_000
GB_SECOND = 0.0000166667

WORKER_GB = 1769 / 1024
# Scanned by one worker; an object also costs a round trip to S3 and one to DynamoDB.
BYTES_PER_SECOND = 80_000_000
SECONDS_PER_OBJECT = 0.03


@dataclass(frozen=True)
class Requests:
    """What a scan asks of AWS."""

    lists: float
    gets: float
    messages: float
    transitions: float
    write_units: float
    read_units: float
    worker_seconds: float

    @property
    def dollars(self) -> float:
        """The price of all of it."""
        return (
            self.lists * LIST
            + self.gets * GET
            # A message is sent (ten at a time, though each up to 64 KiB is billed), received and deleted.
            + self.messages * 3 * SQS_REQUEST
            + self.transitions * TRANSITION
            + self.write_units * WRITE_UNIT
            + self.read_units * READ_UNIT
            + self.messages * LAMBDA_REQUEST
            + self.worker_seconds * WORKER_GB * GB_SECOND
        )


def requests(objects: int, size: int, findings: int = 0) -> Requests:
    """Return what a scan of `objects` with `size` bytes in all asks, when nothing is cached.

    An outcome is written in a transaction (two units each for the outcome, its counter and its cache entry), a page of
    1,000 objects takes about 40 KB.
    """
    messages = max(objects / OBJECTS_LIMIT, size / BYTES_LIMIT)
    pages = objects / 1000
    return Requests(
        lists=pages,
        gets=objects,
        messages=messages,
        transitions=pages / 10 * 2 + 2,
        write_units=objects * 6 + findings + pages * 42,
        read_units=objects * 2 + messages * 4,
        worker_seconds=size / BYTES_PER_SECOND + objects * SECONDS_PER_OBJECT,
    )


def estimate(objects: int, size: int) -> float:
    """Return about how many dollars a scan costs."""
    return requests(objects, size).dollars
