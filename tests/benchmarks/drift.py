"""What `conformance drift` sees: the bundled model against changed copies of itself.

    python -m tests.benchmarks.drift                      # the tables of docs/drift.md
    python -m tests.benchmarks.drift --comparisons 20 --null 200

Each row compares the original with one change, four times over:

- *exact*: log probabilities in float32, where repeated answers are equal, as at the bundled server;
- *fleet*: each answer comes from a replica in float32, bfloat16 or float16, drawn at random;
- *texts*: one token at a temperature of 0.1 after five border inputs of the original; *reference*:
  the same, compared with an older recording of 24 rounds.

Answers are those of torch on the bundled weights, put into recordings as the command writes them;
what compares them is `conformance.drift.compare`. The null is the original against itself: all
answers are drawn anew for each comparison. *noise* is a further null, the exact answers with normal
noise of 0.01 on each log probability.
"""

from __future__ import annotations

import argparse
import copy
import random
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from conformance.drift.comparison import Outcome, compare
from conformance.drift.questions import BORDER_TEMPERATURE, CANDIDATES, LISTED, PROMPTS, ROUNDS
from conformance.drift.recording import MAX_ROUNDS, Answer, Method, Recording

WEIGHTS = Path(__file__).parents[2] / "reference_server" / "weights"
PRECISIONS = (torch.float32, torch.bfloat16, torch.float16)
NOISE = 0.01
LONG = 20
"""Of comparisons with a reference of 24 rounds, which take half a second, there are fewer."""
INSTRUCTION = "You are a helpful assistant. "

Scores = dict[str, float]
Pool = list[list[Scores]]
"""The answers that each prompt can get."""


class Subject:
    """A model, and what is put before every prompt."""

    def __init__(self, model: Any, before: str = "") -> None:
        self._model, self._before = model, before
        self._tokenizer = AutoTokenizer.from_pretrained(WEIGHTS)

    def _ids(self, prompt: str) -> list[int]:
        ids: list[int] = self._tokenizer(self._before + prompt).input_ids
        return ids

    @torch.inference_mode()
    def logits(self, prompt: str) -> torch.Tensor:
        """The logits of the next token in float32."""
        logits: torch.Tensor = self._model(torch.tensor([self._ids(prompt)])).logits[0, -1]
        return logits.float()

    def exact(self) -> Pool:
        """The answer to each prompt, which never varies."""
        return [[self._top(self.logits(prompt))] for prompt in PROMPTS]

    def fleet(self) -> Pool:
        """The answers of replicas in several precisions."""
        replicas = [
            Subject(copy.deepcopy(self._model).to(precision), self._before)
            for precision in PRECISIONS
        ]
        return [[self._top(each.logits(prompt)) for each in replicas] for prompt in PROMPTS]

    def _top(self, logits: torch.Tensor) -> Scores:
        listed = torch.log_softmax(logits, -1).topk(LISTED)
        pairs = zip(listed.indices.tolist(), listed.values.tolist(), strict=True)
        return {self._text(token): score for token, score in pairs}

    def _text(self, token: int) -> str:
        spelling: str = self._tokenizer.convert_ids_to_tokens(token)
        return spelling

    def chances(self, prompt: str) -> dict[str, float]:
        """The probability of each text at the temperature of border inputs."""
        chances = torch.softmax(self.logits(prompt) / BORDER_TEMPERATURE, -1)
        top = chances.topk(50)
        pairs = zip(top.indices.tolist(), top.values.tolist(), strict=True)
        return {self._text(token): chance for token, chance in pairs}


@dataclass(frozen=True)
class Change:
    """What is done to a copy of the original."""

    name: str
    apply: Callable[[Any], None]
    before: str = ""


def perturbed(share: float) -> Callable[[Any], None]:
    """Multiply each weight by 1 plus normal noise of this standard deviation."""

    @torch.no_grad()
    def apply(model: Any) -> None:
        torch.manual_seed(1)
        for weight in model.parameters():
            weight.mul_(1 + share * torch.randn_like(weight))

    return apply


def rounded(bits: int) -> Callable[[Any], None]:
    """Round the weights of each output channel to integers of so many bits, and scale back."""

    @torch.no_grad()
    def apply(model: Any) -> None:
        most = 2 ** (bits - 1) - 1
        for weight in model.parameters():
            if weight.dim() == 2:
                scale = weight.abs().amax(dim=1, keepdim=True) / most
                weight.copy_((weight / scale).round().clamp(-most - 1, most) * scale)

    return apply


def one_step(model: Any) -> None:
    """Train for one step of AdamW on one sentence, at a usual rate of fine-tuning."""
    ids = AutoTokenizer.from_pretrained(WEIGHTS)("We do not talk about it.", return_tensors="pt")
    optimiser = torch.optim.AdamW(model.parameters(), lr=1e-5)
    model(ids.input_ids, labels=ids.input_ids).loss.backward()
    optimiser.step()
    model.zero_grad()


@torch.no_grad()
def drawn_anew(model: Any) -> None:
    """Draw all matrices anew, with the variance that they have: another model of this shape."""
    torch.manual_seed(2)
    for weight in model.parameters():
        if weight.dim() == 2:
            weight.copy_(torch.randn_like(weight) * weight.std())


