"""Which number of an error is the context, and which is not."""

from __future__ import annotations

import pytest

from conformance.checks._shared.stated_context import context_in, context_in_list

STATED = [
    ("maximum context length is 4097 tokens, however you requested 10000001 (1 in it)", 4097),
    ("max_tokens=10000000 cannot be greater than max_model_len=max_total_tokens=1024.", 1024),
    ("Requested token count exceeds the model's maximum context length of 32,768 tokens.", 32_768),
    ("the request exceeds the available context size (2048 tokens), try increasing it", 2048),
    ("10000000 is above the 8192-token context window", 8192),
    ("请求的 10000000 个 token 超出模型的上下文长度 16384。", 16_384),
]

UNSTATED = [
    "max_tokens is too large: 10000000. This model supports at most 4096 completion tokens.",
    "Invalid max_tokens value, the valid range of max_tokens is [1, 8192]",
    "This model's maximum context length is -9997952 tokens. Your request has 8 input tokens.",
    "context length is 3 tokens, and 4096 is more",
    "context length exceeded (request 20261130)",
    "上下文",
    "context" * 1000 + "4096",
]


@pytest.mark.parametrize(("message", "context"), STATED)
def test_stated_context_is_read(message: str, context: int) -> None:
    assert context_in(message) == context


@pytest.mark.parametrize("message", UNSTATED)
def test_other_numbers_are_no_context(message: str) -> None:
    assert context_in(message) is None


def test_context_of_the_listed_model_is_read() -> None:
    listed = {"data": [{"id": "other", "max_model_len": 512}, {"id": "m", "max_model_len": 2048}]}
    assert context_in_list(listed, "m") == 2048
    assert context_in_list({"data": [{"id": "m", "max_model_len": True}]}, "m") is None
    assert context_in_list([7], "m") is None
