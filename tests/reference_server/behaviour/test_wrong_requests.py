"""Behaviours pass invalid requests on to the server, which rejects them."""

from __future__ import annotations

from typing import Any

import pytest

from reference_server.behaviour.registry import all_faults, all_variants
from reference_server.engine.tokenizer import Tokenizer
from tests.lanes import by_default
from tests.reference_server.behaviour.client import BODY, Request, ask, showcase

PARAMETERS = (
    *("prompt", "suffix", "max_tokens", "temperature", "top_p", "n", "stream", "stream_options"),
    *("logprobs", "echo", "stop", "presence_penalty", "frequency_penalty", "best_of"),
    *("logit_bias", "seed", "user"),
)
WRONG: tuple[Any, ...] = ({"a": 1}, -(10**19), [[None]])
"""Of no type that any parameter has, or far out of range."""

FULL = {**BODY, "n": 2, "stop": ["a"], "echo": True, "logprobs": 2, "logit_bias": {"5": 1}}
BEHAVIOURS = sorted({**all_faults(), **all_variants()})


@pytest.mark.parametrize("share", by_default([0, 1], range(8)))
def test_no_behaviour_breaks_on_an_invalid_request(tiny: Tokenizer, share: int) -> None:
    """An exception in what stands before the server would pass through to here."""
    wrong = [{**FULL, name: value} for name in PARAMETERS for value in WRONG]
    wrong += [{**FULL, **dict.fromkeys(PARAMETERS, value)} for value in WRONG]
    broken: dict[str, str] = {}
    for name in BEHAVIOURS[share::8]:
        path = f"/reference/{name}/wrong/v1/completions"
        request: list[Request] = [(path, body) for body in wrong]
        try:
            ask(tiny, showcase, *request)
        except Exception as error:  # noqa: BLE001 - any error is reported with the behaviour's name
            broken[name] = repr(error)
    assert not broken
