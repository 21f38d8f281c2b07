"""Faults of ``stop``: a sequence is not looked for, not found, or cuts in the wrong place."""

import re
from collections.abc import Callable

from reference_server.behaviour.messages import Behaviour, Body
from reference_server.behaviour.modifiers import EVERYWHERE, Modifier, is_batch
from reference_server.behaviour.pieces import asks, both, choices, declines, drops, sets, texts
from reference_server.behaviour.registry import Evidence, fault
from reference_server.behaviour.rewrite import Rewrite
from reference_server.faults._endings import cut_elsewhere, sequences
from reference_server.faults._hiding import HANDLERS, PLAINLY, RARE, REQUESTS

CUTS = """
    stop.string stop.each-of-array stop.excluded-from-text stop.earliest-match
    stop.across-token-borders streaming.stop-never-leaks
"""
"""A sequence that is missed breaks all of them where it stands."""


def looked_for(change: Callable[[list[str]], list[str]]) -> Rewrite:
    """Other sequences are looked for than those that were sent."""

    def ask(asked: Body) -> Body:
        found = sequences(asked)
        return {**asked, "stop": change(found) or None} if found else asked

    return asks(ask)


def matches(asked: Body, text: str) -> list[int]:
    """Where the sequences of a request first occur in a text, the earliest first."""
    found = [text.find(one) for one in sequences(asked)]
    return sorted(place for place in found if place >= 0)


# ── What is looked for ───────────────────────────────────────────────────────────────────────────


@fault("stop-ignored", breaks=CUTS, evidence=Evidence.SOURCE)
def stop_ignored() -> Behaviour:
    """``stop`` is lost."""
    return drops("stop")


@fault("stop-array-ignored", breaks=CUTS)
def stop_array_ignored() -> Behaviour:
    """An array of stop sequences is lost; a string works."""
    return drops("stop", when=lambda asked: isinstance(asked.get("stop"), list))


@fault("stop-string-ignored", breaks=CUTS, modifiers=EVERYWHERE - {Modifier.ECHO})
def stop_string_ignored() -> Behaviour:
    """A stop sequence given as a string is lost; an array works."""
    return drops("stop", when=lambda asked: isinstance(asked.get("stop"), str))


@fault("only-first-stop", breaks=CUTS)
def only_first_stop() -> Behaviour:
    """Of several stop sequences only the first one works."""
    return looked_for(lambda found: found[:1])


@fault("only-last-stop", breaks=CUTS)
def only_last_stop() -> Behaviour:
    """Of several stop sequences only the last one works."""
    return looked_for(lambda found: found[-1:])


@fault(
    "over-four-truncated",
    breaks="stop.none-silently-dropped stop.at-most-four errors.stream-refused-as-json",
    evidence=Evidence.SIBLING,
    modifiers=PLAINLY,
)
def over_four_truncated() -> Behaviour:
    """Five stop sequences are accepted, and the fifth is ignored."""
    return looked_for(lambda found: found[:4])


@fault("only-two-stops", breaks=CUTS)
def only_two_stops() -> Behaviour:
    """Of four stop sequences only the first two work."""
    return looked_for(lambda found: found[:2])


@fault("four-stops-refused", breaks="stop.at-most-four", modifiers=PLAINLY)
def four_stops_refused() -> Behaviour:
    """More than one stop sequence is refused."""
    return declines(
        lambda asked: isinstance(asked.get("stop"), list) and len(asked["stop"]) > 1, param="stop"
    )


@fault("stop-characters", breaks=CUTS)
def stop_characters() -> Behaviour:
    """Every character of a stop sequence given as a string ends the text by itself."""

    def cut(asked: Body, _: str, text: str) -> str:
        if isinstance(asked["stop"], str):
            return re.split(f"[{re.escape(asked['stop'])}]", text)[0]
        return text[: min([*matches(asked, text), len(text)])]

    return cut_elsewhere(cut)


@fault("stop-stripped", breaks=CUTS)
def stop_stripped() -> Behaviour:
    """White space around a stop sequence is not looked for."""
    return looked_for(lambda found: [one.strip() or one for one in found])


@fault("stop-first-character", breaks=CUTS)
def stop_first_character() -> Behaviour:
    """The first character of a stop sequence is enough to end the text."""
    return looked_for(lambda found: [one[:1] for one in found])


@fault("stop-whatever-case", breaks=CUTS)
def stop_whatever_case() -> Behaviour:
    """Capital and small letters are the same to stop sequences."""

    def cut(asked: Body, _: str, text: str) -> str:
        found = [text.lower().find(one.lower()) for one in sequences(asked)]
        return text[: min([place for place in found if place >= 0], default=len(text))]

    return cut_elsewhere(cut)