CHANGES = (
    Change("weights perturbed by 0.01 %", perturbed(1e-4)),
    Change("weights perturbed by 0.1 %", perturbed(1e-3)),
    Change("weights perturbed by 0.3 %", perturbed(3e-3)),
    Change("weights perturbed by 1 %", perturbed(1e-2)),
    Change("weights perturbed by 3 %", perturbed(3e-2)),
    Change("weights perturbed by 10 %", perturbed(1e-1)),
    Change("one step of fine-tuning", one_step),
    Change("weights rounded to 8 bits", rounded(8)),
    Change("weights rounded to 4 bits", rounded(4)),
    Change("an instruction before the prompt", lambda _: None, INSTRUCTION),
    Change("other weights of the same shape", drawn_anew),
)


def recording(
    method: Method, prompts: Sequence[str], answers: Sequence[Sequence[Scores]]
) -> Recording:
    """Return a recording as the command writes it."""
    return Recording(
        base_url="http://127.0.0.1/v1",
        model="bundled",
        started_at="2026-12-01T00:00:00+00:00",
        suite_version="0",
        method=method,
        temperature=1.0,
        prompts=tuple(prompts),
        rounds=ROUNDS,
        answers=tuple(
            Answer(prompt, turn, scores)
            for prompt, drawn in enumerate(answers)
            for turn, scores in enumerate(drawn)
        ),
    )


def from_pool(pool: Pool, rng: random.Random, noise: float = 0.0) -> Recording:
    """Draw a recording of log probabilities."""

    def answer(answers: list[Scores]) -> Scores:
        drawn = rng.choice(answers)
        return {text: score + rng.gauss(0, noise) for text, score in drawn.items()}

    drawn = [[answer(answers) for _ in range(ROUNDS)] for answers in pool]
    return recording(Method.LOGPROBS, PROMPTS, drawn)


def from_texts(
    borders: Sequence[str],
    chances: Sequence[dict[str, float]],
    rng: random.Random,
    rounds: int = ROUNDS,
) -> Recording:
    """Draw a recording of texts."""
    drawn = [
        [{text: 1.0} for text in rng.choices(list(each), list(each.values()), k=rounds)]
        for each in chances
    ]
    return recording(Method.TEXTS, borders, drawn)


def borders_of(subject: Subject, rng: random.Random) -> list[str]:
    """Find five border inputs as the command does."""
    found: list[str] = []
    for prompt in CANDIDATES:
        chances = subject.chances(prompt)
        if len(set(rng.choices(list(chances), list(chances.values()), k=3))) > 1:
            found.append(prompt)
        if len(found) == len(PROMPTS):
            break
    return found


Draw = Callable[[], Recording]


def reported(old: Draw, new: Draw, count: int) -> tuple[int, float]:
    """Return how many of ``count`` comparisons report a difference, and the median distance."""
    results = [compare(old(), new(), seed=seed, with_power=False) for seed in range(count)]
    distances = sorted(result.distance for result in results)
    found = sum(result.outcome is Outcome.DIFFERS for result in results)
    return found, distances[count // 2]


def rows(comparisons: int, null: int) -> Iterator[str]:
    """Yield the lines of the tables."""
    rng = random.Random(5)
    model = AutoModelForCausalLM.from_pretrained(WEIGHTS).eval()
    original = Subject(model)
    borders = borders_of(original, rng)
    exact, fleet = original.exact(), original.fleet()
    chances = [original.chances(prompt) for prompt in borders]
    nulls: dict[str, Draw] = {
        "fleet": partial(from_pool, fleet, rng),
        "noise": partial(from_pool, exact, rng, NOISE),
        "texts": partial(from_texts, borders, chances, rng),
        "reference": partial(from_texts, borders, chances, rng, MAX_ROUNDS),
    }
    yield f"border inputs: {borders}"
    for name, draw in nulls.items():
        is_long = name == "reference"
        count = null // LONG if is_long else null
        found, distance = reported(draw, nulls["texts"] if is_long else draw, count)
        yield f"null, {name}: {found} of {count:,} reported; median distance {distance:.2g}"
    rng.seed(6)  # the rows are the same whatever the number of nulls
    yield "| change | exact: nats | reported | fleet: nats | reported | texts | reference |"
    yield "|---|---|---|---|---|---|---|"
    for change in CHANGES:
        changed = copy.deepcopy(model)
        change.apply(changed)
        subject = Subject(changed, change.before)
        seen, far = reported(
            partial(from_pool, exact, rng), partial(from_pool, subject.exact(), rng), 1
        )
        often, fleet_far = reported(
            nulls["fleet"], partial(from_pool, subject.fleet(), rng), comparisons
        )
        others = [subject.chances(prompt) for prompt in borders]
        new_texts = partial(from_texts, borders, others, rng)
        by_text, _ = reported(nulls["texts"], new_texts, comparisons)
        some = max(1, comparisons // 4)
        by_reference, _ = reported(nulls["reference"], new_texts, some)
        yield (
            f"| {change.name} | {far:.2g} | {'yes' if seen else 'no'} | {fleet_far:.2g} "
            f"| {often / comparisons:.0%} | {by_text / comparisons:.0%} "
            f"| {by_reference / some:.0%} |"
        )


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--comparisons", type=int, default=100, help="of each row")
    parser.add_argument("--null", type=int, default=10_000, help="of the original with itself")
    options = parser.parse_args()
    began = time.monotonic()
    for row in rows(options.comparisons, options.null):
        sys.stdout.write(f"{row}\n")
        sys.stdout.flush()
    sys.stderr.write(f"{time.monotonic() - began:.0f} s\n")


if __name__ == "__main__":
    main()
