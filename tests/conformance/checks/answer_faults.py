"""Ways in which a plain answer is wrong, each as small as can be."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from conformance.checks._shared.prompts import COUNTING
from conformance.model import Exchange
from tests.conformance.checks import rewrites as f
from tests.conformance.checks.rewrites import Choices
from tests.conformance.checks.rewriting import (
    Body,
    Change,
    with_body,
)


def only_first(_: Body, of: Choices) -> Choices:
    return of[:1]


def index_zero(_: Body, of: Choices) -> Choices:
    return [{**choice, "index": 0} for choice in of]


def swapped(_: Body, of: Choices) -> Choices:
    """Number the choices from the end."""
    return [{**choice, "index": len(of) - 1 - i} for i, choice in enumerate(of)]


def interleaved(asked: Body, of: Choices) -> Choices:
    """Number copies before prompts."""
    count = asked.get("n") or 1
    size = len(of) // count
    return [{**c, "index": (i % count) * size + i // count} for i, c in enumerate(of)]


def texts(change: Callable[[str], str]) -> Change:
    """Change the texts of plain answers."""
    return f.choices(lambda _, of: [{**c, "text": change(c["text"])} for c in of])


def reasons(change: Callable[[Body, Any], Any]) -> Change:
    """Change why plain choices ended."""
    return f.choices(
        lambda asked, of: [{**c, "finish_reason": change(asked, c["finish_reason"])} for c in of]
    )


def reason_of_first(_: Body, of: Choices) -> Choices:
    """Let every choice end for the first one's reason."""
    return [{**choice, "finish_reason": of[0]["finish_reason"]} for choice in of]


def latin_1(exchange: Exchange) -> Exchange:
    """Write text in another encoding than UTF-8."""
    text = exchange.body.decode(errors="replace")
    return replace(exchange, body=text.encode("gb18030", errors="replace"))


ANSWERS: dict[str, Change] = {
    "broken-byte": Change(
        raw=lambda e: with_body(e, e.body.replace(b'"fp_imagined"', b'"fp_\xff"'))
    ),
    "not-utf-8": Change(raw=latin_1),
    "suffix-appended": f.choices(
        lambda asked, of: [{**c, "text": c["text"] + (asked.get("suffix") or "")} for c in of]
    ),
    "id-empty": f.fields(id=""),
    "id-missing": f.fields(id=None),
    "id-constant": f.fields(id="cmpl-1"),
    "id-unprefixed": f.fields(id=lambda old: old.replace("cmpl-", "")),
    "object-chat": f.fields(object="chat.completion"),
    "created-missing": f.fields(created=None),
    "created-float": f.fields(created=lambda old: old + 0.5),
    "created-milliseconds": f.fields(created=lambda old: old * 1000),
    "created-long-ago": f.fields(created=1589478378),
    "model-empty": f.fields(model=""),
    "model-other": f.fields(model="gpt-4o"),
    "fingerprint-number": f.fields(system_fingerprint=7),
    "choices-empty": Change(plain=lambda _, whole: {**whole, "choices": []}),
    "choices-object": Change(plain=lambda _, whole: {**whole, "choices": whole["choices"][0]}),
    "choice-doubled": f.choices(lambda _, of: of * 2),
    "n-ignored": f.drop("n"),
    "n-ignored-in-batches": f.drop("n", when=lambda body: isinstance(body.get("prompt"), list)),
    "choices-dropped": f.choices(only_first),
    "index-all-zero": f.choices(index_zero),
    "index-missing": f.choices(
        lambda _, of: [{k: v for k, v in c.items() if k != "index"} for c in of]
    ),
    "index-swapped": f.choices(swapped),
    "index-copies-first": f.choices(interleaved),
    "text-missing": f.choices(
        lambda _, of: [{k: v for k, v in c.items() if k != "text"} for c in of]
    ),
    "text-missing-in-batches": f.choices(
        lambda _, of: [{**c, "text": None} for c in of] if len(of) > 1 else of
    ),
    "text-in-message": f.choices(
        lambda _, of: [{**c, "text": None, "message": {"content": c["text"]}} for c in of]
    ),
    "leading-space-stripped": texts(str.lstrip),
    "special-token-leak": texts(lambda text: f"{text}<|endoftext|>"),
    "characters-broken": texts(lambda text: "".join(c if c < "\x7f" else "\ufffd " for c in text)),
    "finish-null": reasons(lambda *_: None),
    "finish-eos": reasons(lambda *_: "eos"),
    "finish-always-stop": reasons(lambda *_: "stop"),
    "finish-always-length": reasons(lambda *_: "length"),
    "finish-always-length-streamed": f.parts(
        lambda part: {**part, "finish_reason": part["finish_reason"] and "length"}
    ),
    "finish-of-first": f.choices(reason_of_first),
    "natural-end-called-length": f.usage(
        lambda asked, bill: (
            {}
            if asked["prompt"] == COUNTING
            else {"completion_tokens": min(9, bill["completion_tokens"])}
        )
    ),
    "usage-missing": Change(plain=lambda _, w: {k: v for k, v in w.items() if k != "usage"}),
    "usage-null": f.fields(usage=None),
    "usage-strings": f.usage(lambda _, bill: {k: str(v) for k, v in bill.items()}),
    "usage-zero": f.usage(lambda _, bill: dict.fromkeys(bill, 0)),
    "usage-without-completion": f.fields(
        usage=lambda old: old and {k: v for k, v in old.items() if k != "completion_tokens"}
    ),
    "total-mismatch": f.usage(lambda _, bill: {"total_tokens": bill["total_tokens"] + 3}),
    "usage-doubled": f.usage(lambda _, bill: {k: 2 * v for k, v in bill.items()}),
    "completion-zero": f.usage(lambda *_: {"completion_tokens": 0}),
    "completion-of-first": f.usage(
        lambda _, bill: {"completion_tokens": min(16, bill["completion_tokens"])}
    ),
    "prompt-times-n": f.usage(
        lambda asked, bill: {"prompt_tokens": bill["prompt_tokens"] * (asked.get("n") or 1)}
    ),
    "prompt-of-first": f.usage(
        lambda asked, _: {"prompt_tokens": 36} if isinstance(asked.get("prompt"), list) else {}
    ),
    "hidden-prompt": f.usage(lambda _, bill: {"prompt_tokens": bill["prompt_tokens"] + 12}),
    "prompt-times-three": f.usage(lambda _, bill: {"prompt_tokens": 3 * bill["prompt_tokens"]}),
    "prompt-with-answer": f.usage(
        lambda asked, bill: {"prompt_tokens": bill["prompt_tokens"] + asked.get("max_tokens", 0)}
    ),
    "echo-billed": f.usage(
        lambda asked, bill: (
            {"completion_tokens": sum(bill.values()) // 2} if asked.get("echo") else {}
        )
    ),
}
