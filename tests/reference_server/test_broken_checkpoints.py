"""An unusable checkpoint is rejected at the start with a sentence that names the fix."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import BertConfig, BertLMHeadModel, T5Config, T5ForConditionalGeneration

from reference_server.engine.engine import ModelError, load
from tests.reference_server.checkpoints import FAMILIES, make


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sound")
    make(FAMILIES["llama"], folder)
    return folder


@pytest.fixture
def folder(sound: Path, tmp_path: Path) -> Path:
    """A copy to be broken."""
    return Path(shutil.copytree(sound, tmp_path / "checkpoint"))


def configure(**changes: Any) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        path = folder / "config.json"
        path.write_text(json.dumps(json.loads(path.read_text("utf-8")) | changes), "utf-8")

    return change


def write(name: str, text: str) -> Callable[[Path], None]:
    return lambda folder: (folder / name).write_text(text, "utf-8") and None


def remove(name: str) -> Callable[[Path], None]:
    return lambda folder: (folder / name).unlink()


def cut_weights(folder: Path) -> None:
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-1000])


def leave_out_weights(folder: Path) -> None:
    path = folder / "model.safetensors"
    weights = load_file(path)
    del weights["model.layers.1.mlp.up_proj.weight"]
    save_file(weights, path, {"format": "pt"})


def replace_by_encoder(folder: Path) -> None:
    sizes = {"hidden_size": 32, "intermediate_size": 64}
    config = BertConfig(
        vocab_size=320, num_hidden_layers=2, num_attention_heads=4, pad_token_id=0, **sizes
    )
    torch.manual_seed(0)
    BertLMHeadModel(config).save_pretrained(folder)


def replace_by_translator(folder: Path) -> None:
    config = T5Config(vocab_size=320, d_model=32, d_kv=8, d_ff=64, num_layers=2, num_heads=4)
    T5ForConditionalGeneration(config).save_pretrained(folder)


def add_tokens(folder: Path) -> None:
    path = folder / "tokenizer.json"
    description = json.loads(path.read_text("utf-8"))
    like = description["added_tokens"][0]
    description["added_tokens"] += [like | {"id": i, "content": f"<{i}>"} for i in range(282, 330)]
    path.write_text(json.dumps(description), "utf-8")


BROKEN = {
    "no configuration": (remove("config.json"), "it has no config.json"),
    "a configuration that is no JSON": (write("config.json", "{"), "is not a valid JSON file"),
    "a configuration that is a list": (write("config.json", "[]"), "Unrecognized model"),
    "an architecture nobody knows": (configure(model_type="llama9"), "llama9"),
    "sizes that do not fit the weights": (
        configure(intermediate_size=48),
        "6 weights do not fit its sizes, such as model.layers.0.mlp.down_proj.weight",
    ),
    "sizes that make no model": (configure(num_attention_heads="many"), "num_attention_heads"),
    "no weights": (remove("model.safetensors"), "model.safetensors"),
    "weights cut short": (cut_weights, "SafetensorError"),
    "weights left out": (leave_out_weights, "1 of its weights are missing, such as model.layers.1"),
    "no tokenizer": (remove("tokenizer.json"), "it has no tokenizer.json"),
    "a tokenizer that is no JSON": (
        write("tokenizer.json", "{"),
        "its tokenizer.json cannot be read",
    ),
    "a tokenizer that is none": (
        write("tokenizer.json", "{}"),
        "its tokenizer.json cannot be read",
    ),
    "more tokens than rows": (add_tokens, "its tokenizer has 330 tokens, the model only 320"),
    "an encoder": (replace_by_encoder, "it is no causal language model"),
    "an encoder with a decoder": (replace_by_translator, "T5Config"),
}


@pytest.mark.parametrize("damage", BROKEN)
def test_unusable_checkpoint_is_reported_with_the_reason(folder: Path, damage: str) -> None:
    do_damage, reason = BROKEN[damage]
    do_damage(folder)
    with pytest.raises(ModelError) as refused:
        load(folder)
    sentence = str(refused.value)
    assert str(folder) in sentence
    assert reason in sentence
    assert "\n" not in sentence
    assert len(sentence) < 500 + len(str(folder))


def test_intact_checkpoint_is_served(folder: Path) -> None:
    assert load(folder).backend.vocabulary == 320
