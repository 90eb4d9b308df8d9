"""The program's first step, also as `python -m waybill.cli`: imports, where Ctrl-C is an interruption as later on."""

import sys

INTERRUPTED = 130


def main() -> int:
    """Run the program and return its exit status."""
    try:
        from waybill.cli.app import main as program

        return program()
    except KeyboardInterrupt:
        return INTERRUPTED


if __name__ == "__main__":
    sys.exit(main())
