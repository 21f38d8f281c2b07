"""The training loop: packed windows, two optimisers, checkpoints to resume from."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer
from torch import Tensor, nn
from transformers import LlamaForCausalLM

from reference_server.training import model, optimiser, packing
from reference_server.training.corpus import Document

logger = logging.getLogger(__name__)

SHARD_STEPS = 50
"""Steps per shard of tokens; a resumed run continues at the beginning of a shard."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that determines a run."""

    steps: int
    long_steps: int = 80
    """The last steps, on windows as long as the context."""
    first_steps: int = 800
    """The first steps, on short windows and the first mixture."""
    first_window: int = 64
    window: int = 512
    long_window: int = model.CONTEXT
    step_tokens: int = 4096
    warm_up: int = 60
    cool_down: float = 0.3
    """The last part of the run, in which the learning rates fall linearly to zero."""
    matrix_rate: float = 0.02
    other_rate: float = 3e-3
    seed: int = 1

    def window_at(self, step: int) -> int:
        """Tokens in a row at `step`."""
        if step < self.first_steps:
            return self.first_window
        return self.long_window if step >= self.steps - self.long_steps else self.window

    def rate_at(self, step: int) -> float:
        """Factor of the learning rates at `step`."""
        falling = (self.steps - step) / (self.steps * self.cool_down)
        return max(0.0, min(1.0, (step + 1) / self.warm_up, falling))


@dataclass(frozen=True, slots=True)
class Run:
    """One run of the training; a resumed training has several, possibly with changed plans."""

    from_step: int
    plan: Plan


@dataclass(frozen=True, slots=True)
class Progress:
    """The progress of a checkpoint."""

    step: int
    tokens: int
    runs: list[Run]


def train(
    plan: Plan, documents: Sequence[Document], tokenizer: Tokenizer, checkpoint: Path
) -> None:
    """Train, or continue from `checkpoint` if it exists; write it once per shard."""
    torch.manual_seed(plan.seed)
    network = model.untrained(tokenizer.get_vocab_size())
    both = optimiser.optimisers(network, plan.matrix_rate, plan.other_rate)
    first, tokens, runs = 0, 0, list[Run]()
    if checkpoint.exists():
        state = torch.load(checkpoint, weights_only=True)
        network.load_state_dict(state["model"])
        for one, saved in zip(both, state["optimisers"], strict=True):
            one.load_state_dict(saved)
        progress = _progress(state)
        first, tokens, runs = progress.step, progress.tokens, progress.runs
    runs = [*runs, Run(first, plan)]
    texts = [document for document in documents if not document.held_out]
    loss_of = torch.compile(_loss, dynamic=False)
    losses: list[float] = []
    began = time.monotonic()
    for step in range(first, plan.steps):
        if step == first or step % SHARD_STEPS == 0:
            _report(step, plan, losses, time.monotonic() - began)
            _save(checkpoint, Progress(step, tokens, runs), network, both)
            losses, began = [], time.monotonic()
            shard = _shard(plan, texts, tokenizer, step // SHARD_STEPS)
        for one, rate in zip(both, (plan.matrix_rate, plan.other_rate), strict=True):
            for group in one.param_groups:
                group["lr"] = rate * plan.rate_at(step)
        rows = torch.from_numpy(shard[step % SHARD_STEPS].reshape(-1, plan.window_at(step)))
        loss = loss_of(network, rows, positions(*rows.shape))
        torch.autograd.backward(loss)
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        for one in both:
            one.step()
            one.zero_grad()
        losses.append(loss.item())
        tokens += plan.step_tokens
    _report(plan.steps, plan, losses, time.monotonic() - began)
    _save(checkpoint, Progress(plan.steps, tokens, runs), network, both)


def restore(checkpoint: Path, tokenizer: Tokenizer) -> tuple[LlamaForCausalLM, Progress]:
    """The model of a checkpoint and its progress."""
    state = torch.load(checkpoint, weights_only=True)
    network = model.untrained(tokenizer.get_vocab_size())
    network.load_state_dict(state["model"])
    return network, _progress(state)


def _progress(state: dict[str, Any]) -> Progress:
    runs = [Run(run["from_step"], Plan(**run["plan"])) for run in state["runs"]]
    return Progress(state["step"], state["tokens"], runs)


def positions(batch: int, window: int) -> Tensor:
    """Position ids [batch, window]; every second row jumps ahead once, at a random position.

    Thus the model sees every distance within the context although windows are shorter
    (after Zhu et al., "PoSE: Efficient Context Window Extension", 2023).
    """
    straight = torch.arange(window).repeat(batch, 1)
    leap = torch.randint(0, model.CONTEXT - window + 1, (batch, 1))
    leap[::2] = 0
    return straight + leap * (straight >= torch.randint(1, window, (batch, 1)))


def _loss(network: LlamaForCausalLM, rows: Tensor, places: Tensor) -> Tensor:
    """Mean nats per token; `rows` and `places` are [batch, window] of token and position ids."""
    window = rows.shape[1]
    # Explicit, because transformers would take a jump for the boundary of two sequences.
    causal = torch.ones(window, window, dtype=torch.bool).tril()[None, None]
    body = network.model(
        input_ids=rows, attention_mask=causal, position_ids=places, use_cache=False
    )
    hidden = body.last_hidden_state
    logits = network.lm_head(hidden[:, :-1])
    return nn.functional.cross_entropy(logits.flatten(0, 1), rows[:, 1:].flatten())


def _shard(
    plan: Plan, texts: Sequence[Document], tokenizer: Tokenizer, number: int
) -> NDArray[np.int64]:
    """Token ids [SHARD_STEPS, step_tokens]."""
    seed = plan.seed * 1_000_003 + number
    mixture = packing.FIRST if number * SHARD_STEPS < plan.first_steps else packing.FULL
    tokens = packing.shard(texts, tokenizer, seed, SHARD_STEPS * plan.step_tokens, mixture)
    return tokens.astype(np.int64).reshape(SHARD_STEPS, plan.step_tokens)


def _report(step: int, plan: Plan, losses: list[float], seconds: float) -> None:
    if losses:
        speed = len(losses) * plan.step_tokens / seconds
        mean = sum(losses) / len(losses)
        logger.info("step %d of %d  loss %.4f  %.0f tokens/s", step, plan.steps, mean, speed)


def _save(
    checkpoint: Path,
    progress: Progress,
    network: LlamaForCausalLM,
    both: Sequence[torch.optim.Optimizer],
) -> None:
    """Write a temporary file first: a run that is stopped while saving leaves the old one."""
    state = {
        **asdict(progress),
        "model": network.state_dict(),
        "optimisers": [one.state_dict() for one in both],
    }
    torch.save(state, checkpoint.with_suffix(".new"))
    checkpoint.with_suffix(".new").replace(checkpoint)
