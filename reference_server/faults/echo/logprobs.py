"""Faults of ``echo`` with ``logprobs``: the scores of a text that was sent."""

from __future__ import annotations

from collections.abc import Callable

from reference_server.behaviour.builders import drops, sets
from reference_server.behaviour.messages import Behaviour, Body
from reference_server.behaviour.registry import Evidence, fault
from reference_server.behaviour.rewrite import Rewrite
from reference_server.behaviour.triggers import EVERYWHERE, Modifier
from reference_server.faults._parts import maps, values

HIDING = EVERYWHERE - {Modifier.ECHO}
NON_STREAMING_ONLY = HIDING - {Modifier.STREAM, Modifier.NON_STREAMING}
"""The modifiers of what is asked for in plain answers alone."""


def _scores(request: Body) -> bool:
    return request.get("echo") is True and request.get("logprobs") is not None


def _echoed(change: Callable[[Body, Body], Body]) -> Behaviour:
    """The arrays of an echoed prompt are others: ``(asked, scores)`` gives those that change."""

    def of(request: Body, whole: Body) -> Body:
        result = [
            {**c, "logprobs": {**c["logprobs"], **change(request, c["logprobs"])}}
            for c in whole["choices"]
        ]
        return {**whole, "choices": result}

    return Rewrite(
        non_streaming=lambda request, whole: of(request, whole) if _scores(request) else whole
    )


def _generated(request: Body) -> int:
    """How many of an echoed answer's entries are of generated tokens."""
    limit = request.get("max_tokens", 16)
    return limit if isinstance(limit, int) else 0


@fault(
    "echo-prompt-logprobs-missing",
    breaks="echo.logprobs-cover-prompt",
    evidence=Evidence.REPORTED,
    modifiers=NON_STREAMING_ONLY,
)
def echo_prompt_logprobs_missing() -> Behaviour:
    """An echoed prompt is not scored: the arrays list generated tokens alone."""

    def of(request: Body, scores: Body) -> Body:
        kept = _generated(request)
        return {name: listed[len(listed) - kept :] for name, listed in scores.items()}

    return _echoed(of)


@fault(
    "echo-prompt-logprobs-null",
    breaks="echo.logprobs-cover-prompt",
    evidence=Evidence.REPORTED,
    modifiers=NON_STREAMING_ONLY,
)
def echo_prompt_logprobs_null() -> Behaviour:
    """An echoed prompt's tokens are listed with null for a score."""

    def of(request: Body, scores: Body) -> Body:
        prompt = len(scores["tokens"]) - _generated(request)
        return {
            name: [None] * prompt + scores[name][prompt:]
            for name in ("token_logprobs", "top_logprobs")
        }

    return _echoed(of)


@fault(
    "echo-dropped-with-logprobs",
    breaks="echo.logprobs-cover-prompt echo.prompt-then-completion streaming.echo-once",
    modifiers=HIDING - {Modifier.SECOND_CHOICE},
)
def echo_dropped_with_logprobs() -> Behaviour:
    """``echo`` is without effect beside ``logprobs``."""
    return drops("echo", when=_scores)


@fault(
    "logprobs-dropped-with-echo",
    breaks="logprobs.returned echo.logprobs-cover-prompt",
    modifiers=HIDING,
)
def logprobs_dropped_with_echo() -> Behaviour:
    """``logprobs`` is without effect beside ``echo``."""
    return drops("logprobs", when=_scores)


@fault(
    "echo-zero-generates",
    breaks="echo.zero-tokens-scores-prompt",
    evidence=Evidence.REPORTED,
    modifiers={Modifier.EVERY_THIRD},
)
def echo_zero_generates() -> Behaviour:
    """``max_tokens: 0`` with ``echo`` still generates a token."""
    return sets(lambda request: request.get("max_tokens") == 0, max_tokens=1)


@fault("echo-first-scored", breaks="echo.first-token-null", modifiers=NON_STREAMING_ONLY)
def echo_first_scored() -> Behaviour:
    """The first echoed token has a score, although nothing precedes it."""
    return _echoed(
        lambda _, scores: {
            "token_logprobs": [-1.5, *scores["token_logprobs"][1:]],
            "top_logprobs": [{scores["tokens"][0]: -1.5}, *scores["top_logprobs"][1:]],
        }
    )


@fault("echo-scores-late", breaks="echo.scored-equals-generated", modifiers=NON_STREAMING_ONLY)
def echo_scores_late() -> Behaviour:
    """Each echoed token has the score of the one before it."""

    def late(listed: list[object]) -> list[object]:
        return [*listed[:2], *listed[1:-1]]

    return _echoed(
        lambda _, scores: {k: late(scores[k]) for k in ("token_logprobs", "top_logprobs")}
    )


