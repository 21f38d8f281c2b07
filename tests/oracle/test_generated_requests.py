"""Every field of the response to any generated request matches the oracle."""

from collections import Counter
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from tests.lanes import sample_size
from tests.oracle import generated_requests
from tests.oracle.oracle import MODEL, Oracle
from tests.oracle.request import predictable

ROUND = 10
"""Requests of one seed: from the eleventh on, Hypothesis would mostly vary those before."""


def drawing(number: int) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Run a Hypothesis test for one round, the same at any time and on any machine."""

    def decorate(test: Callable[..., None]) -> Callable[..., None]:
        few = settings(
            max_examples=ROUND,
            database=None,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        )
        return seed(number)(few(test))

    return decorate


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "number" in metafunc.fixturenames:
        count = sample_size(metafunc.config, "--oracle-requests", default=60, full=300)
        rounds = -(-count // ROUND)
        metafunc.parametrize("number", range(rounds))


def test_every_response_matches_the_oracle(oracle: Oracle, number: int) -> None:
    @drawing(number)
    @given(generated_requests.bodies(), st.data())
    def agree(drawn: generated_requests.Body, data: st.DataObject) -> None:
        body = {"model": MODEL, **drawn}
        revealed = None
        if predictable(body):
            revealed = oracle.reveal(body)
            texts = [oracle.text(candidate) for of_prompt in revealed for candidate in of_prompt]
            if data.draw(st.booleans()):
                body["stop"] = data.draw(generated_requests.stops(texts))
        oracle.check(body, revealed)

    agree()


FEATURES: dict[str, Callable[[generated_requests.Body], object]] = {
    "no prompt": lambda body: body.get("prompt") is None,
    "several prompts": lambda body: (
        isinstance(body.get("prompt"), list) and len(body["prompt"]) > 1
    ),
    "suffix": lambda body: body.get("suffix"),
    "stream": lambda body: body.get("stream"),
    "echo scored": lambda body: body.get("echo") and body.get("logprobs") is not None,
    "nothing but the echo": lambda body: body.get("max_tokens") == 0,
    "several choices": lambda body: (body.get("n") or 1) > 1,
    "several of the best": lambda body: (body.get("best_of") or 1) > (body.get("n") or 1) > 1,
    "penalties": lambda body: body.get("presence_penalty") or body.get("frequency_penalty"),
    "bias": lambda body: body.get("logit_bias"),
    "nucleus": lambda body: (
        body.get("top_p") and body["top_p"] < 1 and body.get("temperature") != 0
    ),
    "greedy": lambda body: body.get("temperature") == 0,
    "predictable": predictable,
    "not predictable": lambda body: not predictable(body),
}


def test_three_hundred_draws_cover_every_feature() -> None:
    seen: Counter[str] = Counter()
    for number in range(30):

        @drawing(number)
        @given(generated_requests.bodies())
        def count(body: generated_requests.Body) -> None:
            seen.update(name for name, has in FEATURES.items() if has(body))

        count()
    assert min(seen[name] for name in FEATURES) >= 10, seen
