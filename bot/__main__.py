"""The command `loupe`."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line and exit with its code."""
    # Child processes import this module too, and need none of what the command line needs.
    from bot.cli.main import run

    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
