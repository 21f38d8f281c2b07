"""Expectations for counts: usage, max_tokens, logprobs."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

from conformance.docs_audit.expectations.case import Case
from conformance.judgement import Failure, expect, shown
from conformance.message import say
from conformance.protocol.completion import Choice, Usage


def usage(case: Case) -> None:
    """The total is the sum, and neither prompt nor completion tokens are missing."""
    usage = _usage(case)
    expect(usage.total_tokens, "total_tokens").equals(usage.prompt_tokens + usage.completion_tokens)
    if any(case.prompts):
        expect(usage.prompt_tokens, "prompt_tokens").at_least(1)
    if any(case.generated(choice) for choice in case.choices):
        expect(usage.completion_tokens, "completion_tokens").at_least(1)


def max_tokens(case: Case) -> None:
    """At most ``max_tokens`` tokens are generated, or the page's default."""
    limit = limit_of(case)
    if limit is None:
        return
    for choice in case.choices:
        if choice.has_logprobs and case.request.get("echo") is not True:
            tokens = len(choice.logprobs.tokens)
            expect(tokens, say("tokens of {where}", where=choice.where)).at_most(limit)
    if not isinstance(case.body.get("usage"), Mapping):
        return
    written = _usage(case).completion_tokens
    candidates = max(case.choices_per_prompt, case.count("best_of") or 1) * len(case.prompts)
    expect(written, "completion_tokens").at_most(limit * candidates)
    if candidates == 1 and case.choices[0].finish_reason == "length" and case.count("max_tokens"):
        # With max_tokens in the request, only this limit gives the finish_reason `length`.
        expect(written, say("completion_tokens of a choice cut at max_tokens")).equals(limit)


def limit_of(case: Case) -> int | None:
    """Return the maximum tokens per choice: the request's, or the page's default, or None."""
    if case.request.get("max_tokens") is not None:
        return case.count("max_tokens")
    parameter = case.page.parameter("max_tokens")
    default = parameter.default if parameter else None
    return default if isinstance(default, int) and not isinstance(default, bool) else None


def logprobs(case: Case) -> None:
    """Every choice has four arrays of equal length, with at most the requested alternatives."""
    request = case.count("logprobs") or 0
    for choice in case.choices:
        given = choice.logprobs
        # Without requested alternatives, top_logprobs may be null.
        none_due = request == 0 and given.raw.get("top_logprobs") is None
        tables = [None] * len(given.tokens) if none_due else given.top_logprobs
        lengths = {
            "tokens": len(given.tokens),
            "token_logprobs": len(given.token_logprobs),
            "top_logprobs": len(tables),
            "text_offset": len(given.text_offset),
        }
        expect(lengths, say("lengths in {where}", where=given.where)).satisfies(
            lambda seen: len(set(seen.values())) == 1, say("all the same")
        )
        for value in given.token_logprobs:
            if value is not None:
                expect(value, f"{given.where}.token_logprobs[]").satisfies(
                    lambda v: isinstance(v, int | float) and v <= 0, say("at most 0")
                )
        for table in tables:
            if isinstance(table, Mapping):
                # The sampled token may be added to the alternatives.
                expect(
                    len(table), say("entries in {where}.top_logprobs[]", where=given.where)
                ).at_most(request + 1)
        _assert_offsets(given.text_offset, given.where)
        _assert_tokens(choice)


def _assert_offsets(offsets: list[object], where: str) -> None:
    numbers = [o for o in offsets if isinstance(o, int) and not isinstance(o, bool)]
    if len(numbers) < len(offsets) or any(a > b for a, b in pairwise(numbers)):
        raise Failure(
            say("{where}.text_offset rising integers", where=where),
            say("text_offset = {offsets}", offsets=shown(offsets)),
        )


def _assert_tokens(choice: Choice) -> None:
    """Assert that the tokens join to the text, unless it was cut or has partial characters."""
    tokens = choice.logprobs.tokens
    readable = all(map(_is_whole, tokens))
    if choice.finish_reason == "length" and readable:
        joined = "".join(tokens)
        if joined != choice.text:
            raise Failure(
                say(
                    "tokens that join to {where}.text = {text}",
                    where=choice.where,
                    text=shown(choice.text),
                ),
                shown(joined),
            )


def _is_whole(token: object) -> bool:
    """Return whether a token consists of complete characters."""
    return isinstance(token, str) and not token.startswith("bytes:") and "\ufffd" not in token


def _usage(case: Case) -> Usage:
    value = case.body.get("usage")
    if not isinstance(value, Mapping):
        raise Failure(say("a usage object"), say("usage = {value}", value=shown(value)))
    return Usage(value)
