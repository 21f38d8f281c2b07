"""Whatever is asked, every field of the answer is what the second reading says."""

from collections import Counter
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from tests.oracle import requests
from tests.oracle.asked import predictable
from tests.oracle.asking import Json
from tests.oracle.oracle import MODEL, Oracle

SHARDS = 6
WORTHWHILE = 40
"""Of so many draws some must have every one of the `FEATURES`."""


def scored(answer: Json) -> list[Json]:
    return [choice["logprobs"] for choice in answer["choices"] if choice["logprobs"]]


FEATURES: dict[str, Callable[[requests.Body, Json], bool]] = {
    "stream": lambda body, _: bool(body.get("stream")),
    "several choices": lambda _, answer: len(answer["choices"]) > 1,
    "suffix": lambda body, _: bool(body.get("suffix")),
    "candidates discarded": lambda body, _: (body.get("best_of") or 1) > (body.get("n") or 1),
    "echo scored": lambda _, answer: any(a["token_logprobs"][:1] == [None] for a in scored(answer)),
    "part of a character": lambda _, answer: any(
        token.startswith("bytes:") for arrays in scored(answer) for token in arrays["tokens"]
    ),
    "stop sequence found": lambda body, answer: (
        bool(body.get("stop"))
        and any(choice["finish_reason"] == "stop" for choice in answer["choices"])
    ),
    "end of text": lambda _, answer: any(
        a["tokens"][-1:] == ["<|endoftext|>"] for a in scored(answer)
    ),
    "penalties": lambda body, _: bool(
        body.get("presence_penalty") or body.get("frequency_penalty")
    ),
    "bias": lambda body, _: bool(body.get("logit_bias")),
    "nucleus": lambda body, _: (body.get("top_p") or 1) < 1 and body.get("temperature") != 0,
    "greedy": lambda body, _: body.get("temperature") == 0,
}


@pytest.mark.parametrize("shard", range(SHARDS))
def test_every_answer_is_what_it_must_be(
    oracle: Oracle, shard: int, pytestconfig: pytest.Config
) -> None:
    wanted = pytestconfig.getoption("oracle_requests")
    seen: Counter[str] = Counter()

    @seed(shard)  # one of its own, or all shards would draw the same
    @settings(
        max_examples=max(1, wanted // SHARDS),
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(requests.bodies(), st.data())
    def agree(drawn: requests.Body, data: st.DataObject) -> None:
        body = {"model": MODEL, **drawn}
        revealed = None
        if predictable(body):
            revealed = oracle.reveal(body)
            texts = [oracle.text(candidate) for of_prompt in revealed for candidate in of_prompt]
            if data.draw(st.booleans()):
                body["stop"] = data.draw(requests.stops(texts))
        answer = oracle.check(body, revealed)
        seen.update(name for name, has in FEATURES.items() if has(body, answer))

    agree()
    if wanted // SHARDS >= WORTHWHILE:
        assert seen.keys() == FEATURES.keys()
