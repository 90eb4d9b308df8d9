"""The SAM CLI of `requirements.in` for deployments that go no further than this machine: `quick.py deploy …`.

It packs the one source folder of all functions once instead of once for each, compresses for speed instead of for the
network, and reads YAML with libyaml. What is deployed is the same.
"""

import tempfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

if yaml.__with_libyaml__:
    yaml.SafeLoader = yaml.CSafeLoader

from samcli.cli.main import cli
from samcli.lib.package import utils
from samcli.lib.utils.hash import dir_checksum

_FASTEST = 1


def _quickly_written(write: Callable[..., None]) -> Callable[..., None]:
    def written(archive: zipfile.ZipFile, info: Any, content: Any, **options: Any) -> None:
        write(archive, info, content, **({"compresslevel": _FASTEST} | options))

    return written


def _packed_once(folder: Path) -> Callable[..., Any]:
    packed: dict[str, str] = {}

    @contextmanager
    def zip_folder(folder_path: str, zip_method: Callable[[str, str], str]) -> Iterator[tuple[str, str]]:
        content = dir_checksum(folder_path, followlinks=True)
        if content not in packed:
            packed[content] = zip_method(str(folder / f"data-{content}"), folder_path)
        yield packed[content], content

    return zip_folder


if __name__ == "__main__":
    zipfile.ZipFile.writestr = _quickly_written(zipfile.ZipFile.writestr)  # type: ignore[method-assign]
    with tempfile.TemporaryDirectory() as archives:
        utils.zip_folder = _packed_once(Path(archives))
        cli()
