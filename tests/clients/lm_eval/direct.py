"""What the three tasks' numbers are, computed from the checkpoint with transformers in float64."""

import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

Likelihood = tuple[float, bool]
"""Log-likelihood of a continuation, and whether greedy decoding would have produced it."""


@dataclass(frozen=True)
class Direct:
    """A model and its tokenizer, without a server between."""

    model: Any
    tokenizer: Any

    @classmethod
    def of(cls, folder: Path) -> "Direct":
        model = AutoModelForCausalLM.from_pretrained(folder).double()
        return cls(model, AutoTokenizer.from_pretrained(folder))

    def after(self, context: str, continuation: str) -> Likelihood:
        """Score a continuation, split from the whole text's tokens where the context's own end."""
        whole = self.tokenizer(context + continuation).input_ids
        return self._score(whole, len(self.tokenizer(context).input_ids))

    def of_all(self, text: str) -> float:
        """Score a text as a separate document."""
        start = self.tokenizer.eos_token_id
        return self._score([start, *self.tokenizer(text).input_ids], 1)[0]

    @torch.inference_mode()
    def greedy(self, prompt: str, tokens: int, stops: list[str]) -> str:
        """The likeliest continuation, ended by the first stop sequence or the end of the text."""
        ids = self.tokenizer(prompt).input_ids
        text = ""
        for count in range(tokens):
            token = int(self.model(torch.tensor([ids])).logits[0, -1].argmax())
            if token == self.tokenizer.eos_token_id:
                break
            ids.append(token)
            text = self.tokenizer.decode(ids[-1 - count :])
            if found := [place for stop in stops if (place := text.find(stop)) >= 0]:
                return text[: min(found)]
        return text

    @torch.inference_mode()
    def _score(self, ids: list[int], known: int) -> Likelihood:
        table = self.model(torch.tensor([ids[:-1]])).logits[0].log_softmax(-1)[known - 1 :]
        tokens = torch.tensor(ids[known:])
        total = table.gather(1, tokens[:, None]).sum().item()
        return total, bool((table.argmax(-1) == tokens).all())


def accuracies(rows: list[dict[str, Any]], scores: list[list[Likelihood]]) -> dict[str, float]:
    """How often the right choice is the likeliest, as it is and per character."""
    non_streaming = normed = 0
    for row, likelihoods in zip(rows, scores, strict=True):
        totals = [total for total, _ in likelihoods]
        per_character = [
            total / len(choice) for total, choice in zip(totals, row["choices"], strict=True)
        ]
        non_streaming += totals.index(max(totals)) == row["answer"]
        normed += per_character.index(max(per_character)) == row["answer"]
    return {"acc": non_streaming / len(rows), "acc_norm": normed / len(rows)}


def perplexities(rows: list[dict[str, Any]], scores: list[float]) -> dict[str, float]:
    """Perplexity by words between white space, by bytes of UTF-8, and the latter in bits."""
    words = sum(len(re.split(r"\s+", row["text"])) for row in rows)
    size = sum(len(row["text"].encode()) for row in rows)
    return {
        "word_perplexity": math.exp(-sum(scores) / words),
        "byte_perplexity": math.exp(-sum(scores) / size),
        "bits_per_byte": -sum(scores) / size / math.log(2),
    }
