"""A small page without defects, and functions that add one."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from conformance.docs_audit.page import (
    Client,
    Description,
    Example,
    ListedField,
    Page,
    Parameter,
    Sample,
)

ENDPOINT = "https://api.example.com/v1/completions"
REQUEST: dict[str, Any] = {"model": "some-model", "prompt": "Once", "max_tokens": 4}


def a_parameter(name: str, type_: str, **more: Any) -> Parameter:
    """Make a parameter that is optional and has no default."""
    return Parameter(name, type_, **{"required": False, **more})


PARAMETERS = (
    a_parameter("model", "string", required=True),
    a_parameter("prompt", "string or array", required=True),
    a_parameter("max_tokens", "integer", has_default=True, default=16, minimum=0),
    a_parameter("n", "integer", has_default=True, default=1, minimum=1),
    a_parameter("stop", "string or array or null", has_default=True, most=4),
    a_parameter("logprobs", "integer or null", has_default=True),
    a_parameter("echo", "boolean", has_default=True, default=False),
    a_parameter("best_of", "integer", has_default=True, default=2, greater_than="n"),
    a_parameter(
        "temperature", "number", has_default=True, default=1.0, maximum=2, not_with=("top_p",)
    ),
    a_parameter("top_p", "number", has_default=True, default=1),
    a_parameter("stream", "boolean", has_default=True, default=False),
)

FIELDS = tuple(
    ListedField(path)
    for path in (
        *("id", "object", "created", "model", "choices[].text", "choices[].index"),
        *("choices[].logprobs.tokens", "choices[].logprobs.token_logprobs"),
        *("choices[].logprobs.top_logprobs", "choices[].logprobs.text_offset"),
        *("choices[].finish_reason", "usage.prompt_tokens", "usage.completion_tokens"),
        "usage.total_tokens",
    )
)


def an_example(name: str = "curl", **changes: Any) -> Example:
    """Make an example; ``request`` updates the common request; None removes a member."""
    request = {**REQUEST, **changes.pop("request", {})}
    settings = {
        "client": Client.CURL,
        "url": ENDPOINT,
        "authorization": "Bearer sk-xxxx",
        **changes,
    }
    kept = {key: value for key, value in request.items() if value is not None}
    return Example(name=name, request=kept, **settings)


def code(name: str = "python", **changes: Any) -> Example:
    """Make an example in Python."""
    settings = {
        "client": Client.OPENAI_PYTHON,
        "url": None,
        "authorization": None,
        "base_url": "https://api.example.com/v1",
        "key": "sk-xxxx",
        "defines": ("client", "response"),
        "uses": ("client",),
    }
    return an_example(name, **{**settings, **changes})


def an_answer(**changes: Any) -> dict[str, Any]:
    """Make the JSON of an answer of four tokens that stopped by itself after three."""
    choice = {"text": " upon a time", "index": 0, "logprobs": None, "finish_reason": "stop"}
    usage = {"prompt_tokens": 1, "completion_tokens": 3, "total_tokens": 4}
    return {
        "id": "cmpl-1",
        "object": "text_completion",
        "created": 1_700_000_000,
        "model": "some-model",
        "choices": [{**choice, **changes.pop("choice", {})}],
        "usage": {**usage, **changes.pop("usage", {})},
        **changes,
    }


def a_sample(response: object = None, **changes: Any) -> Sample:
    """Make a plain sample; ``answer`` is JSON, or the text as it is printed."""
    printed = an_answer() if response is None else response
    text = printed if isinstance(printed, str) else json.dumps(printed, indent=2)
    return Sample(
        **{"name": "answer", "answers": ("curl",), "kind": "plain", "text": text, **changes}
    )


def a_chunk(text: str, finish: str | None = None, **changes: Any) -> dict[str, Any]:
    """Make a chunk of a stream."""
    whole = an_answer(choice={"text": text, "finish_reason": finish}, id="cmpl-2", **changes)
    del whole["usage"]
    return whole


def a_stream(*chunks: object, done: bool = True, between: str = "\n\n") -> Sample:
    """Make a sample of a stream, the answer to the example ``streamed``."""
    events = [json.dumps(chunk) for chunk in chunks] + (["[DONE]"] if done else [])
    text = between.join(f"data: {event}" for event in events) + "\n"
    return Sample("stream", ("streamed",), "stream", text)


STREAMED = an_example("streamed", request={"prompt": "Twice", "stream": True})
STREAM = a_stream(a_chunk(" as"), a_chunk(" far", "length"))

DESCRIPTION = Description(
    text="openapi: 3.1.0\npaths:\n  /v1/completions:\n    post: {}\n",
    security=({"bearer": []},),
    servers=("https://api.example.com",),
    response={"type": "object", "properties": {"id": {"type": "string"}}},
)

SOUND = Page(
    document="example",
    title="api.example.com, completions",
    endpoint=ENDPOINT,
    parameters=PARAMETERS,
    examples=(an_example(), code(), STREAMED),
    samples=(a_sample(), STREAM),
    fields=FIELDS,
    errors=(400, 401, 404, 429),
    openapi=DESCRIPTION,
)


def a_page(**changes: Any) -> Page:
    """Make a page that is sound but for what is changed."""
    return replace(SOUND, **changes)


def with_parameter(name: str, **changes: Any) -> Page:
    """Make a page with one parameter changed."""
    return a_page(
        parameters=tuple(
            replace(parameter, **changes) if parameter.written == name else parameter
            for parameter in SOUND.parameters
        )
    )


def with_example(**changes: Any) -> Page:
    """Make a page whose first example is changed."""
    return a_page(examples=(an_example(**changes), *SOUND.examples[1:]))


def with_answer(**changes: Any) -> Page:
    """Make a page whose plain sample is changed; ``request`` changes what it answers."""
    example = an_example(request=changes.pop("request", {}))
    return a_page(
        examples=(example, *SOUND.examples[1:]), samples=(a_sample(an_answer(**changes)), STREAM)
    )


def with_stream(*chunks: object, **changes: Any) -> Page:
    """Make a page whose sample of a stream is changed."""
    return a_page(samples=(a_sample(), a_stream(*chunks, **changes)))


ARRAYS = {
    "tokens": [" upon", " a", " time"],
    "token_logprobs": [-0.1, -0.2, -0.3],
    "top_logprobs": [{" upon": -0.1}, {" a": -0.2}, {" time": -0.3}],
    "text_offset": [4, 9, 11],
}
SCORED = {"request": {"logprobs": 1}, "choice": {"logprobs": ARRAYS}}


def scored(**changes: object) -> Page:
    """Make a page whose sample has log probabilities, changed or, where None, left out."""
    arrays = {name: values for name, values in {**ARRAYS, **changes}.items() if values is not None}
    return with_answer(request={"logprobs": 1}, choice={"logprobs": arrays})
