"""Tests of one area: its checks, the server's tests of it, its faults and its variants.

``python -m tests.area stop`` runs the default tests whose file, name or case names the area, and
beside them ``conformance selftest`` on the faults and variants of that area, at the standard tier.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from reference_server.behaviour.registry import all_faults, all_variants
from tests.lanes import names_area

TESTS = Path(__file__).parent
CHECKS = TESTS / "checks"
"""Its cases come from catalogues, so that a file need not name the area."""


def areas() -> list[str]:
    """The areas: the folders of the checks."""
    folders = (TESTS.parent / "conformance" / "checks").glob("[a-z]*/__init__.py")
    return sorted(path.parent.name.replace("_", "-") for path in folders)


def places_of(area: str) -> list[Path]:
    """The folders and files in which tests of an area can be."""
    files = sorted((TESTS / "reference_server").rglob("test_*.py"))
    naming = [p for p in files if names_area(f"{p.name} {p.read_text('utf-8')}", area)]
    return [CHECKS, *naming]


def selftest_of(area: str) -> list[str]:
    """The self-test's options for the faults and variants of an area; none without any."""
    filed = {"--fault": all_faults().values(), "--variant": all_variants().values()}
    chosen = [option for option, known in filed.items() if any(one.area == area for one in known)]
    return [word for option in chosen for word in (option, area)]


def main(area: str, *options: str) -> int:
    """Run both and return the first exit code that is not 0."""
    if area not in areas():
        sys.stderr.write(f"there is no area {area!r}; the areas are: {', '.join(areas())}\n")
        return 2
    pytest = [sys.executable, "-m", "pytest", "--area", area, *options, *map(str, places_of(area))]
    globs = selftest_of(area)
    if not globs:
        return subprocess.run(pytest, check=False).returncode
    jobs = str(max(1, (os.cpu_count() or 2) // 2))
    selftest = [sys.executable, "-m", "conformance", "selftest", *globs, "--jobs", jobs]
    # Both run at the same time, each on half of the cores; the terminal belongs to pytest.
    with tempfile.TemporaryFile("w+", encoding="utf-8") as found:
        beside = subprocess.Popen(selftest, stdout=found, stderr=subprocess.DEVNULL)
        ended = subprocess.run(pytest, check=False)
        beside.wait()
        found.seek(0)
        sys.stdout.write(found.read())
    return ended.returncode or beside.returncode


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
