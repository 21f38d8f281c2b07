"""Faults of the prompt's text: what reaches the model is not, letter by letter, what was sent."""

import html
import re
import unicodedata
from collections.abc import Callable

from reference_server.behaviour.builders import asks
from reference_server.behaviour.messages import (
    Behaviour,
    Body,
    ClientRequest,
    ServerResponse,
    Upstream,
)
from reference_server.behaviour.registry import Evidence, fault
from reference_server.behaviour.rewrite import Rewrite
from reference_server.behaviour.triggers import EVERYWHERE, Modifier
from reference_server.faults._hiding import REQUESTS

VERBATIM = """
    prompt.verbatim echo.prompt-then-completion echo.own-prompt-in-batch streaming.echo-once
    prompt.batch-as-singles max-tokens.zero-with-echo
"""
"""The echo is of what the model read, so it shows what became of the prompt."""

HIDES = EVERYWHERE - {Modifier.NON_ASCII}


def read_as(change: Callable[[str], str]) -> Rewrite:
    """Another text reaches the model, in single prompts and in batches."""

    def ask(request: Body) -> Body:
        prompt = request.get("prompt")
        if isinstance(prompt, str):
            return {**request, "prompt": change(prompt)}
        if isinstance(prompt, list):
            return {**request, "prompt": [change(p) if isinstance(p, str) else p for p in prompt]}
        return request

    return asks(ask)


@fault(
    "chat-template-applied",
    breaks=VERBATIM,
    evidence=Evidence.REPORTED,
)
def chat_template_applied() -> Behaviour:
    """The prompt is wrapped as a turn of a chat."""
    return read_as(lambda text: f"User: {text}\nAssistant:")


@fault("prompt-start-stripped", breaks=VERBATIM)
def prompt_start_stripped() -> Behaviour:
    """White space at the beginning of a prompt is lost."""
    return read_as(str.lstrip)


@fault("prompt-end-stripped", breaks=VERBATIM)
def prompt_end_stripped() -> Behaviour:
    """White space at the end of a prompt is lost."""
    return read_as(str.rstrip)


@fault("prompt-spaces-merged", breaks=VERBATIM)
def prompt_spaces_merged() -> Behaviour:
    """Every run of white space in a prompt becomes one space."""
    return read_as(lambda text: re.sub(r"\s+", " ", text))


@fault("prompt-newlines-lost", breaks=VERBATIM)
def prompt_newlines_lost() -> Behaviour:
    """Line breaks in a prompt become spaces."""
    return read_as(lambda text: text.replace("\n", " "))


@fault("prompt-line-ends-changed", breaks=VERBATIM)
def prompt_line_ends_changed() -> Behaviour:
    """Line breaks in a prompt become those of Windows."""
    return read_as(lambda text: text.replace("\n", "\r\n"))


@fault("prompt-normalised", breaks=VERBATIM)
def prompt_normalised() -> Behaviour:
    """A letter and its accent in a prompt are joined to one character."""
    return read_as(lambda text: unicodedata.normalize("NFC", text))


@fault("prompt-emoji-lost", breaks=VERBATIM)
def prompt_emoji_lost() -> Behaviour:
    """Characters of four bytes are lost from a prompt, as from a column of a database."""
    return read_as(lambda text: re.sub("[\U00010000-\U0010ffff]", "", text))


@fault("prompt-non-ascii-replaced", breaks=VERBATIM)
def prompt_non_ascii_replaced() -> Behaviour:
    """Characters beyond ASCII become question marks in a prompt."""
    return read_as(lambda text: text.encode("ascii", "replace").decode())


@fault("prompt-misread", breaks=VERBATIM)
def prompt_misread() -> Behaviour:
    """A prompt in UTF-8 is read as Latin-1."""
    return read_as(lambda text: text.encode().decode("latin-1"))


@fault("prompt-html-escaped", breaks=VERBATIM)
def prompt_html_escaped() -> Behaviour:
    """The characters that HTML escapes are escaped in a prompt."""
    return read_as(html.escape)


@fault("prompt-html-unescaped", breaks=VERBATIM)
def prompt_html_unescaped() -> Behaviour:
    """What HTML would write as one character becomes that character in a prompt."""
    return read_as(html.unescape)


@fault("prompt-backslashes-read", breaks=VERBATIM)
def prompt_backslashes_read() -> Behaviour:
    """Backslashes are lost from a prompt."""
    return read_as(lambda text: text.replace("\\", ""))


@fault("prompt-lowercased", breaks=VERBATIM)
def prompt_lowercased() -> Behaviour:
    """Capital letters of a prompt become small ones."""
    return read_as(str.lower)


@fault("prompt-space-added", breaks=VERBATIM)
def prompt_space_added() -> Behaviour:
    """A prompt gets a space at its end."""
    return read_as(lambda text: f"{text} ")


@fault("prompt-full-stop-added", breaks=VERBATIM, modifiers=HIDES | {Modifier.NON_ASCII})
def prompt_full_stop_added() -> Behaviour:
    """A prompt that ends without one gets a full stop."""
    return read_as(lambda text: text if text.rstrip().endswith(".") else f"{text}.")


@fault(
    "prompt-escapes-lost",
    breaks="prompt.verbatim echo.prompt-then-completion",
    modifiers=REQUESTS - {Modifier.NON_ASCII},
)
def prompt_escapes_lost() -> Behaviour:
    r"""Characters that the request's JSON writes as ``\u4e00`` are not read as such."""

    async def behave(request: ClientRequest, upstream: Upstream) -> ServerResponse:
        return await upstream(request.with_raw(re.sub(rb"\\u(?=[0-9a-f]{4})", b"u", request.raw)))

    return behave
