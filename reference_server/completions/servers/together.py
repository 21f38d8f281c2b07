"""Together, read from the types of its official client on 2026-12-01.

``src/resources/completions.ts`` (047a4278) of ``github.com/togethercomputer/together-typescript``,
which is generated. `echo` returns the prompt beside the choices, and `logprobs` has a form of its
own: this server has neither.
"""

from dataclasses import replace

from reference_server.completions.rules import UNLIMITED, PromptForm

_REJECTED = frozenset({"echo", "logprobs", "safety_model"})

TOGETHER_RULES = replace(
    UNLIMITED,
    parameters=_REJECTED
    | {
        *("model", "prompt", "max_tokens", "stop", "temperature", "top_p", "top_k", "min_p"),
        *("repetition_penalty", "stream", "n", "presence_penalty", "frequency_penalty"),
        *("logit_bias", "seed"),
    },
    unsupported=_REJECTED,
    # "echo?: boolean", and no null in any type.
    nullable=frozenset(),
    required=(("prompt",),),
    prompt_forms=(PromptForm.STRING,),
    # "From 0-1", "between -2.0 and 2.0"; of n the types state no limit, the description 128.
    max_temperature=1.0,
    max_n=128,
    max_penalty=2.0,
    # "stop?: Array<string>".
    stop_arrays_only=True,
    # "stop" | "eos" | "length" | …
    end_reason="eos",
    # "usage: ChatCompletionUsage | null", of a chunk.
    usage_in_streams=True,
)
