"""A growing run file is read as far as it is written, each line once."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conformance.model import (
    Conclusion,
    Cost,
    Exchange,
    Finding,
    Footer,
    Header,
    Level,
    Limits,
    Request,
    Run,
    Tier,
    Verdict,
)
from conformance.record.line import RunFileError
from conformance.record.ndjson import (
    RunTail,
    write_run,
)

HEADER = Header(
    format=2,
    suite_version="0.1.0",
    started_at="2026-01-01T00:00:00+00:00",
    base_url="http://127.0.0.1/v1",
    model="m",
    api_key_env=None,
    contract="openai",
    contract_title="The live API",
    document="openai",
    tier=Tier.SMOKE,
    select=(),
    strict=False,
    seed=0,
    limits=Limits(),
    subjects=(),
    requirements=(),
)
EXCHANGE = Exchange("x0001", Request("POST", "/completions"), (), 200, (), b"{}", (), 0.1)
FINDINGS = tuple(
    Finding(name, "It ends.", "stop.string", Level.MUST, "stop", Tier.SMOKE, Verdict.PASS)
    for name in ("stop.ends", "stop.四")
)
FOOTER = Footer("2026-01-01T00:00:01+00:00", 1.0, Conclusion.CONFORMING, None, {}, Cost())
RUN = Run(HEADER, (EXCHANGE,), FINDINGS, FOOTER)


def test_missing_file_is_empty(tmp_path: Path) -> None:
    tail = RunTail(tmp_path / "run.ndjson")
    tail.read()
    assert tail.findings == {}
    assert tail.run() is None


@settings(derandomize=True)
@given(cuts=st.lists(st.integers(min_value=0, max_value=2_000), max_size=8))
def test_growing_file_is_read_completely_in_parts(
    tmp_path_factory: pytest.TempPathFactory, cuts: list[int]
) -> None:
    folder = tmp_path_factory.mktemp("tail")
    write_run(RUN, folder / "whole")
    whole = (folder / "whole").read_bytes()
    tail = RunTail(folder / "growing")
    for end in [*sorted(cuts), len(whole)]:
        (folder / "growing").write_bytes(whole[:end])
        tail.read()
        finished = whole[:end].count(b"\n")
        assert list(tail.findings.values()) == list(FINDINGS[: max(0, finished - 2)])
        assert (tail.footer is not None) == (end >= len(whole))
        if finished:
            run = tail.run()
            assert run is not None
            assert run.findings == tuple(tail.findings.values())
    assert tail.run() == RUN
    assert tail.footer == FOOTER


def test_invalid_file_is_rejected_with_the_place(tmp_path: Path) -> None:
    path = tmp_path / "run.ndjson"
    path.write_text('{"kind":"finding"}\n')
    with pytest.raises(RunFileError, match=r"run\.ndjson, line 1: invalid finding"):
        RunTail(path).read()