@fault("stop-as-pattern", breaks=CUTS, modifiers=EVERYWHERE - RARE)
def stop_as_pattern() -> Behaviour:
    """A stop sequence is read as a regular expression."""

    def cut(asked: Body, _: str, text: str) -> str:
        try:
            return re.split("|".join(sequences(asked)), text, maxsplit=1)[0]
        except re.error:
            return text

    return cut_elsewhere(cut)


@fault(
    "stop-non-ascii-ignored",
    breaks=CUTS,
    modifiers=REQUESTS - {Modifier.NON_ASCII, Modifier.BATCH, Modifier.ECHO},
)
def stop_non_ascii_ignored() -> Behaviour:
    """Stop sequences beyond ASCII are not found."""
    return looked_for(lambda found: [one for one in found if one.isascii()])


@fault("stop-long-ignored", breaks=CUTS)
def stop_long_ignored() -> Behaviour:
    """Stop sequences of more than ten characters are not found."""
    return looked_for(lambda found: [one for one in found if len(one) <= 10])


# ── Where it is looked for ───────────────────────────────────────────────────────────────────────


@fault("stop-at-token-border-only", breaks=CUTS, evidence=Evidence.REPORTED)
def stop_at_token_border_only() -> Behaviour:
    """A stop sequence is found only where a word begins and ends with it."""

    def cut(asked: Body, _: str, text: str) -> str:
        borders = [m.start() for m in re.finditer(r"\b|\Z|(?<=[^\x00-\x7f])", text)]
        found = [
            at for at in borders for one in sequences(asked)
            if text.startswith(one, at) and at + len(one) in borders
        ]  # fmt: skip
        return text[: min(found, default=len(text))]

    return cut_elsewhere(cut)


@fault("stop-missed-at-start", breaks=CUTS)
def stop_missed_at_start() -> Behaviour:
    """A stop sequence at the very start of an answer is not found."""

    def cut(asked: Body, _: str, text: str) -> str:
        return text[:1] + text[1 : min(matches(asked, text[1:]), default=len(text)) + 1]

    return cut_elsewhere(cut)


@fault("stop-prompt-searched", breaks=f"{CUTS} stop.prompt-not-searched")
def stop_prompt_searched() -> Behaviour:
    """A stop sequence that the prompt holds ends the answer before it begins."""

    def cut(asked: Body, prompt: str, text: str) -> str:
        if any(one in prompt for one in sequences(asked)):
            return ""
        return text[: min([*matches(asked, text), len(text)])]

    return cut_elsewhere(cut)


@fault(
    "stop-echo-searched",
    breaks="stop.prompt-not-searched",
    modifiers=HANDLERS | {Modifier.BATCH, Modifier.SECOND_CHOICE, Modifier.NON_ASCII},
)
def stop_echo_searched() -> Behaviour:
    """The echoed prompt is cut at a stop sequence, too."""
    return texts(
        lambda asked, _, text: (
            text[: min([*matches(asked, text), len(text)])] if asked.get("echo") else text
        )
    )


@fault(
    "stop-border-searched",
    breaks=f"{CUTS} stop.prompt-not-searched",
    modifiers=EVERYWHERE - RARE,
)
def stop_border_searched() -> Behaviour:
    """A stop sequence that begins in the prompt and ends in the answer ends it at once."""

    def cut(asked: Body, prompt: str, text: str) -> str:
        whole = prompt[-4:] + text
        found = matches(asked, whole)
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
    modifiers=REQUESTS - {Modifier.BATCH},
)
def stop_first_prompt_only() -> Behaviour:
    """In a batch only the answer to the first prompt is searched for stop sequences."""

    def cut(asked: Body, prompt: str, text: str) -> str:
        if is_batch(asked) and prompt != asked["prompt"][0]:
            return text
        return text[: min([*matches(asked, text), len(text)])]

    return cut_elsewhere(cut)


@fault(
    "stop-ends-batch",
    breaks=f"{CUTS} finish-reason.per-choice echo.own-prompt-in-batch",
    modifiers=REQUESTS - HANDLERS - {Modifier.BATCH},
)
def stop_ends_batch() -> Behaviour:
    """A stop sequence in one answer of a batch cuts all of them as short."""

    def of(asked: Body, answers: list[Body]) -> list[Body]:
        ended = [len(one["text"]) for one in answers if one["finish_reason"] == "stop"]
        if not (ended and sequences(asked)):
            return answers
        return [
            {**one, "text": one["text"][: min(ended)], "finish_reason": "stop"} for one in answers
        ]

    return choices(of)


# ── Where it cuts ────────────────────────────────────────────────────────────────────────────────


@fault("stop-included", breaks=CUTS, evidence=Evidence.REPORTED)
def stop_included() -> Behaviour:
    """The stop sequence is returned at the end of the text."""

    def cut(asked: Body, _: str, text: str) -> str:
        ends = [text.find(one) + len(one) for one in sequences(asked) if one in text]
        return text[: min(ends, default=len(text))]

    return cut_elsewhere(cut)


