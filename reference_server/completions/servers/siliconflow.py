"""SiliconFlow, read from its guide to FIM and its reference page on 2026-12-01.

The guide (``docs.siliconflow.cn``, ``guides/fim``) sends ``prompt`` and ``suffix``; the page
"Create Completion" of ``docs.siliconflow.com`` lists the rest.
"""

from dataclasses import replace

from reference_server.completions.rules import UNLIMITED, PromptForm

SILICONFLOW_RULES = replace(
    UNLIMITED,
    parameters=frozenset(
        {
            *("model", "prompt", "suffix", "max_tokens", "stop", "temperature", "top_p", "top_k"),
            *("repetition_penalty", "stream", "n", "presence_penalty", "frequency_penalty"),
            *("logit_bias", "seed"),
        }
    ),
    # No type has null.
    nullable=frozenset(),
    required=(("prompt",),),
    prompt_forms=(PromptForm.STRING,),
    # "A decimal number from 0-1", "maximum: 128", "between -2.0 and 2.0".
    max_temperature=1.0,
    max_n=128,
    max_penalty=2.0,
    stop_arrays_only=True,
    # Listed beside "stop", which is left for the sequences.
    end_reason="eos",
    # "required: … usage", of a chunk.
    usage_in_streams=True,
)
