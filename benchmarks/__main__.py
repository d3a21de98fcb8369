"""Run all benchmarks, one after the other: `python -m benchmarks`."""

from __future__ import annotations

import time

from benchmarks import acks, photos, slack_acks, turn, video, vision
from benchmarks.figures import machine


def main() -> None:
    """Print what was measured, and on which machine."""
    start = time.monotonic()
    print(machine())
    acks.main()
    slack_acks.main()
    print("\nPreparing a photo\n")
    photos.main(photos.ROUNDS)
    turn.main()
    vision.main()
    video.main()
    print(f"\n{time.monotonic() - start:.0f} s")


if __name__ == "__main__":
    main()
