"""What the states of the workflow are given, where it is no request to the minter."""

from typing import NotRequired, TypedDict


class PlanMintingEvent(TypedDict):
    """The request that the workflow was started with, and the run that it becomes."""

    request: NotRequired[object]
    run: str
    executionId: str


class ChunkEvent(TypedDict):
    """One chunk of a run, which is a request besides; `attempt` is the number of tries before."""

    run: str
    index: int
    attempt: NotRequired[int]


class EndedRun(TypedDict):
    """A run whose chunks have all left their results."""

    run: str
    chunkCount: int
    jobId: NotRequired[str | None]
