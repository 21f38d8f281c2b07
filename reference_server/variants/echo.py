"""Servers that do not return the prompt."""

from __future__ import annotations

from collections.abc import Callable

from reference_server.behaviour.builders import rejects
from reference_server.behaviour.messages import Behaviour, Body
from reference_server.behaviour.registry import variant
from reference_server.variants._requests import asks_for


@variant("no-echo", refuses="echo")
def no_echo() -> Behaviour:
    """``echo`` is declined with 400, as by a server that cannot return its prompt."""
    return rejects(asks_for("echo"), "echo is not supported", param="echo")


@variant("no-echo-with-logprobs", refuses="echo logprobs")
def no_echo_with_logprobs() -> Behaviour:
    """``echo`` and ``logprobs`` are each served, and declined together, as the live API does."""
    return rejects(
        _all("echo", "logprobs"),
        "Setting 'echo' and 'logprobs' at the same time is not supported for this model.",
    )


def _all(*names: str) -> Callable[[Body], bool]:
    return lambda request: all(asks_for(name)(request) for name in names)
