"""S3's refusals in our words."""

from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import BotoCoreError, ClientError

from waybill.consignments.errors import BucketRefusedError, BucketUnavailableError
from waybill.core.faults import is_transient, reason_of

_PASSING = frozenset({"SlowDown", "OperationAborted"})


@contextmanager
def translated(action: str) -> Iterator[None]:
    """Turn S3's errors into ours; `action` says what was being done, without anybody's path.

    Raises
    ------
    BucketUnavailableError
        S3 throttles, fails or cannot be reached.
    BucketRefusedError
        It refuses, for a reason that does not pass.
    """
    try:
        yield
    except (ClientError, BotoCoreError) as error:
        reason = reason_of(error)
        if is_transient(error) or reason in _PASSING:
            raise BucketUnavailableError(f"{reason} from S3 while {action}") from error
        raise BucketRefusedError(f"{reason} from S3 while {action}") from error
