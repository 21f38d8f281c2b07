"""Faults of ``stop``: the text is cut in the wrong place, or an empty sequence cuts it."""

import re

from reference_server.behaviour.builders import both, rejects, rewrites, sets, texts
from reference_server.behaviour.messages import Behaviour, Body
from reference_server.behaviour.registry import Evidence, fault
from reference_server.faults._endings import cut_elsewhere, sequences
from reference_server.faults._triggers import HANDLERS, NON_STREAMING_ONLY, RARE, REQUESTS
from reference_server.faults.stop.sequences import CUTS, matches

# ── Where the text is cut ───────────────────────────────────────────────────────────────────────


@fault("stop-included", breaks=CUTS, evidence=Evidence.REPORTED)
def stop_included() -> Behaviour:
    """The stop sequence is returned at the end of the text."""

    def cut(request: Body, _: str, text: str) -> str:
        ends = [text.find(one) + len(one) for one in sequences(request) if one in text]
        return text[: min(ends, default=len(text))]

    return cut_elsewhere(cut)


@fault("stop-first-character-returned", breaks=CUTS)
def stop_first_character_returned() -> Behaviour:
    """The text includes the first character of the stop sequence that ended it."""

    def cut(request: Body, _: str, text: str) -> str:
        found = matches(request, text)
        return text[: found[0] + 1] if found else text

    return cut_elsewhere(cut)


@fault("stop-last-match", breaks=CUTS)
def stop_last_match() -> Behaviour:
    """The text is cut at the last occurrence of a stop sequence, not at the first."""

    def cut(request: Body, _: str, text: str) -> str:
        return text[
            : min([text.rfind(one) for one in sequences(request) if one in text], default=len(text))
        ]

    return cut_elsewhere(cut)


@fault("stop-in-order-of-list", breaks=CUTS)
def stop_in_order_of_list() -> Behaviour:
    """The first sequence of the ``stop`` array that occurs cuts the text, not the earliest one."""

    def cut(request: Body, _: str, text: str) -> str:
        return text[
            : next((text.find(one) for one in sequences(request) if one in text), len(text))
        ]

    return cut_elsewhere(cut)


@fault("stop-latest-of-list", breaks=CUTS)
def stop_latest_of_list() -> Behaviour:
    """Of several stop sequences in the text, the one that occurs last cuts it."""
    return cut_elsewhere(
        lambda request, _, text: text[: max(matches(request, text), default=len(text))]
    )


@fault("stop-one-character-early", breaks=CUTS)
def stop_one_character_early() -> Behaviour:
    """The last character before a stop sequence is missing."""
    return cut_elsewhere(
        lambda request, _, text: (
            text[: max(0, matches(request, text)[0] - 1)] if matches(request, text) else text
        )
    )


@fault("stop-word-lost", breaks=CUTS)
def stop_word_lost() -> Behaviour:
    """The whole word in which a stop sequence begins is missing."""

    def cut(request: Body, _: str, text: str) -> str:
        found = matches(request, text)
        return re.sub(r"\w+\Z", "", text[: found[0]]) if found else text

    return cut_elsewhere(cut)


@fault("stop-end-stripped", breaks=CUTS)
def stop_end_stripped() -> Behaviour:
    """White space before a stop sequence is removed with it."""

    def cut(request: Body, _: str, text: str) -> str:
        found = matches(request, text)
        return text[: found[0]].rstrip() if found else text

    return cut_elsewhere(cut)


@fault("stop-almost-matches", breaks=f"{CUTS} streaming.held-text-released")
def stop_almost_matches() -> Behaviour:
    """Text that could begin a stop sequence is missing at the end of the response."""

    def cut(request: Body, _: str, text: str) -> str:
        text = text[: min([*matches(request, text), len(text)])]
        held = [
            n for one in sequences(request) for n in range(1, len(one)) if text.endswith(one[:n])
        ]
        return text[: len(text) - max(held, default=0)]

    return cut_elsewhere(cut)


# ── Empty and null ──────────────────────────────────────────────────────────────────────────────


@fault(
    "empty-stop-kills",
    breaks="stop.empty-is-harmless",
    evidence=Evidence.REPORTED,
    triggers=REQUESTS - RARE,
)
def empty_stop_kills() -> Behaviour:
    """An empty stop sequence matches at once, and the text is empty."""
    return both(
        rewrites(lambda request: {**request, "stop": None} if is_empty(request) else request),
        texts(lambda request, _, text: "" if is_empty(request) else text),
    )


def is_empty(request: Body) -> bool:
    """Whether an empty sequence is among the request's stop sequences."""
    return request.get("stop") == "" or (
        isinstance(request.get("stop"), list) and "" in request["stop"]
    )


@fault(
    "empty-stop-breaks",
    breaks="stop.empty-is-harmless",
    # The document allows the request.
    also_breaks="errors.good-input-no-server-fault",
    triggers=NON_STREAMING_ONLY,
)
def empty_stop_breaks() -> Behaviour:
    """An empty stop sequence, or an empty array, causes a server error."""
    return rejects(
        lambda request: request.get("stop") in ("", []),
        "list index out of range",
        status=500,
        kind="server_error",
    )


@fault("stop-null-stops", breaks="stop.null-is-none", triggers=REQUESTS - RARE)
def stop_null_stops() -> Behaviour:
    """``stop: null`` is replaced by a full stop, a comma and a line break."""
    return sets(
        lambda request: "stop" in request and request["stop"] is None, stop=[".", ",", "\n"]
    )


@fault("stop-null-refused", breaks="stop.null-is-none", triggers=HANDLERS)
def stop_null_refused() -> Behaviour:
    """``stop: null`` is rejected."""
    return rejects(lambda request: "stop" in request and request["stop"] is None, param="stop")
