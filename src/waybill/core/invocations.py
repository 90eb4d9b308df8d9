"""What a Lambda function knows of its invocation."""

from typing import Protocol


class InvocationContext(Protocol):
    """What Lambda tells a function of its invocation."""

    def get_remaining_time_in_millis(self) -> int:
        """Return the time that the invocation has left, in milliseconds."""
        ...
