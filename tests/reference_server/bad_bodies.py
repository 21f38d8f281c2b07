"""Invalid bodies: mutated requests, JSON of any shape, and arbitrary bytes.

Whatever of a drawn body is still a valid request stays cheap to answer.
"""

import json
from typing import Any

from hypothesis import strategies as st

from tests.reference_server.api import MODEL

CHEAP_TOKENS = 8

VALID: dict[str, list[Any]] = {
    "model": [MODEL, "davinci-002"],
    "prompt": ["a", "1, 2,", "", "世界 😀", ["a", "b"], [5, 6], [[5], [6, 7]], None],
    "suffix": [None, "end", ""],
    "max_tokens": [0, 1, 4, CHEAP_TOKENS, None],
    "temperature": [0, 0.5, 1, 2],
    "top_p": [0, 0.5, 1],
    "n": [1, 2, 3],
    "stream": [False, True, None],
    "stream_options": [None, {}, {"include_usage": True}, {"include_obfuscation": False}],
    "logprobs": [None, 0, 2, 5],
    "echo": [False, True],
    "stop": [None, "a", ["a", "\n"], [], ""],
    "presence_penalty": [-2, 0, 1.5],
    "frequency_penalty": [-2, 0, 1.5],
    "best_of": [None, 0, 1, 3, 20],
    "logit_bias": [None, {}, {"5": -100}, {"5": 1.5, "6": 100}],
    "seed": [None, 0, -1, 2**63 - 1],
    "user": ["someone", ""],
}

NUMERIC = [
    *("max_tokens", "temperature", "top_p", "n", "logprobs", "presence_penalty"),
    *("frequency_penalty", "best_of", "seed"),
]
NUMBERS: list[float] = [
    *(
        -(10**30),
        -(2**63) - 1,
        -101,
        -3,
        -2.0000001,
        -1,
        -0.0,
        0,
        1e-320,
        0.5,
        1,
        1.0,
        1.5,
        2,
        5,
        6,
    ),
    *(2.0000001, 20, 21, 100, 101, 128, 129, 2048, 4095, 4096, 2**31, 2**63, 10**30, 1e308),
]

# What Python's writer would not write, but a client may; put in by name after the writing.
ODD_NUMBERS = [
    *("NaN", "Infinity", "-Infinity", "1e400", "-1e400", "1e-400", "-0", "-0.0", "01", "+1", ".5"),
    *("1.", "1e", "0x10", "1_0", "9" * 400, "9" * 4300, "9" * 5000, f"0.{'1' * 5000}", "١"),
]
ODD_STRINGS = [
    *('"\\ud800"', '"\\udc00x"', '"\\ud83d\\ude00"', '"\\u0000"', '"\\x"', '"\\u12"', "'a'", '"'),
    *('"\t"', '"\x00"', '"<|endoftext|>"', '"<|fim_middle|>"', "undefined", "True", "[,]", "{,}"),
]
_ODD = {f"<odd {place}>": text for place, text in enumerate([*ODD_NUMBERS, *ODD_STRINGS])}

Pairs = list[tuple[str, Any]]

_leaves = (
    st.none()
    | st.booleans()
    | st.sampled_from(NUMBERS)
    | st.sampled_from(sorted(_ODD))
    | st.text(max_size=5)
    | st.sampled_from(["1", "true", "null", MODEL, "a" * 10_000])
)
json_values = st.recursive(
    _leaves,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(max_size=3) | st.sampled_from(["5", "-1"]), inner, max_size=3)
        | inner.map(lambda value: [value])
        | inner.map(lambda value: [value] * 5)
    ),
    max_leaves=6,
)


@st.composite
def requests(draw: st.DrawFn) -> Pairs:
    """A valid request, but for what some parameters say of each other."""
    names = draw(st.lists(st.sampled_from([*VALID][2:]), unique=True, max_size=6))
    return [(name, draw(st.sampled_from(VALID[name]))) for name in ["model", "prompt", *names]]


