"""Make the gallery of reports again: ``python -m tests.gallery [--record] [--pictures]``."""

from __future__ import annotations

import argparse

from tests.gallery import pages, pictures, recording


def main() -> None:
    """Render the kept records; judge anew and take pictures only where that is asked for."""
    reader = argparse.ArgumentParser(prog="python -m tests.gallery", description=__doc__)
    reader.add_argument("--record", action="store_true", help="judge the bundled server anew first")
    reader.add_argument("--pictures", action="store_true", help="take the pictures as well")
    asked = reader.parse_args()
    if asked.record:
        for name in recording.NAMES:
            recording.record(name)
    pages.write()
    if asked.pictures:
        pictures.take()


if __name__ == "__main__":
    main()
