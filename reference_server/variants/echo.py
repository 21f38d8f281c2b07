"""Servers without ``echo``, or with restrictions on it."""

from __future__ import annotations

from collections.abc import Callable

from reference_server.behaviour.builders import rejects
from reference_server.behaviour.messages import Behaviour, Body
from reference_server.behaviour.of_requests import uses
from reference_server.behaviour.registry import variant


@variant("no-echo", refuses="echo")
def no_echo() -> Behaviour:
    """``echo`` is rejected with 400."""
    return rejects(uses("echo"), "echo is not supported", param="echo")


@variant("no-echo-with-logprobs", refuses="echo logprobs")
def no_echo_with_logprobs() -> Behaviour:
    """``echo`` and ``logprobs`` are rejected together, as by the live API; each alone is served."""
    return rejects(
        _all("echo", "logprobs"),
        "Setting 'echo' and 'logprobs' at the same time is not supported for this model.",
    )


def _all(*names: str) -> Callable[[Body], bool]:
    return lambda request: all(uses(name)(request) for name in names)
