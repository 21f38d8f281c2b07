"""One promise broken each, beside the relations that have to show it."""

from __future__ import annotations

from typing import Any

from conformance.checks._shared.token_ids import PROBED_IDS
from tests.conformance.checks import rewrites as f
from tests.conformance.checks.rewriting import Change

Body = dict[str, Any]
Choices = list[Body]


def _has_wide(asked: Body) -> bool:
    prompt = asked.get("prompt")
    texts = prompt if isinstance(prompt, list) else [prompt]
    return any(isinstance(text, str) and not text.isascii() for text in texts)


def _of_second(change: Body) -> Change:
    """Change every second choice of a plain answer."""
    return f.choices(lambda _, of: [{**c, **change} if c["index"] % 2 else c for c in of])


def _first_prompt_alone(body: Body) -> Body:
    prompt = body.get("prompt")
    if not isinstance(prompt, list) or not isinstance(prompt[0], str):
        return body
    return {**body, "prompt": [prompt[0]] * len(prompt)}


def _interleaved(_: Body, of: Choices) -> Choices:
    """Number the choices of two prompts in turn."""
    if len(of) != 4:
        return of
    return [{**c, "index": (c["index"] % 2) * 2 + c["index"] // 2} for c in of]


def _numbered_from_one(asked: Body, of: Choices) -> Choices:
    return [{**c, "index": c["index"] + 1} for c in of] if isinstance(asked["prompt"], list) else of


def _chunks_numbered_from_one(asked: Body, chunks: Choices) -> Choices:
    return [{**c, "choices": _numbered_from_one(asked, c["choices"])} for c in chunks]


def _wide_lost(asked: Body, chunks: Choices) -> Choices:
    """Lose the characters beyond ASCII on the way."""
    return (
        [
            {
                **c,
                "choices": [
                    {**p, "text": p["text"].encode("ascii", "ignore").decode()}
                    for p in c["choices"]
                ],
            }
            for c in chunks
        ]
        if _has_wide(asked)
        else chunks
    )


def _echo_of_ascii(asked: Body, of: Choices) -> Choices:
    """Echo what is ASCII alone."""
    if not asked.get("echo") or not _has_wide(asked):
        return of
    return [{**c, "text": c["text"].encode("ascii", "ignore").decode()} for c in of]


def _bill(**changed: Any) -> Change:
    return f.usage(lambda asked, bill: {k: v(asked, bill) for k, v in changed.items()})


def _offsets_in_bytes(scores: Body) -> Body:
    offset, told = 0, []
    for token in scores["tokens"]:
        told.append(offset)
        offset += len(token.encode())
    return {"text_offset": told}


def _worst_listed(scores: Body) -> Body:
    tops = [top and {t: v - 1 for t, v in top.items()} for top in scores["top_logprobs"]]
    return {"top_logprobs": tops}


def _best_unlikely(scores: Body) -> Body:
    """Score every token as if another had been far likelier."""
    return {"token_logprobs": [None if s is None else s - 9 for s in scores["token_logprobs"]]}


def _scores_in_stream(change: Any) -> Change:
    return Change(chunks=f.logprobs(change).chunks)


def _late_stop(body: Body) -> Body:
    """Look for no sequence but the first."""
    stop = body.get("stop")
    return {**body, "stop": ["§§"]} if stop else body


def _stop_shown(asked: Body, of: Choices) -> Choices:
    stop = asked.get("stop")
    if not stop:
        return of
    needle = stop if isinstance(stop, str) else stop[-1]
    return [{**c, "text": c["text"] + needle} if c["finish_reason"] == "stop" else c for c in of]


def _chunks_stop_shown(asked: Body, chunks: Choices) -> Choices:
    return [{**c, "choices": _stop_shown(asked, c["choices"])} for c in chunks]


class _SeedsForgotten:
    """Answer with another seed every time."""

    def __init__(self) -> None:
        self._times = 0

    def __call__(self, body: Body) -> Body:
        self._times += 1
        return {**body, "seed": self._times} if "seed" in body else body


def _on_prompt(name: str) -> Change:
    """Take the tokens of the prompt for sampled ones."""
    return Change(
        ask=lambda b: {**b, "prompt": _turned(b["prompt"])} if b.get(name) else b,
    )


def _turned(prompt: Any) -> Any:
    return [_turned(one) for one in prompt] if isinstance(prompt, list) else f"{prompt}1, 2,"


def _echoed_scores(number: int, change: Any) -> Change:
    """Change one of the scores of an echo, which begins with a token that has none."""

    def of(scores: Body) -> Body:
        values = list(scores["token_logprobs"])
        if values and values[0] is None:
            values[number] = change(values[number])
        return {"token_logprobs": values}

    return f.logprobs(of)


def _null_taken_for_a_word(name: str) -> tuple[Change, set[str]]:
    """Answer another prompt where a parameter is null."""

    def ask(body: Body) -> Body:
        null = name in body and body[name] is None
        return {**body, "prompt": _turned(body["prompt"])} if null else body

    check = name.removesuffix("_penalty").replace("_", "-")
    return Change(ask=ask), {f"relations.null-{check}"}


NULLS = (
    "stop", "logprobs", "seed", "suffix", "top_p", "presence_penalty", "frequency_penalty",
)  # fmt: skip
"""Parameters whose nulls are asked for one by one where all together are not harmless."""

FIRST = PROBED_IDS[1]
"""The id that is told to stand for a blank; those after it for the characters behind that."""


def ids_told(asked: Body, whole: Body) -> Body:
    """Tell the ids of ASCII characters, which the ideal model's checks are not told otherwise."""
    if asked["prompt"] != list(PROBED_IDS):
        return whole
    told = [chr(32 + at) if at < 95 else f"<{at}>" for at in range(len(PROBED_IDS))]
    (choice,) = whole["choices"]
    scores = {**choice["logprobs"], "tokens": ["\n", *told[:-1]]}
    return {**whole, "choices": [{**choice, "logprobs": scores}]}


def ids_kept(body: Body) -> Body:
    """Bias those characters whose ids were told."""
    bias = body.get("logit_bias") or {}
    kept = {
        str(int(i) - FIRST + 32) if FIRST <= int(i) < FIRST + 95 else i: v for i, v in bias.items()
    }
    return {**body, "logit_bias": kept} if bias else body


FAULTS: dict[str, tuple[Change, set[str]]] = {
    "stream-loses-wide-characters": (Change(chunks=_wide_lost), {"relations.stream-as-plain"}),
    "first-prompt-for-all": (Change(ask=_first_prompt_alone), {"relations.batch-as-singles"}),
    "second-choice-differs": (_of_second({"text": "!"}), {"relations.batch-as-singles"}),
    "numbered-in-turn": (f.choices(_interleaved), {"relations.index-layout"}),
    "streamed-numbered-from-one": (
        Change(chunks=_chunks_numbered_from_one),
        {"relations.index-layout-streamed"},
    ),
    "echo-of-ascii": (f.choices(_echo_of_ascii), {"relations.echo-then-answer"}),
    "echo-of-ascii-in-stream": (
        Change(chunks=lambda asked, cs: _wide_lost(asked, cs) if asked.get("echo") else cs),
        {"relations.echo-streamed"},
    ),
    "echo-unscored": (_echoed_scores(1, lambda _: None), {"relations.echo-scores-cover"}),
    "echo-scored-from-the-first": (
        _echoed_scores(0, lambda _: -1.0),
        {"relations.echo-scores-first"},
    ),
    "echo-changes-scores": (
        _echoed_scores(-1, lambda score: score - 2),
        {"relations.echo-scores-generated"},
    ),
    "longer-begins-anew": (
        f.choices(
            lambda asked, of: (
                [{**c, "text": f"!{c['text']}"} for c in of] if asked["max_tokens"] % 2 else of
            )
        ),
        {"relations.longer-continues-shorter"},
    ),
    "stop-ignored": (Change(ask=_late_stop), {"relations.stop-cuts", "relations.stop-cuts-stream"}),
    "stop-shown": (f.choices(_stop_shown), {"relations.stop-cuts"}),
    "stop-shown-in-stream": (
        Change(chunks=_chunks_stop_shown),
        {"relations.stop-cuts-stream"},
    ),
    "user-in-prompt": (
        Change(
            ask=lambda b: {**b, "prompt": _turned(b["prompt"])} if b.get("user") is not None else b
        ),
        {"relations.user-changes-nothing"},
    ),
    "an-array-cut": (
        f.logprobs(lambda s: {"text_offset": s["text_offset"][:-1]}),
        {"relations.scores-parallel"},
    ),
    "tokens-in-capitals": (
        f.logprobs(lambda s: {"tokens": [f"{t}x" for t in s["tokens"]]}),
        {"relations.scores-join"},
    ),
    "two-tokens-one-entry": (
        f.logprobs(lambda s: {name: values[1:] for name, values in s.items()}),
        {"relations.scores-count"},
    ),
    "offsets-in-bytes": (f.logprobs(_offsets_in_bytes), {"relations.scores-offsets"}),
    "listed-otherwise": (f.logprobs(_worst_listed), {"relations.scores-listed"}),
    "taken-not-the-best": (f.logprobs(_best_unlikely), {"relations.scores-greedy"}),
    "scores-halved-in-stream": (
        _scores_in_stream(
            lambda s: {"token_logprobs": [v and v * 2 - 1 for v in s["token_logprobs"]]}
        ),
        {"relations.scores-streamed"},
    ),
    "total-doubled": (
        _bill(total_tokens=lambda _, bill: 2 * bill["total_tokens"]),
        {"relations.usage-adds-up"},
    ),
    "prompt-billed-for-each-copy": (
        _bill(prompt_tokens=lambda asked, bill: bill["prompt_tokens"] * (asked.get("n") or 1)),
        {"relations.usage-of-batch"},
    ),
    "one-choice-billed": (
        _bill(
            completion_tokens=lambda asked, bill: bill["completion_tokens"] // (asked.get("n") or 1)
        ),
        {"relations.usage-of-choices"},
    ),
    "streams-billed-twice": (
        Change(
            chunks=f.usage(
                lambda _, bill: {"completion_tokens": 2 * bill["completion_tokens"]}
            ).chunks
        ),
        {"relations.usage-streamed"},
    ),
    "seed-forgotten": (Change(ask=_SeedsForgotten()), {"relations.seed-repeats"}),
    "bias-lost": (f.drop("logit_bias"), {"relations.force-forces"}),
    "banned-all-the-same": (Change(plain=ids_told), {"relations.ban-bans"}),
    "presence-on-prompt": (_on_prompt("presence_penalty"), {"relations.presence-spares-prompt"}),
    "frequency-on-prompt": (_on_prompt("frequency_penalty"), {"relations.frequency-spares-prompt"}),
    **{f"{name}-null-taken-for-a-word": _null_taken_for_a_word(name) for name in NULLS},
}
