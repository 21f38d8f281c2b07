"""A request at a limit is served, one past it is rejected."""

import json
from pathlib import Path
from typing import Any

import pytest

import reference_server
from tests.reference_server.api import MODEL, Api, envelope

WEIGHTS = Path(reference_server.__file__).parent / "weights"
CONTEXT: int = json.loads((WEIGHTS / "config.json").read_text("utf-8"))["max_position_embeddings"]
MAX_BODY_BYTES = 8 * 2**20
SEQUENCES = 2048


@pytest.fixture(scope="module")
def dashes(api: Api) -> int:
    """The id of the token of four dashes."""
    vocabulary = json.loads((WEIGHTS / "tokenizer.json").read_text("utf-8"))["model"]["vocab"]
    token: int = vocabulary["----"]
    assert api.text(prompt=[token], max_tokens=0, echo=True) == "----"
    return token


def test_n_and_best_of_limits_are_enforced(api: Api) -> None:
    for request in ({"n": 128}, {"n": 20, "best_of": 20}, {"n": 1, "best_of": 20}):
        response = api.complete(prompt="1, 2,", max_tokens=3, seed=1, **request)
        assert [choice["index"] for choice in response["choices"]] == list(range(request["n"]))
    streamed = api.joined(prompt="1, 2,", max_tokens=3, seed=1, n=128)
    non_streaming = api.complete(prompt="1, 2,", max_tokens=3, seed=1, n=128)["choices"]
    assert [streamed[i]["text"] for i in range(128)] == [choice["text"] for choice in non_streaming]


