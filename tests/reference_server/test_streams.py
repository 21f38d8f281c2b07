"""A joined stream equals the non-streaming response for any request."""

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from tests.lanes import sample_size
from tests.reference_server.api import MODEL, Api
from tests.reference_server.request_strategies import END, LOOSE, SNIPPETS, parts_of, requests
from tests.reference_server.streaming import SAME_IN_ALL, events, join
from tests.reference_server.utf8_definition import complete, raw

# Of what names an answer these two are its own.
NAMES = ("id", "created")


def streamed(api: Api, *, usage: bool, **body: Any) -> dict[str, Any]:
    """The answer that a stream amounts to, without what names it."""
    options = {"include_usage": usage} if usage else None
    response = api.post(**body, stream=True, stream_options=options)
    assert response.status_code == 200, response.text
    assert response.headers["content-type"].startswith("text/event-stream")
    return nameless(join(events(response.text), usage=usage))


def nameless(response: dict[str, Any]) -> dict[str, Any]:
    assert all(response[name] for name in SAME_IN_ALL)
    return {name: value for name, value in response.items() if name not in NAMES}


def test_joined_stream_equals_the_non_streaming_response(
    api: Api, request: pytest.FixtureRequest
) -> None:
    count = sample_size(request.config, "--stream-requests", default=60, full=300)

    @settings(
        derandomize=True,
        deadline=None,
        max_examples=count,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
    @given(data=st.data())
    def agree(data: st.DataObject) -> None:
        body = data.draw(requests(), "request")
        non_streaming = nameless(api.complete(**body))
        if data.draw(st.booleans(), "stops"):
            # Of the text behind the echo, so that they are found.
            echoed = {**body, "max_tokens": 0} if body.get("echo") else None
            before = api.complete(**echoed)["choices"][0]["text"] if echoed else ""
            text = non_streaming["choices"][0]["text"][len(before) :]
            body["stop"] = data.draw(
                st.lists(parts_of(text) | st.just("§"), min_size=1, max_size=4)
            )
            uncut, non_streaming = non_streaming, nameless(api.complete(**body))
            event("cut by a stop sequence" if non_streaming != uncut else "not cut")
        for choice in non_streaming["choices"]:
            event(f"finish_reason {choice['finish_reason']}")
            event("with U+FFFD", "\ufffd" in choice["text"])
        usage = data.draw(st.booleans(), "include_usage")
        if not usage:
            del non_streaming["usage"]
        assert non_streaming["model"] == MODEL
        assert streamed(api, usage=usage, **body) == non_streaming

    agree()


@pytest.mark.parametrize("prompt", SNIPPETS, ids=range(len(SNIPPETS)))
@pytest.mark.parametrize("bias", [0, 8], ids=["text", "parts of characters"])
def test_each_completed_character_has_a_separate_chunk(api: Api, prompt: str, bias: int) -> None:
    biases = {str(END): -100} | {str(token): bias for token in LOOSE}
    body = {"prompt": prompt, "seed": 6, "max_tokens": 24, "logit_bias": biases}
    tokens = [raw(token) for token in api.choice(**body, logprobs=0)["logprobs"]["tokens"]]
    read = [complete(b"".join(tokens[:count])) for count in range(len(tokens) + 1)]
    new = [text[len(before) :] for before, text in pairwise(read)]
    chunks = [chunk["choices"][0]["text"] for chunk in api.chunks(**body)]
    cut = b"".join(tokens).decode("utf-8", "replace")[len(read[-1]) :]
    # The last one is there in any case: it says how the choice ended.
    assert chunks == [*filter(None, new[:-1]), new[-1] + cut]
