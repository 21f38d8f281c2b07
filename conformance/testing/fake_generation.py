"""How the fake endpoint generates one choice, with the parameters that only some documents have."""

from __future__ import annotations

import random
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from conformance.testing import fake_model as language
from conformance.testing.fake_constraints import draw_of
from conformance.testing.fake_model import Distribution
from conformance.testing.fake_validation import CONTEXT, Body


@dataclass(frozen=True, slots=True)
class Draft:
    """One generated choice.

    Attributes:
        prompt: the tokens of the prompt.
        tokens: the generated tokens.
        distributions: the distribution that each token was sampled from, before penalties.
        kept: the text, up to a stop.
        finish_reason: ``stop`` or ``length``.
        matched: the stop sequence or the token id that ended it, if one did.
    """

    prompt: list[int]
    tokens: list[int]
    distributions: list[Distribution]
    kept: bytes
    finish_reason: str
    matched: str | int | None = None

    @property
    def quality(self) -> float:
        """The mean log probability per token in nats, by which ``best_of`` ranks candidates."""
        result = [d.logprob(t) for d, t in zip(self.distributions, self.tokens, strict=True)]
        return sum(result) / max(1, len(result))


def generate(
    body: Body, prompt: list[int], rng: random.Random, default_tokens: int | None
) -> Draft:
    """Sample one choice up to its limit, the end of the text, or the first stop."""
    limit = value_or(body.get("max_tokens"), value_or(default_tokens, CONTEXT))
    context = _read(body, prompt)
    least = body.get("min_tokens") or 0
    ending = frozenset(body.get("stop_token_ids") or ())
    tokens: list[int] = []
    distributions: list[Distribution] = []
    text, early = b"", 0
    forced = _constrained(body, rng)
    while len(tokens) < min(limit, CONTEXT - len(context)):
        read = [*context, *tokens]
        distribution = language.predict(read)
        banned = _banned(body, ending, early=len(tokens) < least)
        adjusted = _adjusted(body, distribution, read, tokens).without(banned)
        temperature = value_or(body.get("temperature"), 1)
        token = adjusted.sample(temperature, rng=rng, **_narrowing(body))
        token = next(forced, token)
        if token == language.END_OF_TEXT:
            return Draft(prompt, tokens, distributions, text, "stop")
        tokens.append(token)
        distributions.append(distribution)
        text += language.token_text(token)
        if token in ending:
            return Draft(prompt, tokens, distributions, text, "stop", token)
        if len(tokens) <= least:
            early = len(text)
        elif found := _stop_in(body, text, early):
            end, stop = found
            return Draft(prompt, tokens, distributions, text[:end], "stop", stop)
    return Draft(prompt, tokens, distributions, text, "length")


def value_or(value: Any, otherwise: Any) -> Any:
    """Return the default for a parameter that is null or missing, but not for 0."""
    return otherwise if value is None else value


def _read(body: Body, prompt: list[int]) -> list[int]:
    """Return what the model reads: the prompt, arranged with the suffix if there is one."""
    if body.get("suffix") is None:
        return prompt
    tail = language.encode(body["suffix"])
    return [language.PREFIX, *prompt, language.SUFFIX, *tail, language.MIDDLE]


def _constrained(body: Body, rng: random.Random) -> Iterator[int]:
    """Yield the tokens of a text that follows the request's constraint, and its end."""
    if draw := draw_of(body):
        greedy = body.get("temperature") == 0
        yield from language.encode(draw(random.Random(0) if greedy else rng))  # noqa: S311
        yield language.END_OF_TEXT


def _banned(body: Body, ending: Collection[int], *, early: bool) -> Collection[int]:
    """Return the tokens that must not be sampled next."""
    if early:
        return {language.END_OF_TEXT, *ending}
    return {language.END_OF_TEXT} if body.get("ignore_eos") else ()


def _adjusted(
    body: Body, distribution: Distribution, read: Sequence[int], tokens: Sequence[int]
) -> Distribution:
    """Return the distribution after bias and penalties; the repetition penalty counts ``read``."""
    penalty = value_or(body.get("repetition_penalty"), body.get("repeat_penalty"))
    if penalty is not None:
        distribution = distribution.penalised(read, penalty)
    return distribution.shifted(_shifts(body, tokens))


def _narrowing(body: Body) -> dict[str, Any]:
    """Return what keeps sampling to the more probable tokens."""
    return {
        "top_p": value_or(body.get("top_p"), 1),
        "top_k": value_or(body.get("top_k"), 0),
        "min_p": value_or(body.get("min_p"), 0),
    }


def _stop_in(body: Body, text: bytes, start: int) -> tuple[int, str] | None:
    """Return where the text ends by its first stop sequence after ``start``, and the sequence."""
    stop = body.get("stop")
    stops = [s for s in ([stop] if isinstance(stop, str) else stop or ()) if s]
    found = [(at, one) for one in stops if (at := text.find(one.encode(), start)) >= 0]
    if not found:
        return None
    place, one = min(found)
    return place + (len(one.encode()) if body.get("include_stop_str_in_output") else 0), one


def _shifts(body: Body, tokens: Sequence[int]) -> Mapping[int, float]:
    """Return logit bias and penalties per token; penalties ignore the prompt."""
    shifts = {int(token): float(bias) for token, bias in (body.get("logit_bias") or {}).items()}
    presence = body.get("presence_penalty") or 0
    frequency = body.get("frequency_penalty") or 0
    if presence or frequency:
        for token in set(tokens):
            penalty = presence + tokens.count(token) * frequency
            shifts[token] = shifts.get(token, 0.0) - penalty
    return shifts
