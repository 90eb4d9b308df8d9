"""Where parsers of containers run: work that gets bytes and sends what it finds, whatever becomes of it."""

from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

from waybill.scanning.domain.detection.blocks import Read

type Send = Callable[[dict[str, Any]], None]
type Work = Callable[[Read, Send], None]


class Isolated(NamedTuple):
    """What some work has sent, and why it did not come to its end: MEMORY, TIME_LIMIT, PARSER_FAILED, or None."""

    sent: list[dict[str, Any]]
    fault: str | None


class Isolation(Protocol):
    """Does work apart from everything else."""

    def __call__(self, work: Work, read: Read, /) -> Isolated:
        """Do `work` on what `read` gives; an exception of `read` is raised."""
        ...


def in_this_process(work: Work, read: Read) -> Isolated:
    """Do `work` here, where it can be stopped by nothing: for bytes that can be trusted, and where nothing can fork."""
    sent: list[dict[str, Any]] = []
    try:
        work(read, sent.append)
    except MemoryError:
        return Isolated(sent, "MEMORY")
    except RecursionError:
        return Isolated(sent, "PARSER_FAILED")
    return Isolated(sent, None)
