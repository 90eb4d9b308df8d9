"""Whether files changed since they were last built or deployed."""

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path

_NO_SOURCE = {"__pycache__", ".mypy_cache", ".ruff_cache", ".DS_Store"}


def fingerprint(paths: Iterable[Path], *facts: str) -> str:
    """Hash of the names and contents of files.

    Parameters
    ----------
    paths : Iterable[Path]
        Files, and folders with everything below them but caches; what does not exist counts as empty.
    *facts : str
        Anything else that the result depends on.

    Returns
    -------
    str
        SHA-256 in hexadecimal.
    """
    total = hashlib.sha256("\0".join(facts).encode())
    for root in paths:
        for file in _files(root):
            content = hashlib.sha256(file.read_bytes()).hexdigest()
            total.update(f"\0{root.name}/{file.relative_to(root)}\0{content}".encode())
    return total.hexdigest()


def _files(root: Path) -> Iterator[Path]:
    if root.is_file():
        yield root
    elif root.is_dir():
        for file in sorted(root.rglob("*")):
            if file.is_file() and not _NO_SOURCE.intersection(file.relative_to(root).parts):
                yield file
