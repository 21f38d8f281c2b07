"""Any response of an endpoint is judged without an error."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from conformance.docs_audit.clients import ClientResponse
from conformance.docs_audit.clients.response import of_body
from conformance.docs_audit.expectations import Case, judge
from conformance.docs_audit.page_reader import PAGES, load_page
from conformance.docs_audit.replay import request_of, sendable

EXAMPLES = [(page, e) for page in map(load_page, PAGES) for e in sendable(page)]
NAMES = st.sampled_from(
    [
        *("id", "object", "created", "model", "choices", "usage", "index", "text", "logprobs"),
        *("finish_reason", "tokens", "token_logprobs", "top_logprobs", "text_offset"),
        *("prompt_tokens", "completion_tokens", "total_tokens", "error", "[DONE]", ""),
    ]
)
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-2, 2**70),
    st.floats(),
    st.sampled_from(["text_completion", "length", "stop", "\ud800", "[DONE]", "\x1b[31m"]),
)
ANYTHING = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=8),
    max_leaves=25,
)
CHOICES = st.lists(
    st.fixed_dictionaries(
        {},
        optional={
            "index": SCALARS | st.integers(0, 1),
            "text": SCALARS | st.text(),
            "finish_reason": SCALARS,
            "logprobs": ANYTHING,
        },
    ),
    max_size=3,
)
RESPONSES = ANYTHING | st.fixed_dictionaries(
    {"choices": CHOICES | ANYTHING},
    optional={"object": SCALARS, "id": ANYTHING, "model": ANYTHING, "usage": ANYTHING},
)

many = settings(max_examples=150, derandomize=True, deadline=None)


def unmet(example: int, response: ClientResponse) -> list[str]:
    page, one = EXAMPLES[example]
    return [u.expectation for u in judge(Case(page, one, request_of(one), response))[1]]


@many
@given(st.integers(0, len(EXAMPLES) - 1), RESPONSES, st.lists(RESPONSES, max_size=4))
def test_any_response_is_judged(example: int, response: Any, chunks: list[Any]) -> None:
    http_response = ClientResponse(200, "application/json", None, response, tuple(chunks), None)
    # A drawn answer that every expectation holds for would have to be made on purpose.
    assert unmet(example, http_response)


@many
@given(st.integers(0, len(EXAMPLES) - 1), st.text() | st.sampled_from(["data: {}\n\n", "data: 1"]))
def test_any_body_is_read_and_judged(example: int, raw: str) -> None:
    streamed = request_of(EXAMPLES[example][1]).get("stream") is True
    response = of_body(raw, status=200, content_type=None, failure=None, streamed=streamed)
    assert unmet(example, response)
