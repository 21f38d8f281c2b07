"""Requirements on the server, each over a real process and a real connection."""

import itertools
import math
from typing import Any

import pytest

from reference_server.engine.engine import BUNDLED
from reference_server.engine.tokenizer import Tokenizer
from tests.reference_server.api import Api, envelope

COUNTING = "1, 2, 3, 4, 5, 6, 7, 8, 9,"
PROMPTS = [
    COUNTING,
    "春眠不觉晓，处处闻啼鸟。",
    "😀😁😂 emoji 👩‍👩‍👧",
    "cafe\u0301 nai\u0308ve\n\n\ttabs",
]
TOKENIZER = Tokenizer(BUNDLED)
# Without the end of text every answer is as long as it is allowed to be.
ENDLESS = {"logit_bias": {str(token): -100 for token in TOKENIZER.end_ids}}


def tokens_of(choice: dict[str, Any]) -> bytes:
    """The bytes that the tokens of `logprobs` stand for."""
    return b"".join(
        bytes(int(part, 16) for part in token[8:].split("\\x"))
        if token.startswith("bytes:")
        else token.encode()
        for token in choice["logprobs"]["tokens"]
    )


def test_four_stop_sequences_are_served_and_five_rejected(api: Api) -> None:
    api.complete(prompt=COUNTING, stop=["§a", "§b", "§c", "§d"])
    error = api.refusal(prompt=COUNTING, stop=["§a", "§b", "§c", "§d", "§e"])
    assert (error["param"], error["code"]) == ("stop", "array_above_max_length")


@pytest.mark.parametrize("limit", [{}, {"max_tokens": None}, {"max_tokens": 16}])
def test_default_max_tokens_is_sixteen(api: Api, limit: dict[str, Any]) -> None:
    response = api.complete(prompt=COUNTING, **ENDLESS, **limit)
    assert response["usage"]["completion_tokens"] == 16
    assert response["choices"][0]["finish_reason"] == "length"


def test_best_of_below_n_is_rejected(api: Api) -> None:
    assert api.refusal(prompt="a", n=3, best_of=2)["param"] == "best_of"
    assert len(api.complete(prompt="a", n=3, best_of=3)["choices"]) == 3


@pytest.mark.parametrize("prompt", PROMPTS)
def test_echo_with_logprobs_scores_the_prompt(api: Api, prompt: str) -> None:
    response = api.complete(prompt=prompt, echo=True, logprobs=2, max_tokens=0)
    choice = response["choices"][0]
    scores = choice["logprobs"]
    assert choice["text"] == prompt
    assert choice["finish_reason"] == "length"
    assert response["usage"]["completion_tokens"] == 0
    assert response["usage"]["prompt_tokens"] == len(scores["tokens"])
    assert tokens_of(choice) == prompt.encode()
    assert scores["token_logprobs"][0] is None
    assert scores["top_logprobs"][0] is None
    assert all(value <= 0 for value in scores["token_logprobs"][1:])


@pytest.mark.parametrize("prompt", PROMPTS)
def test_scoring_reproduces_the_logprobs_of_generation(api: Api, prompt: str) -> None:
    ids = list(TOKENIZER.encode(prompt))
    made = api.choice(prompt=ids, temperature=0, logprobs=3, max_tokens=12, **ENDLESS)
    generated = made["logprobs"]["token_logprobs"]
    # Tokens go back in, since a text may be cut into tokens in another way than it was written.
    names = {
        (b"bytes:" + b"".join(b"\\x%02x" % byte for byte in raw)).decode()
        if not _is_text(raw)
        else raw.decode(): token
        for token, raw in ((t, TOKENIZER.token_bytes(t)) for t in range(TOKENIZER.size))
    }
    response = ids + [names[token] for token in made["logprobs"]["tokens"]]
    scored = api.choice(prompt=response, echo=True, logprobs=3, max_tokens=0)["logprobs"]
    assert scored["token_logprobs"][len(ids) :] == pytest.approx(generated, abs=1e-4)


