"""DeepSeek's FIM completion (beta), read from its documentation in November 2026.

``api-docs.deepseek.com/zh-cn/api/create-completion`` and its English version; for the largest
``max_tokens`` the guide ``guides/fim_completion``.
"""

from dataclasses import replace

from reference_server.completions.rules import UNLIMITED, Conflict, PromptForm

DEEPSEEK_FIM_RULES = replace(
    UNLIMITED,
    parameters=frozenset(
        {
            "model",
            "prompt",
            "echo",
            "logprobs",
            "max_tokens",
            "stop",
            "stream",
            "stream_options",
            "suffix",
            "temperature",
            "top_p",
        }
    ),
    # "nullable".
    nullable=frozenset(
        {"echo", "logprobs", "max_tokens", "stop", "stream", "stream_options", "suffix"}
    ),
    required=(("prompt",),),
    prompt_forms=(PromptForm.STRING,),
    conflicts=(
        Conflict("echo", "logprobs", "'echo' is not supported together with 'logprobs'."),
        Conflict("echo", "suffix", "'echo' is not supported together with 'suffix'."),
    ),
    # "The max tokens of FIM completion is 4K", which is what fits without a limit of one's own.
    max_tokens_default=None,
    max_tokens_limit=4096,
    max_stops=16,
    stream_options=("include_usage",),
)
