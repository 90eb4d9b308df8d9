"""Where programs keep what belongs to the user who runs them (XDG Base Directory Specification, 0.8)."""

import os
from pathlib import Path
from typing import Literal

_DEFAULTS = {"CONFIG": ".config", "CACHE": ".cache", "STATE": ".local/state"}


def user_folder(kind: Literal["CONFIG", "CACHE", "STATE"]) -> Path:
    """Return Waybill's folder for the user's configuration, for what can be made again, or for how far things are.

    The folder need not be there. "If an implementation encounters a relative path … it should consider the path invalid
    and ignore it", so that nothing is kept where somebody happens to be.
    """
    told = os.environ.get(f"XDG_{kind}_HOME", "")
    return (Path(told) if os.path.isabs(told) else Path.home() / _DEFAULTS[kind]) / "waybill"
