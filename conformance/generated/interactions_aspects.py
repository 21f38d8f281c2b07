"""What is looked at in the answer to a row: one aspect each, as it was seen and as it must be.

Pure: every function here takes a row, the plainest answers and what came back, and says what it saw
beside what has to be there, or None where there is nothing to compare.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from conformance.checks._shared.characters import REPLACEMENT, solid
from conformance.checks._shared.nondeterminism import CERTAIN_LOGPROB
from conformance.checks._shared.requests import assert_echoed
from conformance.checks._shared.token_scores import (
    Scored,
    alike,
    assert_tokens_make_text,
    positions_of,
    scores_of,
    tokens_of,
)
from conformance.completion import Choice, Completion
from conformance.generated.expectation import Bases, Expected, expected_of
from conformance.generated.interactions_rows import Row
from conformance.judgement import Deviation, Judgement, NotApplicable, shown


@dataclass(frozen=True)
class View:
    """One aspect of an answer: as it was seen, and as it must be."""

    seen: Any
    expected: Any


Look = Callable[[Row, Bases, Completion], View | None]
"""Looks at an answer.

Raises:
    Deviation: what is seen is wrong by itself, whatever else the endpoint answers.
    NotApplicable: there is nothing to look at.
"""


def paired(row: Row, bases: Bases, answer: Completion) -> list[tuple[Choice, Expected]]:
    """Put each choice beside what it has to be.

    Raises:
        NotApplicable: the choices are not those that were asked for, which is judged by itself.
    """
    expected = expected_of(row, bases)
    if [repr(choice.raw.get("index")) for choice in answer.choices] != [
        repr(i) for i in range(len(expected))
    ]:
        raise NotApplicable("the choices are not those that were asked for")
    return list(zip(answer.choices, expected, strict=True))


def generated_text(row: Row, choice: Choice, expected: Expected) -> str:
    """Return the whole characters of what a choice adds to its prompt."""
    text = choice.text
    if not row.asked.echo:
        return solid(text)
    if isinstance(expected.prompt, str):
        return solid(text.removeprefix(expected.prompt))
    # How ids read as text is not known here, but what has to follow them is.
    wanted = expected.text or ""
    return wanted if text.rstrip(REPLACEMENT).endswith(wanted) else text


def layout(row: Row, _: Bases, answer: Completion) -> View:
    """See the numbers of the choices."""
    seen = [choice.raw.get("index") for choice in answer.choices]
    return View(seen, list(range(row.asked.choices)))


def texts(row: Row, bases: Bases, answer: Completion) -> View | None:
    """See what each choice adds to its prompt; where an echo is missing, that is judged alone."""
    seen, wanted = [], []
    for choice, expected in paired(row, bases, answer):
        echoed = expected.prompt if row.asked.echo and isinstance(expected.prompt, str) else ""
        if not choice.text.startswith(echoed):
            return None
        if expected.text is not None:
            seen.append(generated_text(row, choice, expected))
            wanted.append(expected.text)
    return View(tuple(seen), tuple(wanted)) if wanted else None


def unstopped_texts(row: Row, bases: Bases, answer: Completion) -> View | None:
    """See the texts where nothing was to end them."""
    return None if any(row.asked.stops) else texts(row, bases, answer)


def stopped_texts(row: Row, bases: Bases, answer: Completion) -> View | None:
    """See the texts where stop sequences were sent."""
    return texts(row, bases, answer) if any(row.asked.stops) else None


def echoes(row: Row, bases: Bases, answer: Completion) -> View | None:
    """See how each choice begins where its prompt was to be echoed."""
    prompts = [prompt for prompt in row.prompts for _ in range(row.asked.n)]
    if not row.asked.echo or not all(isinstance(prompt, str) for prompt in prompts):
        return None
    pairs = zip((choice for choice, _ in paired(row, bases, answer)), prompts, strict=True)
    told = [(choice.text, str(prompt)) for choice, prompt in pairs]
    if not any(prompt and text.startswith(prompt[:2]) for text, prompt in told):
        assert_echoed(*told[0])
    seen = [text[: len(prompt)] for text, prompt in told]
    return View(seen, [prompt for _, prompt in told])


def endings(row: Row, bases: Bases, answer: Completion) -> View | None:
    """See why each choice ended, where its text is the one that was foretold."""
    seen, wanted = [], []
    for choice, expected in paired(row, bases, answer):
        known = expected.text is not None and expected.finish_reason is not None
        if known and row.limit and generated_text(row, choice, expected) == expected.text:
            seen.append(choice.finish_reason)
            wanted.append(expected.finish_reason)
    return View(seen, wanted) if wanted else None


def bills(row: Row, bases: Bases, answer: Completion) -> View | None:
    """See the three counts; what cannot be told of them is taken as it was billed."""
    if row.asked.stream and not row.asked.include_usage:
        return None
    usage = answer.usage
    seen = {
        "prompt_tokens": usage.prompt_tokens,
        "completion_tokens": usage.completion_tokens,
        "total_tokens": usage.total_tokens,
    }
    known = [bases.get((prompt, row.suffix)) for prompt in row.prompts]
    read = [base.prompt_tokens if base else None for base in known]
    prompt = _sum(read)
    completion = None
    told = paired(row, bases, answer)
    as_foretold = all(generated_text(row, c, e) == e.text for c, e in told)
    # Candidates that were not returned are counted by some.
    if as_foretold and row.asked.best_of == row.asked.n:
        completion = _sum([expected.tokens for _, expected in told])
    prompt = seen["prompt_tokens"] if prompt is None else prompt
    completion = seen["completion_tokens"] if completion is None else completion
    wanted = {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
    }
    return View(seen, wanted)


def _sum(numbers: Sequence[int | None]) -> int | None:
    known = [number for number in numbers if number is not None]
    return sum(known) if len(known) == len(numbers) else None


def lists(row: Row, bases: Bases, answer: Completion) -> View | None:
    """See the arrays of log probabilities: there where asked for, in step, and with so many.

    Raises:
        Deviation: one of them is not as it must be.
    """
    asked = row.asked.logprobs
    for choice, _ in paired(row, bases, answer):
        if asked is None:
            _hold_none(choice)
        elif choice.text:
            _hold_arrays(choice, asked)
            _hold_joined(choice, echoed=row.asked.echo)
    return View(None, None)


def _hold_none(choice: Choice) -> None:
    told = choice.raw.get("logprobs")
    # Four empty arrays say as little as null.
    if isinstance(told, Mapping) and any(told.values()):
        raise Deviation("no log probabilities where none were asked for", shown(told))


def _hold_arrays(choice: Choice, asked: int) -> None:
    told = choice.logprobs
    if asked == 0 and told.raw.get("top_logprobs") is None:
        _ = tokens_of(choice), scores_of(choice)
        return
    tops = [position.top for position in positions_of(choice)]
    lengths = {
        name: len(getattr(told, name))
        for name in ("tokens", "token_logprobs", "top_logprobs", "text_offset")
    }
    if len(set(lengths.values())) != 1:
        raise Deviation("four arrays of one length", shown(lengths))
    # The sampled token comes in addition to the alternatives where it is none of them.
    most = max((len(top) for top in tops if top is not None), default=0)
    if most > asked + 1:
        raise Deviation(f"at most {asked + 1} tokens listed at each position", f"{most}")
    if asked and any(top is not None and not top for top in tops):
        raise Deviation("alternatives at each position", "a position without any")


def _hold_joined(choice: Choice, *, echoed: bool) -> None:
    """Hold that tokens join to the text; before an echo some servers list a start token."""
    try:
        assert_tokens_make_text(choice)
    except Deviation:
        if not echoed:
            raise
        less = {**choice.logprobs.raw, "tokens": tokens_of(choice)[1:]}
        assert_tokens_make_text(Choice({**choice.raw, "logprobs": less}, choice.where))


def scores(row: Row, bases: Bases, answer: Completion) -> View | None:
    """See the tokens that were generated, with their scores."""
    if row.asked.logprobs is None:
        return None
    seen: list[tuple[str, float | None]] = []
    wanted: list[tuple[str, float | None]] = []
    for choice, expected in paired(row, bases, answer):
        base = bases.get((expected.prompt, row.suffix))
        if base is None or base.scores is None or base.tokens is None:
            continue
        own = list(zip(base.tokens, base.scores, strict=False))[: row.limit]
        whole = expected.tokens == len(own) and expected.text is not None
        if not own or not whole or not _is_model_s_own(own):
            continue
        if generated_text(row, choice, expected) != expected.text:
            continue
        seen += list(zip(tokens_of(choice), scores_of(choice), strict=False))[-len(own) :]
        wanted += own
    return View(seen, wanted) if wanted else None


def _is_model_s_own(scored: Scored) -> bool:
    """Tell whether scores are the model's, and were not made certain by greedy sampling."""
    return any(score is not None and score < CERTAIN_LOGPROB for _, score in scored)


def same(view: View) -> bool:
    """Tell whether an aspect is as it must be."""
    return bool(view.seen == view.expected)


def scored_alike(view: View) -> bool:
    """Tell whether scores are as they must be, as far as arithmetic can be trusted."""
    return alike([score for _, score in view.seen], [score for _, score in view.expected])


def looked(look: Look, row: Row, bases: Bases, answer: Completion) -> View | Deviation | None:
    """Look at an answer; what cannot be read there is for another aspect to say."""
    try:
        return look(row, bases, answer)
    except Deviation as deviation:
        return deviation
    except Judgement:
        return None
