"""SGLang, read from its documentation and its protocol on 2026-12-01.

``docs/docs/basic_usage/openai_api_completions.mdx`` (24077e0b), ``sampling_params.mdx`` (01d4f856),
``entrypoints/openai/protocol.py`` (004c82e0) and ``sampling/sampling_params.py`` (00c17caf), to
which the pages refer. best_of and suffix are in the documentation of OpenAI that the first page
refers to, so they are served, although the source reads neither.
"""

from dataclasses import replace
from types import MappingProxyType

from reference_server.completions.errors import ErrorShape
from reference_server.completions.rules import PARAMETERS, UNLIMITED

_SERVED = frozenset(
    {
        *("top_k", "min_p", "repetition_penalty", "ignore_eos"),
        *("min_tokens", "stop_token_ids", "return_token_ids"),
        *("json_schema", "regex", "ebnf", "response_format"),
    }
)
_REJECTED = frozenset(
    {
        "cache_salt",
        "custom_labels",
        "custom_logit_processor",
        "custom_params",
        "extra_key",
        "images_config",
        "lora_path",
        "ngram_corpus_id",
        "no_stop_trim",
        "priority",
        "return_cached_tokens_details",
        "return_hidden_states",
        "return_routed_experts",
        "rid",
        "routed_experts_start_len",
        "session_id",
        "session_params",
        "skip_special_tokens",
        "stop_regex",
    }
)

SGLANG_RULES = replace(
    UNLIMITED,
    parameters=PARAMETERS | _SERVED | _REJECTED,
    unsupported=_REJECTED,
    # "Optional" in the protocol.
    nullable=frozenset(
        {"best_of", "logit_bias", "logprobs", "seed", "stop", "stream_options", "suffix", "user"}
        | {"stop_token_ids", "json_schema", "regex", "ebnf", "response_format"}
    ),
    needs_model=False,
    required=(("prompt",),),
    # "Prompt cannot be empty", "max_tokens must be positive".
    empty_prompts=False,
    min_tokens_limit=1,
    # "temperature must be a non-negative finite number".
    max_temperature=1e9,
    top_p_zero=False,
    max_penalty=2.0,
    # "The bias values can range from -100 to 100".
    max_bias=100.0,
    stream_options=("include_usage", "continuous_usage_stats"),
    choice_fields=("matched_stop", "token_ids", "prompt_token_ids"),
    options_need_stream=False,
    # "Scales the logits of previously generated tokens".
    repetition_of_prompt=False,
    schema_as_text=True,
    # "top_k must be -1 (disable) or at least 1".
    min_top_k=-1,
)

SGLANG_ERRORS = ErrorShape(
    status_as_code=True,
    kinds=MappingProxyType({400: "BadRequestError", 401: "Unauthorized", 404: "NotFoundError"}),
    is_flat=True,
)
