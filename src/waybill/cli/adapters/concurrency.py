"""The account's concurrent executions of functions, and what the stack's queues leave of them to the API."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

# An answer takes the authoriser's execution and the route's: so many let a few callers in at the same time.
_ROOM = 10
_DENIED = "AccessDeniedException"


@dataclass(frozen=True)
class Concurrency:
    """What the account allows, and what may be taken of it.

    Parameters
    ----------
    account
        The account's quota in this Region.
    unreserved
        What of it is reserved for no function.
    queues
        What the stack's event sources may take at the same time at most.
    reserved
        What is kept for the authoriser, and for each function that answers the API; None where nothing is.
    """

    account: int
    unreserved: int
    queues: int
    reserved: int | None

    @property
    def left(self) -> int:
        """What is left for the API and for state machines when every queue is busy."""
        return max(self.unreserved - self.queues, 0)

    @property
    def short(self) -> bool:
        """Whether busy queues may keep the API from answering."""
        return self.reserved is None and self.left < _ROOM

    def __str__(self) -> str:
        said = f"{self.account:,} in the account; queues take {self.queues:,} at most and leave {self.left:,}"
        if self.reserved is not None:
            return f"{said}; {self.reserved:,} are kept for each function of the API"
        return f"{said}: too few for the API, see docs/deployment.md" if self.short else said


def concurrency(functions: "LambdaClient", mappings: Iterable[str], authoriser: str) -> Concurrency | None:
    """Return what the account allows and the stack takes; None where the caller may not ask.

    Parameters
    ----------
    functions
        A client of Lambda.
    mappings
        The UUIDs of the stack's event source mappings.
    authoriser
        The name of the function that judges tokens.
    """
    try:
        limit = functions.get_account_settings()["AccountLimit"]
        queues = sum(
            functions.get_event_source_mapping(UUID=mapping).get("ScalingConfig", {}).get("MaximumConcurrency", 0)
            for mapping in mappings
        )
        reserved = functions.get_function_concurrency(FunctionName=authoriser).get("ReservedConcurrentExecutions")
    except ClientError as error:
        if error.response["Error"]["Code"] == _DENIED:
            return None
        raise
    return Concurrency(limit["ConcurrentExecutions"], limit["UnreservedConcurrentExecutions"], queues, reserved)
