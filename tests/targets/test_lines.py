"""The line of a target in its file."""

import pytest

from conformance.targets.lines import line_of_target

FILE = """\
# [targets.one] is in a comment
[defaults]
tier = "smoke"

[targets.one-more]
model = "m"

  [ targets . "one" ]  # ours
model = "m"

[targets.'three']
"""


@pytest.mark.parametrize(
    ("name", "line"), [("one-more", 5), ("one", 8), ("three", 11), ("absent", 1), ("o.e", 1)]
)
def test_line_of_a_target_is_found(name: str, line: int) -> None:
    assert line_of_target(FILE, name) == line