@fault("stop-first-character-returned", breaks=CUTS)
def stop_first_character_returned() -> Behaviour:
    """The text goes on for one character of the stop sequence that ended it."""

    def cut(asked: Body, _: str, text: str) -> str:
        found = matches(asked, text)
        return text[: found[0] + 1] if found else text

    return cut_elsewhere(cut)


@fault("stop-last-match", breaks=CUTS)
def stop_last_match() -> Behaviour:
    """The text ends before the last occurrence of a stop sequence."""

    def cut(asked: Body, _: str, text: str) -> str:
        return text[
            : min([text.rfind(one) for one in sequences(asked) if one in text], default=len(text))
        ]

    return cut_elsewhere(cut)


@fault("stop-in-order-of-list", breaks=CUTS)
def stop_in_order_of_list() -> Behaviour:
    """The first stop sequence of the list that occurs anywhere cuts, not the earliest match."""

    def cut(asked: Body, _: str, text: str) -> str:
        return text[: next((text.find(one) for one in sequences(asked) if one in text), len(text))]

    return cut_elsewhere(cut)


@fault("stop-latest-of-list", breaks=CUTS)
def stop_latest_of_list() -> Behaviour:
    """Of several stop sequences that occur the one that occurs last cuts."""
    return cut_elsewhere(
        lambda asked, _, text: text[: max(matches(asked, text), default=len(text))]
    )


@fault("stop-one-character-early", breaks=CUTS)
def stop_one_character_early() -> Behaviour:
    """The last character before a stop sequence is lost."""
    return cut_elsewhere(
        lambda asked, _, text: (
            text[: max(0, matches(asked, text)[0] - 1)] if matches(asked, text) else text
        )
    )


@fault("stop-word-lost", breaks=CUTS)
def stop_word_lost() -> Behaviour:
    """The whole word in which a stop sequence begins is lost."""

    def cut(asked: Body, _: str, text: str) -> str:
        found = matches(asked, text)
        return re.sub(r"\w+\Z", "", text[: found[0]]) if found else text

    return cut_elsewhere(cut)


@fault("stop-end-stripped", breaks=CUTS)
def stop_end_stripped() -> Behaviour:
    """White space before a stop sequence is lost with it."""

    def cut(asked: Body, _: str, text: str) -> str:
        found = matches(asked, text)
        return text[: found[0]].rstrip() if found else text

    return cut_elsewhere(cut)


@fault("stop-almost-matches", breaks=f"{CUTS} streaming.held-text-released")
def stop_almost_matches() -> Behaviour:
    """Text that looks like the beginning of a stop sequence is lost where the answer ends."""

    def cut(asked: Body, _: str, text: str) -> str:
        text = text[: min([*matches(asked, text), len(text)])]
        held = [n for one in sequences(asked) for n in range(1, len(one)) if text.endswith(one[:n])]
        return text[: len(text) - max(held, default=0)]

    return cut_elsewhere(cut)


# ── No sequence ──────────────────────────────────────────────────────────────────────────────────


@fault(
    "empty-stop-kills",
    breaks="stop.empty-is-harmless",
    evidence=Evidence.REPORTED,
    modifiers=REQUESTS - RARE,
)
def empty_stop_kills() -> Behaviour:
    """An empty stop sequence matches at once, and the answer is empty."""
    return both(
        asks(lambda asked: {**asked, "stop": None} if is_empty(asked) else asked),
        texts(lambda asked, _, text: "" if is_empty(asked) else text),
    )


def is_empty(asked: Body) -> bool:
    """Whether a sequence of no characters is among those to look for."""
    return asked.get("stop") == "" or (isinstance(asked.get("stop"), list) and "" in asked["stop"])


@fault("empty-stop-breaks", breaks="stop.empty-is-harmless", modifiers=PLAINLY)
def empty_stop_breaks() -> Behaviour:
    """An empty stop sequence, or none in an array, is a server fault."""
    return declines(
        lambda asked: asked.get("stop") in ("", []),
        "list index out of range",
        status=500,
        kind="server_error",
    )


@fault("stop-null-stops", breaks="stop.null-is-none", modifiers=REQUESTS - RARE)
def stop_null_stops() -> Behaviour:
    """``stop: null`` is taken for a full stop, a comma or a new line."""
    return sets(lambda asked: "stop" in asked and asked["stop"] is None, stop=[".", ",", "\n"])


@fault("stop-null-refused", breaks="stop.null-is-none", modifiers=HANDLERS)
def stop_null_refused() -> Behaviour:
    """``stop: null`` is refused."""
    return declines(lambda asked: "stop" in asked and asked["stop"] is None, param="stop")
