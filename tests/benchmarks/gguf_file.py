"""The bundled checkpoint as a GGUF file, for llama.cpp: ``python gguf_file.py FOLDER FILE``.

Runs in an environment that has ``gguf`` and numpy, where this project need not be installed.
"""

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
from gguf import GGUFWriter, TokenType
from numpy.typing import NDArray

Weights = dict[str, NDArray[np.float32]]

OUTSIDE = {"model.embed_tokens": "token_embd", "model.norm": "output_norm"}
IN_A_BLOCK = {
    "input_layernorm": "attn_norm",
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "post_attention_layernorm": "ffn_norm",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
}


def main(folder: Path, file: Path) -> None:
    config = json.loads((folder / "config.json").read_text("utf-8"))
    tokenizer = json.loads((folder / "tokenizer.json").read_text("utf-8"))
    writer = GGUFWriter(file, "llama")
    writer.add_context_length(config["max_position_embeddings"])
    writer.add_embedding_length(config["hidden_size"])
    writer.add_block_count(config["num_hidden_layers"])
    writer.add_feed_forward_length(config["intermediate_size"])
    writer.add_head_count(config["num_attention_heads"])
    writer.add_head_count_kv(config["num_key_value_heads"])
    writer.add_rope_dimension_count(config["head_dim"])
    writer.add_rope_freq_base(config["rope_parameters"]["rope_theta"])
    writer.add_layer_norm_rms_eps(config["rms_norm_eps"])
    add_tokenizer(writer, tokenizer, config["eos_token_id"])
    for name, tensor in read(folder / "model.safetensors").items():
        add_tensor(writer, name, tensor, config)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def add_tokenizer(writer: GGUFWriter, description: dict[str, Any], end: int) -> None:
    """Byte-level BPE is what llama.cpp calls ``gpt2``."""
    vocabulary = description["model"]["vocab"]
    marks = {mark["id"] for mark in description["added_tokens"]}
    spellings = sorted(vocabulary, key=vocabulary.get)
    merges = description["model"]["merges"]
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list(spellings)
    writer.add_token_types(
        [TokenType.CONTROL if id_ in marks else TokenType.NORMAL for id_ in range(len(spellings))]
    )
    writer.add_token_merges([" ".join(pair) for pair in merges])
    writer.add_bos_token_id(end)
    writer.add_eos_token_id(end)
    writer.add_add_bos_token(False)


def add_tensor(
    writer: GGUFWriter, name: str, tensor: NDArray[np.float32], config: dict[str, Any]
) -> None:
    name = name.removesuffix(".weight")
    if name in OUTSIDE:
        writer.add_tensor(f"{OUTSIDE[name]}.weight", tensor)
        return
    _, _, layer, kind = name.split(".", 3)
    if kind == "self_attn.q_proj":
        tensor = interleaved(tensor, config["num_attention_heads"])
    if kind == "self_attn.k_proj":
        tensor = interleaved(tensor, config["num_key_value_heads"])
    writer.add_tensor(f"blk.{layer}.{IN_A_BLOCK[kind]}.weight", tensor)


def interleaved(weight: NDArray[np.float32], heads: int) -> NDArray[np.float32]:
    """Rows reordered: llama.cpp rotates neighbours, transformers the halves of a head."""
    halves = weight.reshape(heads, 2, -1, weight.shape[1])
    return np.ascontiguousarray(halves.swapaxes(1, 2).reshape(weight.shape))


def read(file: Path) -> Weights:
    """A safetensors file: the header's length, the header, the bytes."""
    raw = file.read_bytes()
    start = 8 + int.from_bytes(raw[:8], "little")
    header = json.loads(raw[8:start])
    header.pop("__metadata__", None)
    return {
        name: np.frombuffer(
            raw[start + tensor["data_offsets"][0] : start + tensor["data_offsets"][1]], np.float32
        ).reshape(tensor["shape"])
        for name, tensor in header.items()
    }


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
