"""Expectations for every response: status, media type, choices, stop sequences, echo."""

from __future__ import annotations

from collections.abc import Iterator

from conformance.docs_audit.expectations.case import Case
from conformance.judgement import Failure, expect, shown
from conformance.message import say, verbatim

MAX_ERROR_CHARS = 300
"""Maximum characters of an error message."""

FINISHES = ("stop", "length", "content_filter")


def is_answered(case: Case) -> None:
    """The client got a response with status 200."""
    response = case.response
    if response.failure is not None:
        seen = verbatim(response.failure[:MAX_ERROR_CHARS])
        if response.status is not None:
            seen = say("status {status}, {error}", status=response.status, error=seen)
        raise Failure(say("a response"), seen)
    if response.status not in {None, 200}:
        body = response.raw if response.raw is not None else shown(response.response)
        raise Failure(
            say("status {status}", status=200),
            say("status {status}: {body}", status=response.status, body=body[:MAX_ERROR_CHARS]),
        )


def media_type(case: Case) -> None:
    """The media type is JSON, or server-sent events if a stream was requested."""
    result = (case.response.content_type or "").partition(";")[0].strip().lower()
    expect(result, "Content-Type").equals(
        "text/event-stream" if case.streamed else "application/json"
    )


def choices(case: Case) -> None:
    """Every prompt has n choices, with unique indexes from 0."""
    wanted = list(range(len(case.prompts) * case.choices_per_prompt))
    indices = sorted(choice.index for choice in case.choices)
    if indices != wanted:
        raise Failure(
            say(
                "{count} choices with the indices {indices}",
                count=len(wanted),
                indices=shown(wanted),
            ),
            say("indices {indices}", indices=shown(indices)),
        )


def text(case: Case) -> None:
    """Every choice has a text, which is not empty if it ended at the limit."""
    for choice in case.choices:
        written = choice.text
        if choice.finish_reason == "length" and case.count("max_tokens") != 0:
            expect(written, f"{choice.where}.text").is_not_empty()


def finish_reason(case: Case) -> None:
    """Every choice has a finish reason."""
    for choice in case.choices:
        expect(choice.finish_reason, say("finish_reason of {choice}", choice=choice.where)).one_of(
            *FINISHES
        )


def kind(case: Case) -> None:
    """``object`` is ``text_completion``, in every chunk of a stream."""
    for document in case.documents:
        expect(document.get("object"), "object").equals("text_completion")


def stop(case: Case) -> None:
    """No stop sequence is in the generated text."""
    for sequence in _stops(case):
        for choice in case.choices:
            expect(case.generated(choice), f"{choice.where}.text").lacks(sequence)


def echo(case: Case) -> None:
    """Every text begins with its prompt."""
    for choice in case.choices:
        prompt = case.prompt_of(choice)
        if isinstance(prompt, str):
            expect(choice.text, f"{choice.where}.text").starts_with(prompt)


def _stops(case: Case) -> Iterator[str]:
    request = case.request.get("stop")
    for sequence in request if isinstance(request, list) else [request]:
        if isinstance(sequence, str) and sequence:
            yield sequence
