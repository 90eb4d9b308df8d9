"""What is kept of a user between calls: nobody else's bytes are ever taken for it."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from waybill.scanning.adapters.user_cache import UserCache


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "cache" / "waybill"


def test_what_is_kept_is_there_for_the_next_process(folder: Path) -> None:
    UserCache(folder).store("a", b"one")
    UserCache(folder).store("a", b"two")
    assert UserCache(folder).load("a") == b"two"
    assert UserCache(folder).load("b") is None


def test_nobody_else_can_read_or_write_it(folder: Path) -> None:
    UserCache(folder).store("a", b"one")
    assert folder.stat().st_mode & 0o777 == 0o700
    assert [file.stat().st_mode & 0o777 for file in folder.iterdir()] == [0o600]


@pytest.mark.parametrize("hurt", [lambda kept: kept[:-1], lambda kept: kept[:40] + b"!" + kept[41:], lambda _: b""])
def test_a_broken_file_is_none(folder: Path, hurt: Callable[[bytes], bytes]) -> None:
    UserCache(folder).store("a", b"something to keep")
    (folder / "a").write_bytes(hurt((folder / "a").read_bytes()))
    assert UserCache(folder).load("a") is None


@pytest.mark.parametrize("mode", [0o777, 0o770, 0o1777])
def test_a_folder_that_others_may_write_to_is_not_used(folder: Path, mode: int) -> None:
    UserCache(folder).store("a", b"one")
    folder.chmod(mode)
    UserCache(folder).store("b", b"two")
    assert UserCache(folder).load("a") is None
    assert [file.name for file in folder.iterdir()] == ["a"]


def test_a_file_that_others_may_write_to_is_not_read(folder: Path) -> None:
    UserCache(folder).store("a", b"one")
    (folder / "a").chmod(0o666)
    assert UserCache(folder).load("a") is None


def test_no_link_is_followed(folder: Path, tmp_path: Path) -> None:
    UserCache(folder).store("a", b"one")
    (folder / "b").symlink_to(folder / "a")
    (tmp_path / "link").symlink_to(folder)
    assert UserCache(folder).load("b") is None
    assert UserCache(tmp_path / "link").load("a") is None


@pytest.mark.skipif(os.geteuid() != 0, reason="needs the right to give a folder away")
def test_a_folder_of_another_user_is_not_used(folder: Path) -> None:
    UserCache(folder).store("a", b"one")
    os.chown(folder, 65534, 65534)
    assert UserCache(folder).load("a") is None


def test_where_nothing_can_be_kept_nothing_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    UserCache(tmp_path / "file" / "waybill").store("a", b"one")
    assert UserCache(tmp_path / "file" / "waybill").load("a") is None


def test_so_many_are_kept_and_no_more(folder: Path) -> None:
    for number in range(70):
        UserCache(folder).store(f"{number}", b"one")
        os.utime(folder / f"{number}", (number, number))
    assert len([*folder.iterdir()]) == 64
    assert UserCache(folder).load("69") == b"one"
    assert UserCache(folder).load("0") is None
