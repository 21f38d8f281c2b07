"""Faults of ``echo`` with ``logprobs``: the log probabilities of the prompt."""

from __future__ import annotations

from collections.abc import Callable

from reference_server.behaviour.builders import drops, each_choice, sets
from reference_server.behaviour.messages import Behaviour, Body
from reference_server.behaviour.registry import Evidence, behaviour, chained, fault
from reference_server.behaviour.rewrite import Rewrite
from reference_server.behaviour.triggers import ALL_TRIGGERS, Trigger
from reference_server.faults._endings import prompt_of
from reference_server.faults._parts import maps, values

TRIGGERS = ALL_TRIGGERS - {Trigger.ECHO}
NON_STREAMING_ONLY = TRIGGERS - {Trigger.STREAM, Trigger.NON_STREAMING}
"""Triggers of faults of what is requested without streaming only."""


def _scores(request: Body) -> bool:
    return request.get("echo") is True and request.get("logprobs") is not None


def _echoed(change: Callable[[Body, Body], Body]) -> Behaviour:
    """Change the arrays of an echoed prompt: ``(request, arrays)`` returns the changed ones."""

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
    """The number of entries of generated tokens in an echoed choice."""
    limit = request.get("max_tokens", 16)
    return limit if isinstance(limit, int) else 0


@fault(
    "echo-prompt-logprobs-missing",
    breaks="echo.logprobs-cover-prompt",
    evidence=Evidence.REPORTED,
    triggers=NON_STREAMING_ONLY,
)
def echo_prompt_logprobs_missing() -> Behaviour:
    """The arrays list only generated tokens, not those of the echoed prompt."""

    def of(request: Body, scores: Body) -> Body:
        kept = _generated(request)
        return {name: listed[len(listed) - kept :] for name, listed in scores.items()}

    return _echoed(of)


@fault(
    "echo-prompt-logprobs-null",
    breaks="echo.logprobs-cover-prompt",
    evidence=Evidence.REPORTED,
    triggers=NON_STREAMING_ONLY,
)
def echo_prompt_logprobs_null() -> Behaviour:
    """The tokens of an echoed prompt are listed with null as log probability."""

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
    triggers=TRIGGERS - {Trigger.SECOND_CHOICE},
)
def echo_dropped_with_logprobs() -> Behaviour:
    """``echo`` has no effect if ``logprobs`` is sent."""
    return drops("echo", when=_scores)


@fault(
    "logprobs-dropped-with-echo",
    breaks="logprobs.returned echo.logprobs-cover-prompt",
    triggers=TRIGGERS,
)
def logprobs_dropped_with_echo() -> Behaviour:
    """``logprobs`` has no effect if ``echo`` is sent."""
    return drops("logprobs", when=_scores)


@fault(
    "echo-zero-generates",
    breaks="echo.zero-tokens-scores-prompt",
    also_breaks="max-tokens.zero-with-echo",
    evidence=Evidence.REPORTED,
    triggers={Trigger.EVERY_THIRD},
)
def echo_zero_generates() -> Behaviour:
    """``max_tokens: 0`` with ``echo`` generates one token."""
    return sets(lambda request: request.get("max_tokens") == 0, max_tokens=1)


@fault("echo-first-scored", breaks="echo.first-token-null", triggers=NON_STREAMING_ONLY)
def echo_first_scored() -> Behaviour:
    """The first echoed token has a log probability, although nothing precedes it."""
    return _echoed(
        lambda _, scores: {
            "token_logprobs": [-1.5, *scores["token_logprobs"][1:]],
            "top_logprobs": [{scores["tokens"][0]: -1.5}, *scores["top_logprobs"][1:]],
        }
    )


@fault(
    "echo-scores-late",
    breaks="echo.scored-equals-generated",
    also_breaks="logprobs-arrays.sampled-agrees-with-top",
    triggers=NON_STREAMING_ONLY,
)
def echo_scores_late() -> Behaviour:
    """Each echoed token has the log probability of the previous one."""

    def late(listed: list[object]) -> list[object]:
        return [*listed[:2], *listed[1:-1]]

    return _echoed(
        lambda _, scores: {k: late(scores[k]) for k in ("token_logprobs", "top_logprobs")}
    )


@fault("echo-scores-early", breaks="echo.scored-equals-generated", triggers=NON_STREAMING_ONLY)
def echo_scores_early() -> Behaviour:
    """Each echoed token has the log probability of the next one."""

    def early(listed: list[object]) -> list[object]:
        return [*listed[:1], *listed[2:], *listed[-1:]]

    return _echoed(
        lambda _, scores: {k: early(scores[k]) for k in ("token_logprobs", "top_logprobs")}
    )


@fault(
    "echo-scores-of-another-model",
    breaks="echo.scored-equals-generated",
    triggers=NON_STREAMING_ONLY,
)
def echo_scores_of_another_model() -> Behaviour:
    """Echoed texts are scored by another model than the one that generates."""
    other = values(lambda value: 1.4 * value - 0.2)

    def of(_: Body, scores: Body) -> Body:
        return other(scores)

    return _echoed(of)


