"""The trained model as an ONNX graph that continues from a cache of keys and values.

Rows of a batch have different histories; each row states how much of the cache it uses:

| input | shape, type | meaning |
|---|---|---|
| `input_ids` | [rows, time] int64 | new tokens |
| `last_slots` | [rows] int32 | the cache slot that a row's last new token goes to |
| `longest` | scalar int32 | the largest of `last_slots`, plus one |
| `keys.i`, `values.i` | [rows, kv_heads, slots, head_dim] float32 | the cache of layer `i` |

| output | shape, type | meaning |
|---|---|---|
| `logits` | [rows, time, vocabulary] float32 | the next token after every new token |
| `new_keys.i`, `new_values.i` | as the inputs | the cache with the new tokens' slots filled |

A token's slot is its position. Slots after a row's last one are never read and may hold anything,
and there may be more of them than any row needs. Input and output of a cache should be bound to the
same memory: then only the new slots are written, and nothing is copied. Several tokens at a time
(`time` above 1) after a history are allowed for a single row only.

The operators are onnxruntime's fused ones (domain `com.microsoft`, and
`SimplifiedLayerNormalization`, which it keeps in ONNX's own): they read a cache in place and
attend to each row's own length. Weights are in the graph as in `model.safetensors`,
[out, in]; onnxruntime joins and transposes them once, when it loads.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper
from transformers import LlamaConfig
from transformers.models.llama.modeling_llama import LlamaRotaryEmbedding

OPSET = 20
IR_VERSION = 9
"""As old as the operators allow, so that older versions of onnxruntime can read the graph."""
FUSED = "com.microsoft"


@dataclass(frozen=True)
class Place:
    """The position of a weight in a file."""

    shape: tuple[int, ...]
    offset: int
    """Bytes from the beginning of the file."""
    length: int
    """Bytes."""


def build(config: LlamaConfig, weights: Mapping[str, Place], file: str) -> onnx.ModelProto:
    """The graph of a Llama without biases whose output layer is its embedding.

    ``weights`` are the positions of its float32 parameters in ``file``, by their names in the state
    dictionary; the graph refers to them and contains none of them.
    """
    layers = config.num_hidden_layers
    graph = _Graph(weights, file)
    cosines, sines = _rotation(graph, config)
    embedding = graph.weight("model.embed_tokens.weight")
    stream = graph.node("Gather", [embedding, "input_ids"], "embedded")
    normed = graph.node(
        "SimplifiedLayerNormalization",
        [stream, graph.weight("model.layers.0.input_layernorm.weight")],
        "layers.0.normed",
        epsilon=config.rms_norm_eps,
    )
    for layer in range(layers):
        block = f"model.layers.{layer}"
        mixed = _attention(graph, config, layer, normed, (cosines, sines))
        stream, normed = _add_and_norm(
            graph, config, (stream, mixed), f"{block}.post_attention_layernorm.weight"
        )
        fed = _feed_forward(graph, block, normed)
        following = (
            f"model.layers.{layer + 1}.input_layernorm" if layer + 1 < layers else "model.norm"
        )
        stream, normed = _add_and_norm(graph, config, (stream, fed), f"{following}.weight")
    head = graph.node("Transpose", [embedding], "head", perm=[1, 0])
    graph.node("MatMul", [normed, head], "logits")
    return graph.model(*_signature(config))


def _attention(
    graph: _Graph, config: LlamaConfig, layer: int, normed: str, rotation: tuple[str, str]
) -> str:
    """Rotary attention over the cache and the new tokens, which it adds to the cache."""
    block = f"model.layers.{layer}.self_attn"
    # One product for the three is faster than three; the operator takes them side by side.
    joined = graph.node(
        "Concat",
        [graph.weight(f"{block}.{name}_proj.weight") for name in "qkv"],
        f"{block}.qkv_weight",
        axis=0,
    )
    queries_keys_values = graph.linear(normed, joined, f"{block}.qkv")
    attended = graph.node(
        "GroupQueryAttention",
        [
            queries_keys_values,
            "",
            "",
            f"keys.{layer}",
            f"values.{layer}",
            "last_slots",
            "longest",
            *rotation,
        ],
        f"{block}.attended",
        f"new_keys.{layer}",
        f"new_values.{layer}",
        domain=FUSED,
        num_heads=config.num_attention_heads,
        kv_num_heads=config.num_key_value_heads,
        do_rotary=1,
    )
    return graph.linear(attended, graph.weight(f"{block}.o_proj.weight"), f"{block}.mixed")


def _feed_forward(graph: _Graph, block: str, normed: str) -> str:
    """``down(silu(gate(x)) * up(x))``."""
    gate, up, down = (graph.weight(f"{block}.mlp.{n}_proj.weight") for n in ("gate", "up", "down"))
    gated = graph.linear(normed, gate, f"{block}.gated")
    # x · sigmoid(α x) with α = 1 is SiLU.
    active = graph.node("QuickGelu", [gated], f"{block}.active", domain=FUSED, alpha=1.0)
    wide = graph.linear(normed, up, f"{block}.wide")
    return graph.linear(
        graph.node("Mul", [active, wide], f"{block}.fed"), down, f"{block}.narrowed"
    )


def _add_and_norm(
    graph: _Graph, config: LlamaConfig, parts: tuple[str, str], weight: str
) -> tuple[str, str]:
    """The sum of stream and branch, and its normalised form: one operator computes both."""
    total, normed = f"{parts[1]}.added", f"{parts[1]}.normed"
    graph.node(
        "SkipSimplifiedLayerNormalization",
        [*parts, graph.weight(weight)],
        normed,
        "",
        "",
        total,
        domain=FUSED,
        epsilon=config.rms_norm_eps,
    )
    return total, normed


def _rotation(graph: _Graph, config: LlamaConfig) -> tuple[str, str]:
    """Tables [context, head_dim / 2] of cosines and sines, computed when the graph is loaded.

    The angles are products in 32 bits, as in transformers.
    """
    frequencies = LlamaRotaryEmbedding(config=config).inv_freq.numpy()
    positions = graph.node(
        "Range",
        [
            graph.constant("zero", np.float32(0)),
            graph.constant("context", np.float32(config.max_position_embeddings)),
            graph.constant("one", np.float32(1)),
        ],
        "positions",
    )
    column = graph.node(
        "Unsqueeze", [positions, graph.constant("last_axis", np.array([1]))], "positions.column"
    )
    angles = graph.node("Mul", [column, graph.constant("frequencies", frequencies)], "angles")
    return graph.node("Cos", [angles], "cosines"), graph.node("Sin", [angles], "sines")


def _signature(
    config: LlamaConfig,
) -> tuple[list[onnx.ValueInfoProto], list[onnx.ValueInfoProto]]:
    """Inputs and outputs as in the module's tables."""
    cache = ("rows", config.num_key_value_heads, "slots", config.head_dim)
    names = [
        f"{kind}.{layer}"
        for layer in range(config.num_hidden_layers)
        for kind in ("keys", "values")
    ]
    tensor = helper.make_tensor_value_info
    inputs = [
        tensor("input_ids", TensorProto.INT64, ("rows", "time")),
        tensor("last_slots", TensorProto.INT32, ("rows",)),
        tensor("longest", TensorProto.INT32, ()),
        *(tensor(name, TensorProto.FLOAT, cache) for name in names),
    ]
    outputs = [
        tensor("logits", TensorProto.FLOAT, ("rows", "time", config.vocab_size)),
        *(tensor(f"new_{name}", TensorProto.FLOAT, cache) for name in names),
    ]
    return inputs, outputs


