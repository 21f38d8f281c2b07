"""The pieces that faults of request parameters are made of."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from typing import Any

from conformance.checks._shared.prompts import COUNTING
from conformance.imagined import language
from tests.conformance.checks.faulty import MODEL, Ask, Body, Declined, Fault, Tell

Row = tuple[str, Fault, str]
"""A fault: its name, what it does, and the ids of the checks that must find it."""


def drops(*names: str, when: Callable[[Body], bool] = lambda _: True) -> Fault:
    """Parameters are lost on their way."""

    def ask(body: Body) -> Body:
        return {k: v for k, v in body.items() if k not in names} if when(body) else body

    return Fault(ask=ask)


def declines(when: Callable[[Body], bool], status: int = 400) -> Fault:
    """Requests are refused, or break the endpoint."""

    def ask(body: Body) -> Body:
        if when(body):
            raise Declined(status)
        return body

    return Fault(ask=ask)


def changes(when: Callable[[Body], bool] = lambda _: True, **values: Any) -> Fault:
    """Parameters arrive with other values."""
    return Fault(ask=lambda body: {**body, **values} if when(body) else body)


def texts(change: Callable[[Body, int, str], str], **kept: Any) -> Fault:
    """Every choice's text is changed, in plain answers."""

    def tell(body: Body, answer: Body) -> Body:
        choices = [
            {**c, "text": change(body, i, c["text"])} for i, c in enumerate(answer["choices"])
        ]
        return {**answer, "choices": choices}

    return Fault(tell=tell, **kept)


def choices(change: Callable[[Body, list[Body]], list[Body]]) -> Tell:
    """The choices of a plain answer are changed."""
    return lambda body, answer: {**answer, "choices": change(body, answer["choices"])}


def lenient(body: Body) -> Body:
    """Whatever is wrong with a request is left out of it, and the rest is served."""
    good = {**body, "model": MODEL}
    if isinstance(good.get("prompt"), dict) or _nested_strings(good.get("prompt")):
        good["prompt"] = "1"
    if isinstance(good.get("prompt"), str):
        good["prompt"] = good["prompt"][:4000]
    limit = good.get("max_tokens", 1)
    if isinstance(limit, float) or not _in_range(limit, 0, 4000):
        good["max_tokens"] = 16
    if isinstance(good.get("stop"), list) and len(good["stop"]) > 4:
        good["stop"] = good["stop"][:4]
    if not _is_stop(good.get("stop")):
        del good["stop"]
    ranges: dict[str, tuple[float, float]] = {
        "temperature": (0, 2),
        "top_p": (0, 1),
        "n": (1, 128),
        "best_of": (1, 20),
        "presence_penalty": (-2, 2),
        "frequency_penalty": (-2, 2),
        "seed": (-(2**63), 2**63 - 1),
    }
    for name, (low, high) in ranges.items():
        if not _in_range(good.get(name, low), low, high):
            del good[name]
    if (good.get("best_of") or 1) < (good.get("n") or 1) or good.get("stream"):
        good.pop("best_of", None)
    for name, kind in (("suffix", str), ("user", str), ("echo", bool)):
        if not isinstance(good.get(name), kind):
            good.pop(name, None)
    bias = good.get("logit_bias")
    if bias is not None and not _is_bias(bias):
        del good["logit_bias"]
    return good


def _in_range(value: Any, low: float, high: float) -> bool:
    return value is None or (isinstance(value, int | float) and low <= value <= high)


def _nested_strings(prompt: Any) -> bool:
    return isinstance(prompt, list) and bool(prompt) and prompt[0] == [COUNTING]


def _is_stop(stop: Any) -> bool:
    return stop is None or isinstance(stop, str) or all(isinstance(s, str) for s in _listed(stop))


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _is_bias(bias: Any) -> bool:
    return isinstance(bias, dict) and all(
        key.isdecimal() and int(key) < language.SIZE and -100 <= value <= 100
        for key, value in bias.items()
    )


def on_tokens(change: Callable[[list[int]], Any]) -> Ask:
    """A prompt of token ids is changed."""

    def ask(body: Body) -> Body:
        prompt = body.get("prompt")
        if isinstance(prompt, list) and all(isinstance(part, int) for part in prompt):
            return {**body, "prompt": change(prompt)}
        return body

    return ask


def on_text(change: Callable[[str], str]) -> Ask:
    """A prompt given as one string is changed."""

    def ask(body: Body) -> Body:
        prompt = body.get("prompt")
        return {**body, "prompt": change(prompt)} if isinstance(prompt, str) else body

    return ask


def penalise_prompt(sign: int) -> Ask:
    """The penalties count the tokens of the prompt as well (of the one sign)."""

    def ask(body: Body) -> Body:
        presence = body.get("presence_penalty") or 0
        frequency = body.get("frequency_penalty") or 0
        if not isinstance(body.get("prompt"), list) or (presence + frequency) * sign <= 0:
            return body
        # Each prompt of the batch would need a bias of its own; the first one's will do.
        counts = Counter(language.encode(body["prompt"][0]) + language.encode(body["prompt"][2]))
        shifts = {t: -presence * 9 - count * frequency * 4 for t, count in counts.items()}
        bias = {str(t): max(-100, min(100, shift)) for t, shift in shifts.items()}
        return {**body, "logit_bias": bias}

    return ask


