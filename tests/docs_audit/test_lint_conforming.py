"""Unusual valid pages have no findings; repeated defects have one each."""

from __future__ import annotations

from dataclasses import replace

import pytest

from conformance.docs_audit.lint import lint
from conformance.docs_audit.page import Client, ListedField, Page
from tests.docs_audit.builders import (
    ARRAYS,
    DESCRIPTION,
    SCORED,
    SOUND,
    STREAM,
    STREAMED,
    a_chunk,
    a_page,
    a_parameter,
    a_sample,
    a_stream,
    an_example,
    code,
    scored,
    with_answer,
    with_example,
    with_stream,
)

CONFORMING: dict[str, Page] = {
    "an openapi example may leave out what is optional": with_example(client=Client.OPENAPI),
    "a fragment is no request": a_page(
        examples=(
            *SOUND.examples,
            an_example("part", client=Client.FRAGMENT, request={"model": None}),
        )
    ),
    "a whole number is a number": with_example(request={"temperature": 0}),
    "a stream that is not asked for does not exclude": a_page(
        parameters=(*SOUND.parameters, a_parameter("suffix", "string", not_with=("echo",))),
        examples=(*SOUND.examples, an_example("suffix", request={"suffix": ".", "echo": False})),
    ),
    "one of the values that the page knows": a_page(
        parameters=(*SOUND.parameters, a_parameter("suffix", "string", values=("a", "b"))),
        examples=(*SOUND.examples, an_example("suffix", request={"suffix": "b"})),
    ),
    "a batch of one needs no index": a_page(
        examples=(
            *SOUND.examples,
            code("one", request={"prompt": ["a"]}, reads=("choices[0].text",)),
        )
    ),
    "one prompt of tokens is one prompt": a_page(
        examples=(
            *SOUND.examples,
            code("ids", request={"prompt": [1, 2]}, reads=("choices[0].text",)),
        )
    ),
    "a batch whose index is read": a_page(
        examples=(
            *SOUND.examples,
            code(
                "two", request={"prompt": ["a", "b"]}, reads=("choices[].text", "choices[].index")
            ),
        )
    ),
    "a name from an earlier example in the language": a_page(
        examples=(an_example(), code(), STREAMED, code("next", defines=(), uses=("response",)))
    ),
    "log probabilities that were asked for": with_answer(**SCORED),
    "a counted end token": with_answer(
        request={"logprobs": 1, "max_tokens": 9},
        choice={"logprobs": ARRAYS},
        usage={"completion_tokens": 4, "total_tokens": 5},
    ),
    "tokens beyond a stop sequence": with_answer(
        request={"logprobs": 1, "stop": " time"},
        choice={"logprobs": ARRAYS, "text": " upon a"},
    ),
    "a part of a character": scored(tokens=[" upon", "bytes:\\xe2\\x80", " time"]),
    "the last token is used up before a stop sequence": with_answer(
        request={"stop": "\n"}, usage={"completion_tokens": 4, "total_tokens": 5}
    ),
    "an echoed prompt holds the stop sequence": with_answer(
        request={"stop": "Once", "echo": True}, choice={"text": "Once upon a time"}
    ),
    "a dated form of the model's name": with_answer(model="some-model-2026-01-01"),
    "the same answer, printed twice": a_page(
        samples=(a_sample(), a_sample(name="again", answers=("python",)), STREAM)
    ),
    "a field whose members are listed": a_page(
        fields=(*SOUND.fields, ListedField("choices"), ListedField("usage"))
    ),
    "a stream in CRLF": a_page(
        samples=(a_sample(), replace(STREAM, text=(STREAM.text or "").replace("\n", "\r\n")))
    ),
    "a stream that ends on an empty chunk": with_stream(a_chunk(" as far"), a_chunk("", "length")),
    "a schema that refers to another": a_page(
        openapi=replace(DESCRIPTION, response={"$ref": "#/components/schemas/Completion"})
    ),
    "a page that is no OpenAPI description": a_page(openapi=None),
    "a stop sequence that is the empty string": with_answer(request={"stop": ""}),
}


@pytest.mark.parametrize("page", CONFORMING.values(), ids=CONFORMING)
def test_conforming_pages_are_not_reported(page: Page) -> None:
    assert [(finding.rule, finding.place, finding.wrong) for finding in lint(page)] == []


def test_each_broken_line_of_a_sample_is_found() -> None:
    text = '{\n"id": "cmpl-1"\n"choices": [1, 2,],\n"usage": {"total_tokens": 1,}\n}'
    places = [f.place for f in lint(a_page(samples=(a_sample(text),))) if "json" in f.rule]
    assert places == [f"samples: answer, line {line}" for line in (2, 3, 4)]


def test_stream_without_events_has_no_stream_findings() -> None:
    page = a_page(samples=(replace(STREAM, text='{"choices": [{"finish_reason": null}]}'),))
    assert not {f.rule for f in lint(page)} & {"stream.no-done", "stream.no-finish"}


def test_streamed_choices_are_distinguished_by_index() -> None:
    two = an_example("streamed", request={"prompt": "Twice", "stream": True, "n": 2})
    chunks = [a_chunk(" as", "stop"), a_chunk(" far")]
    chunks[1]["choices"][0]["index"] = 1
    page = a_page(examples=(*SOUND.examples[:2], two), samples=(a_sample(), a_stream(*chunks)))
    assert [(f.rule, f.wrong[:21]) for f in lint(page)] == [
        ("stream.no-finish", "choice 1 never ends; ")
    ]
