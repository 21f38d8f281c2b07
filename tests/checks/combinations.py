"""Faults for checks that no single fault of the catalogue triggers on the fake endpoint.

Every check has to have something that it finds. Most find a fault of the server's catalogue, alone
or under one of its triggers. These few need more: faults where several settings meet, which no
trigger names alone, or an answer that the fake endpoint's toy language does not give. Each entry
is a check's id, and what a server shows that the check must find.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import count
from typing import Any

from conformance.checks._shared.token_ids import PROBED_IDS
from reference_server.behaviour.builders import choices, chunks, fields, rewrites, sets, texts
from reference_server.behaviour.messages import Behaviour, Body
from reference_server.behaviour.rewrite import Rewrite

SETTINGS_MEET: Mapping[str, str] = {
    "interactions.echo-in-threes": "echo-stripped@stream",
    "interactions.empty-stop": "empty-stop-kills",
    "interactions.endings": "finish-stop-at-limit@batch",
    "interactions.scores": "scores-zero@batch",
    "interactions.served": "n-refused@stream",
    "interactions.served-in-threes": "temperature-zero-refused@plain",
    "interactions.text": "pieces-stripped",
    "interactions.usage": "prompt-times-n",
}
"""Checks of settings that meet judge what is wrong with whole answers, whichever sentence of the
contract a fault is filed under."""


def prompt_read_twice(name: str) -> Behaviour:
    """Where a parameter is set to other than 0 and null, another prompt is answered."""
    return rewrites(lambda request: _with_longer_prompt(request) if request.get(name) else request)


def null_read_as_a_word(name: str) -> Behaviour:
    """Where a parameter is null, another prompt is answered."""
    return rewrites(
        lambda request: (
            _with_longer_prompt(request) if name in request and request[name] is None else request
        )
    )


def _with_longer_prompt(request: Body) -> Body:
    return {**request, "prompt": _longer(request["prompt"])}


def _longer(prompt: Any) -> Any:
    return [_longer(one) for one in prompt] if isinstance(prompt, list) else f"{prompt}1, 2,"


def tokens_shifted_unless_echoed() -> Behaviour:
    """Prompts of token ids are read by another vocabulary, and echoed as they were sent."""

    def rewrite(request: Body) -> Body:
        prompt = request["prompt"]
        ids = isinstance(prompt, list) and all(isinstance(one, int) for one in prompt)
        shifts = ids and not request.get("echo")
        return {**request, "prompt": [token + 1 for token in prompt]} if shifts else request

    return rewrites(rewrite)


def longer_answers_begin_anew() -> Behaviour:
    """An answer with one token more is another one."""
    return texts(lambda request, _, text: f"!{text}" if request["max_tokens"] % 2 else text)


def with_candidates(change: Callable[[Body], Body]) -> Behaviour:
    """Choices are wrong where ``best_of`` is set, which no row of the standard tier combines."""
    return choices(
        lambda request, of: [change(one) for one in of] if request.get("best_of") else of
    )


def scored_zero(choice: Body) -> Body:
    """A choice whose tokens are all certain."""
    scores = choice["logprobs"]
    zeros = scores and {**scores, "token_logprobs": [0.0 for _ in scores["tokens"]]}
    return {**choice, "logprobs": zeros}


def billed_with_candidates() -> Behaviour:
    """The total of ``usage`` is one too much where ``best_of`` is set."""

    def change(request: Body, response: Body) -> Body:
        usage = response["usage"]
        more = {**usage, "total_tokens": usage["total_tokens"] + 1}
        return {**response, "usage": more} if request.get("best_of") else response

    return Rewrite(non_streaming=change)


def second_character_broken() -> Behaviour:
    """In long answers the second character beyond ASCII comes as three U+FFFD."""

    def broken(request: Body, _: int, text: str) -> str:
        spared = text.isascii() or request.get("max_tokens") != 48
        return text if spared else f"{text[:1]}\ufffd\ufffd\ufffd{text[2:]}"

    return texts(broken)


def second_piece_broken() -> Behaviour:
    """The second chunk of a stream with text beyond ASCII has three U+FFFD for it."""

    def broken(_: Body, sent: list[Body]) -> list[Body]:
        wide = [part for chunk in sent for part in chunk["choices"] if not part["text"].isascii()]
        for part in wide[1:2]:
            part["text"] = "\ufffd\ufffd\ufffd"
        return sent

    return chunks(broken)


def clock_running_backwards() -> Behaviour:
    """Each answer says that it is an hour older than the one before."""
    hours = count()
    return fields(created=lambda old: old - 3600 * next(hours))


FIRST = PROBED_IDS[1]
"""The id that stands for a space; the following ids stand for the following characters."""


def tell_ids(request: Body, response: Body) -> Body:
    """Say that some ids stand for the characters of ASCII, whatever the fake model has them for."""
    if request["prompt"] != list(PROBED_IDS):
        return response
    fragments = [chr(32 + at) if at < 95 else f"<{at}>" for at in range(len(PROBED_IDS))]
    (choice,) = response["choices"]
    scores = {**choice["logprobs"], "tokens": ["\n", *fragments[:-1]]}
    return {**response, "choices": [{**choice, "logprobs": scores}]}


def keep_ids(request: Body) -> Body:
    """Bias the characters whose ids :func:`tell_ids` reveals."""
    bias = request.get("logit_bias") or {}
    kept = {
        str(int(i) - FIRST + 32) if FIRST <= int(i) < FIRST + 95 else i: v for i, v in bias.items()
    }
    return {**request, "logit_bias": kept} if bias else request


ONLY_HERE: Mapping[str, Callable[[], Behaviour]] = {
    # What the settings of the core show is reported at the standard tier.
    "interactions.endings-in-threes": lambda: with_candidates(
        lambda choice: {**choice, "finish_reason": "content_filter"}
    ),
    "interactions.layout-in-threes": lambda: with_candidates(
        lambda choice: {**choice, "index": choice["index"] + 1}
    ),
    "interactions.logprobs-in-threes": lambda: with_candidates(
        lambda choice: {**choice, "logprobs": None}
    ),
    "interactions.scores-in-threes": lambda: with_candidates(scored_zero),
    "interactions.text-in-threes": lambda: with_candidates(
        lambda choice: {**choice, "text": f"{choice['text']}!"}
    ),
    "interactions.usage-in-threes": billed_with_candidates,
    # The check asks twice, and what strikes every third answer strikes neither.
    "envelope.created-moves-on": clock_running_backwards,
    # The fake model's alternatives to a token are words by chance, hardly ever those of the prompt.
    "presence-penalty.prompt-not-favoured": lambda: prompt_read_twice("presence_penalty"),
    "frequency-penalty.prompt-not-favoured": lambda: prompt_read_twice("frequency_penalty"),
    # A house default of 1 is less than the lead of the fake model's best token.
    "presence-penalty.zero": lambda: sets(
        lambda request: request.get("presence_penalty") == 0, presence_penalty=2
    ),
    # The server's own fault shifts the echo as well, and the fake model copies either.
    "prompt.tokens-as-text": tokens_shifted_unless_echoed,
    # No request of this check has so low a limit as the server's own fault looks for.
    "relations.longer-continues-shorter": longer_answers_begin_anew,
    # What breaks characters in the server's catalogue breaks them all.
    "text.same-characters-everywhere": second_character_broken,
    "streaming.same-characters-everywhere": second_piece_broken,
    # The fake model begins no response to a generated prompt with a token whose id it reveals.
    "relations.ban-bans": lambda: Rewrite(non_streaming=tell_ids),
}
"""Checks that find a fault which the server's catalogue makes otherwise, and why."""

