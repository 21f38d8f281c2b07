"""What any answer to the request has to be: answered, with a choice for each one asked for."""

from __future__ import annotations

from collections.abc import Iterator

from conformance.docs_audit.expectations.case import Case
from conformance.judgement import Deviation, expect, shown

LONGEST = 300
"""Characters of an error that are shown."""

FINISHES = ("stop", "length", "content_filter")


def answered(case: Case) -> None:
    """The client got an answer, and with status 200."""
    reply = case.reply
    if reply.failure is not None:
        status = "" if reply.status is None else f"status {reply.status}, "
        raise Deviation("an answer", f"{status}{reply.failure[:LONGEST]}")
    if reply.status not in {None, 200}:
        body = reply.raw if reply.raw is not None else shown(reply.answer)
        raise Deviation("status 200", f"status {reply.status}: {body[:LONGEST]}")


def media_type(case: Case) -> None:
    """The answer says what it is: JSON, or server-sent events where a stream was asked for."""
    told = (case.reply.content_type or "").partition(";")[0].strip().lower()
    expect(told, "Content-Type").equals(
        "text/event-stream" if case.streamed else "application/json"
    )


def choices(case: Case) -> None:
    """Every prompt has its n choices, each with an index of its own, from 0."""
    wanted = list(range(len(case.prompts) * case.copies))
    indices = sorted(choice.index for choice in case.choices)
    if indices != wanted:
        raise Deviation(
            f"{len(wanted)} choices with the indices {shown(wanted)}", f"indices {shown(indices)}"
        )


def text(case: Case) -> None:
    """Every choice has a text, and one that was cut at the limit has something in it."""
    for choice in case.choices:
        written = choice.text
        if choice.finish_reason == "length" and case.count("max_tokens") != 0:
            expect(written, f"{choice.where}.text").is_not_empty()


def finish_reason(case: Case) -> None:
    """Every choice says why it ended."""
    for choice in case.choices:
        expect(choice.finish_reason, f"finish_reason of {choice.where}").one_of(*FINISHES)


def kind(case: Case) -> None:
    """The answer calls itself a text completion, in every chunk of a stream."""
    for document in case.documents:
        expect(document.get("object"), "object").equals("text_completion")


def stop(case: Case) -> None:
    """No stop sequence is in what was generated."""
    for sequence in _stops(case):
        for choice in case.choices:
            expect(case.generated(choice), f"{choice.where}.text").lacks(sequence)


def echo(case: Case) -> None:
    """Every text begins with its own prompt."""
    for choice in case.choices:
        prompt = case.prompt_of(choice)
        if isinstance(prompt, str):
            expect(choice.text, f"{choice.where}.text").starts_with(prompt)


def _stops(case: Case) -> Iterator[str]:
    asked = case.request.get("stop")
    for sequence in asked if isinstance(asked, list) else [asked]:
        if isinstance(sequence, str) and sequence:
            yield sequence
