"""Faults of ``echo``: the prompt does not come back, not whole, or not where it belongs."""

import html
import unicodedata
from collections.abc import Callable

from reference_server.behaviour.builders import drops, sets, texts
from reference_server.behaviour.messages import Behaviour, Body
from reference_server.behaviour.registry import Evidence, fault
from reference_server.behaviour.rewrite import Rewrite
from reference_server.behaviour.triggers import EVERYWHERE, Modifier, is_batch
from reference_server.faults._endings import prompt_of
from reference_server.faults._hiding import NO_ECHO

WHOLE = """
    echo.prompt-then-completion echo.own-prompt-in-batch streaming.echo-once
    max-tokens.zero-with-echo prompt.batch-as-singles
"""


def echoed(change: Callable[[str, str], str]) -> Rewrite:
    """A text with an echo is another: ``(prompt, completion)``."""

    def of(request: Body, index: int, text: str) -> str:
        prompt = prompt_of(request, index)
        return change(prompt, text.removeprefix(prompt)) if request.get("echo") and prompt else text

    return texts(of)


@fault("echo-dropped", breaks=WHOLE, evidence=Evidence.SOURCE, modifiers=NO_ECHO)
def echo_dropped() -> Behaviour:
    """``echo`` is lost, and what nobody may ask for without it becomes a usual request."""

    def lost(request: Body) -> bool:
        return bool(request.get("echo"))

    return drops("echo", when=lost)


@fault("echo-ignored", breaks=WHOLE, evidence=Evidence.REPORTED, modifiers=NO_ECHO)
def echo_ignored() -> Behaviour:
    """The text is the completion alone."""
    return echoed(lambda _, completion: completion)


@fault("echo-alone", breaks=WHOLE, modifiers=NO_ECHO - {Modifier.EVERY_THIRD})
def echo_alone() -> Behaviour:
    """The text is the prompt alone."""
    return echoed(lambda prompt, _: prompt)


@fault("echo-behind", breaks=WHOLE, modifiers=NO_ECHO)
def echo_behind() -> Behaviour:
    """The prompt comes behind the completion."""
    return echoed(lambda prompt, completion: completion + prompt)


@fault("echo-twice", breaks=WHOLE, modifiers=NO_ECHO)
def echo_twice() -> Behaviour:
    """The prompt comes twice."""
    return echoed(lambda prompt, completion: prompt + prompt + completion)


@fault("echo-on-a-line", breaks=WHOLE, modifiers=NO_ECHO)
def echo_on_a_line() -> Behaviour:
    """The prompt is parted from the completion by a new line."""
    return echoed(lambda prompt, completion: f"{prompt}\n{completion}")


@fault("echo-stripped", breaks=WHOLE, modifiers=NO_ECHO)
def echo_stripped() -> Behaviour:
    """White space at both ends of the text is lost."""
    return echoed(lambda prompt, completion: (prompt + completion).strip())


@fault("echo-prompt-stripped", breaks=WHOLE, modifiers=NO_ECHO)
def echo_prompt_stripped() -> Behaviour:
    """White space at both ends of the echoed prompt is lost."""
    return echoed(lambda prompt, completion: prompt.strip() + completion)


@fault("echo-space-lost", breaks=WHOLE, modifiers=NO_ECHO - {Modifier.EVERY_THIRD})
def echo_space_lost() -> Behaviour:
    """The space between the prompt and the completion is lost."""
    return echoed(lambda prompt, completion: prompt + completion.lstrip())


@fault("echo-normalised", breaks=WHOLE, modifiers=NO_ECHO)
def echo_normalised() -> Behaviour:
    """A letter and its accent come back as one character."""
    return echoed(lambda prompt, completion: unicodedata.normalize("NFC", prompt) + completion)


@fault("echo-lowercased", breaks=WHOLE, modifiers=NO_ECHO)
def echo_lowercased() -> Behaviour:
    """The prompt comes back in small letters."""
    return echoed(lambda prompt, completion: prompt.lower() + completion)


@fault("echo-html-escaped", breaks=WHOLE, modifiers=NO_ECHO)
def echo_html_escaped() -> Behaviour:
    """The prompt comes back escaped for HTML."""
    return echoed(lambda prompt, completion: html.escape(prompt) + completion)


@fault("echo-emoji-broken", breaks=WHOLE, modifiers=NO_ECHO)
def echo_emoji_broken() -> Behaviour:
    """Characters of four bytes come back as U+FFFD."""
    return echoed(
        lambda prompt, rest: "".join(c if c < "\U00010000" else "\ufffd" for c in prompt) + rest
    )


@fault("echo-cut", breaks=WHOLE, modifiers=NO_ECHO)
def echo_cut() -> Behaviour:
    """Only the first twenty characters of the prompt come back."""
    return echoed(lambda prompt, completion: prompt[:20] + completion)


@fault("echo-first-character-lost", breaks=WHOLE, modifiers=NO_ECHO)
def echo_first_character_lost() -> Behaviour:
    """The first character of the prompt does not come back, like a token that has no score."""
    return echoed(lambda prompt, completion: prompt[1:] + completion)


@fault(
    "echo-of-first-prompt",
    breaks="echo.own-prompt-in-batch",
    modifiers=NO_ECHO - {Modifier.BATCH},
)
def echo_of_first_prompt() -> Behaviour:
    """Every choice of a batch echoes the first prompt."""

    def of(request: Body, index: int, text: str) -> str:
        own = prompt_of(request, index)
        if not (request.get("echo") and own and is_batch(request)):
            return text
        return prompt_of(request, 0) + text.removeprefix(own)

    return texts(of)


@fault(
    "echo-of-next-prompt",
    breaks="echo.own-prompt-in-batch",
    modifiers=NO_ECHO - {Modifier.BATCH, Modifier.SECOND_CHOICE},
)
def echo_of_next_prompt() -> Behaviour:
    """With several choices a prompt, choices of a batch echo the prompt of another."""

    def of(request: Body, index: int, text: str) -> str:
        own = prompt_of(request, index)
        if not (request.get("echo") and own and is_batch(request)) or (request.get("n") or 1) < 2:
            return text
        return str(request["prompt"][index % len(request["prompt"])]) + text.removeprefix(own)

    return texts(of)


@fault(
    "echo-of-batch-lost", breaks="echo.own-prompt-in-batch", modifiers=NO_ECHO - {Modifier.BATCH}
)
def echo_of_batch_lost() -> Behaviour:
    """In a batch nothing is echoed."""
    return drops(
        "echo", when=lambda request: is_batch(request) and bool(request.get("max_tokens", 16))
    )


@fault("echo-always", breaks="echo.off-by-default", modifiers=NO_ECHO - {Modifier.EVERY_THIRD})
def echo_always() -> Behaviour:
    """The prompt comes back whether it was asked for or not."""
    return texts(
        lambda request, index, text: (
            text if request.get("echo") else prompt_of(request, index) + text
        )
    )


@fault("echo-forced", breaks="echo.off-by-default", modifiers=NO_ECHO - {Modifier.EVERY_THIRD})
def echo_forced() -> Behaviour:
    """Every request is taken for one with ``echo``: the prompt comes back, scored where asked."""
    return sets(lambda request: request.get("suffix") is None, echo=True)


@fault("echo-false-echoes", breaks="echo.off-by-default", modifiers=EVERYWHERE - {Modifier.ECHO})
def echo_false_echoes() -> Behaviour:
    """``echo: false`` is taken for a wish."""
    return sets(lambda request: request.get("echo") is False, echo=True)
