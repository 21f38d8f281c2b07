"""Corner cases of the parameters, listed by name."""

from typing import Any

import pytest

from tests.oracle.oracle import MODEL, Oracle

Body = dict[str, Any]

HALF: Body = {"prompt": [164, 120], "logit_bias": {"248": 100}, "logprobs": 1, "max_tokens": 2}
"""Two of the three bytes of 世, and its last byte is all that can come."""
CUT: Body = {"prompt": "a", "logit_bias": {"164": 100}, "logprobs": 2, "max_tokens": 2}
"""Nothing can come but the first byte of a character."""
ENDS: Body = {"prompt": "世界", "logit_bias": {"0": 100}, "logprobs": 0}

COUNTING: Body = {"prompt": "1, 2, 3,", "temperature": 0}

CORNERS: dict[str, Body] = {
    "the whole context": {
        "prompt": [9, 8, 7, 6] * 510,
        "max_tokens": 8,
        "echo": True,
        "logprobs": 5,
    },
    "most choices": {"prompt": "1, 2,", "n": 128, "seed": 1, "max_tokens": 3, "logprobs": 1},
    "most candidates": {"prompt": "1, 2,", "best_of": 20, "seed": 1, "max_tokens": 4},
    "stop sequences complete at once": {**COUNTING, "stop": ["5", " 5", ", 5"]},
    "stop sequences complete at once, longest first": {**COUNTING, "stop": [" 5", "5"]},
    "a stop sequence inside a longer one": {**COUNTING, "stop": [" 5, 6,", "6"]},
    "a stop sequence that begins twice": {
        **COUNTING,
        "prompt": "106, 107, 108, 109, 110,",  # goes on with 111
        "stop": "11,",
    },
    "the last of four stop sequences": {**COUNTING, "stop": ["x", "y", "7", " 5"]},
    "an echo with space around it": {"prompt": " \n a \n", "echo": True},
    "no length given": {"prompt": "1, 2, 3,", "temperature": 0},
    "choices of several prompts": {"prompt": ["1, 2,", "The", "a"], "n": 3, "max_tokens": 3},
    "hardly warm": {"prompt": "red green blue red", "temperature": 0.09, "n": 20, "max_tokens": 3},
    "several of the best": {"prompt": "The", "n": 4, "best_of": 9, "max_tokens": 5},
    "several of the best, scored": {
        "prompt": ["The", "A"],
        "n": 2,
        "best_of": 6,
        "logprobs": 1,
        "echo": True,
    },
    "a character begun in the prompt": HALF,
    "a character begun in the echo": {**HALF, "echo": True},
    "a stop sequence begun in the echo": {**HALF, "echo": True, "stop": "世"},
    "a stop sequence that is a broken character": {**HALF, "stop": "\ufffd"},
    "a broken character before a stop sequence": {**CUT, "stop": "b"},
    "a cut character that is a stop sequence": {**CUT, "stop": "\ufffd"},
    "a cut character in an echo without more": {"prompt": [164], "echo": True, "max_tokens": 0},
    "an end at once": ENDS,
    "an end at once, echoed": {**ENDS, "echo": True},
    "an end at once, where no stop sequence can be": {**ENDS, "echo": True, "stop": ["世", "界"]},
    "candidates without a token before the stop": {
        "prompt": "1, 2, 3,",
        "temperature": 0,
        "stop": " ",
        "best_of": 3,
        "n": 2,
    },
    "marks that bias asks for": {"prompt": "a", "logit_bias": {"1": 100, "2": 100}, "logprobs": 5},
    "marks in a prompt": {"prompt": "<|fim_prefix|>a<|endoftext|>", "echo": True, "logprobs": 5},
    "suffix and echo": {"prompt": "1, 2,", "suffix": " 4", "echo": True, "logprobs": 5},
    "suffix alone": {"suffix": " 4", "echo": True, "logprobs": 5},
    "suffix after a batch": {"prompt": ["", "1, 2,"], "suffix": " 4", "echo": True, "logprobs": 1},
    "hardly any temperature": {"prompt": "The", "temperature": 5e-324, "max_tokens": 4},
    "no nucleus": {"prompt": "The", "temperature": 2, "top_p": 0, "max_tokens": 4},
    "hardly any nucleus": {"prompt": "The", "temperature": 2, "top_p": 5e-324, "max_tokens": 4},
}


# A stream cannot choose among candidates.
SHAPES = [
    (name, stream)
    for name, body in CORNERS.items()
    for stream in (False, True)
    if not (stream and "best_of" in body)
]


@pytest.mark.parametrize(("name", "stream"), SHAPES)
def test_corner_case_matches_the_oracle(oracle: Oracle, name: str, stream: bool) -> None:
    options = {"stream": True, "stream_options": {"include_usage": True}} if stream else {}
    oracle.check({"model": MODEL, "seed": 0, **CORNERS[name], **options})
