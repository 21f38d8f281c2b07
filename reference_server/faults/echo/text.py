"""Faults of ``echo``: the prompt is missing, incomplete or in the wrong place."""

import html
import unicodedata
from collections.abc import Callable

from reference_server.behaviour.builders import drops, rejects_null, sets, texts
from reference_server.behaviour.messages import Behaviour, Body
from reference_server.behaviour.registry import Evidence, fault
from reference_server.behaviour.rewrite import Rewrite
from reference_server.behaviour.triggers import ALL_TRIGGERS, Trigger, is_batch
from reference_server.faults._endings import prompt_of
from reference_server.faults._triggers import NO_ECHO

WHOLE = """
    echo.prompt-then-completion echo.own-prompt-in-batch streaming.echo-once
    max-tokens.zero-with-echo prompt.batch-as-singles
"""


def echoed(change: Callable[[str, str], str]) -> Rewrite:
    """Change the text of an echoed response: ``(prompt, completion)``."""

    def of(request: Body, index: int, text: str) -> str:
        prompt = prompt_of(request, index)
        return change(prompt, text.removeprefix(prompt)) if request.get("echo") and prompt else text

    return texts(of)


@fault("echo-dropped", breaks=WHOLE, evidence=Evidence.SOURCE, triggers=NO_ECHO)
def echo_dropped() -> Behaviour:
    """``echo`` is dropped, and requests that are valid only with it are changed to valid ones."""

    def lost(request: Body) -> bool:
        return bool(request.get("echo"))

    return drops("echo", when=lost)


@fault("echo-ignored", breaks=WHOLE, evidence=Evidence.REPORTED, triggers=NO_ECHO)
def echo_ignored() -> Behaviour:
    """With ``echo`` the text is only the completion."""
    return echoed(lambda _, completion: completion)


@fault("echo-alone", breaks=WHOLE, triggers=NO_ECHO - {Trigger.EVERY_THIRD})
def echo_alone() -> Behaviour:
    """With ``echo`` the text is only the prompt."""
    return echoed(lambda prompt, _: prompt)


@fault("echo-behind", breaks=WHOLE, triggers=NO_ECHO)
def echo_behind() -> Behaviour:
    """The prompt follows the completion."""
    return echoed(lambda prompt, completion: completion + prompt)


@fault("echo-twice", breaks=WHOLE, triggers=NO_ECHO)
def echo_twice() -> Behaviour:
    """The prompt is echoed twice."""
    return echoed(lambda prompt, completion: prompt + prompt + completion)


@fault("echo-on-a-line", breaks=WHOLE, triggers=NO_ECHO)
def echo_on_a_line() -> Behaviour:
    """A line break separates the prompt from the completion."""
    return echoed(lambda prompt, completion: f"{prompt}\n{completion}")


@fault(
    "echo-stripped",
    breaks=WHOLE,
    # The white space is lost from the text.
    also_breaks="text.whitespace-kept",
    triggers=NO_ECHO,
)
def echo_stripped() -> Behaviour:
    """White space at both ends of an echoed text is removed."""
    return echoed(lambda prompt, completion: (prompt + completion).strip())


@fault("echo-prompt-stripped", breaks=WHOLE, triggers=NO_ECHO)
def echo_prompt_stripped() -> Behaviour:
    """White space at both ends of the echoed prompt is removed."""
    return echoed(lambda prompt, completion: prompt.strip() + completion)


@fault("echo-space-lost", breaks=WHOLE, triggers=NO_ECHO - {Trigger.EVERY_THIRD})
def echo_space_lost() -> Behaviour:
    """The space between the echoed prompt and the completion is removed."""
    return echoed(lambda prompt, completion: prompt + completion.lstrip())


@fault("echo-normalised", breaks=WHOLE, triggers=NO_ECHO)
def echo_normalised() -> Behaviour:
    """A letter and its combining accent are composed in the echo."""
    return echoed(lambda prompt, completion: unicodedata.normalize("NFC", prompt) + completion)


@fault("echo-lowercased", breaks=WHOLE, triggers=NO_ECHO)
def echo_lowercased() -> Behaviour:
    """The prompt is echoed in lower case."""
    return echoed(lambda prompt, completion: prompt.lower() + completion)


@fault("echo-html-escaped", breaks=WHOLE, triggers=NO_ECHO)
def echo_html_escaped() -> Behaviour:
    """The echoed prompt is escaped for HTML."""
    return echoed(lambda prompt, completion: html.escape(prompt) + completion)


@fault("echo-emoji-broken", breaks=WHOLE, triggers=NO_ECHO)
def echo_emoji_broken() -> Behaviour:
    """Characters of four bytes become U+FFFD in the echo."""
    return echoed(
        lambda prompt, rest: "".join(c if c < "\U00010000" else "\ufffd" for c in prompt) + rest
    )


@fault("echo-cut", breaks=WHOLE, triggers=NO_ECHO)
def echo_cut() -> Behaviour:
    """Only the first twenty characters of the prompt are echoed."""
    return echoed(lambda prompt, completion: prompt[:20] + completion)


@fault("echo-first-character-lost", breaks=WHOLE, triggers=NO_ECHO)
def echo_first_character_lost() -> Behaviour:
    """The first character of the prompt is missing from the echo."""
    return echoed(lambda prompt, completion: prompt[1:] + completion)


@fault(
    "echo-of-first-prompt",
    breaks="echo.own-prompt-in-batch",
    triggers=NO_ECHO - {Trigger.BATCH},
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
    triggers=NO_ECHO - {Trigger.BATCH, Trigger.SECOND_CHOICE},
)
def echo_of_next_prompt() -> Behaviour:
    """With several choices per prompt, choices of a batch echo another prompt."""

    def of(request: Body, index: int, text: str) -> str:
        own = prompt_of(request, index)
        if not (request.get("echo") and own and is_batch(request)) or (request.get("n") or 1) < 2:
            return text
        return str(request["prompt"][index % len(request["prompt"])]) + text.removeprefix(own)

    return texts(of)


@fault("echo-of-batch-lost", breaks="echo.own-prompt-in-batch", triggers=NO_ECHO - {Trigger.BATCH})
def echo_of_batch_lost() -> Behaviour:
    """In a batch, no prompt is echoed."""
    return drops(
        "echo", when=lambda request: is_batch(request) and bool(request.get("max_tokens", 16))
    )


@fault("echo-always", breaks="echo.off-by-default", triggers=NO_ECHO - {Trigger.EVERY_THIRD})
def echo_always() -> Behaviour:
    """The prompt is echoed without being requested."""
    return texts(
        lambda request, index, text: (
            text if request.get("echo") else prompt_of(request, index) + text
        )
    )


@fault("echo-forced", breaks="echo.off-by-default", triggers=NO_ECHO - {Trigger.EVERY_THIRD})
def echo_forced() -> Behaviour:
    """Every request is treated as if it had ``echo: true``, including log probabilities."""
    return sets(lambda request: request.get("suffix") is None, echo=True)


@fault("echo-false-echoes", breaks="echo.off-by-default", triggers=ALL_TRIGGERS - {Trigger.ECHO})
def echo_false_echoes() -> Behaviour:
    """``echo: false`` is treated as true."""
    return sets(lambda request: request.get("echo") is False, echo=True)


@fault(
    "echo-null-refused",
    breaks="echo.null-is-default",
    evidence=Evidence.REPORTED,
    triggers=(),
)
def echo_null_refused() -> Behaviour:
    """``echo: null`` is rejected.

    Reported for KoboldCpp: https://github.com/LostRuins/koboldcpp/issues/1503
    """
    return rejects_null("echo")
