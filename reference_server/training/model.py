"""The shape of the model: a small standard Llama."""

from __future__ import annotations

from transformers import LlamaConfig, LlamaForCausalLM

CONTEXT = 2048


def configuration(vocabulary: int) -> LlamaConfig:
    """About 3.2 million parameters: as many as two CPU cores can train in an hour."""
    return LlamaConfig(
        vocab_size=vocabulary,
        hidden_size=192,
        intermediate_size=512,
        num_hidden_layers=6,
        num_attention_heads=4,
        num_key_value_heads=2,
        head_dim=48,
        max_position_embeddings=CONTEXT,
        rms_norm_eps=1e-6,
        tie_word_embeddings=True,
        bos_token_id=None,
        eos_token_id=0,
        pad_token_id=None,
    )


def untrained(vocabulary: int) -> LlamaForCausalLM:
    """A model with fresh random weights."""
    return LlamaForCausalLM(configuration(vocabulary))
