"""Where things of a user are kept: XDG Base Directory Specification, 0.8, "Environment variables"."""

from pathlib import Path

import pytest

from waybill.core.user_folders import user_folder


@pytest.mark.parametrize(("kind", "default"), [("CONFIG", ".config"), ("CACHE", ".cache"), ("STATE", ".local/state")])
@pytest.mark.parametrize("told", [None, "", "relative", "./here", "~/there"])
def test_what_is_no_absolute_path_is_ignored(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, kind: str, default: str, told: str | None
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv(f"XDG_{kind}_HOME", raising=False)
    if told is not None:
        monkeypatch.setenv(f"XDG_{kind}_HOME", told)
    assert user_folder(kind) == tmp_path / default / "waybill"  # type: ignore[arg-type]
    monkeypatch.setenv(f"XDG_{kind}_HOME", str(tmp_path / "mine"))
    assert user_folder(kind) == tmp_path / "mine" / "waybill"  # type: ignore[arg-type]
