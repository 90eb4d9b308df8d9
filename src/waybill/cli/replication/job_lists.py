"""Lists of jobs, page by page: backfills and verifications."""

from collections.abc import Mapping, Sequence

from rich.console import Group, RenderableType
from rich.text import Text

from waybill.cli.output import Output
from waybill.core.cursors import decode_cursor, encode_cursor
from waybill.replication.job_views import job_position


def begin_of(cursor: str | None, record: str) -> Mapping[str, str] | None:
    """Return where a list of the jobs of `record` goes on; raises InvalidInputError for the cursor of another list."""
    return None if cursor is None else job_position(decode_cursor(cursor, "--cursor"), record, "--cursor")


def show_page(
    output: Output,
    name: str,
    replies: Sequence[Mapping[str, object]],
    listed: RenderableType,
    position: Mapping[str, str] | None,
) -> None:
    """Print a page: `replies` under `name` for scripts, `listed` for people; `position` leads to the next one."""
    more = encode_cursor(dict(position)) if position else None
    hint = [Text(f"there are more: --cursor {more}", style="dim")] if more else []
    output.show({name: replies, "cursor": more}, Group(listed, *hint) if replies else f"no {name}")