def _is_text(raw: bytes) -> bool:
    try:
        raw.decode()
    except UnicodeDecodeError:
        return False
    return True


@pytest.mark.parametrize("end", [-100, 100], ids=["goes on", "ends"])
def test_evaluation_scoring_returns_one_entry_after_the_prompt(api: Api, end: int) -> None:
    prompts = [list(TOKENIZER.encode(prompt)) for prompt in PROMPTS]
    response = api.complete(
        prompt=prompts,
        temperature=0,
        max_tokens=1,
        logprobs=1,
        seed=1234,
        echo=True,
        logit_bias={str(token): end for token in TOKENIZER.end_ids},
    )
    for prompt, choice in zip(prompts, response["choices"], strict=True):
        assert len(choice["logprobs"]["token_logprobs"]) == len(prompt) + 1
    assert response["usage"]["completion_tokens"] == len(prompts)


def test_equal_seeds_repeat_and_others_differ(api: Api) -> None:
    def texts(seed: int) -> list[str]:
        response = api.complete(prompt="Once upon a time", seed=seed, n=3, max_tokens=24)
        return [choice["text"] for choice in response["choices"]]

    assert texts(7) == texts(7)
    assert texts(7) != texts(8)
    assert len(set(texts(7))) > 1, "the choices of one request have random numbers of their own"
    assert len({api.text(prompt="Once upon a time", max_tokens=24) for _ in range(3)}) > 1


@pytest.mark.parametrize("extra", [{}, {"n": 4}, {"best_of": 4}])
def test_first_choice_is_independent_of_their_number(api: Api, extra: dict[str, Any]) -> None:
    one = api.text(prompt=COUNTING, seed=3, max_tokens=8)
    several = api.complete(prompt=COUNTING, seed=3, max_tokens=8, **{"n": 4} | extra)
    assert one in [choice["text"] for choice in several["choices"]]


@pytest.mark.parametrize("prompt", PROMPTS)
def test_streamed_stop_sequence_across_tokens_is_cut(api: Api, prompt: str) -> None:
    non_streaming = api.choice(prompt=prompt, seed=5, max_tokens=40, logprobs=0, **ENDLESS)
    text = non_streaming["text"]
    base = non_streaming["logprobs"]["text_offset"][0]
    offsets = sorted({offset - base for offset in non_streaming["logprobs"]["text_offset"]})
    stop = text[offsets[6] - 1 : offsets[8] + 1]  # from inside one token into the second after it
    cut = text[: text.index(stop)]
    chunks = api.chunks(prompt=prompt, seed=5, max_tokens=40, stop=stop, **ENDLESS)
    grown = list(itertools.accumulate(c["choices"][0]["text"] for c in chunks))
    assert grown[-1] == cut
    assert chunks[-1]["choices"][0]["finish_reason"] == "stop"
    assert api.text(prompt=prompt, seed=5, max_tokens=40, stop=stop, **ENDLESS) == cut


def test_held_text_is_released_without_a_stop(api: Api) -> None:
    text = api.text(prompt=COUNTING, seed=5, max_tokens=20, **ENDLESS)
    never = text[-4:] + "§"
    assert api.joined(prompt=COUNTING, seed=5, max_tokens=20, stop=never, **ENDLESS)[0] == {
        "text": text,
        "logprobs": None,
        "finish_reason": "length",
    }


@pytest.mark.parametrize("prompt", [*PROMPTS, [40, 41, 42], ["a", "b"], [[50, 51], [52]]])
@pytest.mark.parametrize(
    "extra",
    [
        {"temperature": 0},
        {"echo": True, "logprobs": 2},
        {"n": 3, "seed": 1, "top_p": 0.9},
        {"n": 2, "seed": 1, "logprobs": 5, "stop": ["e", "的", "\n"], "temperature": 1.5},
        {"echo": True, "max_tokens": 0},
    ],
    ids=["greedy", "echo", "n", "stop", "scoring"],
)
def test_joined_stream_equals_the_non_streaming_response(
    api: Api, prompt: Any, extra: dict[str, Any]
) -> None:
    request = {"prompt": prompt, "seed": 11, "max_tokens": 20, **extra}
    non_streaming = api.complete(**request)["choices"]
    streamed = api.joined(**request)
    assert sorted(streamed) == [choice["index"] for choice in non_streaming]
    for choice in non_streaming:
        assert streamed[choice.pop("index")] == choice


