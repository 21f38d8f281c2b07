"""Checkpoints of random weights, as other people's models come: several families, ways to spell
text, and ways to store weights."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from tokenizers import (
    AddedToken,
    Tokenizer,
    decoders,
    models,
    normalizers,
    processors,
)
from transformers import (
    AutoModelForCausalLM,
    GPT2Config,
    LlamaConfig,
    PreTrainedModel,
    PreTrainedTokenizerFast,
)

from tests.reference_server.scripted import END, LONGER, tiny_tokenizer_json

CONTEXT = 512


@dataclass(frozen=True)
class Family:
    """A kind of checkpoint. The vocabulary is rounded up beyond the tokenizer's in every one."""

    config: Any
    tokenizer: Callable[[], PreTrainedTokenizerFast]
    save: Callable[[PreTrainedModel, Path], None]
    infilling: tuple[str, str, str] | None = None
    """The marks before what precedes a gap, before what follows it, and before what fills it."""


def make(family: Family, folder: Path) -> None:
    """Write a checkpoint of a family into a folder."""
    torch.manual_seed(0)
    model = AutoModelForCausalLM.from_config(family.config)
    tokenizer = family.tokenizer()
    with torch.no_grad():
        # Fresh weights score all tokens nearly alike; these have preferences worth comparing.
        for parameter in model.parameters():
            parameter.mul_(4)
        # No model expects a mark in the middle of a text.
        model.get_output_embeddings().weight[tokenizer.all_special_ids] = 0
    family.save(model, folder)
    tokenizer.save_pretrained(folder)


def _byte_level() -> PreTrainedTokenizerFast:
    """As in Qwen: bytes, marks for infilling, nothing put before a text."""
    return PreTrainedTokenizerFast(
        tokenizer_object=Tokenizer.from_str(tiny_tokenizer_json()), eos_token=END
    )


def _gpt2() -> PreTrainedTokenizerFast:
    """As in GPT-2: the same bytes, and one mark that begins and ends documents."""
    description = json.loads(tiny_tokenizer_json())
    description["added_tokens"] = description["added_tokens"][:1]
    for mark in ("prefix", "suffix", "middle"):
        # The ids stay taken, so that the checkpoint's vocabulary has a gap nowhere.
        ids = description["model"]["vocab"]
        ids[f"ĉĉ{mark[0]}"] = ids.pop(f"<|fim_{mark}|>")
    return PreTrainedTokenizerFast(
        tokenizer_object=Tokenizer.from_str(json.dumps(description)), bos_token=END, eos_token=END
    )


def _sentence_piece() -> PreTrainedTokenizerFast:
    """As in Code Llama: a mark and a space put before every text, bytes where nothing else is."""
    marks = ["<unk>", "<s>", "</s>", "▁<PRE>", "▁<SUF>", "▁<MID>"]
    names = [*marks, *(f"<0x{byte:02X}>" for byte in range(256)), "▁"]
    names += [chr(code) for code in range(0x21, 0x7F)]
    merges: list[tuple[str, str]] = []
    for word in ["▁you", "▁and", "▁blue", *(word for word in LONGER if word.isascii())]:
        for end in range(2, len(word.strip()) + 1):
            if word[:end] not in names:
                names.append(word[:end])
                merges.append((word[: end - 1], word[end - 1]))
    merges = [(left, right) for left, right in merges if left in names and right in names]
    inner = Tokenizer(
        models.BPE(
            {name: place for place, name in enumerate(names)},
            merges,
            unk_token="<unk>",
            byte_fallback=True,
            fuse_unk=True,
        )
    )
    inner.normalizer = normalizers.Sequence(
        [normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")]
    )
    inner.decoder = decoders.Sequence(
        [
            decoders.Replace("▁", " "),
            decoders.ByteFallback(),
            decoders.Fuse(),
            decoders.Strip(" ", 1, 0),
        ]
    )
    inner.add_special_tokens([AddedToken(m, special=True, normalized=False) for m in marks])
    inner.post_processor = processors.TemplateProcessing("<s> $A", special_tokens=[("<s>", 1)])
    return PreTrainedTokenizerFast(
        tokenizer_object=inner, bos_token="<s>", eos_token="</s>", unk_token="<unk>"
    )


def _whole(model: PreTrainedModel, folder: Path) -> None:
    model.save_pretrained(folder)


def _sharded(model: PreTrainedModel, folder: Path) -> None:
    model.save_pretrained(folder, max_shard_size="40KB")
    assert len(list(folder.glob("*.safetensors"))) > 1


def _pickled_halves(model: PreTrainedModel, folder: Path) -> None:
    """Older checkpoints: a torch pickle, half the precision."""
    model.bfloat16()
    model.config.save_pretrained(folder)
    torch.save(model.state_dict(), folder / "pytorch_model.bin")


FAMILIES = {
    "llama": Family(
        LlamaConfig(
            vocab_size=320,
            hidden_size=32,
            intermediate_size=64,
            num_hidden_layers=2,
            num_attention_heads=4,
            num_key_value_heads=2,
            max_position_embeddings=CONTEXT,
            eos_token_id=0,
            bos_token_id=None,
        ),
        _byte_level,
        _whole,
        ("<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>"),
    ),
    "gpt2": Family(
        GPT2Config(
            vocab_size=320,
            n_embd=32,
            n_layer=2,
            n_head=4,
            n_positions=CONTEXT,
            eos_token_id=0,
            bos_token_id=0,
        ),
        _gpt2,
        _sharded,
    ),
    "code-llama": Family(
        LlamaConfig(
            vocab_size=400,
            hidden_size=32,
            intermediate_size=64,
            num_hidden_layers=2,
            num_attention_heads=4,
            max_position_embeddings=CONTEXT,
            eos_token_id=2,
            bos_token_id=1,
        ),
        _sentence_piece,
        _pickled_halves,
        ("▁<PRE>", "▁<SUF>", "▁<MID>"),
    ),
}
