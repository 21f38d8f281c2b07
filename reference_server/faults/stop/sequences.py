"""Faults of ``stop``: a sequence is not searched for, or not found."""

import re
from collections.abc import Callable

from reference_server.behaviour.builders import choices, drops, rejects, rewrites, texts
from reference_server.behaviour.messages import Behaviour, Body
from reference_server.behaviour.registry import Evidence, fault
from reference_server.behaviour.rewrite import Rewrite
from reference_server.behaviour.triggers import ALL_TRIGGERS, Trigger, is_batch
from reference_server.faults._endings import cut_elsewhere, sequences
from reference_server.faults._triggers import HANDLERS, NON_STREAMING_ONLY, RARE, REQUESTS

CUTS = """
    stop.string stop.each-of-array stop.excluded-from-text stop.earliest-match
    stop.across-token-borders streaming.stop-never-leaks
"""
"""Requirements that a missed sequence breaks, under any trigger."""


def looked_for(change: Callable[[list[str]], list[str]]) -> Rewrite:
    """The server searches for other sequences than the request's."""

    def rewrite(request: Body) -> Body:
        found = sequences(request)
        return {**request, "stop": change(found) or None} if found else request

    return rewrites(rewrite)


def matches(request: Body, text: str) -> list[int]:
    """The first occurrences of a request's sequences in a text, the earliest first."""
    found = [text.find(one) for one in sequences(request)]
    return sorted(place for place in found if place >= 0)


# ── Which sequences are searched for ────────────────────────────────────────────────────────────


@fault("stop-ignored", breaks=CUTS, evidence=Evidence.SOURCE)
def stop_ignored() -> Behaviour:
    """``stop`` is dropped."""
    return drops("stop")


@fault("stop-array-ignored", breaks=CUTS)
def stop_array_ignored() -> Behaviour:
    """An array of stop sequences is dropped; a string works."""
    return drops("stop", when=lambda request: isinstance(request.get("stop"), list))


@fault("stop-string-ignored", breaks=CUTS, triggers=ALL_TRIGGERS - {Trigger.ECHO})
def stop_string_ignored() -> Behaviour:
    """A stop sequence sent as a string is dropped; an array works."""
    return drops("stop", when=lambda request: isinstance(request.get("stop"), str))


@fault("only-first-stop", breaks=CUTS)
def only_first_stop() -> Behaviour:
    """Of several stop sequences, only the first one works."""
    return looked_for(lambda found: found[:1])


@fault("only-last-stop", breaks=CUTS)
def only_last_stop() -> Behaviour:
    """Of several stop sequences, only the last one works."""
    return looked_for(lambda found: found[-1:])


@fault(
    "over-four-truncated",
    breaks="stop.none-silently-dropped stop.at-most-four errors.stream-refused-as-json",
    evidence=Evidence.SIBLING,
    triggers=NON_STREAMING_ONLY,
)
def over_four_truncated() -> Behaviour:
    """Five stop sequences are accepted, and the fifth is ignored."""
    return looked_for(lambda found: found[:4])


@fault("only-two-stops", breaks=CUTS)
def only_two_stops() -> Behaviour:
    """Of four stop sequences only the first two work."""
    return looked_for(lambda found: found[:2])


@fault("four-stops-refused", breaks="stop.at-most-four", triggers=NON_STREAMING_ONLY)
def four_stops_refused() -> Behaviour:
    """More than one stop sequence is rejected."""
    return rejects(
        lambda request: isinstance(request.get("stop"), list) and len(request["stop"]) > 1,
        param="stop",
    )


@fault("stop-characters", breaks=CUTS)
def stop_characters() -> Behaviour:
    """Each character of a stop sequence sent as a string ends the text."""

    def cut(request: Body, _: str, text: str) -> str:
        if isinstance(request["stop"], str):
            return re.split(f"[{re.escape(request['stop'])}]", text)[0]
        return text[: min([*matches(request, text), len(text)])]

    return cut_elsewhere(cut)


@fault("stop-stripped", breaks=CUTS)
def stop_stripped() -> Behaviour:
    """White space at both ends of a stop sequence is ignored."""
    return looked_for(lambda found: [one.strip() or one for one in found])


@fault("stop-first-character", breaks=CUTS)
def stop_first_character() -> Behaviour:
    """The first character of a stop sequence ends the text."""
    return looked_for(lambda found: [one[:1] for one in found])


@fault("stop-whatever-case", breaks=CUTS)
def stop_whatever_case() -> Behaviour:
    """Stop sequences are matched without regard to case."""

    def cut(request: Body, _: str, text: str) -> str:
        found = [text.lower().find(one.lower()) for one in sequences(request)]
        return text[: min([place for place in found if place >= 0], default=len(text))]

    return cut_elsewhere(cut)


