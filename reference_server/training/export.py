"""From a checkpoint to the shipped files: weights once, in safetensors, and a graph over them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import onnx
import torch
from transformers import LlamaForCausalLM

from reference_server.training.decoder import Decoder

WEIGHTS = "model.safetensors"
GRAPH = "decoder.onnx"


def export(model: LlamaForCausalLM, folder: Path) -> None:
    """Write `config.json`, `generation_config.json`, `model.safetensors` and `decoder.onnx`."""
    model.save_pretrained(folder)
    graph = _trace(model)
    for node in graph.graph.node:
        del node.metadata_props[:]  # the tracer's notes are most of the file
    _point_into_safetensors(graph, folder)
    onnx.save(graph, folder / GRAPH)


def _trace(model: LlamaForCausalLM) -> onnx.ModelProto:
    config = model.config
    batch, slots = 2, 5
    groups, dim = config.num_key_value_heads or 1, config.head_dim or 1
    shape = (config.num_hidden_layers, 2, batch, groups, slots, dim)
    axis = torch.export.Dim
    program = torch.onnx.export(
        Decoder(model).eval(),
        (torch.ones(batch, 3, dtype=torch.long), torch.tensor([5, 2]), torch.zeros(shape)),
        dynamo=True,
        input_names=["input_ids", "past_lengths", "past"],
        output_names=["logits", "present"],
        dynamic_shapes=(
            {0: axis("batch"), 1: axis("time")},
            {0: axis("batch")},
            {2: axis("batch"), 4: axis("slots", min=0)},
        ),
        optimize=False,  # folding would store transposed copies of the weights
        verbose=False,
    )
    if program is None:
        raise RuntimeError("torch.onnx.export gave no program")
    return program.model_proto


def _point_into_safetensors(graph: onnx.ModelProto, folder: Path) -> None:
    """Replace every initialiser that is a model parameter by its place in `model.safetensors`.

    A safetensors file is an 8-byte little-endian header length, a JSON header that gives each
    tensor's byte range, and the bytes: just what ONNX calls external data.
    """
    raw = (folder / WEIGHTS).read_bytes()
    start = 8 + int.from_bytes(raw[:8], "little")
    places: dict[str, Any] = json.loads(raw[8:start])
    for tensor in graph.graph.initializer:
        if tensor.name not in places:
            continue
        first, last = places[tensor.name]["data_offsets"]
        if onnx.numpy_helper.to_array(tensor).tobytes() != raw[start + first : start + last]:
            raise ValueError(f"{tensor.name} differs between the graph and {WEIGHTS}")
        onnx.external_data_helper.set_external_data(
            tensor, WEIGHTS, offset=start + first, length=last - first
        )
        tensor.ClearField("raw_data")
