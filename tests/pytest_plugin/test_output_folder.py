"""The output folder of a session belongs to that session alone."""

from pathlib import Path

import pytest

from conformance.cli.folder import claimed
from conformance.pytest_plugin.suite import _claimed
from tests.cases import for_each_case


def test_folder_of_another_run_is_refused(tmp_path: Path) -> None:
    with (
        claimed(tmp_path),
        pytest.raises(pytest.UsageError, match="another run is using the folder"),
        _claimed(tmp_path),
    ):
        pass
    with _claimed(tmp_path):
        pass


@for_each_case("name", ["file/x", "a\0", "n" * 300], ids=ascii)
def test_impossible_folder_is_one_sentence(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").touch()
    refused = pytest.raises(pytest.UsageError, match="cannot create the folder")
    with refused as caught, _claimed(tmp_path / name):
        pass
    assert str(caught.value).isprintable()