def test_prompt_may_fill_the_context_exactly(api: Api) -> None:
    """As text, as tokens, with a suffix, and in a batch where one prompt alone is too long."""
    text = "a b" + "\n1" * (CONTEXT // 2)
    counted = api.complete(prompt=text[:1000], max_tokens=0, echo=True)["usage"]["prompt_tokens"]
    assert counted == 1000 - 1, "two characters become one token at the start, none after"
    exact = text[: CONTEXT - 10 + 1]
    fits: list[dict[str, Any]] = [
        {"prompt": exact},
        {"prompt": [5] * (CONTEXT - 10)},
        {"prompt": [5] * (CONTEXT - 10 - 4), "suffix": "a"},
        {"prompt": ["a", exact]},
    ]
    over: list[dict[str, Any]] = [
        {"prompt": exact + "1"},
        {"prompt": [5] * (CONTEXT - 9)},
        {"prompt": [5] * (CONTEXT - 10 - 4), "suffix": "a b"},
        {"prompt": ["a", exact + "1"]},
    ]
    for request, too_long in zip(fits, over, strict=True):
        response = api.complete(max_tokens=10, temperature=0, logit_bias={"0": -100}, **request)
        last = response["choices"][-1]
        assert last["finish_reason"] == "length"
        prompts = len(response["choices"])
        assert response["usage"]["completion_tokens"] == 10 * prompts
        assert response["usage"]["prompt_tokens"] == CONTEXT - 10 + prompts - 1
        message = api.refusal(max_tokens=10, **too_long)["message"]
        assert f"{CONTEXT + 1} tokens ({CONTEXT - 9} in your prompt; 10 for" in message


def test_huge_max_tokens_is_rejected(api: Api) -> None:
    for digits in (10, 19, 20, 4300, 5000, 10**6):
        body = b'{"model":"%s","prompt":"a","max_tokens":%s}' % (MODEL.encode(), b"9" * digits)
        envelope(api.raw(body), 400)


def test_batch_is_limited_to_2048_prompts(api: Api) -> None:
    prompts = [f"{i}" for i in range(SEQUENCES)]
    response = api.complete(prompt=prompts, max_tokens=0, echo=True)
    assert [choice["text"] for choice in response["choices"]] == prompts
    assert [choice["index"] for choice in response["choices"]] == list(range(SEQUENCES))
    assert api.refusal(prompt=[*prompts, "a"], max_tokens=0, echo=True)["param"] == "prompt"


def test_prompts_times_candidates_are_limited_to_2048(api: Api) -> None:
    response = api.complete(prompt=["a"] * 16, n=128, max_tokens=1, seed=1)
    assert [choice["index"] for choice in response["choices"]] == list(range(SEQUENCES))
    assert api.refusal(prompt=["a"] * 17, n=128, max_tokens=1)["param"] == "n"
    assert api.refusal(prompt=["a"] * 103, best_of=20, max_tokens=1)["param"] in ("n", "prompt")


def test_long_stop_sequences_are_served(api: Api, dashes: int) -> None:
    """Four that nearly match all along take nothing from the text; one that matches ends it."""
    forced = {"prompt": "b", "max_tokens": 260, "logit_bias": {str(dashes): 100}}
    nearly = ["-" * place + "b" + "-" * (999 - place) for place in (999, 998, 500, 1)]
    for choice in (api.choice(stop=nearly, **forced), api.joined(stop=nearly, **forced)[0]):
        assert choice["text"] == "-" * 1040
        assert choice["finish_reason"] == "length"
    ended = api.complete(stop=[*nearly[:3], "-" * 999], **forced)
    assert ended["choices"][0]["text"] == ""
    assert ended["choices"][0]["finish_reason"] == "stop"
    assert ended["usage"]["completion_tokens"] == 250
    assert api.refusal(stop=[*nearly, "-" * 1000], **forced)["param"] == "stop"


def test_stop_sequence_may_be_a_thousand_characters(api: Api) -> None:
    request = {"prompt": "Once", "max_tokens": 500, "temperature": 0, "logit_bias": {"0": -100}}
    text = api.text(**request)
    assert len(text) > 1000
    assert api.text(stop=text[100:1100], **request) == text[: text.index(text[100:1100])]
    altered = [text[i : i + 999] + "\u0000" for i in (0, 1, 2, 3)]
    assert api.text(stop=altered, **request) == text


def test_stop_sequence_has_a_maximum_length(api: Api) -> None:
    api.complete(prompt="a", max_tokens=1, stop="a" * 8192)
    assert api.refusal(prompt="a", stop="a" * 8193)["code"] == "string_above_max_length"


def padded(size: int) -> bytes:
    """A request of that many bytes, most of them in a field without effect."""
    frame = b'{"model":"%s","prompt":"a","max_tokens":1,"user":"%s"}'
    return frame % (MODEL.encode(), b"u" * (size - len(frame % (MODEL.encode(), b""))))


def test_body_is_limited_to_8_mib(api: Api) -> None:
    for size in (10**6, MAX_BODY_BYTES):
        body = padded(size)
        assert len(body) == size
        assert api.raw(body).status_code == 200
    envelope(api.raw(padded(MAX_BODY_BYTES + 1)), 413)
    # Without a declared length it is counted as it comes.
    parts = (padded(MAX_BODY_BYTES + 1)[i : i + 2**20] for i in range(0, MAX_BODY_BYTES + 1, 2**20))
    envelope(api.client.post("/completions", content=parts), 413)


def test_long_prompt_is_limited_by_its_tokens(api: Api) -> None:
    for text in ("word " * 200_000, "a" * 10**6, "世" * 300_000, "\n" * 10**6, "😀" * 250_000):
        assert "maximum context length" in api.refusal(prompt=text)["message"]


def test_every_token_may_have_a_bias(api: Api) -> None:
    everything = {str(token): -100 for token in range(1, 4096)} | {"300": 100}
    choice = api.choice(prompt="a", max_tokens=2, logit_bias=everything, logprobs=0)
    (first, second) = choice["logprobs"]["tokens"]
    assert first == second
    assert api.refusal(prompt="a", logit_bias={"4096": 1})["code"] == "invalid_token_id"


@pytest.mark.parametrize("deep", ["a list", "a member", "an escape"])
def test_any_nesting_depth_is_rejected_cleanly(api: Api, deep: str) -> None:
    """Around the reader's own limit, too, where one more walk over the value would be too many."""
    for depth in [2, 100, *range(960, 1000), 10**5]:
        nested = {
            "a list": b'{"prompt":%s1%s}' % (b"[" * depth, b"]" * depth),
            "a member": b'{"user":' * depth + b"1" + b"}" * depth,
            "an escape": b'{"\\u0041":%s%s}' % (b"[" * depth, b"]" * depth),
        }[deep]
        envelope(api.raw(nested), 400)


def test_extreme_numbers_are_read_exactly(api: Api) -> None:
    frame = b'{"model":"%s","prompt":"a","max_tokens":1,"temperature":%s}'
    for number in ("-0", "-0.0", "0e999999", "1e-400", f"0.{'0' * 10**6}1"):
        body = frame % (MODEL.encode(), number.encode())
        assert api.raw(body).status_code == 200, number[:20]
    for number in ("1e400", "-1e400", "1e999999999", "9" * 400, f"{'9' * 400}.0", f"-{'9' * 4300}"):
        envelope(api.raw(frame % (MODEL.encode(), number.encode())), 400)
