"""``prompt_logprobs``: the log probabilities of the tokens of the prompt."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from conformance.api import Api
from conformance.checks import check
from conformance.checks._shared.prompts import COLOURS
from conformance.checks._shared.refusals import expect_rejected
from conformance.checks._shared.requests import non_streaming
from conformance.checks._shared.token_scores import alike, scores_of
from conformance.judgement import Failure, NotApplicable, expect, shown
from conformance.message import say, verbatim
from conformance.protocol.completion import Completion

COUNT = 2

Entry = Mapping[str, Any]


@check(
    "prompt-logprobs.entry-for-each-token",
    requirement="prompt-logprobs.one-for-each-token",
    sees_effect=True,
)
async def there_is_an_entry_for_each_token(api: Api) -> None:
    """`prompt_logprobs` has an entry for each token of the prompt, and the first one is null.

    `prompt_logprobs` 对 prompt 的每个 token 各有一项，第一项为 null。
    """
    completion = await listed(api)
    entries = entries_of(completion)
    expect(len(entries), say("number of prompt_logprobs")).equals(completion.usage.prompt_tokens)
    expect(entries[0], "prompt_logprobs[0]").equals(None)
    empty = [place for place, entry in enumerate(entries) if place and not entry]
    if empty:
        raise Failure(
            say("log probabilities of every token but the first"),
            say("nothing at {places}", places=shown(empty)),
        )


@check("prompt-logprobs.alternatives", requirement="prompt-logprobs.lists-alternatives")
async def alternatives_are_listed(api: Api) -> None:
    """With `prompt_logprobs: 2`, each entry lists two alternatives, and the token if it is none.

    设置 `prompt_logprobs: 2` 时，每项列出两个备选 token；若其中没有该 token，则另外列出。
    """
    for entry in entries_of(await listed(api))[1:]:
        scores = [score_in(one) for one in (entry or {}).values()]
        if not COUNT <= len(scores) <= COUNT + 1:
            raise Failure(
                say("{count} alternatives at a position", count=COUNT), verbatim(len(scores))
            )
        if any(score > 0 for score in scores):
            raise Failure(say("log probabilities of at most 0"), shown(scores))


@check(
    "prompt-logprobs.as-echoed",
    requirement="prompt-logprobs.same-as-echoed",
    needs=("echo", "logprobs"),
)
async def they_are_those_of_an_echo(api: Api) -> None:
    """`prompt_logprobs` has the values that `echo` with `logprobs` gives for the prompt.

    `prompt_logprobs` 的值与 `echo` 加 `logprobs` 对 prompt 给出的相同。
    """
    echo: dict[str, Any] = {"max_tokens": 1, "echo": True, "logprobs": 1}
    echoed = scores_of((await non_streaming(api, COLOURS, **echo)).only)
    entries = entries_of(await listed(api))[1:]
    # Which entry is the token's own is known from the echo alone: one of the few has its score.
    for place, entry in enumerate(entries, start=1):
        if place >= len(echoed):
            raise NotApplicable(say("the echo does not have the scores of the prompt"))
        scores = [score_in(one) for one in (entry or {}).values()]
        if not any(alike([score], [echoed[place]]) for score in scores):
            raise Failure(
                say("the value {value} at position {place}", value=echoed[place], place=place),
                shown(scores),
            )


@check("prompt-logprobs.stream-refused", requirement="prompt-logprobs.not-in-streams")
async def a_stream_is_refused(api: Api) -> None:
    """`prompt_logprobs` with `stream` is rejected.

    `prompt_logprobs` 与 `stream` 同用时会被拒绝。
    """
    await expect_rejected(api, stream=True, prompt_logprobs=1)


async def listed(api: Api) -> Completion:
    """Request the log probabilities of the shared prompt."""
    request: dict[str, Any] = {"max_tokens": 1, "prompt_logprobs": COUNT}
    return await non_streaming(api, COLOURS, **request)


def entries_of(completion: Completion) -> list[Entry | None]:
    """Return the entries, which have to be objects or null.

    Raises:
        Failure: the field is no such array.
    """
    value = completion.only.raw.get("prompt_logprobs")
    if not isinstance(value, list) or not value:
        raise Failure(say("prompt_logprobs a non-empty array"), shown(value))
    if not all(one is None or isinstance(one, Mapping) for one in value):
        raise Failure(say("prompt_logprobs of objects or nulls"), shown(value))
    return value


def score_in(value: Any) -> float:
    """Return the log probability in one alternative.

    Raises:
        Failure: there is none.
    """
    score = value.get("logprob") if isinstance(value, Mapping) else value
    if not isinstance(score, int | float) or isinstance(score, bool):
        raise Failure(say("a log probability of each alternative"), shown(value))
    return float(score)
