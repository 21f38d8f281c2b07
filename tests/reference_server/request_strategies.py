"""Generated requests over the whole parameter space, small enough to run hundreds.

Each has one right answer: whatever is sampled is sampled with a seed.
"""

from typing import Any

from hypothesis import strategies as st

from reference_server.engine.engine import BUNDLED
from reference_server.engine.tokenizer import Tokenizer

TOKENIZER = Tokenizer(BUNDLED)
END = min(TOKENIZER.end_ids)
# Tokens of one byte that begin, continue or break a character.
LOOSE = [
    token
    for token in range(TOKENIZER.size)
    if TOKENIZER.token_bytes(token) in (b"\xf0", b"\x9f", b"\x98", b"\x80", b"\xe4", b"\xed")
]

SNIPPETS = [
    "1, 2, 3, 4,",
    "Say this is a test",
    "red green blue red green",
    "甲、乙、丙、",
    "春眠不觉晓，处处闻啼鸟。",
    "🎉 🎈 🎉 🎈",
    "👩‍👩‍👧 👩🏽‍🚀 🇨🇳",
    "cafe\u0301 nai\u0308ve\n\n\tZ\u0335\u0321a",
    "<|endoftext|>and <|fim_middle|>",
    "a\x00b\r\n\u200b\ufffd\ufeff",
]
TEXTS = st.sampled_from(SNIPPETS) | st.text(
    st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12
)
TOKENS = st.lists(
    st.integers(0, TOKENIZER.size - 1) | st.sampled_from(LOOSE), min_size=1, max_size=12
)
PROMPTS = (
    TEXTS
    | TEXTS
    | TOKENS
    | st.lists(TEXTS | st.just(""), min_size=1, max_size=3)
    | st.lists(TOKENS, min_size=1, max_size=3)
    | st.sampled_from(["", None])
)


def _biases() -> st.SearchStrategy[dict[str, float]]:
    """None to speak of, some, no end of text, or nothing but parts of characters."""
    some = st.dictionaries(
        st.integers(0, TOKENIZER.size - 1).map(str), st.sampled_from([-100, -3.5, 4, 9]), max_size=3
    )
    return some | st.just({str(END): -100}) | st.just({str(token): 100 for token in LOOSE})


OPTIONAL: dict[str, st.SearchStrategy[Any]] = {
    "suffix": TEXTS,
    "top_p": st.sampled_from([0, 0.1, 0.9, 1]),
    "n": st.integers(1, 3),
    "best_of": st.just(0),
    "logprobs": st.integers(0, 5),
    "echo": st.booleans(),
    "presence_penalty": st.sampled_from([-2, -0.5, 1, 2]),
    "frequency_penalty": st.sampled_from([-2, -0.5, 1, 2]),
    "logit_bias": _biases(),
    "user": st.just("someone"),
}


@st.composite
def requests(draw: st.DrawFn) -> dict[str, Any]:
    """A request without `stop` and `stream`."""
    body: dict[str, Any] = {
        "prompt": draw(PROMPTS),
        "max_tokens": draw(st.integers(1, 20) | st.sampled_from([1, 2, 20, 50])),
        "temperature": draw(st.sampled_from([0, 0.3, 1, 1, 2])),
    }
    if body["temperature"] or draw(st.booleans()):
        body["seed"] = draw(st.integers(-(2**63), 2**63 - 1) | st.integers(0, 9))
    for name, values in OPTIONAL.items():
        if draw(st.booleans()):
            body[name] = draw(values)
    if body.get("echo") and draw(st.integers(0, 4)) == 0:
        body["max_tokens"] = 0
    if body["prompt"] is None and draw(st.booleans()):
        del body["prompt"]
    return body


def parts_of(text: str) -> st.SearchStrategy[str]:
    """Stop sequences that occur: pieces of a text, wherever its tokens begin and end."""
    starts = st.integers(0, max(0, len(text) - 1))
    return st.builds(lambda start, size: text[start : start + size], starts, st.integers(1, 8))