def test_stream_has_one_identity_and_final_usage(api: Api) -> None:
    request = {"prompt": COUNTING, "n": 2, "temperature": 0}
    chunks = api.chunks(**request, stream_options={"include_usage": True})
    assert len({(c["id"], c["object"], c["created"], c["model"]) for c in chunks}) == 1
    assert all(chunk["usage"] is None and chunk["choices"] for chunk in chunks[:-1])
    assert chunks[-1]["choices"] == []
    assert chunks[-1]["usage"] == api.complete(**request)["usage"]
    assert all("usage" not in chunk for chunk in api.chunks(**request))


def test_choices_are_ordered_by_prompt_and_n(api: Api) -> None:
    prompts = ["one,", "二，", "three,"]
    response = api.complete(prompt=prompts, n=2, echo=True, max_tokens=4, seed=1)
    assert [choice["index"] for choice in response["choices"]] == list(range(6))
    for choice in response["choices"]:
        assert choice["text"].startswith(prompts[choice["index"] // 2])


def test_usage_counts_each_prompt_once_and_every_choice(api: Api) -> None:
    alone = api.complete(prompt="one two three", max_tokens=5, **ENDLESS)["usage"]
    usage = api.complete(prompt=["one two three"] * 2, n=3, max_tokens=5, **ENDLESS)["usage"]
    assert usage["prompt_tokens"] == 2 * alone["prompt_tokens"]
    assert usage["completion_tokens"] == 30
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"]


@pytest.mark.parametrize("prompt", PROMPTS)
@pytest.mark.parametrize("echo", [False, True])
def test_logprobs_arrays_fit_the_text(api: Api, prompt: str, echo: bool) -> None:
    choice = api.choice(prompt=prompt, echo=echo, logprobs=3, max_tokens=20, seed=2, **ENDLESS)
    scores = choice["logprobs"]
    assert {len(array) for array in scores.values()} == {len(scores["tokens"])}
    assert tokens_of(choice).decode("utf-8", "replace") == choice["text"]
    assert scores["text_offset"][0] == (0 if echo else len(prompt))
    whole = choice["text"] if echo else prompt + choice["text"]
    for token, offset in zip(scores["tokens"], scores["text_offset"], strict=True):
        assert token.startswith("bytes:") or whole[offset:].startswith(token)
    for token, logprob, top in list(
        zip(scores["tokens"], scores["token_logprobs"], scores["top_logprobs"], strict=True)
    )[echo:]:
        assert top[token] == logprob <= 0
        assert len(top) in (3, 4)
        assert sum(math.exp(value) for value in top.values()) <= 1 + 1e-6


def test_logprobs_ignore_sampling_parameters(api: Api) -> None:
    def first(**extra: Any) -> dict[str, float]:
        choice = api.choice(prompt=COUNTING, logprobs=5, max_tokens=1, **extra)
        top: dict[str, float] = choice["logprobs"]["top_logprobs"][0]
        return dict(sorted(top.items(), key=lambda item: -item[1])[:5])

    assert first(temperature=0) == first(temperature=0, top_p=0.1, presence_penalty=2)
    assert first(temperature=0) == first(temperature=0, logit_bias={"100": 100})


def test_bias_of_100_forces_and_minus_100_bans(api: Api) -> None:
    forced = api.choice(prompt=COUNTING, logit_bias={"300": 100}, max_tokens=4, logprobs=0)
    assert len(set(forced["logprobs"]["tokens"])) == 1
    greedy = {"prompt": COUNTING, "temperature": 0, "max_tokens": 1, "logprobs": 0}
    ids = list(range(TOKENIZER.size))
    first = api.choice(**greedy)["logprobs"]["tokens"][0]
    banned = next(token for token in ids if TOKENIZER.token_bytes(token) == first.encode())
    again = api.choice(**greedy, logit_bias={str(banned): -100})["logprobs"]["tokens"][0]
    assert again != first


def test_best_of_returns_the_highest_mean_logprob(api: Api) -> None:
    request = {"prompt": COUNTING, "seed": 9, "max_tokens": 6, "logprobs": 0}

    def mean(choice: dict[str, Any]) -> float:
        scores = choice["logprobs"]["token_logprobs"]
        return float(sum(scores) / len(scores))

    ranked = sorted(api.complete(**request, n=6)["choices"], key=mean, reverse=True)
    best = api.complete(**request, n=2, best_of=6)
    assert [choice["text"] for choice in best["choices"]] == [c["text"] for c in ranked[:2]]
    tokens = sum(len(choice["logprobs"]["tokens"]) for choice in best["choices"])
    assert best["usage"]["completion_tokens"] >= tokens
    assert api.refusal(prompt="a", best_of=2, stream=True)["param"] == "best_of"


def test_suffix_conditions_the_model_and_is_not_echoed(api: Api) -> None:
    request = {"prompt": "One, ", "temperature": 0, "max_tokens": 6}
    non_streaming, filled = api.complete(**request), api.complete(**request, suffix=" three, four.")
    assert filled["usage"]["prompt_tokens"] > non_streaming["usage"]["prompt_tokens"]
    echoed = api.text(**request, suffix=" three, four.", echo=True)
    assert echoed == "One, " + filled["choices"][0]["text"]


def test_prompt_and_completion_must_fit_the_context(api: Api) -> None:
    token = TOKENIZER.encode("a")[0]
    fits = api.complete(prompt=[token] * 2038, max_tokens=10, **ENDLESS)
    assert fits["usage"]["total_tokens"] == 2048
    error = api.refusal(prompt=[token] * 2039, max_tokens=10)
    assert error["code"] is None
    assert "2039" in error["message"]
    assert "10 " in error["message"]


def test_zero_max_tokens_is_rejected_without_echo(
    api: Api,
) -> None:
    assert api.text(prompt=COUNTING, max_tokens=0, echo=True, n=2) == COUNTING
    assert api.refusal(prompt=COUNTING, max_tokens=0)["param"] == "max_tokens"


def test_missing_prompt_begins_a_document(api: Api) -> None:
    absent = api.complete(max_tokens=4, temperature=0)
    assert absent["usage"]["prompt_tokens"] == 1
    same = [api.text(max_tokens=4, temperature=0, prompt=prompt) for prompt in (None, "")]
    assert [absent["choices"][0]["text"]] * 2 == same
    assert api.text(max_tokens=0, echo=True) == "<|endoftext|>"
    assert api.text(max_tokens=0, echo=True, prompt="") == ""


@pytest.mark.parametrize("empty", [None, "", []])
def test_empty_stop_has_no_effect(api: Api, empty: Any) -> None:
    request = {"prompt": COUNTING, "seed": 4, "max_tokens": 8}
    assert api.text(**request, stop=empty) == api.text(**request)


def test_user_has_no_effect(api: Api) -> None:
    request = {"prompt": COUNTING, "seed": 4, "max_tokens": 8}
    assert api.text(**request, user="someone") == api.text(**request)


def test_four_forms_of_a_prompt_are_equivalent(api: Api) -> None:
    ids = list(TOKENIZER.encode(COUNTING))
    request = {"temperature": 0, "max_tokens": 8, "echo": True}
    texts = [api.text(prompt=p, **request) for p in (COUNTING, [COUNTING], ids, [ids])]
    assert len(set(texts)) == 1


def test_server_lists_its_models(api: Api) -> None:
    listed = api.client.get("/models").json()
    assert listed["object"] == "list"
    for card in listed["data"]:
        assert api.client.get(f"/models/{card['id']}").json() == card
    assert envelope(api.client.get("/models/gpt-9"), 404)["code"] == "model_not_found"
