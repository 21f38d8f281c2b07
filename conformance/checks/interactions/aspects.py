"""The aspects of a response that are compared with its prediction.

Pure: each function takes a test case, the baselines and the response, and returns what it observed
next to what was predicted, or None if there is nothing to compare.
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
from conformance.checks.interactions.cases import TestCase
from conformance.checks.interactions.predictions import Baselines, Prediction, predict
from conformance.judgement import Failure, Judgement, NotApplicable, shown
from conformance.message import say, verbatim
from conformance.protocol.completion import Choice, Completion


@dataclass(frozen=True)
class Observation:
    """One aspect of a response, as observed and as predicted."""

    seen: Any
    expected: Any


Observer = Callable[[TestCase, Baselines, Completion], Observation | None]
"""Observes one aspect of a response.

Raises:
    Failure: the response is wrong by itself, without a comparison.
    NotApplicable: there is nothing to compare.
"""


def paired(
    case: TestCase, baselines: Baselines, response: Completion
) -> list[tuple[Choice, Prediction]]:
    """Return each choice with its prediction.

    Raises:
        NotApplicable: the choices are not the requested ones; another aspect judges that.
    """
    expected = predict(case, baselines)
    if [repr(choice.raw.get("index")) for choice in response.choices] != [
        repr(i) for i in range(len(expected))
    ]:
        raise NotApplicable(say("the choices are not the requested ones"))
    return list(zip(response.choices, expected, strict=True))


def generated_text(case: TestCase, choice: Choice, expected: Prediction) -> str:
    """Return the complete characters that a choice adds to its prompt."""
    text = choice.text
    if not case.request.echo:
        return solid(text)
    if isinstance(expected.prompt, str):
        return solid(text.removeprefix(expected.prompt))
    # The text of token ids is unknown here, but the text after them is predicted.
    wanted = expected.text or ""
    return wanted if text.rstrip(REPLACEMENT).endswith(wanted) else text


def layout(case: TestCase, _: Baselines, response: Completion) -> Observation:
    """Observe the indexes of the choices."""
    seen = [choice.raw.get("index") for choice in response.choices]
    return Observation(seen, list(range(case.request.choices)))


def texts(case: TestCase, baselines: Baselines, response: Completion) -> Observation | None:
    """Observe what each choice adds to its prompt; another aspect judges a missing echo."""
    seen, wanted = [], []
    for choice, expected in paired(case, baselines, response):
        echoed = expected.prompt if case.request.echo and isinstance(expected.prompt, str) else ""
        if not choice.text.startswith(echoed):
            return None
        if expected.text is not None:
            seen.append(generated_text(case, choice, expected))
            wanted.append(expected.text)
    return Observation(tuple(seen), tuple(wanted)) if wanted else None


def unstopped_texts(
    case: TestCase, baselines: Baselines, response: Completion
) -> Observation | None:
    """Observe the texts of requests without stop sequences."""
    return None if any(case.request.stops) else texts(case, baselines, response)


def whole_texts(case: TestCase, baselines: Baselines, response: Completion) -> Observation | None:
    """Observe the texts of requests without stop sequences, or their echo, if that is missing."""
    if any(case.request.stops):
        return None
    return texts(case, baselines, response) or echoes(case, baselines, response)


def stopped_texts(case: TestCase, baselines: Baselines, response: Completion) -> Observation | None:
    """Observe the texts of requests with stop sequences."""
    return texts(case, baselines, response) if any(case.request.stops) else None


def echoes(case: TestCase, baselines: Baselines, response: Completion) -> Observation | None:
    """Observe the beginning of each choice of a request with ``echo``."""
    prompts = [prompt for prompt in case.prompts for _ in range(case.request.n)]
    if not case.request.echo or not all(isinstance(prompt, str) for prompt in prompts):
        return None
    pairs = zip((choice for choice, _ in paired(case, baselines, response)), prompts, strict=True)
    echoed = [(choice.text, str(prompt)) for choice, prompt in pairs]
    if not any(prompt and text.startswith(prompt[:2]) for text, prompt in echoed):
        assert_echoed(*echoed[0])
    seen = [text[: len(prompt)] for text, prompt in echoed]
    return Observation(seen, [prompt for _, prompt in echoed])


def endings(case: TestCase, baselines: Baselines, response: Completion) -> Observation | None:
    """Observe the finish reason of each choice with the predicted text."""
    seen, wanted = [], []
    for choice, expected in paired(case, baselines, response):
        known = expected.text is not None and expected.finish_reason is not None
        if known and case.max_tokens and generated_text(case, choice, expected) == expected.text:
            seen.append(choice.finish_reason)
            wanted.append(expected.finish_reason)
    return Observation(seen, wanted) if wanted else None


def usage(case: TestCase, baselines: Baselines, response: Completion) -> Observation | None:
    """Observe the three counts; a count that cannot be predicted is taken as reported."""
    if case.request.stream and not case.request.include_usage:
        return None
    reported = response.usage
    seen = {
        "prompt_tokens": reported.prompt_tokens,
        "completion_tokens": reported.completion_tokens,
        "total_tokens": reported.total_tokens,
    }
    known = [baselines.get((prompt, case.suffix)) for prompt in case.prompts]
    read = [baseline.prompt_tokens if baseline else None for baseline in known]
    prompt = _sum(read)
    completion = None
    pairs = paired(case, baselines, response)
    as_predicted = all(generated_text(case, c, e) == e.text for c, e in pairs)
    # Some endpoints also count the candidates of `best_of` that they did not return.
    if as_predicted and case.request.best_of == case.request.n:
        completion = _sum([expected.tokens for _, expected in pairs])
    prompt = seen["prompt_tokens"] if prompt is None else prompt
    completion = seen["completion_tokens"] if completion is None else completion
    wanted = {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
    }
    return Observation(seen, wanted)


def _sum(numbers: Sequence[int | None]) -> int | None:
    known = [number for number in numbers if number is not None]
    return sum(known) if len(known) == len(numbers) else None


def lists(case: TestCase, baselines: Baselines, response: Completion) -> Observation | None:
    """Check the arrays of log probabilities: present if requested, parallel, complete.

    Raises:
        Failure: one of them is wrong.
    """
    requested = case.request.logprobs
    for choice, _ in paired(case, baselines, response):
        if requested is None:
            _assert_none(choice)
        elif choice.text:
            _assert_arrays(choice, requested)
            _assert_joined(choice, echoed=case.request.echo)
    return Observation(None, None)


def _assert_none(choice: Choice) -> None:
    logprobs = choice.raw.get("logprobs")
    # Four empty arrays mean the same as null.
    if isinstance(logprobs, Mapping) and any(logprobs.values()):
        raise Failure(say("no log probabilities where none were requested"), shown(logprobs))


def _assert_arrays(choice: Choice, requested: int) -> None:
    logprobs = choice.logprobs
    if requested == 0 and logprobs.raw.get("top_logprobs") is None:
        _ = tokens_of(choice), scores_of(choice)
        return
    tops = [position.top for position in positions_of(choice)]
    lengths = {
        name: len(getattr(logprobs, name))
        for name in ("tokens", "token_logprobs", "top_logprobs", "text_offset")
    }
    if len(set(lengths.values())) != 1:
        raise Failure(say("four arrays of one length"), shown(lengths))
    # A sampled token that is none of the alternatives is listed in addition to them.
    most = max((len(top) for top in tops if top is not None), default=0)
    if most > requested + 1:
        raise Failure(
            say("at most {number} tokens listed at each position", number=requested + 1),
            verbatim(most),
        )
    if requested and any(top is not None and not top for top in tops):
        raise Failure(say("alternatives at each position"), say("a position without any"))


def _assert_joined(choice: Choice, *, echoed: bool) -> None:
    """Assert that tokens join to the text; before an echo some servers list a start token."""
    try:
        # Special tokens in the list are judged by a check of their own.
        assert_tokens_make_text(choice, hides_special=True)
    except Failure:
        if not echoed:
            raise
        less = {**choice.logprobs.raw, "tokens": tokens_of(choice)[1:]}
        without = Choice({**choice.raw, "logprobs": less}, choice.where)
        assert_tokens_make_text(without, hides_special=True)


def scores(case: TestCase, baselines: Baselines, response: Completion) -> Observation | None:
    """Observe the generated tokens with their log probabilities."""
    if case.request.logprobs is None:
        return None
    seen: list[tuple[str, float | None]] = []
    wanted: list[tuple[str, float | None]] = []
    for choice, expected in paired(case, baselines, response):
        baseline = baselines.get((expected.prompt, case.suffix))
        if baseline is None or baseline.scores is None or baseline.tokens is None:
            continue
        own = list(zip(baseline.tokens, baseline.scores, strict=False))[: case.max_tokens]
        whole = expected.tokens == len(own) and expected.text is not None
        if not own or not whole or not _is_before_sampling(own):
            continue
        if generated_text(case, choice, expected) != expected.text:
            continue
        seen += list(zip(tokens_of(choice), scores_of(choice), strict=False))[-len(own) :]
        wanted += own
    return Observation(seen, wanted) if wanted else None


def _is_before_sampling(scored: Scored) -> bool:
    """Return whether log probabilities are the model's, not those after greedy sampling."""
    return any(score is not None and score < CERTAIN_LOGPROB for _, score in scored)


def is_same(observation: Observation) -> bool:
    """Return whether an aspect is as predicted."""
    return bool(observation.seen == observation.expected)


def is_scored_alike(observation: Observation) -> bool:
    """Return whether log probabilities are as predicted, within rounding errors."""
    return alike(
        [score for _, score in observation.seen], [score for _, score in observation.expected]
    )


def observe(
    observer: Observer, case: TestCase, baselines: Baselines, response: Completion
) -> Observation | Failure | None:
    """Observe an aspect; None if the response cannot be read, which another aspect judges."""
    try:
        return observer(case, baselines, response)
    except Failure as failure:
        return failure
    except Judgement:
        return None
