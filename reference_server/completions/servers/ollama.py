"""Ollama, read from its page on OpenAI compatibility on 2026-12-01.

``docs/api/openai-compatibility.mdx`` (fb307609). A box without a tick is a parameter that does not
exist. The key, which the page calls "required but ignored", is required here and not ignored.
"""

from dataclasses import replace

from reference_server.completions.rules import UNLIMITED, PromptForm

_TICKED = frozenset(
    {
        "model",
        "prompt",
        "frequency_penalty",
        "max_tokens",
        "presence_penalty",
        "seed",
        "stop",
        "stream",
        "stream_options",
        "suffix",
        "temperature",
        "top_p",
    }
)

OLLAMA_RULES = replace(
    UNLIMITED,
    parameters=_TICKED,
    # As in the documentation with which the page is compatible.
    nullable=_TICKED - {"model", "prompt"},
    required=(("prompt",),),
    # "`prompt` currently only accepts a string".
    prompt_forms=(PromptForm.STRING,),
    # No limit is stated, and no default.
    max_temperature=1e9,
    max_top_p=1e9,
    endless_tokens=True,
    max_tokens_default=None,
    stream_options=("include_usage",),
    options_need_stream=False,
)
