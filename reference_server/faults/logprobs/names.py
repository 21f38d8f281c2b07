"""Faults of log probabilities: tokens that are listed under a wrong name."""

from __future__ import annotations

from collections.abc import Callable

from reference_server.behaviour.builders import logprobs
from reference_server.behaviour.messages import Behaviour, Body
from reference_server.behaviour.registry import Evidence, fault
from reference_server.behaviour.triggers import ALL_TRIGGERS, Trigger

REPLACEMENT = "\ufffd"
JOINED = "logprobs-arrays.tokens-join-to-text streaming.logprobs-as-plain"


def _renamed(rename: Callable[[str], str]) -> Callable[[Body], Body]:
    """Rename every token; of alternatives with the same name, the least likely one is left."""

    def top_of(top: Body) -> Body:
        best_first = sorted(top.items(), key=lambda item: -item[1])
        return {rename(name): value for name, value in best_first}

    def of(scores: Body) -> Body:
        return {
            "tokens": [rename(token) for token in scores["tokens"]],
            "top_logprobs": [top and top_of(top) for top in scores["top_logprobs"]],
        }

    return of


@fault(
    "parts-of-characters-named-alike",
    breaks="logprobs-arrays.partial-characters logprobs-arrays.sampled-agrees-with-top",
    also_breaks="logprobs.alternatives-count",
    evidence=Evidence.REPORTED,
    triggers=(),
)
def parts_of_characters_named_alike() -> Behaviour:
    """Parts of characters are all named U+FFFD; of several alternatives, the last one is listed.

    Reported for SGLang: https://github.com/sgl-project/sglang/issues/32290
    """
    return logprobs(_renamed(lambda name: REPLACEMENT if name.startswith("bytes:") else name))


@fault(
    "names-without-first-space",
    breaks=f"{JOINED} logprobs-arrays.sampled-agrees-with-top",
    also_breaks="logprobs.alternatives-count echo.logprobs-cover-prompt",
    evidence=Evidence.REPORTED,
    triggers=(),
)
def names_without_first_space() -> Behaviour:
    """Tokens are named without their first space; of two with one name, the last one is listed.

    Reported for vLLM: https://github.com/vllm-project/vllm/issues/44319
    """
    return logprobs(_renamed(lambda name: name.removeprefix(" ") or name))


@fault(
    "best-named-for-sampled",
    breaks=f"{JOINED} logprobs-arrays.sampled-agrees-with-top",
    also_breaks="echo.logprobs-cover-prompt",
    evidence=Evidence.REPORTED,
    triggers=ALL_TRIGGERS - {Trigger.ECHO},
)
def best_named_for_sampled() -> Behaviour:
    """The likeliest alternative is listed as the token, whichever was chosen.

    Reported for TabbyAPI: https://github.com/theroyallab/tabbyAPI/pull/141
    """

    def of(scores: Body) -> Body:
        best = [top and max(top, key=top.__getitem__) for top in scores["top_logprobs"]]
        pairs = zip(scores["top_logprobs"], scores["token_logprobs"], strict=True)
        tokens = zip(best, scores["tokens"], strict=True)
        return {
            "tokens": [name or token for name, token in tokens],
            "token_logprobs": [max(top.values()) if top else value for top, value in pairs],
        }

    return logprobs(of)
