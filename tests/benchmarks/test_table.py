"""The benchmark's arithmetic. The benchmark itself is no test."""

import pytest

from tests.benchmarks.table import Result, overhead, table


def test_table_reports_best_rounds_and_their_ratios() -> None:
    fast = Result("fast", 1.25, [0.012, 0.010], [900, 1000, 100], [4000, 2000], 150 * 2**20)
    slow = Result("slow", 9, [0.1], [250, 200], [500], 2**30)
    lines = table([fast, slow], generate="slow", serve="slow").splitlines()
    assert lines[0].count("|") == lines[1].count("|") == lines[2].count("|")
    assert lines[2] == (
        "| fast | 1.2 s | 10 ms | 1,000 (median 900) | 4.0 | 4,000 (median 3,000) | 8.0 | 150 MB |"
    )
    assert "| 250 (median 225) | 1.0 |" in lines[3]


def test_failed_contestants_have_no_ratio() -> None:
    only = Result("only", 1, [0.01], [1000], [4000])
    assert "| 1,000 (median 1,000) | – | 4,000 (median 4,000) | – |" in table(
        [only], generate="generate", serve="serve"
    )


def test_overhead_excludes_the_model_time() -> None:
    server = Result("server", 1, alone=[700, 800], together=[3000])
    model = Result("model", 0, alone=[1000, 900], together=[4000])
    assert overhead(server, model) == pytest.approx((0.2, 0.25))
