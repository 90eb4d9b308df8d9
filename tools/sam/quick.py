"""The SAM CLI of `requirements.in` for deployments that go no further than this machine: `quick.py deploy …`.

It packs what has changed since the last time, and the one source folder of all functions once instead of once for
each; it compresses for speed instead of for the network, and reads YAML with libyaml. What is deployed is the same.
"""

import os
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache, partial
from pathlib import Path
from typing import Any

import yaml

if yaml.__with_libyaml__:
    yaml.SafeLoader = yaml.CSafeLoader

from samcli.cli.main import cli
from samcli.lib.package import utils
from samcli.lib.utils.hash import dir_checksum

_FASTEST = 1
_KEPT_SECONDS = 86_400


def _quickly_written(write: Callable[..., None]) -> Callable[..., None]:
    def written(archive: zipfile.ZipFile, info: Any, content: Any, **options: Any) -> None:
        write(archive, info, content, **({"compresslevel": _FASTEST} | options))

    return written


def _packed_once(kept: Path) -> Callable[..., Any]:
    """Return what packs a folder by its content, into a file that stays in `kept`."""
    # Each function has the one source folder, and nothing changes while it is deployed.
    checksum = cache(partial(dir_checksum, followlinks=True))

    @contextmanager
    def zip_folder(folder_path: str, zip_method: Callable[[str, str], str]) -> Iterator[tuple[str, str]]:
        content = checksum(folder_path)
        archive = kept / f"data-{content}.zip"
        if archive.exists():
            archive.touch()
        else:
            # Whole, or not at all: two deployments may be at it.
            with tempfile.TemporaryDirectory(dir=kept) as made:
                os.replace(zip_method(str(Path(made, archive.stem)), folder_path), archive)
        yield str(archive), content

    return zip_folder


def _keep_archives(kept: Path) -> None:
    """Let what is packed stay in a folder, until no deployment has used it for a day."""
    kept.mkdir(parents=True, exist_ok=True)
    for archive in kept.glob("data-*.zip"):
        if archive.stat().st_mtime < time.time() - _KEPT_SECONDS:
            archive.unlink(missing_ok=True)
    utils.zip_folder = _packed_once(kept)


if __name__ == "__main__":
    zipfile.ZipFile.writestr = _quickly_written(zipfile.ZipFile.writestr)  # type: ignore[method-assign]
    if "deploy" in sys.argv:
        template = Path(sys.argv[sys.argv.index("--template-file") + 1])
        _keep_archives(template.parent.parent / "packed")
    cli()
