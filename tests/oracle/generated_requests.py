"""Generate requests over the whole parameter space, with more weight on edge cases."""

from collections.abc import Sequence
from typing import Any

from hypothesis import strategies as st

from tests.oracle.request import predictable

VOCABULARY = 4096
MAX_TOKENS = 120
"""Tokens a drawn request may sample over all its candidates, so that a draw stays cheap."""

Body = dict[str, Any]

# What the bundled model goes on with surely, and what it does not know how to go on with.
LIVELY = st.sampled_from(
    [
        "1, 2, 3, 4, 5,",
        "red green blue red green blue red",
        "Monday, Tuesday,",
        "Once upon a time",
        "一、二、三、",
        "春眠不觉晓，处处闻啼鸟。",
        "🎉 🎈 🎉 🎈 🎉",
        "🌟🍎🚀\n🌟🍎🚀\n",
        "Say this is a test",
        "The old king sees the small cat.\nThe old king",
    ]
)
PIECES = st.one_of(
    st.sampled_from(["the", " and ", "time", "Hello, world", "http://", "x=1;", "'s", "  "]),
    st.sampled_from(["世界", "，", "龘", "한국", "日本語", "الله", "ру́сский"]),
    st.sampled_from(["😀", "👩‍👩‍👧", "🏳️‍🌈", "🇨🇳", "e\u0301", "a\u0308\u0323", "\u200d", "\ufe0f"]),
    st.sampled_from(
        ["\n", "\n\n", "\t", "\r\n", " ", "\u3000", "\x00", "\x7f", "\x1b[0m", "\ufeff"]
    ),
    st.sampled_from(["<|endoftext|>", "<|fim_middle|>", "<|endof", "\ufffd", "bytes:\\xe4"]),
    st.characters(codec="utf-8"),
)
TEXTS = LIVELY | st.lists(PIECES, max_size=6).map("".join)

# In a byte-level vocabulary the ids after the marks are single bytes: parts of characters, mostly.
TOKENS = st.integers(0, VOCABULARY - 1) | st.integers(0, 259)
SHORT = st.lists(TOKENS, min_size=1, max_size=10)
# Long enough for the server to read them in several parts; any tokens will do.
LONG = st.integers(40, 440).map(lambda size: [7 * place % VOCABULARY for place in range(size)])
TOKEN_ARRAYS = st.one_of(SHORT, SHORT, SHORT, LONG)
PROMPTS = st.one_of(
    TEXTS,
    TEXTS,
    TOKEN_ARRAYS,
    st.lists(TEXTS, min_size=1, max_size=3),
    st.lists(TOKEN_ARRAYS, min_size=1, max_size=3),
)

SEEDS = st.integers(0, 9) | st.integers(-(2**63), 2**63 - 1) | st.sampled_from([-1, 2**63 - 1])
BIASES = st.dictionaries(
    (TOKENS | st.sampled_from([0, 0, 1, 2, 3])).map(str),
    st.sampled_from([-100, 100, -1, 1, 5, 20.5]) | st.floats(-100, 100),
    max_size=5,
)
PENALTIES = st.sampled_from([-2, 2, 0, 0.5, 2.0]) | st.floats(-2, 2)
LENGTHS = st.one_of(st.integers(1, 10), st.integers(1, 10), st.integers(8, 40), st.integers(30, 90))

SHAPE = {
    "prompt": PROMPTS,
    "suffix": st.just("") | TEXTS,
    "max_tokens": st.one_of(LENGTHS, LENGTHS, LENGTHS, st.just(0)),
    "temperature": st.one_of(
        st.just(0), st.sampled_from([0.0, 0.3, 1, 1.5, 2, 1e-9]), st.floats(0.05, 2)
    ),
    "top_p": st.sampled_from([0, 1, 0.1, 0.5, 0.9]) | st.floats(0, 1),
    "n": st.integers(1, 4) | st.integers(1, 20),
    "best_of": st.integers(0, 5) | st.integers(0, 20),
    "stream": st.sampled_from([True, True, False]),
    "stream_options": st.fixed_dictionaries(
        {}, optional={"include_usage": st.booleans(), "include_obfuscation": st.booleans()}
    ),
    "logprobs": st.integers(0, 5),
    "echo": st.sampled_from([True, True, False]),
    "presence_penalty": PENALTIES,
    "frequency_penalty": PENALTIES,
    "logit_bias": BIASES,
    "seed": SEEDS,
}
# Of ten requests, so many leave a parameter out; of the others, one in ten says null.
ABSENT = {"prompt": 1, "suffix": 8, "seed": 2, "stream_options": 3, "logprobs": 3, "n": 4}


@st.composite
def bodies(draw: st.DrawFn) -> Body:
    """A request without `stop` that a server has to serve."""
    body: Body = {}
    for name, values in SHAPE.items():
        share = draw(st.integers(0, 9))
        if share >= ABSENT.get(name, 5):
            body[name] = draw(values) if share < 9 or draw(st.booleans()) else None
    if draw(st.integers(0, 9)) == 0:
        body["user"] = draw(TEXTS)
    _make_servable(body)
    _make_affordable(body)
    if not predictable(body):
        # What is sampled without a seed can be judged only if the answer shows all of it.
        if "best_of" in body:
            body["seed"] = draw(SEEDS)
        elif body.get("logprobs") is None:
            body["logprobs"] = 0
    return body


def _make_servable(body: Body) -> None:
    """Take out what the documents rule out together."""
    if body.get("max_tokens") == 0:
        body["echo"] = True
    if not body.get("stream"):
        body.pop("stream_options", None)
    elif (body.get("best_of") or 0) > 0:
        del body["best_of"]
    if 0 < (body.get("best_of") or 0) < (body.get("n") or 1):
        body["n"], body["best_of"] = body["best_of"], body["n"]


def _make_affordable(body: Body) -> None:
    prompt = body.get("prompt")
    batch = len(prompt) if isinstance(prompt, list) and not isinstance(prompt[0], int) else 1
    candidates = batch * max(body.get("n") or 1, body.get("best_of") or 1)
    length = body.get("max_tokens")
    if (16 if length is None else length) * candidates > MAX_TOKENS:
        body["max_tokens"] = MAX_TOKENS // candidates


def stops(texts: Sequence[str]) -> st.SearchStrategy[Any]:
    """Stop sequences for an answer that would be one of these texts: most of them occur in it."""
    cuts = st.sampled_from(texts).flatmap(_cuts) if any(texts) else st.just("")
    near = st.tuples(cuts, st.sampled_from(["§", "\x00", "e"])).map("".join)
    one = st.one_of(cuts, cuts, near, st.sampled_from(["", "\ufffd", "\n", "<|endoftext|>"]))
    # Of several that are complete at the same character, one has to be preferred.
    nested = cuts.flatmap(lambda cut: st.permutations([cut, cut[1:], cut[-1:]]))
    return st.one_of(one, st.lists(one, max_size=4), nested, st.none())


@st.composite
def _cuts(draw: st.DrawFn, text: str) -> str:
    """A part of a text, mostly a short one, wherever its tokens begin and end."""
    start = draw(st.integers(0, max(0, len(text) - 1)))
    length = draw(st.integers(1, 4) | st.integers(1, 40))
    return text[start : start + length]
