"""What counts as a change."""

from pathlib import Path

from waybill.cli.local.fingerprint import fingerprint


def tree(folder: Path) -> Path:
    (folder / "src" / "package").mkdir(parents=True)
    (folder / "src" / "package" / "module.py").write_text("x = 1\n")
    return folder / "src"


def test_content_name_and_facts_count(tmp_path: Path) -> None:
    src = tree(tmp_path)
    first = fingerprint([src], "fact")
    assert fingerprint([src], "fact") == first
    assert fingerprint([src], "other") != first

    (src / "package" / "module.py").write_text("x = 2\n")
    second = fingerprint([src], "fact")
    (src / "package" / "module.py").rename(src / "package" / "renamed.py")
    assert len({first, second, fingerprint([src], "fact")}) == 3


def test_caches_and_missing_folders_do_not_count(tmp_path: Path) -> None:
    src = tree(tmp_path)
    before = fingerprint([src, tmp_path / "missing"])
    (src / "package" / "__pycache__").mkdir()
    (src / "package" / "__pycache__" / "module.cpython-313.pyc").write_bytes(b"\0")
    assert fingerprint([src, tmp_path / "missing"]) == before
