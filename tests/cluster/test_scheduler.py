"""What names a Dask cluster."""

from __future__ import annotations

import asyncio
import socket
import sys
from dataclasses import dataclass, field
from typing import Any

import pytest

from conformance import __version__
from conformance.cluster.scheduler import (
    Cluster,
    ClusterError,
    Local,
    Remote,
    Scheduler,
    assert_usable,
    open_cluster,
    read_scheduler,
)


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
    ["", "local:", "local:0", "local:65", "local:99999", "remote", "tcp://host", "http://host:1"],
)
def test_other_words_are_refused(typed: str) -> None:
    with pytest.raises(ClusterError, match="local:4"):
        read_scheduler(typed)


@dataclass
class FakeClient:
    """A client whose workers have these resources, and tell this version."""

    resources: dict[str, dict[str, int]] = field(default_factory=dict)
    version: object = __version__

    @property
    def scheduler(self) -> FakeClient:
        return self

    async def identity(self, n_workers: int) -> dict[str, Any]:
        assert n_workers == -1  # all of them
        return {"workers": {name: {"resources": one} for name, one in self.resources.items()}}

    async def run(self, _: object, on_error: str) -> dict[str, object]:
        assert on_error == "return"
        return dict.fromkeys(self.resources, self.version)


def refusal_of(client: FakeClient, **regions: str) -> str:
    cluster = Cluster(Remote("tcp://here:1"), client)
    with pytest.raises(ClusterError) as refused:
        asyncio.run(assert_usable(cluster, regions))
    return str(refused.value)


def test_workers_of_the_same_version_are_used() -> None:
    client = FakeClient({"a": {"eu": 1}, "b": {}})
    asyncio.run(assert_usable(Cluster(Remote("tcp://here:1"), client), {"eu": "zero"}))


def test_unusable_workers_are_refused() -> None:
    assert refusal_of(FakeClient()) == (
        "the scheduler at tcp://here:1 has no worker; start `dask worker tcp://here:1`"
    )
    assert "is in the region us of target zero" in refusal_of(FakeClient({"a": {}}), us="zero")
    older = FakeClient({"a": {}}, version="0.0.9")
    assert refusal_of(older).startswith(
        f"the worker a has 0.0.9, and this is version {__version__}"
    )
    without = FakeClient({"a": {}}, version=ModuleNotFoundError("conformance"))
    assert refusal_of(without).startswith("the worker a has no suite, and this is version")


def test_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)

    async def opening() -> None:
        async with open_cluster(Local(1), threads=[1]):
            pytest.fail("there is no cluster without Dask")

    with pytest.raises(ClusterError, match=r"needs Dask; run: pip install '.*\[distributed\]'"):
        asyncio.run(opening())


def test_unreachable_scheduler_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("conformance.cluster.scheduler.CONNECT_SECONDS", 1)

    async def opening() -> None:
        async with open_cluster(Remote("tcp://127.0.0.1:9")):
            pytest.fail("nobody is there")

    with pytest.raises(
        ClusterError, match=r"cannot connect to the scheduler at tcp://127\.0\.0\.1:9"
    ):
        asyncio.run(opening())


def test_silent_scheduler_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("conformance.cluster.scheduler.ANSWER_SECONDS", 1)

    async def opening() -> None:
        async with open_cluster(Remote(f"tcp://127.0.0.1:{silent.getsockname()[1]}")):
            pytest.fail("nobody answers")

    with (
        socket.create_server(("127.0.0.1", 0)) as silent,
        pytest.raises(ClusterError, match="no answer within 1 s; is `dask scheduler` running"),
    ):
        asyncio.run(opening())
