"""``--model PATH``: other architectures, made here with random weights, behave all the same."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import torch
from transformers import AutoModelForCausalLM, GPT2Config, LlamaConfig, PreTrainedTokenizerFast
from transformers import AutoTokenizer as AnyTokenizer

from tests.reference_server.api import Api
from tests.reference_server.scripted import tiny_tokenizer_json
from tests.servers import running_server

ARCHITECTURES = {
    "llama": LlamaConfig(
        vocab_size=320,
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=128,
        eos_token_id=0,
        bos_token_id=None,
    ),
    "gpt2": GPT2Config(
        vocab_size=320,
        n_embd=32,
        n_layer=2,
        n_head=4,
        n_positions=128,
        eos_token_id=0,
        bos_token_id=0,
    ),
}


@pytest.fixture(scope="module", params=ARCHITECTURES)
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint of random weights; the rows beyond the tokenizer's are never to be seen."""
    path: Path = tmp_path_factory.mktemp(request.param)
    (path / "tokenizer.json").write_text(tiny_tokenizer_json(), "utf-8")
    tokenizer = PreTrainedTokenizerFast(tokenizer_file=str(path / "tokenizer.json"))
    tokenizer.save_pretrained(path)
    torch.manual_seed(0)
    AutoModelForCausalLM.from_config(ARCHITECTURES[request.param]).save_pretrained(path)
    return path


@pytest.fixture(scope="module")
def own(folder: Path) -> Iterator[Api]:
    with (
        running_server("--model", str(folder), "--log-level", "warning") as running,
        httpx.Client(base_url=running.base_url, headers=running.headers, timeout=60) as client,
    ):
        yield Api(client)
        assert not running.log


def test_greedy_text_is_what_generate_gives(own: Api, folder: Path) -> None:
    tokenizer = AnyTokenizer.from_pretrained(folder)
    model = AutoModelForCausalLM.from_pretrained(folder)
    ids = tokenizer("you and世界", return_tensors="pt").input_ids
    made = model.generate(
        ids, max_new_tokens=10, do_sample=False, suppress_tokens=[0, 1, 2, 3, *range(280, 320)]
    )
    expected = tokenizer.decode(made[0, ids.shape[1] :])
    ban = {str(token): -100 for token in (0,)}
    answer = own.text(prompt="you and世界", max_tokens=10, temperature=0, logit_bias=ban)
    assert answer.rstrip("\ufffd") == expected.rstrip("\ufffd")


def test_logprobs_echo_and_streams_work_alike(own: Api) -> None:
    request = {"prompt": ["you", "😀 and"], "n": 2, "seed": 1, "max_tokens": 6, "echo": True}
    plain = own.complete(**request, logprobs=2)
    streamed = own.joined(**request, logprobs=2)
    for choice in plain["choices"]:
        assert streamed[choice.pop("index")] == choice
        assert choice["logprobs"]["token_logprobs"][0] is None
        assert not any("<|" in token for token in choice["logprobs"]["tokens"])


def test_the_models_own_context_is_the_limit(own: Api) -> None:
    own.complete(prompt=[70] * 120, max_tokens=8)
    assert "128 tokens" in own.refusal(prompt=[70] * 121, max_tokens=8)["message"]
