"""``--model PATH``: other families of models, made here with random weights, answer as they should.

What they should answer is what transformers makes of the same folder.
"""

import json
import os
import subprocess
import sys
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from reference_server.engine.transformers_backend import TransformersBackend, cache_argument
from tests.lanes import by_default
from tests.reference_server.api import MODEL, Api
from tests.reference_server.checkpoints import CONTEXT, FAMILIES, Family, make
from tests.servers import RunningServer, running_server

PROMPTS = ["you and blue", " 1, 2, 3,", "春眠不觉晓", "a 😀\n"]
TOLERANCE = 1e-5
"""Between two ways to compute the same in float32."""


@dataclass(frozen=True)
class Own:
    """A checkpoint served by the reference server, and the same one in transformers."""

    family: Family
    folder: Path
    server: RunningServer
    api: Api
    tokenizer: Any
    model: Any

    def ids(self, prompt: str) -> list[int]:
        """What the model reads before it goes on."""
        ids: list[int] = self.tokenizer(prompt).input_ids
        return ids

    def plain_tokens(self) -> set[int]:
        """The tokens whose text has one spelling: printable ASCII."""
        spellings = self.tokenizer.convert_ids_to_tokens(range(len(self.tokenizer)))
        marks = set(self.tokenizer.all_special_ids)
        return {
            i for i, s in enumerate(spellings) if s.isascii() and i not in marks and s[0] != "<"
        }

    @torch.inference_mode()
    def generated(self, ids: list[int], count: int, barred: list[int]) -> tuple[str, list[float]]:
        """Greedy text and the log-probabilities of its tokens, by ``generate``."""
        made = self.model.generate(
            torch.tensor([ids]),
            attention_mask=torch.ones(1, len(ids), dtype=torch.long),
            max_new_tokens=count,
            do_sample=False,
            suppress_tokens=barred,
            output_logits=True,
            return_dict_in_generate=True,
            pad_token_id=0,
        )
        tokens = made.sequences[0, len(ids) :].tolist()
        scores = [
            row[0].double().log_softmax(-1)[token].item()
            for row, token in zip(made.logits, tokens, strict=True)
        ]
        before, whole = (self.tokenizer.decode(some) for some in (ids, [*ids, *tokens]))
        return whole.removeprefix(before), scores

    @torch.inference_mode()
    def scores(self, ids: list[int]) -> list[float]:
        """The log-probability of every token but the first."""
        table = self.model(torch.tensor([ids])).logits[0].double().log_softmax(-1)
        return [table[place, token].item() for place, token in enumerate(ids[1:])]


@pytest.fixture(scope="module", params=by_default(["llama"], FAMILIES))
def own(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Own]:
    family = FAMILIES[request.param]
    folder = tmp_path_factory.mktemp(request.param)
    make(family, folder)
    with (
        running_server("--model", str(folder), "--log-level", "warning") as server,
        httpx.Client(base_url=server.base_url, headers=server.headers, timeout=60) as client,
    ):
        yield Own(
            family,
            folder,
            server,
            Api(client),
            AutoTokenizer.from_pretrained(folder),
            AutoModelForCausalLM.from_pretrained(folder).float(),
        )
        assert not server.log


def test_generation_raises_no_warning(own: Own) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        backend = TransformersBackend(own.folder)
        prompt = backend.prefill([1, 2, 3])
        handle = backend.open(prompt)
        assert backend.step([handle], [4])


class Current(torch.nn.Module):
    """A model as of transformers 5.24."""

    def forward(self, input_ids: Any, cache: Any = None, **kwargs: Any) -> None: ...


class Older(torch.nn.Module):
    """A model as before transformers 5.24."""

    def forward(self, input_ids: Any, past_key_values: Any = None, **kwargs: Any) -> None: ...


@pytest.mark.parametrize(("model", "name"), [(Current(), "cache"), (Older(), "past_key_values")])
def test_cache_argument_follows_the_model(model: torch.nn.Module, name: str) -> None:
    assert cache_argument(model) == name


@pytest.mark.parametrize("prompt", PROMPTS)
def test_greedy_text_and_scores_match_generate(own: Own, prompt: str) -> None:
    allowed = own.plain_tokens()
    barred = sorted(set(range(own.model.config.vocab_size)) - allowed)
    text, scores = own.generated(own.ids(prompt), 24, barred)
    choice = own.api.choice(
        prompt=prompt,
        max_tokens=24,
        temperature=0,
        logprobs=0,
        logit_bias={str(i): -100 for i in barred if i < len(own.tokenizer)},
    )
    assert len(set(text)) > 3, "a text too dull to compare"
    assert choice["text"] == text
    assert choice["logprobs"]["token_logprobs"] == pytest.approx(scores, abs=TOLERANCE)


