"""The histories of a consignment's files as tag files of its bag."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache

from waybill.cli.context import Cli
from waybill.custody import runtime
from waybill.custody.domain.premis import document
from waybill.custody.domain.tracing import ByConsignment, Trace


def history_documents(cli: Cli, consignment_id: str) -> Mapping[str, Callable[[Sequence[str]], Iterable[str]]]:
    """Return what writes the documents, by their names in the bag, from the ids of the files."""
    cli.enter()

    @cache
    def traces(files: tuple[str, ...]) -> list[Trace]:
        return [runtime.tracer().whole(ByConsignment(consignment_id, file)) for file in files]

    return {
        "custody/premis.xml": lambda files: document(event for one in traces(tuple(files)) for event in one.events),
        "custody/events.ndjson": lambda files: (f"{line}\n" for line in runtime.export(traces(tuple(files)))),
    }