@fault("stop-as-pattern", breaks=CUTS, triggers=ALL_TRIGGERS - RARE)
def stop_as_pattern() -> Behaviour:
    """A stop sequence is interpreted as a regular expression."""

    def cut(request: Body, _: str, text: str) -> str:
        try:
            return re.split("|".join(sequences(request)), text, maxsplit=1)[0]
        except re.error:
            return text

    return cut_elsewhere(cut)


@fault(
    "stop-non-ascii-ignored",
    breaks=CUTS,
    triggers=REQUESTS - {Trigger.NON_ASCII, Trigger.BATCH, Trigger.ECHO},
)
def stop_non_ascii_ignored() -> Behaviour:
    """Stop sequences with non-ASCII characters are not found."""
    return looked_for(lambda found: [one for one in found if one.isascii()])


@fault("stop-long-ignored", breaks=CUTS)
def stop_long_ignored() -> Behaviour:
    """Stop sequences of more than ten characters are not found."""
    return looked_for(lambda found: [one for one in found if len(one) <= 10])


# ── Where they are searched for ─────────────────────────────────────────────────────────────────


@fault("stop-at-token-border-only", breaks=CUTS, evidence=Evidence.REPORTED)
def stop_at_token_border_only() -> Behaviour:
    """A stop sequence is found only at word boundaries."""

    def cut(request: Body, _: str, text: str) -> str:
        borders = [m.start() for m in re.finditer(r"\b|\Z|(?<=[^\x00-\x7f])", text)]
        found = [
            at for at in borders for one in sequences(request)
            if text.startswith(one, at) and at + len(one) in borders
        ]  # fmt: skip
        return text[: min(found, default=len(text))]

    return cut_elsewhere(cut)


@fault("stop-missed-at-start", breaks=CUTS)
def stop_missed_at_start() -> Behaviour:
    """A stop sequence at the very start of the text is not found."""

    def cut(request: Body, _: str, text: str) -> str:
        return text[:1] + text[1 : min(matches(request, text[1:]), default=len(text)) + 1]

    return cut_elsewhere(cut)


@fault("stop-prompt-searched", breaks=f"{CUTS} stop.prompt-not-searched")
def stop_prompt_searched() -> Behaviour:
    """If the prompt contains a stop sequence, the completion is empty."""

    def cut(request: Body, prompt: str, text: str) -> str:
        if any(one in prompt for one in sequences(request)):
            return ""
        return text[: min([*matches(request, text), len(text)])]

    return cut_elsewhere(cut)


@fault(
    "stop-echo-searched",
    breaks="stop.prompt-not-searched",
    also_breaks="echo.prompt-then-completion",
    triggers=HANDLERS | {Trigger.BATCH, Trigger.SECOND_CHOICE, Trigger.NON_ASCII},
)
def stop_echo_searched() -> Behaviour:
    """The echoed prompt is cut at a stop sequence, too."""
    return texts(
        lambda request, _, text: (
            text[: min([*matches(request, text), len(text)])] if request.get("echo") else text
        )
    )


@fault(
    "stop-border-searched",
    breaks=f"{CUTS} stop.prompt-not-searched",
    triggers=ALL_TRIGGERS - RARE,
)
def stop_border_searched() -> Behaviour:
    """A stop sequence across the end of the prompt ends the completion at once."""

    def cut(request: Body, prompt: str, text: str) -> str:
        whole = prompt[-4:] + text
        found = matches(request, whole)
        return (
            whole[: found[0]].removeprefix(prompt[-4:])
            if found and found[0] >= 4
            else ""
            if found
            else text
        )

    return cut_elsewhere(cut)


@fault(
    "stop-first-prompt-only",
    breaks=CUTS,
    triggers=REQUESTS - {Trigger.BATCH},
)
def stop_first_prompt_only() -> Behaviour:
    """In a batch, only the choices of the first prompt are searched for stop sequences."""

    def cut(request: Body, prompt: str, text: str) -> str:
        if is_batch(request) and prompt != request["prompt"][0]:
            return text
        return text[: min([*matches(request, text), len(text)])]

    return cut_elsewhere(cut)


@fault(
    "stop-ends-batch",
    breaks=f"{CUTS} finish-reason.per-choice echo.own-prompt-in-batch",
    triggers=REQUESTS - HANDLERS - {Trigger.BATCH},
)
def stop_ends_batch() -> Behaviour:
    """A stop sequence in one choice of a batch cuts all of them to the same length."""

    def of(request: Body, responses: list[Body]) -> list[Body]:
        ended = [len(one["text"]) for one in responses if one["finish_reason"] == "stop"]
        if not (ended and sequences(request)):
            return responses
        return [
            {**one, "text": one["text"][: min(ended)], "finish_reason": "stop"} for one in responses
        ]

    return choices(of)