@pytest.mark.parametrize("prompt", PROMPTS)
def test_scores_match_transformers(own: Own, prompt: str) -> None:
    ids = own.ids(prompt)
    response = own.api.complete(prompt=prompt, max_tokens=0, echo=True, logprobs=3)
    choice = response["choices"][0]
    arrays = choice["logprobs"]
    # A mark before the text is read, and counted, but is no part of what is echoed.
    entries = len(arrays["tokens"])
    assert len(ids) - entries == (1 if ids[0] in own.tokenizer.all_special_ids else 0)
    assert arrays["token_logprobs"][0] is None
    assert arrays["token_logprobs"][1:] == pytest.approx(
        own.scores(ids)[1 - entries :], abs=TOLERANCE
    )
    assert response["usage"]["prompt_tokens"] == len(ids)
    assert choice["text"] == prompt
    assert arrays["text_offset"][0] == 0
    if not any(token.startswith("bytes:") for token in arrays["tokens"]):
        assert "".join(arrays["tokens"]) == prompt


def test_token_ids_are_read_unchanged(own: Own) -> None:
    sent = own.ids("you and")
    response = own.api.complete(prompt=sent, max_tokens=0, echo=True, logprobs=0)
    scores = response["choices"][0]["logprobs"]["token_logprobs"]
    assert scores[1:] == pytest.approx(own.scores(sent), abs=TOLERANCE)
    assert response["usage"]["prompt_tokens"] == len(sent)


def test_empty_prompt_reads_the_beginning_of_text(own: Own) -> None:
    start = own.tokenizer.bos_token_id
    start = own.tokenizer.eos_token_id if start is None else start
    for prompt in ({}, {"prompt": ""}):
        response = own.api.complete(**prompt, max_tokens=1, temperature=0, logprobs=1)
        assert response["usage"]["prompt_tokens"] == 1
        expected = own.api.choice(prompt=[start], max_tokens=1, temperature=0, logprobs=1)
        assert (
            response["choices"][0]["logprobs"]["top_logprobs"]
            == (expected["logprobs"]["top_logprobs"])
        )


def test_end_of_text_token_ends_a_text(own: Own) -> None:
    end = str(own.tokenizer.eos_token_id)
    choice = own.api.choice(prompt="you", logit_bias={end: 100}, logprobs=1, max_tokens=5)
    assert (choice["text"], choice["finish_reason"]) == ("", "stop")
    assert choice["logprobs"]["tokens"] == [own.tokenizer.eos_token]


def test_special_and_unused_tokens_never_appear(own: Own) -> None:
    response = own.api.complete(
        prompt="you", n=16, max_tokens=30, temperature=2, seed=1, logprobs=5
    )
    added = own.tokenizer.added_tokens_decoder.values()
    marks = {mark.content for mark in added if mark.special} - {own.tokenizer.eos_token}
    for choice in response["choices"]:
        arrays = choice["logprobs"]
        assert not marks & set(arrays["tokens"])
        assert "" not in arrays["tokens"]
        assert all("" not in top for top in arrays["top_logprobs"])


def test_stream_equals_the_non_streaming_response(own: Own) -> None:
    request = {"prompt": ["you", "😀 and"], "n": 2, "seed": 1, "max_tokens": 6, "echo": True}
    non_streaming = own.api.complete(**request, logprobs=2)
    streamed = own.api.joined(**request, logprobs=2)
    for choice in non_streaming["choices"]:
        assert streamed[choice.pop("index")] == choice


def test_suffix_needs_a_model_with_infilling_tokens(own: Own) -> None:
    if own.family.infilling is None:
        refusal = own.api.refusal(prompt="you", suffix=" and")
        assert refusal["param"] == "suffix"
        return
    before, after = (own.ids(text)[len(own.ids("")) :] for text in ("you", " and"))
    prefix, suffix, middle = own.tokenizer.convert_tokens_to_ids(list(own.family.infilling))
    read = [*own.ids(""), prefix, *before, suffix, *after, middle]
    allowed = own.plain_tokens()
    barred = sorted(set(range(own.model.config.vocab_size)) - allowed)
    _, scores = own.generated(read, 6, barred)
    response = own.api.complete(
        prompt="you",
        suffix=" and",
        max_tokens=6,
        temperature=0,
        logprobs=0,
        logit_bias={str(i): -100 for i in barred if i < len(own.tokenizer)},
    )
    made = response["choices"][0]["logprobs"]["token_logprobs"]
    assert made == pytest.approx(scores, abs=TOLERANCE)
    assert response["usage"]["prompt_tokens"] == len(read)


def test_context_of_the_model_is_the_limit(own: Own) -> None:
    own.api.complete(prompt=[70] * (CONTEXT - 8), max_tokens=8)
    refusal = own.api.refusal(prompt=[70] * (CONTEXT - 7), max_tokens=8)
    assert f"{CONTEXT} tokens" in refusal["message"]


def test_suite_finds_no_failures(own: Own, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "conformance", "run", "--contract", "openai"]
    target = [
        "--base-url",
        own.server.base_url,
        "--model",
        MODEL,
        "--api-key-env",
        "MODEL_TEST_KEY",
    ]
    ended = subprocess.run(
        [*command, *target, "--out", str(tmp_path / "run")],
        check=False,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=300,
        env={**os.environ, "MODEL_TEST_KEY": own.server.key},
    )
    results = json.loads((tmp_path / "run" / "results.json").read_text("utf-8"))
    assert results["verdict"] == "conforming", ended.stdout
    assert ended.returncode == 0, ended.stderr
