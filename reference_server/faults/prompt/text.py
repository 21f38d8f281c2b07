"""Faults of the prompt's text: the model reads another text than was sent."""

import html
import re
import unicodedata
from collections.abc import Callable

from reference_server.behaviour.builders import rewrites
from reference_server.behaviour.messages import (
    Behaviour,
    Body,
    ClientRequest,
    ServerResponse,
    Upstream,
)
from reference_server.behaviour.registry import Evidence, fault
from reference_server.behaviour.rewrite import Rewrite
from reference_server.behaviour.triggers import ALL_TRIGGERS, Trigger
from reference_server.faults._triggers import REQUESTS

VERBATIM = """
    prompt.verbatim echo.prompt-then-completion echo.own-prompt-in-batch streaming.echo-once
    prompt.batch-as-singles max-tokens.zero-with-echo
"""
"""Further requirements that an altered prompt breaks: the echo shows what the model read."""

TRIGGERS = ALL_TRIGGERS - {Trigger.NON_ASCII}


def read_as(change: Callable[[str], str]) -> Rewrite:
    """Change the text that reaches the model, of single prompts and of batches."""

    def rewrite(request: Body) -> Body:
        prompt = request.get("prompt")
        if isinstance(prompt, str):
            return {**request, "prompt": change(prompt)}
        if isinstance(prompt, list):
            return {**request, "prompt": [change(p) if isinstance(p, str) else p for p in prompt]}
        return request

    return rewrites(rewrite)


@fault(
    "chat-template-applied",
    breaks=VERBATIM,
    evidence=Evidence.REPORTED,
)
def chat_template_applied() -> Behaviour:
    """The prompt is wrapped as a chat turn."""
    return read_as(lambda text: f"User: {text}\nAssistant:")


@fault(
    "chat-template-with-logprobs",
    breaks="prompt.verbatim prompt.decides-answer usage.prompt-grows-with-text",
    also_breaks="echo.prompt-then-completion text-offset.starts-at-prompt-length"
    " usage.prompt-counted-once usage.prompt-sums-batch",
    evidence=Evidence.REPORTED,
    triggers=(),
)
def chat_template_with_logprobs() -> Behaviour:
    """With ``logprobs``, the prompt is sent on as a chat turn.

    Reported for OpenRouter: https://github.com/lmg-anon/mikupad/issues/140
    """
    wrap = read_as(lambda text: f"User: {text}\nAssistant:").request

    def rewrite(request: Body) -> Body:
        return request if request.get("logprobs") is None or wrap is None else wrap(request)

    return rewrites(rewrite)


@fault("prompt-start-stripped", breaks=VERBATIM)
def prompt_start_stripped() -> Behaviour:
    """White space at the beginning of a prompt is removed."""
    return read_as(str.lstrip)


@fault("prompt-end-stripped", breaks=VERBATIM)
def prompt_end_stripped() -> Behaviour:
    """White space at the end of a prompt is removed."""
    return read_as(str.rstrip)


@fault("prompt-spaces-merged", breaks=VERBATIM)
def prompt_spaces_merged() -> Behaviour:
    """A run of white space in a prompt becomes one space."""
    return read_as(lambda text: re.sub(r"\s+", " ", text))


@fault("prompt-newlines-lost", breaks=VERBATIM)
def prompt_newlines_lost() -> Behaviour:
    """Line breaks in a prompt become spaces."""
    return read_as(lambda text: text.replace("\n", " "))


@fault("prompt-line-ends-changed", breaks=VERBATIM)
def prompt_line_ends_changed() -> Behaviour:
    """Line breaks in a prompt become CR LF."""
    return read_as(lambda text: text.replace("\n", "\r\n"))


@fault("prompt-normalised", breaks=VERBATIM)
def prompt_normalised() -> Behaviour:
    """A letter and its combining accent in a prompt are composed into one character."""
    return read_as(lambda text: unicodedata.normalize("NFC", text))


@fault("prompt-emoji-lost", breaks=VERBATIM)
def prompt_emoji_lost() -> Behaviour:
    """Characters of four bytes are removed from a prompt, as by a database column."""
    return read_as(lambda text: re.sub("[\U00010000-\U0010ffff]", "", text))


@fault("prompt-non-ascii-replaced", breaks=VERBATIM)
def prompt_non_ascii_replaced() -> Behaviour:
    """Non-ASCII characters of a prompt become question marks."""
    return read_as(lambda text: text.encode("ascii", "replace").decode())


@fault("prompt-misread", breaks=VERBATIM)
def prompt_misread() -> Behaviour:
    """A prompt in UTF-8 is decoded as Latin-1."""
    return read_as(lambda text: text.encode().decode("latin-1"))


@fault("prompt-html-escaped", breaks=VERBATIM)
def prompt_html_escaped() -> Behaviour:
    """A prompt is escaped for HTML."""
    return read_as(html.escape)


@fault("prompt-html-unescaped", breaks=VERBATIM)
def prompt_html_unescaped() -> Behaviour:
    """HTML character references in a prompt are replaced by their characters."""
    return read_as(html.unescape)


@fault("prompt-backslashes-read", breaks=VERBATIM)
def prompt_backslashes_read() -> Behaviour:
    """Backslashes are removed from a prompt."""
    return read_as(lambda text: text.replace("\\", ""))


@fault("prompt-lowercased", breaks=VERBATIM)
def prompt_lowercased() -> Behaviour:
    """A prompt is converted to lower case."""
    return read_as(str.lower)


@fault("prompt-space-added", breaks=VERBATIM)
def prompt_space_added() -> Behaviour:
    """A space is appended to a prompt."""
    return read_as(lambda text: f"{text} ")


@fault("prompt-full-stop-added", breaks=VERBATIM, triggers=TRIGGERS | {Trigger.NON_ASCII})
def prompt_full_stop_added() -> Behaviour:
    """A full stop is appended to a prompt that does not end with one."""
    return read_as(lambda text: text if text.rstrip().endswith(".") else f"{text}.")


@fault(
    "prompt-escapes-lost",
    breaks="prompt.verbatim echo.prompt-then-completion",
    triggers=REQUESTS - {Trigger.NON_ASCII},
)
def prompt_escapes_lost() -> Behaviour:
    r"""``\u4e00`` escapes in a request's JSON are not decoded."""

    async def behave(request: ClientRequest, upstream: Upstream) -> ServerResponse:
        return await upstream(request.with_raw(re.sub(rb"\\u(?=[0-9a-f]{4})", b"u", request.raw)))

    return behave
