"""Render the sample reports from kept records: ``python -m tests.gallery``."""

from __future__ import annotations

import argparse
import sys

from tests.gallery import pages, recording, screenshots


def main() -> None:
    """Render the kept records; record new runs and take screenshots only on request."""
    parser = argparse.ArgumentParser(prog="python -m tests.gallery", description=__doc__)
    parser.add_argument("--record", action="store_true", help="record new runs first")
    parser.add_argument(
        "--pictures", action="store_true", help="take the screenshots in docs/pictures as well"
    )
    options = parser.parse_args()
    if options.record:
        for name in recording.NAMES:
            recording.record(name)
    pages.write()
    sys.stdout.write(f"{pages.GALLERY / pages.MATRIX}\n")
    if options.pictures:
        screenshots.take()
        sys.stdout.write(f"{screenshots.PICTURES_FOLDER}\n")


if __name__ == "__main__":
    main()
