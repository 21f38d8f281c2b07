"""What a trained model can do, in figures: held-out loss, the effect of a suffix, abilities."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from random import Random

import torch
from tokenizers import Tokenizer
from transformers import DynamicCache, LlamaForCausalLM

from reference_server.engine.transformers_backend import cache_argument
from reference_server.training import fim, lessons, phrases
from reference_server.training.corpus import Document
from reference_server.training.model import CONTEXT
from reference_server.training.tokenizer import END_OF_TEXT, non_streaming, special

UNSEEN_SEED = 987_654_321
"""The seed of lessons for evaluation; training seeds are drawn below 2³² and differ."""

PROMPTS = (
    "1, 2, 3, 4, 5, 6, 7,",
    "red green blue red green blue red",
    "Monday, Tuesday,",
    "甲、乙、丙、",
    "Say this is a test",
    "Q: What is the capital of France?\nA:",
    "In the beginning",
    "The package manager",
    "如果您想要安装",
    "《春望》\n作者：",
    "once upon a time",
)


@dataclass(frozen=True, slots=True)
class Score:
    """Cross-entropy over some text, including the end-of-text of each document."""

    documents: int
    tokens: int
    nats_per_token: float
    bits_per_byte: float


@dataclass(frozen=True, slots=True)
class SuffixWorth:
    """Mean log-probability (nats per token) of the true middle, under three suffixes."""

    holes: int
    right: float
    foreign: float
    none: float


@dataclass(frozen=True, slots=True)
class Copying:
    """How often an unseen line, shown twice, is written a third time without a mistake."""

    lines: int
    exact: float
    median_gap: float
    """Median over tokens of top logit minus second logit."""


def score(network: LlamaForCausalLM, tokenizer: Tokenizer, texts: Sequence[str]) -> Score:
    """Score each text by itself, in windows as long as the context."""
    end = special(tokenizer, END_OF_TEXT)
    nats, tokens, size = 0.0, 0, 0
    for text in texts:
        ids = [end, *non_streaming(tokenizer, text), end]
        for start in range(0, len(ids) - 1, CONTEXT):
            window = ids[start : start + CONTEXT + 1]
            nats -= _logprobs(network, window[:1], window[1:]).sum().item()
        tokens += len(ids) - 1
        size += len(text.encode())
    return Score(len(texts), tokens, nats / tokens, nats / math.log(2) / size)


def unseen_lessons(count: int) -> list[str]:
    """Lessons that are not in any training shard."""
    return list(islice(lessons.stream(UNSEEN_SEED), count))


def suffix_worth(
    network: LlamaForCausalLM, tokenizer: Tokenizer, texts: Sequence[str], seed: int = 0
) -> SuffixWorth:
    """Cut one gap of 4 to 24 characters in each text; compare its own, a foreign and no suffix."""
    rng = Random(seed)
    holes = []
    for text in texts:
        if len(text) < 80:
            continue
        start = rng.randint(20, len(text) - 50)
        size = rng.randint(4, 24)
        before, after = text[max(0, start - 400) : start], text[start + size :][:400]
        holes.append(fim.Hole(before, text[start : start + size], after))
    totals = {"right": 0.0, "foreign": 0.0, "none": 0.0}
    tokens = 0
    for hole, other in zip(holes, holes[1:] + holes[:1], strict=True):
        middle = non_streaming(tokenizer, hole.middle)
        tokens += len(middle)
        for kind, suffix in (("right", hole.suffix), ("foreign", other.suffix), ("none", "")):
            given = fim.prompt(fim.Hole(hole.prefix, "", suffix), tokenizer)
            totals[kind] += _logprobs(network, given, middle).sum().item()
    means = {kind: total / tokens for kind, total in totals.items()}
    return SuffixWorth(holes=len(holes), **means)


def counting_reach(
    network: LlamaForCausalLM, tokenizer: Tokenizer, prompt: str = "1, 2, 3, 4, 5, 6, 7,"
) -> int:
    """The last number that greedy decoding of `prompt` reaches without a mistake."""
    text = prompt + greedy(network, tokenizer, prompt, 600)
    reached = 0
    for written in text.split(", "):
        if written.strip().rstrip(",") != str(reached + 1):
            break
        reached += 1
    return reached


def copying(
    network: LlamaForCausalLM, tokenizer: Tokenizer, count: int = 100, seed: int = 0
) -> Copying:
    """Show random lines twice and let the model write the third."""
    rng = Random(seed)
    exact, gaps = 0, []
    for _ in range(count):
        line = phrases.random_line(rng)
        given, wanted = (
            non_streaming(tokenizer, f"{line}\n{line}\n"),
            non_streaming(tokenizer, line),
        )
        logits = _logits(network, given, wanted)
        exact += int(logits.argmax(-1).tolist() == wanted)
        best = logits.topk(2).values
        gaps += (best[:, 0] - best[:, 1]).tolist()
    return Copying(count, exact / count, sorted(gaps)[len(gaps) // 2])


@torch.inference_mode()
def greedy(network: LlamaForCausalLM, tokenizer: Tokenizer, prompt: str, tokens: int) -> str:
    """The most probable continuation of `prompt`, token by token."""
    given = non_streaming(tokenizer, prompt)
    ids = list(given)
    cache = {cache_argument(network): DynamicCache(config=network.config)}
    fresh = ids
    for _ in range(tokens):
        logits = network(input_ids=torch.tensor([fresh]), **cache).logits
        fresh = [int(logits[0, -1].argmax())]
        if fresh[0] == special(tokenizer, END_OF_TEXT):
            break
        ids = [*ids, *fresh]
    written: str = tokenizer.decode(ids[len(given) :])
    return written


def held_out(documents: Sequence[Document], language: str) -> list[str]:
    """The held-out texts of one language."""
    return [d.text for d in documents if d.held_out and d.language == language]


@torch.inference_mode()
def _logits(network: LlamaForCausalLM, given: list[int], wanted: list[int]) -> torch.Tensor:
    """Logits [len(wanted), vocabulary] at the positions where `wanted` is to be predicted."""
    ids = torch.tensor([given + wanted[:-1]])
    logits: torch.Tensor = network(input_ids=ids, use_cache=False).logits[0]
    return logits[len(given) - 1 :]


def _logprobs(network: LlamaForCausalLM, given: list[int], wanted: list[int]) -> torch.Tensor:
    """Log-probability of each id of `wanted` after `given` and those before it."""
    chosen = torch.tensor(wanted)[:, None]
    return _logits(network, given, wanted).log_softmax(-1).gather(1, chosen)[:, 0]
