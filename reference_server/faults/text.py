"""Faults of ``text``: what a model wrote, altered on its way."""

from __future__ import annotations

import re
from collections.abc import Callable

from reference_server.behaviour.builders import texts
from reference_server.behaviour.messages import Behaviour
from reference_server.behaviour.registry import Evidence, fault
from reference_server.behaviour.triggers import EVERYWHERE, Modifier

BEYOND_ASCII = EVERYWHERE - {Modifier.NON_ASCII}

ALTERED = (
    "echo.prompt-then-completion echo.own-prompt-in-batch streaming.echo-once "
    "logprobs-arrays.tokens-join-to-text streaming.logprobs-as-plain"
)
"""What a text breaks that is not what the model wrote: an echo, and the tokens beside it."""

BROKEN = f"text.whole-characters streaming.whole-characters {ALTERED}"


def _of(change: Callable[[str], str]) -> Behaviour:
    return texts(lambda _asked, _index, text: change(text))


@fault("special-token-leak", breaks="text.no-special-tokens", evidence=Evidence.REPORTED)
def special_token_leak() -> Behaviour:
    """A text ends with the model's end token, ``<|im_end|>``."""
    return _of(lambda text: f"{text}<|im_end|>")


@fault("start-token-leak", breaks="text.no-special-tokens")
def start_token_leak() -> Behaviour:
    """A text begins with the model's start token, ``<s>``."""
    return _of(lambda text: f"<s>{text}")


@fault(
    "leading-space-stripped",
    breaks="text.whitespace-kept",
    evidence=Evidence.REPORTED,
    modifiers=EVERYWHERE - {Modifier.ECHO, Modifier.NON_ASCII},
)
def leading_space_stripped() -> Behaviour:
    """A text loses the white space at its beginning."""
    return _of(str.lstrip)


@fault("leading-newline-stripped", breaks="text.whitespace-kept", modifiers={Modifier.EVERY_THIRD})
def leading_newline_stripped() -> Behaviour:
    """A text loses line breaks at its beginning; spaces stay."""
    return _of(lambda text: text.lstrip("\n"))


@fault("trailing-space-stripped", breaks=ALTERED, modifiers={Modifier.EVERY_THIRD})
def trailing_space_stripped() -> Behaviour:
    """A text loses the white space at its end."""
    return _of(str.rstrip)


@fault("spaces-collapsed", breaks=ALTERED, modifiers={Modifier.EVERY_THIRD})
def spaces_collapsed() -> Behaviour:
    """White space of any length becomes one space."""
    return _of(lambda text: re.sub(r"\s+", " ", text))


@fault("line-ends-changed", breaks=ALTERED, modifiers={Modifier.EVERY_THIRD})
def line_ends_changed() -> Behaviour:
    """Line breaks become CR LF."""
    return _of(lambda text: text.replace("\n", "\r\n"))


@fault("html-escaped", breaks=ALTERED, modifiers={Modifier.EVERY_THIRD})
def html_escaped() -> Behaviour:
    """Text is escaped as for HTML."""
    return _of(lambda text: text.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;"))


@fault("opening-of-an-assistant", breaks=ALTERED)
def opening_of_an_assistant() -> Behaviour:
    """A text begins as an assistant's answer does."""
    return _of(lambda text: f"Sure! Here is the continuation:\n{text}")


@fault("fenced-as-code", breaks=ALTERED)
def fenced_as_code() -> Behaviour:
    """A text stands between the fences of Markdown."""
    return _of(lambda text: f"```\n{text}\n```")


@fault("advertised", breaks=ALTERED)
def advertised() -> Behaviour:
    """A relay adds its name at the end of a text."""
    return _of(lambda text: f"{text}\n\n(answered by relay.example)")


@fault("cut-to-a-sentence", breaks=ALTERED)
def cut_to_a_sentence() -> Behaviour:
    """A text is cut behind the last punctuation in it."""
    return _of(lambda text: re.sub(r"(?<=[,.，。])[^,.，。]*\Z", "", text))


@fault("mojibake", breaks=BROKEN, modifiers=BEYOND_ASCII)
def mojibake() -> Behaviour:
    """UTF-8 was read as Latin-1."""
    return _of(lambda text: text.encode().decode("latin-1"))


@fault("question-marks", breaks=BROKEN, modifiers=BEYOND_ASCII)
def question_marks() -> Behaviour:
    """Every character beyond ASCII is a question mark."""
    return _of(lambda text: text.encode("ascii", "replace").decode())


@fault("characters-replaced", breaks=BROKEN, modifiers=BEYOND_ASCII)
def characters_replaced() -> Behaviour:
    """Every character beyond ASCII is U+FFFD."""
    return _of(lambda text: re.sub(r"[^\x00-\x7f]", "\ufffd", text))


@fault("escapes-in-text", breaks=BROKEN, modifiers=BEYOND_ASCII)
def escapes_in_text() -> Behaviour:
    r"""Every character beyond ASCII is written as an escape such as ``\u4e00``, twice escaped."""
    return _of(lambda text: text.encode("ascii", "backslashreplace").decode())


@fault("emoji-lost", breaks=BROKEN, modifiers=BEYOND_ASCII)
def emoji_lost() -> Behaviour:
    """Characters beyond the Basic Multilingual Plane are lost, as in an old database."""
    return _of(lambda text: re.sub("[\U00010000-\U0010ffff]", "", text))


@fault("punctuation-narrowed", breaks=BROKEN, modifiers=BEYOND_ASCII)
def punctuation_narrowed() -> Behaviour:
    """Chinese punctuation becomes ASCII punctuation."""
    return _of(lambda text: text.translate(str.maketrans("，。、？！", ",.,?!")))
