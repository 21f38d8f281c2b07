"""Everything about one area: its tests, and whether the suite finds its faults.

``python -m tests.area stop`` runs the default tests whose file, name or case names the area,
and beside them ``conformance selftest`` on the faults of that area, at the standard tier.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import yaml

from tests.lanes import names_area

TESTS = Path(__file__).parent
REQUIREMENTS = TESTS.parent / "spec" / "requirements.yaml"
CHECKS = TESTS / "checks"
"""Its cases come from catalogues, so that a file need not name the area."""


def areas() -> list[str]:
    """The areas of the requirements, in their order there."""
    rows = yaml.safe_load(REQUIREMENTS.read_text("utf-8"))["requirements"]
    return list(dict.fromkeys(row["id"].partition(".")[0] for row in rows))


def places_of(area: str) -> list[Path]:
    """The folders and files in which tests of an area can be."""
    files = sorted((TESTS / "reference_server").rglob("test_*.py"))
    naming = [p for p in files if names_area(f"{p.name} {p.read_text('utf-8')}", area)]
    return [CHECKS, *naming]


def main(area: str, *options: str) -> int:
    """Run both and return the first exit code that is not 0."""
    if area not in areas():
        sys.stderr.write(f"there is no area {area!r}; the areas are: {', '.join(areas())}\n")
        return 2
    jobs = str(max(1, (os.cpu_count() or 2) // 2))
    selftest = ["-m", "conformance", "selftest", "--fault", area, "--variant", f"{area}*"]
    pytest = ["-m", "pytest", "--area", area, *options]
    # Both at a time, each on half of the cores: what is left of the terminal belongs to pytest.
    with tempfile.TemporaryFile("w+", encoding="utf-8") as found:
        beside = subprocess.Popen(
            [sys.executable, *selftest, "--jobs", jobs], stdout=found, stderr=subprocess.DEVNULL
        )
        ended = subprocess.run([sys.executable, *pytest, *map(str, places_of(area))], check=False)
        beside.wait()
        found.seek(0)
        sys.stdout.write(found.read())
    return ended.returncode or beside.returncode


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
