"""Every message of the sample runs has a Chinese sentence."""

from __future__ import annotations

import pytest

from tests.gallery.recording import FAULTY, NAMES, kept
from tests.lanes import by_default
from tests.locale.untold import untold


@pytest.mark.parametrize("name", by_default([FAULTY, "zhizengzeng"], NAMES))
def test_messages_of_a_sample_run_are_translated(name: str) -> None:
    findings = kept(name).findings
    assert sum(bool(finding.seen) for finding in findings) >= (name == FAULTY) * 6
    assert untold(findings) == []
