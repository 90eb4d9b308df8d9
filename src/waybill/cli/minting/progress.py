"""How far `waybill mint --file` has come, so that it goes on after an interruption.

A small file per stack and minted file, in the user's state folder (XDG Base Directory Specification): the digest of
what is minted, and how many chunks of it are answered. It is written after the answers were printed.
"""

import fcntl
import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import typer

from waybill.cli.context import Cli
from waybill.cli.errors import CommandError
from waybill.core.user_folders import user_folder
from waybill.minting.domain.plan import ChunkPlan


@dataclass
class MintingProgress:
    """What is answered so far: `answered` identifiers in `chunks`."""

    stream: IO[str]
    digest: str
    chunks: int = 0
    answered: int = 0

    def advance(self, answered: int) -> None:
        """Write down that a chunk of so many identifiers is answered."""
        self.chunks += 1
        self.answered += answered
        self.write()

    def write(self) -> None:
        """Write down how far it has come."""
        self.stream.seek(0)
        self.stream.truncate()
        json.dump({"digest": self.digest, "chunks": self.chunks, "answered": self.answered}, self.stream)
        self.stream.flush()


@contextmanager
def progress_of(cli: Cli, file: Path, plan: ChunkPlan, *, resume: bool) -> Iterator[MintingProgress]:
    """Hold the progress of minting `file`, from its beginning or, with `resume`, from where an earlier run stopped.

    Raises
    ------
    typer.BadParameter
        There is nothing to resume, or the file or the options are others than then.
    CommandError
        Another run is minting the file.
    """
    path = _path(cli, file)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+", encoding="utf-8") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise CommandError(f"another run is minting {file}") from None
        progress = MintingProgress(stream, _digest(plan))
        if resume:
            _go_on(progress, file)
        else:
            progress.write()
        yield progress


def _go_on(progress: MintingProgress, file: Path) -> None:
    progress.stream.seek(0)
    try:
        earlier = json.loads(progress.stream.read())
    except ValueError:
        raise typer.BadParameter(f"there is nothing to resume: {file} was not minted with this stack before") from None
    if earlier["digest"] != progress.digest:
        raise typer.BadParameter(f"{file} or the options have changed since the run that is to be resumed")
    progress.chunks, progress.answered = earlier["chunks"], earlier["answered"]


def _path(cli: Cli, file: Path) -> Path:
    """Return where the progress is kept."""
    about = json.dumps([cli.stack.name, cli.stack.region, cli.stack.endpoint, str(file.resolve())])
    return user_folder("STATE") / "minting" / f"{hashlib.sha256(about.encode()).hexdigest()[:32]}.json"


def _digest(plan: ChunkPlan) -> str:
    about = [plan.mode.value, plan.job_id, [[each.text, each.predecessor] for each in plan.entries]]
    return hashlib.sha256(json.dumps(about).encode()).hexdigest()
