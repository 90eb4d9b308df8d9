"""The few ways in which states try again.

The Amazon States Language cannot share them, so the definitions repeat them; they are changed here first. Which state
uses which is said by each workflow, as `USES` in `tests/template/<workflow>/retries.py`, with errors of its own.
"""

from typing import NamedTuple


class Retries(NamedTuple):
    """How often, and with which pauses."""

    attempts: int
    seconds: int = 2
    rate: int = 2
    most: int | None = None


# Faults of Lambda itself: AWS Step Functions developer guide, "Handle transient Lambda service exceptions".
LAMBDA_FAULTS = (
    "Lambda.ClientExecutionTimeoutException",
    "Lambda.ServiceException",
    "Lambda.AWSLambdaException",
    "Lambda.SdkClientException",
)
THROTTLES = ("Lambda.TooManyRequestsException",)
# The function died or hung: what it does is tried once or twice more, at its full cost each time.
CRASHES = ("Sandbox.Timedout", "Runtime.ExitError", "Lambda.Unknown", "States.Timeout")

FAULTS_OF_LAMBDA = {LAMBDA_FAULTS: Retries(3)}
PATIENT = FAULTS_OF_LAMBDA | {THROTTLES: Retries(12, most=30)}
# Within the five minutes of an Express execution.
HASTY = FAULTS_OF_LAMBDA | {THROTTLES: Retries(6, most=30)}
TWICE_MORE, ONCE_MORE = {CRASHES: Retries(2)}, {CRASHES: Retries(1)}

# Errors of the functions' own, by how long it takes until the cause may have passed.
BRIEFLY = Retries(3)
SHORTLY = Retries(3, seconds=1)
STORED = Retries(4, most=30)
LONG = Retries(5, most=60)
ONCE = Retries(1)


def own(retries: Retries, *errors: str) -> dict[tuple[str, ...], Retries]:
    return {errors: retries}


NOTIFICATION = "NotificationUnavailableError"