UNREACHED: Mapping[str, str] = {
    "interactions.stop-in-threes": (
        "none of the requests that cover triples has a stop sequence, so that whatever it could"
        " find the check of the core has found"
    ),
    "isolation.refused-beside-others": (
        "it judges refusals of requests that overlapped in time, and no check alone sends such"
    ),
    "temperature.zero-repeats-everywhere": (
        "it judges requests that several checks of a run repeat, and no check alone sends one twice"
    ),
}
"""Checks that find nothing, and why."""

OF_A_RUN = "only a run sends it, and several times: no check alone does"

UNSEEN: Mapping[str, str] = {
    "aborted-stream-stays": "a client that leaves closes no connection here",
    "top-p-at-least-half": "the fake model gives its best token more than half of the probability",
    "text-offset-behind-echo-in-bytes": "the fake model has no token of a whole wide character",
    "penalties-lag": "no token of the fake model follows itself",
    "echo-with-zero-logprobs-breaks-server": OF_A_RUN,
    "zero-tokens-with-echo-break-server": OF_A_RUN,
    "tokens-with-echo-break-server": OF_A_RUN,
    "narrow-logprobs-break-server": OF_A_RUN,
    "error-event-with-choices-and-logprobs": OF_A_RUN,
    "batch-with-best-of-last-only": OF_A_RUN,
    "other-temperature-beside-breaks": "only a run has so many different requests at once",
    "best-named-for-sampled": "the fake model samples its best token, or one of the same text",
}
"""Faults of the server that do not show over the fake endpoint, and why."""

OVERDRAWN: Mapping[str, str] = {
    "sure-model": (
        "it makes penalties smaller against the leads of a model, and those of the fake model are"
        " so even that no penalty of the range then turns a token"
    ),
}
"""Variants that are more than the fake endpoint can show, and why; a selftest has them all."""
