"""What names a Dask cluster."""

from __future__ import annotations

import pytest

from conformance.cluster.scheduler import ClusterError, Local, Remote, Scheduler, read_scheduler


@pytest.mark.parametrize(
    ("typed", "scheduler"),
    [
        ("local", Local()),
        ("local:4", Local(4)),
        ("tcp://scheduler:8786", Remote("tcp://scheduler:8786")),
        ("tls://10.0.0.1:8786", Remote("tls://10.0.0.1:8786")),
        ("tcp://[::1]:8786", Remote("tcp://[::1]:8786")),
    ],
)
def test_clusters_are_named(typed: str, scheduler: Scheduler) -> None:
    assert read_scheduler(typed) == scheduler
    assert str(scheduler) == typed


@pytest.mark.parametrize(
    "typed",
    ["", "local:", "local:0", "local:65", "remote", "tcp://host", "http://host:1"],
)
def test_other_words_are_refused(typed: str) -> None:
    with pytest.raises(ClusterError, match="local:4"):
        read_scheduler(typed)
