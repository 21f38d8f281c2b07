"""From a checkpoint to the shipped files: weights in safetensors, and a graph that uses them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import onnx
from transformers import LlamaConfig, LlamaForCausalLM

from reference_server.training import decoder

WEIGHTS = "model.safetensors"
GRAPH = "decoder.onnx"


def export(model: LlamaForCausalLM, folder: Path) -> None:
    """Write `config.json`, `generation_config.json`, `model.safetensors` and `decoder.onnx`."""
    model.save_pretrained(folder)
    write_graph(folder)


def write_graph(folder: Path) -> None:
    """Write `decoder.onnx` alone, for the existing checkpoint."""
    onnx.save(graph(folder), folder / GRAPH)


def graph(folder: Path) -> onnx.ModelProto:
    """The decoding graph over a folder's checkpoint."""
    config = LlamaConfig.from_pretrained(folder)
    return decoder.build(config, _places(folder / WEIGHTS), WEIGHTS)


def _places(file: Path) -> dict[str, decoder.Place]:
    """The position of each tensor in a safetensors file.

    Such a file is an 8-byte little-endian header length, a JSON header that gives each tensor's
    shape and byte range, and the bytes, which is exactly what ONNX calls external data.
    """
    with file.open("rb") as opened:
        length = int.from_bytes(opened.read(8), "little")
        header: dict[str, Any] = json.loads(opened.read(length))
    header.pop("__metadata__", None)
    places = {}
    for name, tensor in header.items():
        if tensor["dtype"] != "F32":
            raise ValueError(f"{name} is {tensor['dtype']}; the graph is for 32-bit floats")
        first, last = tensor["data_offsets"]
        places[name] = decoder.Place(tuple(tensor["shape"]), 8 + length + first, last - first)
    return places
