"""The fault that delays a stream delays nothing else."""

from __future__ import annotations

from reference_server.behaviour.messages import Body
from reference_server.faults.streaming.choices import fake_streaming
from tests.reference_server.behaviour.toy_server import responses


def pause_of(body: Body) -> float:
    (response,) = responses(fake_streaming(), body)
    return sum(part.pause for part in response.parts)


def test_stream_is_delayed_in_proportion_to_its_tokens() -> None:
    short, long = (pause_of({"prompt": "a", "stream": True, "max_tokens": n}) for n in (4, 16))
    assert 0 < short < long


def test_refusal_is_not_delayed() -> None:
    assert pause_of({}) == 0
