"""`suffix` affects the text before it and nothing else."""

from itertools import chain
from typing import Any

import pytest

from tests.reference_server.api import Api
from tests.reference_server.infilling import (
    HOLES,
    Hole,
    holes,
    likelihoods,
    mean,
    sign_test,
    spelled_out,
    with_foreign_endings,
)
from tests.reference_server.request_strategies import END, TOKENIZER

LANGUAGES = ["english", "chinese"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_matching_suffix_makes_the_middle_likelier(api: Api, language: str) -> None:
    texts = holes(language)
    right = likelihoods(api, [*chain(*texts)])
    foreign = likelihoods(api, [*chain(*with_foreign_endings(texts))])
    assert [one.tokens for one in right] == [one.tokens for one in foreign]
    assert mean(right) > mean(foreign) + 0.1
    # Texts are compared, not holes: the holes of one text are not independent of each other.
    gains = [own.nats - other.nats for own, other in zip(right, foreign, strict=True)]
    differences = [sum(gains[i : i + HOLES]) for i in range(0, len(gains), HOLES)]
    assert len(differences) == 24
    assert sign_test(differences) < 0.01


@pytest.mark.parametrize("language", LANGUAGES)
def test_generated_text_depends_on_the_suffix(api: Api, language: str) -> None:
    texts = holes(language)
    written = [
        [
            api.text(prompt=found[0].before, suffix=found[0].after, temperature=0, max_tokens=6)
            for found in either
        ]
        for either in (texts, with_foreign_endings(texts))
    ]
    differ = [own != other for own, other in zip(*written, strict=True)]
    assert sum(differ) > len(differ) / 2


SCORED = {"max_tokens": 3, "temperature": 0, "logprobs": 5, "logit_bias": {str(END): -100}}


@pytest.mark.parametrize("language", LANGUAGES)
def test_suffix_equals_explicit_infilling_tokens(api: Api, language: str) -> None:
    # That is what makes the likelihoods above those of the parameter.
    for found in holes(language)[:8]:
        hole = Hole(found[0].before, "", found[0].after)
        given = api.complete(prompt=hole.before, suffix=hole.after, **SCORED)
        spelled = api.complete(prompt=spelled_out(hole), **SCORED)
        assert given["usage"] == spelled["usage"]
        mine, other = given["choices"][0], spelled["choices"][0]
        shift = len(spelled_out(hole)) - len(hole.before)
        offsets = [offset + shift for offset in mine["logprobs"]["text_offset"]]
        assert {**mine, "logprobs": {**mine["logprobs"], "text_offset": offsets}} == other


def test_echo_with_a_suffix_is_the_prompt(api: Api) -> None:
    hole = Hole("Monday, Tuesday,", "", " Thursday, Friday")
    echoed = api.choice(prompt=hole.before, suffix=hole.after, echo=True, **SCORED)
    silent = api.choice(prompt=hole.before, suffix=hole.after, **SCORED)
    assert echoed["text"] == hole.before + silent["text"]
    count = len(TOKENIZER.encode(hole.before))
    for name, values in silent["logprobs"].items():
        assert echoed["logprobs"][name][count:] == values
    spelled = api.choice(prompt=spelled_out(hole), echo=True, logprobs=5, max_tokens=0)["logprobs"]
    assert spelled["tokens"][: count + 2] == [
        "<|fim_prefix|>",
        *echoed["logprobs"]["tokens"][:count],
        "<|fim_suffix|>",
    ]
    # The first token of an answer has no score, though here a mark comes before it.
    assert echoed["logprobs"]["token_logprobs"][0] is None
    for name in ("token_logprobs", "top_logprobs"):
        assert echoed["logprobs"][name][1:count] == spelled[name][2 : count + 1]


def test_suffix_applies_to_every_batched_prompt(api: Api) -> None:
    prompts: list[Any] = ["One, ", "", "甲、", "Monday, "]
    body = {"suffix": " three, four.", "echo": True, **SCORED}
    batch = api.complete(prompt=prompts, **body)
    single = [api.complete(prompt=prompt, **body) for prompt in prompts]
    assert [{**choice, "index": 0} for choice in batch["choices"]] == [
        one["choices"][0] for one in single
    ]
    assert batch["usage"]["prompt_tokens"] == sum(one["usage"]["prompt_tokens"] for one in single)
    ids = [list(TOKENIZER.encode(prompt)) for prompt in prompts if prompt]
    as_tokens = api.complete(prompt=ids, **body)["choices"]
    assert [c["text"] for c in as_tokens] == [
        c["text"] for c, prompt in zip(batch["choices"], prompts, strict=True) if prompt
    ]


def test_usage_counts_prompt_suffix_and_infilling_tokens(api: Api) -> None:
    for prompt, suffix in [("One, ", " three"), ("", " three"), ("甲、", "丙、丁"), (None, "。")]:
        usage = api.complete(prompt=prompt, suffix=suffix, max_tokens=1)["usage"]
        read = len(TOKENIZER.encode(prompt or "")) + len(TOKENIZER.encode(suffix))
        assert usage["prompt_tokens"] == read + 3


def test_missing_prompt_leaves_an_empty_prefix(api: Api) -> None:
    suffix = ", Tuesday, Wednesday"
    spelled = api.text(prompt=spelled_out(Hole("", "", suffix)), **SCORED)
    for body in ({"prompt": ""}, {"prompt": None}, {}):
        assert api.text(suffix=suffix, **body, **SCORED) == spelled
        assert api.text(suffix=suffix, echo=True, **body, **SCORED) == spelled


def test_stop_sequence_in_the_suffix_is_ignored(api: Api) -> None:
    body = {"prompt": "1, 2, 3,", "suffix": " §6, 7, 8", "temperature": 0, "max_tokens": 8}
    assert api.complete(**body, stop="§")["usage"] == api.complete(**body)["usage"]