@fault("echo-scores-early", breaks="echo.scored-equals-generated", modifiers=NON_STREAMING_ONLY)
def echo_scores_early() -> Behaviour:
    """Each echoed token has the score of the one after it."""

    def early(listed: list[object]) -> list[object]:
        return [*listed[:1], *listed[2:], *listed[-1:]]

    return _echoed(
        lambda _, scores: {k: early(scores[k]) for k in ("token_logprobs", "top_logprobs")}
    )


@fault(
    "echo-scores-of-another-model",
    breaks="echo.scored-equals-generated",
    modifiers=NON_STREAMING_ONLY,
)
def echo_scores_of_another_model() -> Behaviour:
    """Echoed texts are scored by another model than the one that generates."""
    other = values(lambda value: 1.4 * value - 0.2)

    def of(_: Body, scores: Body) -> Body:
        return other(scores)

    return _echoed(of)


@fault("echo-entry-missing", breaks="echo.logprobs-cover-prompt", modifiers=NON_STREAMING_ONLY)
def echo_entry_missing() -> Behaviour:
    """One of the echoed prompt's tokens is not listed."""
    return _echoed(
        lambda _, scores: {name: [*listed[:2], *listed[3:]] for name, listed in scores.items()}
    )


@fault(
    "echo-first-entry-missing", breaks="echo.logprobs-cover-prompt", modifiers=NON_STREAMING_ONLY
)
def echo_first_entry_missing() -> Behaviour:
    """The first token of the echoed prompt is not listed, since it has no score."""
    return _echoed(lambda _, scores: {name: listed[1:] for name, listed in scores.items()})


@fault(
    "echo-generated-entry-missing",
    breaks="echo.logprobs-cover-prompt",
    modifiers=NON_STREAMING_ONLY,
)
def echo_generated_entry_missing() -> Behaviour:
    """With ``echo`` the prompt is scored, and what was generated is not."""

    def of(request: Body, scores: Body) -> Body:
        kept = len(scores["tokens"]) - _generated(request)
        return {name: listed[:kept] for name, listed in scores.items()}

    return _echoed(of)


@fault(
    "echo-scores-depend-on-limit",
    breaks="echo.scored-equals-generated",
    modifiers=NON_STREAMING_ONLY,
)
def echo_scores_depend_on_limit() -> Behaviour:
    """A prompt is scored less likely where nothing is generated after it."""
    less = values(lambda value: value - 1.0)
    return _echoed(lambda request, scores: {} if request.get("max_tokens") else less(scores))


@fault(
    "echo-scores-depend-on-length",
    breaks="echo.scored-equals-generated",
    modifiers=NON_STREAMING_ONLY,
)
def echo_scores_depend_on_length() -> Behaviour:
    """A token's score depends on how much text follows it, as from a model that reads both ways."""

    def of(_: Body, scores: Body) -> Body:
        return values(lambda value: value * (1 + len(scores["tokens"]) / 40))(scores)

    return _echoed(of)


@fault(
    "echo-alternatives-missing", breaks="logprobs.alternatives-count", modifiers=NON_STREAMING_ONLY
)
def echo_alternatives_missing() -> Behaviour:
    """The tokens of an echoed prompt are scored without alternatives."""
    return _echoed(lambda _, scores: {"top_logprobs": [None] * len(scores["tokens"])})


@fault(
    "echo-offsets-of-completion", breaks="text-offset.echo-from-zero", modifiers=NON_STREAMING_ONLY
)
def echo_offsets_of_completion() -> Behaviour:
    """With ``echo`` offsets begin at the prompt's length, as without."""

    def of(request: Body, scores: Body) -> Body:
        prompt = request.get("prompt")
        by = len(prompt) if isinstance(prompt, str) else 50
        return {"text_offset": [offset + by for offset in scores["text_offset"]]}

    return _echoed(of)


@fault(
    "echo-scores-of-first-prompt",
    breaks="echo.logprobs-cover-prompt",
    modifiers={Modifier.BATCH, Modifier.NON_ASCII, Modifier.EVERY_THIRD},
)
def echo_scores_of_first_prompt() -> Behaviour:
    """In a batch every choice has the first prompt's scores."""

    def of(request: Body, whole: Body) -> Body:
        first = whole["choices"][0]["logprobs"]
        result = [{**c, "logprobs": first} for c in whole["choices"]]
        return {**whole, "choices": result} if _scores(request) else whole

    return Rewrite(non_streaming=of)


@fault(
    "echo-alternatives-halved",
    breaks="logprobs-arrays.sampled-agrees-with-top",
    modifiers=NON_STREAMING_ONLY,
)
def echo_alternatives_halved() -> Behaviour:
    """The scores of echoed tokens are others among the alternatives."""
    return _echoed(lambda _, s: maps(lambda top: {k: v * 0.5 for k, v in top.items()})(s))
