"""Files that commands read and write: what is wrong with one that was named is bad usage, as for every argument."""

import json
import os
from pathlib import Path
from typing import Any

import typer


def read_text(file: Path) -> str:
    """Return the text of a file.

    Raises
    ------
    BadParameter
        It cannot be read, or is no UTF-8.
    """
    try:
        return file.read_text("utf-8")
    except UnicodeDecodeError:
        raise typer.BadParameter(f"{file} is no text in UTF-8") from None
    except OSError as error:
        raise typer.BadParameter(f"{file} cannot be read: {error.strerror}") from None


def read_json(file: Path, **options: Any) -> Any:
    """Return what the JSON in a file says; `options` are those of `json.loads`.

    Raises
    ------
    BadParameter
        It cannot be read, or is no JSON.
    """
    text = read_text(file)
    try:
        return json.loads(text, **options)
    except (ValueError, RecursionError) as error:
        raise typer.BadParameter(f"{file} is not JSON: {error}") from None


def write_private(file: Path, content: bytes, *, force: bool) -> None:
    """Write what is said about a person: a file of its owner's alone; only with `force` over one that is there.

    Raises
    ------
    FileExistsError
        It is there.
    """
    made = os.open(file, os.O_WRONLY | os.O_CREAT | (os.O_TRUNC if force else os.O_EXCL), 0o600)
    with os.fdopen(made, "wb") as stream:
        os.fchmod(made, 0o600)
        stream.write(content)