@dataclass
class _Graph:
    """Nodes in the order of computation. A value is identified by its name."""

    weights: Mapping[str, Place]
    file: str
    nodes: list[onnx.NodeProto] = field(default_factory=list)
    constants: dict[str, TensorProto] = field(default_factory=dict)

    def node(self, operator: str, inputs: list[str], *outputs: str, **attributes: Any) -> str:
        """Add a node; returns the name of its first output."""
        self.nodes.append(helper.make_node(operator, inputs, outputs, **attributes))
        return outputs[0]

    def linear(self, value: str, weight: str, name: str) -> str:
        """``value @ weight.T``."""
        transposed = self.node("Transpose", [weight], f"{name}.weight", perm=[1, 0])
        return self.node("MatMul", [value, transposed], name)

    def constant(self, name: str, value: Any) -> str:
        """A small array stored in the graph's file."""
        self.constants[name] = onnx.numpy_helper.from_array(np.asarray(value), name)
        return name

    def weight(self, name: str) -> str:
        """A parameter, as ONNX's external data: a byte range of the weights' file."""
        place = self.weights[name]
        tensor = TensorProto(
            name=name,
            data_type=TensorProto.FLOAT,
            dims=place.shape,
            data_location=TensorProto.EXTERNAL,
        )
        where = {"location": self.file, "offset": place.offset, "length": place.length}
        for key, value in where.items():
            tensor.external_data.add(key=key, value=str(value))
        self.constants[name] = tensor
        return name

    def model(
        self, inputs: list[onnx.ValueInfoProto], outputs: list[onnx.ValueInfoProto]
    ) -> onnx.ModelProto:
        """The whole graph so far."""
        graph = helper.make_graph(
            self.nodes, "decoder", inputs, outputs, list(self.constants.values())
        )
        opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid(FUSED, 1)]
        return helper.make_model(graph, opset_imports=opsets, ir_version=IR_VERSION)