@st.composite
def measured(draw: st.DrawFn) -> Pairs:
    """A small valid request with one number, on a boundary or past it, where a number belongs."""
    name = draw(st.sampled_from(NUMERIC))
    return [("model", MODEL), ("prompt", "a"), (name, draw(st.sampled_from(NUMBERS)))]


@st.composite
def mutated(draw: st.DrawFn) -> Pairs:
    """A valid request with one to three of its members gone wrong."""
    pairs = draw(requests())
    for _ in range(draw(st.integers(1, 3))):
        place = draw(st.integers(0, len(pairs) - 1))
        name, value = pairs[place]
        wrong = draw(json_values)
        match draw(st.sampled_from(["value", "other", "new", "twice", "gone", "wrapped", "name"])):
            case "value":
                pairs[place] = (name, wrong)
            case "other":
                pairs[place] = (name, draw(st.sampled_from(VALID[draw(st.sampled_from([*VALID]))])))
            case "new":
                pairs.append((draw(st.sampled_from([*VALID])), wrong))
            case "twice":
                pairs.append((name, draw(st.just(value) | st.just(wrong))))
            case "gone" if len(pairs) > 1:
                del pairs[place]
            case "wrapped":
                pairs[place] = (name, draw(st.sampled_from([[value], {"a": value}, [[value]]])))
            case _:
                pairs[place] = (draw(st.text(max_size=8) | st.just(name.upper())), value)
    return pairs


def written(pairs: Pairs) -> bytes:
    """The object as text. A number of tokens that would be served is made a small one."""
    members = []
    for name, value in pairs:
        cheap = min(value, CHEAP_TOKENS) if _costs(name, value) else value
        members.append(f"{json.dumps(name)}:{json.dumps(cheap)}")
    text = "{" + ",".join(members) + "}"
    for name, outlier in _ODD.items():
        text = text.replace(json.dumps(name), outlier)
    return text.encode("utf-8", "surrogatepass")


def _costs(name: str, value: Any) -> bool:
    return name == "max_tokens" and isinstance(value, int) and value <= 4096


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A valid request with some of its bytes cut off, flipped, put in or encoded otherwise."""
    body = written(draw(requests()))
    place = draw(st.integers(0, len(body) - 1))
    before, after = body[:place], body[place:]
    match draw(st.sampled_from(["cut", "flip", "insert", "delete", "deep", "encoding", "around"])):
        case "cut":
            body = before
        case "flip":
            body = before + bytes([after[0] ^ (1 << draw(st.integers(0, 7)))]) + after[1:]
        case "insert":
            body = before + draw(st.binary(min_size=1, max_size=4)) + after
        case "delete":
            body = before + after[draw(st.integers(1, 5)) :]
        case "deep":
            depth = draw(st.sampled_from([3, 500, 970, 980, 985, 990, 995, 1000, 20_000]))
            deep = b"[" * depth + b"]" * draw(st.sampled_from([depth, depth - 1]))
            body = body[:-1] + b',"\\u0075ser":' + deep + b"}"
        case "encoding":
            encoding = draw(st.sampled_from(["utf-16", "utf-32-le", "utf-8-sig", "utf-7"]))
            body = body.decode("utf-8").encode(encoding)
        case _:
            ends = [b"", b" ", b"\r\n\t", b"\x00", b"\xef\xbb\xbf", b"//", b"[]", b"data: ", body]
            body = draw(st.sampled_from(ends)) + body + draw(st.sampled_from(ends))
    return body


bodies = st.one_of(
    requests().map(written),
    measured().map(written),
    mutated().map(written),
    mutated().map(written),
    mutated().map(written),
    damaged(),
    damaged(),
    json_values.map(lambda value: written([("model", MODEL), ("prompt", value)])),
    json_values.map(lambda value: written([("model", MODEL), ("prompt", "a"), ("stop", value)])),
    st.dictionaries(st.sampled_from([*VALID]), json_values, max_size=8).map(
        lambda members: written([("max_tokens", 1), *members.items()])
    ),
    json_values.map(lambda value: json.dumps(value).encode()),
    st.binary(max_size=40),
)
