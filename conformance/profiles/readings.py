"""What clients read of a response, by name.

Each function reads a response as a client does. It returns if the client gets what it reads, and
raises a judgement otherwise: Failure or Refusal if the client does not, anything else if the
response does not show it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from conformance.judgement import Failure, Inconclusive, NotApplicable, shown
from conformance.message import say
from conformance.protocol.completion import Choice, Completion, Usage
from conformance.protocol.response import DONE
from conformance.protocol.sse import Event
from conformance.protocol.trace import RecordedExchange

Reading = Callable[[RecordedExchange], None]
Comparison = Callable[[RecordedExchange, Iterable[RecordedExchange]], None]
"""A reading that compares the response with those to the other requests of the profile."""


def text(seen: RecordedExchange) -> None:
    """Each choice has its text in ``text``."""
    for choice in _completion(seen).choices:
        _ = choice.text


def choices_by_index(seen: RecordedExchange) -> None:
    """There is a choice for each prompt, and ``index`` says which."""
    wanted = seen.request.choices
    indexes = [choice.index for choice in _completion(seen).choices]
    if indexes != list(range(wanted)):
        raise Failure(
            say("choices with the indexes {indexes}", indexes=tuple(range(wanted))),
            say("indexes {indexes}", indexes=tuple(indexes)),
        )


def choices_in_order(seen: RecordedExchange, others: Iterable[RecordedExchange]) -> None:
    """The choices of a batch come in the order of its prompts, whatever ``index`` says."""
    completion = _completion(seen)
    _ = completion.choices  # an array of objects
    texts = [choice.get("text") for choice in completion.raw["choices"]]
    prompts = seen.request.prompts
    if len(texts) != len(prompts):
        raise Failure(say("{count} choices", count=len(prompts)), shown(texts))
    alone = {one.request.prompts[0]: _alone(one) for one in others if _is_alike(seen, one)}
    expected = [alone.get(prompt) for prompt in prompts]
    if texts == expected:
        return
    if sorted(map(str, texts)) == sorted(map(str, expected)):
        raise Failure(
            say("texts in the order of the prompts: {texts}", texts=shown(expected)),
            say("texts {texts}", texts=shown(texts)),
        )
    raise NotApplicable(say("the texts of the batch are not those of its prompts alone"))


def _is_alike(batch: RecordedExchange, other: RecordedExchange) -> bool:
    """Return whether a request has one prompt, and is otherwise that of the batch."""
    same = {**other.request.raw, "prompt": None} == {**batch.request.raw, "prompt": None}
    return same and len(other.request.prompts) == 1 and other.response.is_served


def _alone(seen: RecordedExchange) -> str:
    return _completion(seen).choices[0].text


def prompt_scores(seen: RecordedExchange) -> None:
    """Each id of the prompt but the first, and the generated token, has a log probability."""
    for size, choice in _prompts_of_ids(seen):
        scores = choice.logprobs.token_logprobs
        wanted = size + seen.request.limit
        if len(scores) == size and choice.finish_reason == "stop":
            raise NotApplicable(say("the model ended before it generated a token"))
        if len(scores) != wanted:
            raise Failure(
                say("logprobs.token_logprobs with {count} entries", count=wanted),
                say("{count} entries: {value}", count=len(scores), value=shown(scores)),
            )
        if not all(_is_number(score) for score in scores[1:]):
            raise Failure(
                say("a number for each token behind the first"),
                say("token_logprobs = {value}", value=shown(scores)),
            )


def top_scores(seen: RecordedExchange) -> None:
    """``top_logprobs`` has the most probable token at each position behind the first."""
    for _, choice in _prompts_of_ids(seen):
        tops = choice.logprobs.top_logprobs
        count = len(choice.logprobs.token_logprobs)
        if len(tops) != count:
            raise Failure(
                say("logprobs.top_logprobs with {count} entries", count=count),
                say("{count} entries: {value}", count=len(tops), value=shown(tops)),
            )
        for top in tops[1:]:
            if not isinstance(top, Mapping) or not top or not all(map(_is_number, top.values())):
                raise Failure(
                    say("an object with log probabilities at each position behind the first"),
                    say("top_logprobs has {value}", value=shown(top)),
                )


def stopped(seen: RecordedExchange) -> None:
    """The text ends before the first stop sequence in it."""
    stops = [stop for stop in seen.request.stops if stop]
    was_cut = False
    for choice in _completion(seen).choices:
        inside = next((stop for stop in stops if stop in choice.text), None)
        if inside is not None:
            raise Failure(
                say("a text without the stop sequence {stop}", stop=shown(inside)),
                say("text = {value}", value=shown(choice.text)),
            )
        was_cut = was_cut or choice.finish_reason == "stop"
    if not was_cut:
        raise NotApplicable(say("no stop sequence occurred in the generated text"))


def whole_stream(seen: RecordedExchange) -> None:
    """The response is a stream that ends with ``data: [DONE]``."""
    events = _events(seen)
    if events[-1].data.strip() != DONE:
        last = shown(events[-1].data)
        raise Failure(say("[DONE] as the last event"), say("{value} as the last", value=last))


def text_in_every_chunk(seen: RecordedExchange) -> None:
    """``choices[0].text`` is a text in every chunk of a stream."""
    _ = _events(seen)
    for chunk in seen.response.chunk_objects:
        choices = chunk.get("choices")
        first = choices[0] if isinstance(choices, list) and choices else None
        if not isinstance(first, Mapping) or not isinstance(first.get("text"), str):
            raise Failure(say("choices[0].text in every chunk"), shown(chunk))


def text_in_a_chunk(seen: RecordedExchange) -> None:
    """Some chunk of a stream has text in ``choices[0].text``, and those with choices none else."""
    _ = _events(seen)
    found = False
    for chunk in seen.response.chunk_objects:
        choices = chunk.get("choices")
        if not isinstance(choices, list):
            raise Failure(say("choices an array in every chunk"), shown(chunk))
        if not choices:
            continue
        value = choices[0].get("text") if isinstance(choices[0], Mapping) else None
        if not isinstance(value, str):
            raise Failure(say("choices[0].text a text"), shown(chunk))
        found = found or bool(value)
    if not found:
        raise NotApplicable(say("the model generated no text"))


def choice_in_a_chunk(seen: RecordedExchange) -> None:
    """Some chunk of a stream has a choice, whatever is in it."""
    _ = _events(seen)
    if not any(
        isinstance(choices := chunk.get("choices"), list)
        and choices
        and isinstance(choices[0], Mapping)
        for chunk in seen.response.chunk_objects
    ):
        raise Failure(
            say("a chunk with a choice"),
            say("a response that begins with {body}", body=shown(_begin(seen))),
        )


def finish_in_a_chunk(seen: RecordedExchange) -> None:
    """A chunk of a stream has the ``finish_reason`` of the first choice."""
    _ = _events(seen)
    reasons = [
        choices[0].get("finish_reason")
        for chunk in seen.response.chunk_objects
        if isinstance(choices := chunk.get("choices"), list)
        and choices
        and isinstance(choices[0], Mapping)
    ]
    if not any(isinstance(reason, str) and reason for reason in reasons):
        raise Failure(
            say("a chunk with choices[0].finish_reason"),
            say("finish_reason = {value}", value=shown(reasons[-1:])),
        )


def usage(seen: RecordedExchange) -> None:
    """``usage`` has the tokens of the prompt and of the completion."""
    counts = _completion(seen).usage
    if "completion_tokens" not in counts.raw:
        raise Failure(
            say("usage with completion_tokens"), say("usage = {value}", value=shown(counts.raw))
        )
    _ = counts.prompt_tokens, counts.completion_tokens


def usage_without_choices(seen: RecordedExchange) -> None:
    """A chunk of a stream has ``usage``, and no choice."""
    _ = _events(seen)
    with_usage = [one for one in seen.response.chunk_objects if isinstance(one.get("usage"), dict)]
    if all(chunk.get("choices") for chunk in with_usage):
        raise Failure(
            say("a chunk with usage and without choices"),
            say("chunks with usage: {value}", value=shown(with_usage[-1:])),
        )


def whole_length(seen: RecordedExchange) -> None:
    """Exactly ``max_tokens`` tokens are generated, whatever the model would end with."""
    counts = _usage(seen)
    if counts is None:
        raise NotApplicable(say("no usage says how many tokens were generated"))
    wanted = seen.request.limit * seen.request.choices
    if counts.completion_tokens != wanted:
        raise Failure(
            say("{count} tokens", count=wanted),
            say("usage = {value}", value=shown(counts.raw)),
        )


def first_chunk(seen: RecordedExchange) -> None:
    """A stream has begun when the client leaves."""
    if seen.exchange.status != 200:
        raise NotApplicable(say("the stream that was to be left was not served"))
    _ = _events(seen)


READINGS: Mapping[str, Reading] = {
    "text": text,
    "choices-by-index": choices_by_index,
    "prompt-scores": prompt_scores,
    "top-scores": top_scores,
    "stopped": stopped,
    "whole-stream": whole_stream,
    "text-in-every-chunk": text_in_every_chunk,
    "text-in-a-chunk": text_in_a_chunk,
    "choice-in-a-chunk": choice_in_a_chunk,
    "finish-in-a-chunk": finish_in_a_chunk,
    "usage": usage,
    "usage-without-choices": usage_without_choices,
    "whole-length": whole_length,
    "first-chunk": first_chunk,
}
"""What a profile can name in ``reads``; the first line of each says what it is."""

COMPARISONS: Mapping[str, Comparison] = {"choices-in-order": choices_in_order}
"""What it can name besides."""


def _completion(seen: RecordedExchange) -> Completion:
    """Return the completion, where the client gets one."""
    status = seen.exchange.status
    if status in {500, 501, 505}:  # sent twice, so it is no accident
        raise Failure(
            say("status {status}", status=200),
            say("status {status}: {body}", status=status, body=_begin(seen)),
        )
    if status == 200 and seen.request.stream != seen.response.is_stream:
        raise Failure(
            say("a stream") if seen.request.stream else say("one JSON document"),
            say("a response that begins with {body}", body=shown(_begin(seen))),
        )
    return seen.response.expect_ok()


def _events(seen: RecordedExchange) -> tuple[Event, ...]:
    """Return the events of a stream, at least one."""
    if seen.exchange.status != 200 or not seen.response.is_stream:
        _completion(seen)
    if seen.exchange.fault is not None and seen.exchange.request.read_events is None:
        raise Inconclusive(say("the stream is incomplete: {fault}", fault=seen.exchange.fault))
    if not seen.response.events:
        raise Failure(say("a stream with events"), shown(_begin(seen)))
    return seen.response.events


def _usage(seen: RecordedExchange) -> Usage | None:
    """Return the last usage, in a stream also that of a chunk which is no completion otherwise."""
    if not seen.request.stream:
        completion = _completion(seen)
        return completion.usage if completion.has_usage else None
    _ = _events(seen)
    found = [
        one["usage"] for one in seen.response.chunk_objects if isinstance(one.get("usage"), dict)
    ]
    return Usage(found[-1]) if found else None


def _prompts_of_ids(seen: RecordedExchange) -> list[tuple[int, Choice]]:
    """Return the number of ids of each prompt with its choice."""
    choices = _completion(seen).choices
    sizes = [len(prompt) for prompt in seen.request.prompts if isinstance(prompt, tuple)]
    if len(sizes) != len(choices):
        raise Failure(say("{count} choices", count=len(sizes)), shown(len(choices)))
    return list(zip(sizes, choices, strict=True))


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _begin(seen: RecordedExchange) -> str:
    return seen.exchange.body[:200].decode("utf-8", errors="replace").strip()
