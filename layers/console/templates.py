"""Compiles the console's templates into the layer that is being built: `templates.py <its folder of packages>`."""

import sys
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]


def main() -> None:
    """Compile every template, with the packages of the layer."""
    packages = Path(sys.argv[1])
    sys.path[:0] = [str(packages), str(PROJECT / "src")]
    from waybill.console.rendering import COMPILED, compile_all

    if not compile_all(packages / COMPILED):
        raise SystemExit("there is no template")


if __name__ == "__main__":
    main()
