"""Faults of ``text``: the model's text is altered."""

from __future__ import annotations

import re
from collections.abc import Callable

from reference_server.behaviour.builders import texts
from reference_server.behaviour.messages import Behaviour
from reference_server.behaviour.registry import Evidence, fault
from reference_server.behaviour.triggers import ALL_TRIGGERS, Trigger

TRIGGERS = ALL_TRIGGERS - {Trigger.NON_ASCII}

ALTERED = (
    "echo.prompt-then-completion echo.own-prompt-in-batch streaming.echo-once "
    "logprobs-arrays.tokens-join-to-text streaming.logprobs-as-plain"
)
"""Further requirements that an altered text breaks: those of the echo and of the listed tokens."""

BROKEN = f"text.whole-characters streaming.whole-characters {ALTERED}"


def _of(change: Callable[[str], str]) -> Behaviour:
    return texts(lambda _request, _index, text: change(text))


@fault("special-token-leak", breaks="text.no-special-tokens", evidence=Evidence.REPORTED)
def special_token_leak() -> Behaviour:
    """A text ends with the end token of a model, ``<|im_end|>``."""
    return _of(lambda text: f"{text}<|im_end|>")


@fault("start-token-leak", breaks="text.no-special-tokens")
def start_token_leak() -> Behaviour:
    """A text begins with the start token of a model, ``<s>``."""
    return _of(lambda text: f"<s>{text}")


@fault(
    "leading-space-stripped",
    breaks="text.whitespace-kept",
    evidence=Evidence.REPORTED,
    triggers=ALL_TRIGGERS - {Trigger.ECHO, Trigger.NON_ASCII},
)
def leading_space_stripped() -> Behaviour:
    """White space at the beginning of a text is removed."""
    return _of(str.lstrip)


@fault("leading-newline-stripped", breaks="text.whitespace-kept", triggers={Trigger.EVERY_THIRD})
def leading_newline_stripped() -> Behaviour:
    """Line breaks at the beginning of a text are removed; spaces stay."""
    return _of(lambda text: text.lstrip("\n"))


@fault(
    "trailing-space-stripped",
    breaks=ALTERED,
    # The white space is lost from the text.
    also_breaks="text.whitespace-kept",
    triggers={Trigger.EVERY_THIRD},
)
def trailing_space_stripped() -> Behaviour:
    """White space at the end of a text is removed."""
    return _of(str.rstrip)


@fault("spaces-collapsed", breaks=ALTERED, triggers={Trigger.EVERY_THIRD})
def spaces_collapsed() -> Behaviour:
    """A run of white space becomes one space."""
    return _of(lambda text: re.sub(r"\s+", " ", text))


@fault(
    "line-ends-changed",
    breaks=ALTERED,
    # A stop sequence that has such characters is in the text.
    also_breaks="stop.string stop.excluded-from-text",
    triggers={Trigger.EVERY_THIRD},
)
def line_ends_changed() -> Behaviour:
    """Line breaks become CR LF."""
    return _of(lambda text: text.replace("\n", "\r\n"))


@fault("html-escaped", breaks=ALTERED, triggers={Trigger.EVERY_THIRD})
def html_escaped() -> Behaviour:
    """Text is escaped for HTML."""
    return _of(lambda text: text.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;"))


@fault("opening-of-an-assistant", breaks=ALTERED)
def opening_of_an_assistant() -> Behaviour:
    """A text begins with a phrase of a chat assistant."""
    return _of(lambda text: f"Sure! Here is the continuation:\n{text}")


@fault("fenced-as-code", breaks=ALTERED)
def fenced_as_code() -> Behaviour:
    """A text is enclosed in a Markdown code fence."""
    return _of(lambda text: f"```\n{text}\n```")


@fault("advertised", breaks=ALTERED)
def advertised() -> Behaviour:
    """A relay appends its name to a text."""
    return _of(lambda text: f"{text}\n\n(answered by relay.example)")


@fault("cut-to-a-sentence", breaks=ALTERED)
def cut_to_a_sentence() -> Behaviour:
    """A text is cut after its last punctuation mark."""
    return _of(lambda text: re.sub(r"(?<=[,.，。])[^,.，。]*\Z", "", text))


@fault(
    "mojibake",
    breaks=BROKEN,
    # A stop sequence that has such characters is in the text.
    also_breaks="stop.string stop.excluded-from-text",
    triggers=TRIGGERS,
)
def mojibake() -> Behaviour:
    """UTF-8 is decoded as Latin-1."""
    return _of(lambda text: text.encode().decode("latin-1"))


@fault("question-marks", breaks=BROKEN, triggers=TRIGGERS)
def question_marks() -> Behaviour:
    """Every non-ASCII character becomes a question mark."""
    return _of(lambda text: text.encode("ascii", "replace").decode())


@fault("characters-replaced", breaks=BROKEN, triggers=TRIGGERS)
def characters_replaced() -> Behaviour:
    """Every non-ASCII character becomes U+FFFD."""
    return _of(lambda text: re.sub(r"[^\x00-\x7f]", "\ufffd", text))


@fault("escapes-in-text", breaks=BROKEN, triggers=TRIGGERS)
def escapes_in_text() -> Behaviour:
    r"""Every non-ASCII character is escaped twice, as in ``\u4e00``."""
    return _of(lambda text: text.encode("ascii", "backslashreplace").decode())


@fault("emoji-lost", breaks=BROKEN, triggers=TRIGGERS)
def emoji_lost() -> Behaviour:
    """Characters outside the Basic Multilingual Plane are missing, as in an old database."""
    return _of(lambda text: re.sub("[\U00010000-\U0010ffff]", "", text))


@fault("punctuation-narrowed", breaks=BROKEN, triggers=TRIGGERS)
def punctuation_narrowed() -> Behaviour:
    """Chinese punctuation becomes ASCII punctuation."""
    return _of(lambda text: text.translate(str.maketrans("，。、？！", ",.,?!")))
