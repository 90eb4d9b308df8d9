"""Rows of columns as text: a line with the names of the columns, then a line per row, tabs between the cells.

Parquet is read by arro3, Avro by fastavro, ORC by its own library, each a batch of rows at a time.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from waybill.scanning.domain.detection.budget import Budget, UnreadableError
from waybill.scanning.domain.detection.member import Member, named, on_disk, refused, spooled, text_of
from waybill.scanning.domain.detection.parquet_footer import first_rows

# What would end a cell or a row within one.
_WITHIN_CELL = str.maketrans(dict.fromkeys("\t\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029", " "))
_BATCH_ROWS = 1024
_DEPTH = 32


class Rows:
    """Lines of a table; `not_text` says whether some of its values were no text.

    `groups` has the first row of each group that the file's rows lie in, where it has groups.
    """

    def __init__(self, names: Sequence[str], rows: Iterable[Sequence[object]], groups: Sequence[int] = ()) -> None:
        self._groups = groups
        self._names = [line_of(name) for name in names]
        self._rows = rows
        self.not_text = False

    def lines(self) -> Iterator[str]:
        """Yield the names of the columns, then every row."""
        yield "\t".join(self._names) + "\n"
        for row in self._rows:
            yield (
                "\t".join([value if type(value) is str and value.isalnum() else self._cell(value) for value in row])
                + "\n"
            )

    def place(self, line: int, cell: int) -> str:
        """Return what a cell is called: its column, its row and the group of that, which are counted from 1."""
        name = self._names[cell] if cell < len(self._names) else str(cell + 1)
        group = f", row group {bisect_right(self._groups, line - 1)}" if self._groups else ""
        return f"column {name}" + (f", row {line - 1}{group}" if line > 1 else "")

    def _cell(self, value: object) -> str:
        if isinstance(value, str) and value.isalnum():
            return value
        return line_of(" ".join(self._texts(value, 0)))

    def _texts(self, value: object, level: int) -> Iterator[str]:
        """Yield the texts in a value, with the names of its fields in front of them."""
        if value is None:
            return
        if level > _DEPTH:
            self.not_text = True
        elif isinstance(value, bytes | bytearray | memoryview):
            try:
                yield bytes(value).decode()
            except UnicodeDecodeError:
                self.not_text = True
        elif isinstance(value, Mapping):
            for name, each in value.items():
                yield f"{name}:"
                yield from self._texts(each, level + 1)
        elif isinstance(value, list | tuple | set):
            for each in value:
                yield from self._texts(each, level + 1)
        else:
            yield str(value)


def line_of(text: str) -> str:
    """Return a text without what ends lines and cells."""
    return text.translate(_WITHIN_CELL)


def table_member(outer: Member, name: str, rows: Rows, budget: Budget, packed: int) -> Iterator[Member]:
    """Yield a table as a member, and behind it, whether some of its values were no text."""
    budget.enter()
    path = named(outer, name, budget)
    yield Member(path, text_of(rows.lines(), budget, packed), plain=True, place=rows.place)
    if rows.not_text:
        yield refused(f"{path} BLOBs", "UNSUPPORTED_TYPE")


def parquet_members(outer: Member, budget: Budget) -> Iterator[Member]:
    """Yield the rows of a Parquet file; raises UnreadableError where it is encrypted or broken."""
    import arro3.io

    with on_disk(outer, budget) as (path, size):
        with open(path, "rb") as file:
            if file.read(4) == b"PARE":
                raise UnreadableError("ENCRYPTED")
            groups = first_rows(file)
        reader = _opened(lambda: arro3.io.read_parquet(path, batch_size=_BATCH_ROWS))
        names = [reader.schema.field(index).name for index in range(len(reader.schema))]
        fields: list[Any] = [reader.schema, *(reader.schema.field(index) for index in range(len(names)))]
        given = _opened(lambda: [pair for each in fields for pair in (each.metadata or {}).items()])
        yield from _metadata(outer, given, budget, size)
        yield from table_member(outer, "rows", Rows(names, _rows(reader), groups), budget, size)


def _metadata(outer: Member, given: Sequence[tuple[object, object]], budget: Budget, packed: int) -> Iterator[Member]:
    """Yield what a file says of itself, its schema and its columns, a line for each name."""
    pairs = [[_text(part) for part in pair] for pair in given]
    # The schema once more, in Arrow's own form (Apache Arrow, "Schema messages").
    lines = [f"{name}: {text}\n" for name, text in pairs if name != "ARROW:schema"]
    if lines:
        budget.enter()
        yield Member(named(outer, "metadata", budget), text_of(iter(lines), budget, packed), plain=True)


def _text(part: object) -> str:
    return part.decode(errors="replace") if isinstance(part, bytes) else str(part)


def _rows(batches: Iterable[Any]) -> Iterator[Sequence[object]]:
    found = iter(batches)
    while (batch := _opened(lambda: next(found, None))) is not None:
        columns = [_opened(batch.column(index).to_pylist) for index in range(batch.num_columns)]
        yield from zip(*columns, strict=True)


def orc_members(outer: Member, budget: Budget) -> Iterator[Member]:
    """Yield the rows of an ORC file; raises UnreadableError where it is broken."""
    import pyorc

    with on_disk(outer, budget) as (path, size), open(path, "rb") as file:
        reader: Any = _opened(lambda: pyorc.Reader(file, _BATCH_ROWS))
        yield from _metadata(outer, _opened(lambda: [*reader.user_metadata.items()]), budget, size)
        fields: Mapping[str, Any] | None = getattr(reader.schema, "fields", None)
        rows = _each(reader) if fields else ([value] for value in _each(reader))
        yield from table_member(outer, "rows", Rows([*(fields or ("value",))], rows), budget, size)


def avro_members(outer: Member, budget: Budget) -> Iterator[Member]:
    """Yield the records of an Avro file; raises UnreadableError where it is broken, or packed by another method."""
    import fastavro

    with spooled(outer, budget) as file:
        size = file.seek(0, 2)
        file.seek(0)
        reader: Any = _opened(lambda: fastavro.reader(file))
        yield from _metadata(outer, [*reader.metadata.items()], budget, size)
        names = _avro_names(reader.writer_schema)
        rows = ([record.get(name) for name in names] if names else [record] for record in _each(reader))
        yield from table_member(outer, "records", Rows(names or ["value"], rows), budget, size)


def _avro_names(schema: Any) -> list[str]:
    fields = schema.get("fields") if isinstance(schema, Mapping) else None
    return [str(field["name"]) for field in fields] if isinstance(fields, list) else []


def _each(rows: Iterable[Any]) -> Iterator[Any]:
    found = iter(rows)
    while True:
        row = _opened(lambda: next(found, _END))
        if row is _END:
            return
        yield row


_END = object()


def _opened[T](read: Callable[[], T]) -> T:
    """Do something with a library that is not ours; whatever it raises of hostile bytes is a broken file."""
    try:
        return read()
    except (MemoryError, UnreadableError):
        raise
    except ValueError as error:
        # fastavro's words for a method that nothing is installed for.
        raise UnreadableError("ARCHIVE_METHOD" if "codec" in str(error).lower() else "ARCHIVE_BROKEN") from error
    except BaseException as error:
        # A panic of Rust is no Exception.
        if isinstance(error, KeyboardInterrupt | SystemExit):
            raise
        raise UnreadableError("ARCHIVE_BROKEN") from error