class Replay:
    """Remembers the answer to every plain request, and gives it again."""

    def __init__(self) -> None:
        self._answers: dict[str, Body] = {}

    def __call__(self, body: Body, answer: Body) -> Body:
        return self._answers.setdefault(json.dumps(body), answer)


class ReplayOfStreams:
    """Remembers the chunks of every stream, and sends them again."""

    def __init__(self) -> None:
        self._answers: dict[str, list[Body]] = {}

    def __call__(self, body: Body, chunks: list[Body]) -> list[Body]:
        return self._answers.setdefault(json.dumps(body), chunks)


def is_batch(body: Body) -> bool:
    return isinstance(body.get("prompt"), list) and not isinstance(body["prompt"][0], int)


def stops(body: Body) -> list[str]:
    return [s for s in _listed(body.get("stop")) if s]


def cut_in_prompt(body: Body, _: int, text: str) -> str:
    """Search the prompt for stop sequences as well."""
    found = [s for s in stops(body) if s in COUNTING]
    return text.partition(found[0])[0] if found and body.get("echo") else "" if found else text


def first_of_prompt_for_all(body: Body, of: list[Body]) -> list[Body]:
    """The choices of a batch are copies of the first one of their prompt."""
    n = body.get("n", 1) if is_batch(body) else 1
    return [{**choice, "text": of[i - i % n]["text"]} for i, choice in enumerate(of)]


def first_stream_for_all(body: Body, chunks: list[Body]) -> list[Body]:
    """The first choice's pieces are sent for each choice."""
    prompt = body["prompt"]
    wanted = body.get("n", 1) * (len(prompt) if isinstance(prompt, list) else 1)
    first = [chunk for chunk in chunks if all(part["index"] == 0 for part in chunk["choices"])]
    return [
        {**chunk, "choices": [{**part, "index": index} for part in chunk["choices"]]}
        for chunk in first
        for index in range(wanted)
    ]


def first_choice_for_all(_: Body, of: list[Body]) -> list[Body]:
    return [{**choice, "text": of[0]["text"]} for choice in of]


def empty_kills(body: Body) -> Body:
    """An empty sequence, or none in an array, matches at once: nothing is generated for it."""
    if "stop" in body and (not body["stop"] or "" in body["stop"]):
        return {**body, "stop": None, "max_tokens": 0, "echo": True, "prompt": ""}
    return body


def swapped(_: Body, of: list[Body]) -> list[Body]:
    names = [choice["text"] for choice in reversed(of)]
    return [{**choice, "text": text} for choice, text in zip(of, names, strict=True)]


def first_chunk_again(_: Body, chunks: list[Body]) -> list[Body]:
    return [chunks[0], *chunks]


def leak(body: Body, chunks: list[Body]) -> list[Body]:
    """The beginning of a stop sequence slips out before it is recognised."""
    found = stops(body)
    if found and chunks[-1]["choices"][0]["finish_reason"] == "stop":
        chunks[-1]["choices"][0]["text"] += found[-1][:2]
    return chunks


def swallow(body: Body, chunks: list[Body]) -> list[Body]:
    """What was held back because of a stop sequence is forgotten."""
    return [*chunks[:-3], chunks[-1]] if stops(body) else chunks


def one_stop(which: int) -> Ask:
    """Only one of several sequences is looked for."""

    def ask(body: Body) -> Body:
        found = body.get("stop")
        if isinstance(found, list) and len(found) > 1:
            return {**body, "stop": found[which]}
        return body

    return ask


def stop_at_token_border(body: Body) -> Body:
    """A sequence is found only if it is made of whole tokens of the toy language."""
    whole = [s for s in stops(body) if s.startswith(" ")]
    return {**body, "stop": whole} if body.get("stop") else body


def numberless(status: int, error: Body) -> tuple[int, Body]:
    return status, {"error": {**error["error"], "message": "too long"}}


def as_chat(body: Body) -> Body:
    prompt = body.get("prompt")
    wrapped = f"User: {prompt}\nAssistant:" if isinstance(prompt, str) else prompt
    return {**body, "prompt": wrapped}


def copies_made(body: Body) -> Body:
    return {**body, "n": body["best_of"]} if body.get("best_of") else body


def user_in_prompt(body: Body) -> Body:
    return {**body, "prompt": f"{body['user']}: {body['prompt']}"} if body.get("user") else body


def stripped(body: Body, _: int, text: str) -> str:
    return text.strip() if body.get("echo") else text


def echo_of_first(body: Body, index: int, text: str) -> str:
    if not body.get("echo") or not is_batch(body):
        return text
    n = body.get("n") or 1
    return body["prompt"][0] + text.removeprefix(body["prompt"][index // n])


def half_the_ids(body: Body) -> Body:
    return {**body, "prompt": body["prompt"][:1]} if is_batch(body) else body
