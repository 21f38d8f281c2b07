"""The trained model as one step of batched decoding: the graph that is exported to ONNX.

Rows of a batch have different histories, so each row says how much of the cache is its own:

| input | shape, type | meaning |
|---|---|---|
| `input_ids` | [batch, time] int64 | new tokens, padded on the right with any id |
| `past_lengths` | [batch] int64 | how many cache slots of the row are filled |
| `past` | [layers, 2, batch, kv_heads, slots, head_dim] float32 | keys (0) and values (1) |

| output | shape, type | meaning |
|---|---|---|
| `logits` | [batch, time, vocabulary] float32 | the next token after every new token |
| `present` | [layers, 2, batch, kv_heads, time, head_dim] float32 | the new keys and values |

`slots` may be 0 and may exceed every length: slots at and after `past_lengths[row]` are never
looked at. New tokens stand at positions `past_lengths[row] + 0, 1, 2 …`; what follows a row's last
real token is padding, which real tokens cannot see, and its outputs are to be thrown away. The
caller copies `present[:, :, row, :, :k]` into `past[:, :, row, :, n : n + k]`, where the row had
n tokens and got k new ones, and so never moves what it already holds.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from transformers import LlamaForCausalLM
from transformers.models.llama.modeling_llama import LlamaDecoderLayer


class Decoder(nn.Module):
    """`LlamaForCausalLM`'s own weights and arithmetic, with a cache that the caller owns."""

    def __init__(self, model: LlamaForCausalLM) -> None:
        """Share the parameters of `model`; their names stay those of its state dictionary."""
        super().__init__()
        self.model = model.model

    def forward(
        self, input_ids: Tensor, past_lengths: Tensor, past: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Inputs and outputs as in the module's tables."""
        time, slots = input_ids.shape[1], past.shape[4]
        positions = past_lengths[:, None] + torch.arange(time)
        held = torch.arange(slots)[None, :] < past_lengths[:, None]
        past_mask = _additive(held)[:, None, None, None, :]
        new_mask = _additive(torch.arange(time)[:, None] >= torch.arange(time)[None, :])
        hidden = self.model.embed_tokens(input_ids)
        cosine, sine = self.model.rotary_emb(hidden, positions)
        rotation = cosine[:, None], sine[:, None]
        caches = past.flatten(0, 1)  # one index below means one copy, not two
        present = []
        for layer, block in enumerate(self.model.layers):
            mixed, keys_values = self._attention(
                block,
                block.input_layernorm(hidden),
                (caches[2 * layer], caches[2 * layer + 1]),
                rotation,
                (past_mask, new_mask),
            )
            hidden = hidden + mixed
            hidden = hidden + block.mlp(block.post_attention_layernorm(hidden))
            present.append(keys_values)
        hidden = self.model.norm(hidden)
        logits = nn.functional.linear(hidden, self.model.embed_tokens.weight)
        return logits, torch.stack(present)

    def _attention(
        self,
        block: LlamaDecoderLayer,
        hidden: Tensor,
        past: tuple[Tensor, Tensor],
        rotation: tuple[Tensor, Tensor],
        masks: tuple[Tensor, Tensor],
    ) -> tuple[Tensor, Tensor]:
        """Attend to cache and new tokens; give the mixed values and the new keys and values.

        Both parts are scored apart and only the scores are joined, so the cache is never copied.
        """
        batch, time, _ = hidden.shape
        _, groups, slots, dim = past[0].shape
        attention = block.self_attn

        def heads(projection: nn.Module) -> Tensor:
            projected: Tensor = projection(hidden)
            return projected.reshape(batch, time, -1, dim).transpose(1, 2)

        query = _rotate(heads(attention.q_proj), rotation) * dim**-0.5
        key = _rotate(heads(attention.k_proj), rotation)
        value = heads(attention.v_proj)
        # Heads that share keys are laid along time, so that keys need no repetition.
        shared = query.shape[1] // groups
        query = query.reshape(batch, groups, shared * time, dim)
        old = (query @ past[0].transpose(2, 3)).reshape(batch, groups, shared, time, slots)
        new = (query @ key.transpose(2, 3)).reshape(batch, groups, shared, time, time)
        weights = torch.cat((old + masks[0], new + masks[1]), dim=-1).softmax(-1)
        weights = weights.reshape(batch, groups, shared * time, slots + time)
        mixed = weights[..., :slots] @ past[1] + weights[..., slots:] @ value
        mixed = mixed.reshape(batch, groups * shared, time, dim).transpose(1, 2)
        mixed = attention.o_proj(mixed.reshape(batch, time, groups * shared * dim))
        return mixed, torch.stack((key, value))


def _additive(visible: Tensor) -> Tensor:
    """0 where `visible`, a very negative number elsewhere (infinity would make NaN of 0 · ∞)."""
    return torch.where(visible, 0.0, -1e9)


def _rotate(heads: Tensor, rotation: tuple[Tensor, Tensor]) -> Tensor:
    """Rotary position embedding; `heads` is [batch, heads, time, head_dim]."""
    cosine, sine = rotation
    half = heads.shape[-1] // 2
    turned = torch.cat((-heads[..., half:], heads[..., :half]), dim=-1)
    return heads * cosine + turned * sine
