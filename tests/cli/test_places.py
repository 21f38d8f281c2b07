"""Where CI systems show findings: paths from the root of the checkout."""

from __future__ import annotations

from pathlib import Path

import pytest

from conformance.cli.places import place_of
from conformance.report import Location
from tests.report.builders import a_run


@pytest.fixture
def below(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder inside a checkout, in which the process works."""
    (tmp_path / ".git").mkdir()
    folder = tmp_path / "tests" / "live"
    folder.mkdir(parents=True)
    monkeypatch.chdir(folder)
    return folder


def test_target_is_in_its_file(below: Path) -> None:
    (below / "vendors.toml").write_text("\n[targets.zero]\n")
    place = place_of(a_run(target="zero").header, Path("vendors.toml"))
    assert place == Location("tests/live/vendors.toml", 2, "tests/live")
    assert place.beside("known.yaml", 7) == Location("tests/live/known.yaml", 7)


def test_missing_file_has_its_usual_name(below: Path) -> None:
    assert place_of(a_run(target="zero").header).path == "conformance.toml"


def test_contract_of_ones_own_is_a_file(below: Path) -> None:
    header = a_run(contract_file="../gateway overlay.yaml").header
    assert place_of(header).uri == "tests/gateway%20overlay.yaml"


def test_bundled_contract_is_in_its_folder(below: Path) -> None:
    header = a_run(document="zero").header
    assert place_of(header).path == "spec/documents/zero.yaml"


def test_named_root_comes_first(below: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI_PROJECT_DIR", str(below.parent))
    (below / "conformance.toml").write_text("[targets.zero]\n")
    assert place_of(a_run(target="zero").header).path == "live/conformance.toml"
