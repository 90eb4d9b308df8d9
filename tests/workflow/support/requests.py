"""How many requests functions make of AWS, where somebody counts."""

from tests.workflow.support.gate import Gate


class Requests:
    """What has gone through a gate; against a stack without one, nothing is counted and nothing held."""

    def __init__(self, gate: Gate | None) -> None:
        self._gate = gate

    def were(self, about: str, *, bucket: str | None = None, **operations: int) -> None:
        """Hold that so many requests of each of these operations were made about `about`."""
        if self._gate:
            made = {name: len(self._gate.calls(about, name, bucket=bucket)) for name in operations}
            assert made == operations, f"{made} about {about}"

    def none(self, about: str) -> None:
        """Hold that no request at all was made about `about`."""
        if self._gate:
            assert self._gate.calls(about) == [], about