@fault("echo-entry-missing", breaks="echo.logprobs-cover-prompt", triggers=NON_STREAMING_ONLY)
def echo_entry_missing() -> Behaviour:
    """One token of the echoed prompt is not listed."""
    return _echoed(
        lambda _, scores: {name: [*listed[:2], *listed[3:]] for name, listed in scores.items()}
    )


@fault("echo-first-entry-missing", breaks="echo.logprobs-cover-prompt", triggers=NON_STREAMING_ONLY)
def echo_first_entry_missing() -> Behaviour:
    """The first token of the echoed prompt is not listed."""
    return _echoed(lambda _, scores: {name: listed[1:] for name, listed in scores.items()})


@fault(
    "echo-generated-entry-missing",
    breaks="echo.logprobs-cover-prompt",
    triggers=NON_STREAMING_ONLY,
)
def echo_generated_entry_missing() -> Behaviour:
    """With ``echo``, the log probabilities of generated tokens are missing."""

    def of(request: Body, scores: Body) -> Body:
        kept = len(scores["tokens"]) - _generated(request)
        return {name: listed[:kept] for name, listed in scores.items()}

    return _echoed(of)


@fault(
    "echo-scores-depend-on-limit",
    breaks="echo.scored-equals-generated",
    triggers=NON_STREAMING_ONLY,
)
def echo_scores_depend_on_limit() -> Behaviour:
    """A prompt has lower log probabilities if nothing is generated after it."""
    less = values(lambda value: value - 1.0)
    return _echoed(lambda request, scores: {} if request.get("max_tokens") else less(scores))


@fault(
    "echo-scores-depend-on-length",
    breaks="echo.scored-equals-generated",
    triggers=NON_STREAMING_ONLY,
)
def echo_scores_depend_on_length() -> Behaviour:
    """A token's log probability depends on the length of the text after it."""

    def of(_: Body, scores: Body) -> Body:
        return values(lambda value: value * (1 + len(scores["tokens"]) / 40))(scores)

    return _echoed(of)


@fault(
    "echo-alternatives-missing", breaks="logprobs.alternatives-count", triggers=NON_STREAMING_ONLY
)
def echo_alternatives_missing() -> Behaviour:
    """The tokens of an echoed prompt have no alternatives."""
    return _echoed(lambda _, scores: {"top_logprobs": [None] * len(scores["tokens"])})


@fault(
    "echo-offsets-of-completion", breaks="text-offset.echo-from-zero", triggers=NON_STREAMING_ONLY
)
def echo_offsets_of_completion() -> Behaviour:
    """With ``echo``, offsets begin at the prompt's length instead of 0."""

    def of(request: Body, scores: Body) -> Body:
        prompt = request.get("prompt")
        by = len(prompt) if isinstance(prompt, str) else 50
        return {"text_offset": [offset + by for offset in scores["text_offset"]]}

    return _echoed(of)


@fault(
    "echo-scores-of-first-prompt",
    breaks="echo.logprobs-cover-prompt",
    triggers={Trigger.BATCH, Trigger.NON_ASCII, Trigger.EVERY_THIRD},
)
def echo_scores_of_first_prompt() -> Behaviour:
    """Every choice of a batch has the log probabilities of the first prompt."""

    def of(request: Body, whole: Body) -> Body:
        first = whole["choices"][0]["logprobs"]
        result = [{**c, "logprobs": first} for c in whole["choices"]]
        return {**whole, "choices": result} if _scores(request) else whole

    return Rewrite(non_streaming=of)


@fault(
    "echo-alternatives-halved",
    breaks="logprobs-arrays.sampled-agrees-with-top",
    triggers=NON_STREAMING_ONLY,
)
def echo_alternatives_halved() -> Behaviour:
    """The log probabilities of echoed tokens differ from their entries among the alternatives."""
    return _echoed(lambda _, s: maps(lambda top: {k: v * 0.5 for k, v in top.items()})(s))


@fault(
    "echo-first-character-unlisted",
    breaks="echo.tokens-keep-characters",
    # The first part is listed as U+FFFD.
    also_breaks="logprobs-arrays.partial-characters",
    evidence=Evidence.SOURCE,
    triggers=(),
)
def echo_first_character_unlisted() -> Behaviour:
    """A prompt's first character, if it has several tokens, is in none of them.

    Seen at vLLM 0.32, which decodes a part of a character with the tokens before it:
    https://github.com/vllm-project/vllm/pull/34875
    """

    def change(request: Body, choice: Body) -> Body:
        scores, prompt = choice["logprobs"], prompt_of(request, choice["index"])
        tokens = (scores or {}).get("tokens") or [""]
        whole = next((number for number, token in enumerate(tokens) if token), 0)
        if not request.get("echo") or not choice["text"].startswith(prompt) or not whole:
            return choice
        unlisted = ["\ufffd", *[""] * whole, *tokens[whole + 1 :]]
        return {**choice, "logprobs": {**scores, "tokens": unlisted}}

    return chained([each_choice(change), behaviour("parts-with-the-last")])
