"""The rules of servers that implement the endpoint today, read from their own documentation.

vLLM: ``docs/serving/online_serving/openai_compatible_server.md`` (0272b2c3) and the parts of
``completion/protocol.py`` (002032ee) that it prints; limits from ``sampling_params.py`` (00388f65).
llama.cpp: ``tools/server/README.md`` (00dc8057). Both read on 2026-12-01.

A documented parameter that this server cannot serve is rejected, never ignored.
"""

from dataclasses import replace
from types import MappingProxyType

from reference_server.completions.errors import ErrorShape
from reference_server.completions.rules import PARAMETERS, UNLIMITED

_VLLM_NOT_NULL = frozenset({"ignore_eos", "include_stop_str_in_output", "min_tokens"})
_VLLM_SERVED = _VLLM_NOT_NULL | frozenset(
    {
        "top_k",
        "min_p",
        "repetition_penalty",
        "stop_token_ids",
        "prompt_logprobs",
        "return_token_ids",
        "return_tokens_as_token_ids",
        "structured_outputs",
        "response_format",
    }
)
_VLLM_REJECTED = frozenset(
    {
        "use_beam_search",
        "length_penalty",
        "skip_special_tokens",
        "spaces_between_special_tokens",
        "truncate_prompt_tokens",
        "truncation_side",
        "allowed_token_ids",
        "bad_words",
        "logprob_token_ids",
        "add_special_tokens",
        "priority",
        "request_id",
        "cache_salt",
        "stream_interval",
    }
)

VLLM_RULES = replace(
    UNLIMITED,
    # "suffix parameter is not supported", and no best_of in the protocol.
    parameters=PARAMETERS - {"suffix", "best_of"} | _VLLM_SERVED | _VLLM_REJECTED,
    unsupported=_VLLM_REJECTED,
    # "| None" in the protocol. A null prompt is rejected where it is validated.
    nullable=PARAMETERS - {"prompt", "n", "suffix", "best_of"} | _VLLM_SERVED - _VLLM_NOT_NULL,
    needs_model=False,
    required=(("prompt",),),
    empty_prompts=False,
    min_logprobs=-1,
    # "temperature must be in [0, 2]", "top_p must be in (0, 1]", penalties "must be in [-2, 2]".
    max_penalty=2.0,
    top_p_zero=False,
    # "top_k must be 0 (disable), or at least 1": -1 is converted to 0 before.
    min_top_k=-1,
    stream_options=("include_usage", "continuous_usage_stats"),
    # Null where they were not asked for.
    choice_fields=("stop_reason", "token_ids", "prompt_logprobs", "prompt_token_ids"),
)

VLLM_ERRORS = ErrorShape(
    status_as_code=True,
    kinds=MappingProxyType(
        {400: "BadRequestError", 401: "AuthenticationError", 404: "NotFoundError"}
    ),
)

_LLAMA_CPP_SERVED = frozenset(
    {"top_k", "min_p", "repeat_penalty", "ignore_eos", "grammar", "json_schema"}
)
_LLAMA_CPP_REJECTED = frozenset(
    {
        "dynatemp_range",
        "dynatemp_exponent",
        "n_predict",
        "n_indent",
        "n_keep",
        "n_cmpl",
        "typical_p",
        "repeat_last_n",
        "dry_multiplier",
        "dry_base",
        "dry_allowed_length",
        "dry_penalty_last_n",
        "dry_sequence_breakers",
        "xtc_probability",
        "xtc_threshold",
        "mirostat",
        "mirostat_tau",
        "mirostat_eta",
        "n_probs",
        "min_keep",
        "t_max_predict_ms",
        "id_slot",
        "cache_prompt",
        "return_tokens",
        "samplers",
        "timings_per_token",
        "return_progress",
        "post_sampling_probs",
        "response_fields",
        "lora",
    }
)

LLAMA_CPP_RULES = replace(
    UNLIMITED,
    parameters=PARAMETERS | _LLAMA_CPP_SERVED | _LLAMA_CPP_REJECTED,
    # echo, best_of and suffix are in the documentation that the README refers to, so they are
    # served, although the source rejects them.
    unsupported=_LLAMA_CPP_REJECTED,
    nullable=PARAMETERS - {"prompt", "user"},
    needs_model=False,
    required=(("prompt",),),
    max_tokens_default=None,
    endless_tokens=True,
    temperature_default=0.8,
    top_p_default=0.95,
    top_k_default=40,
    min_p_default=0.05,
    # "For temperature < 0 the tokens are sampled greedily"; no other bound is stated.
    min_temperature=-1e9,
    max_temperature=1e9,
    # "1.0 = disabled".
    max_top_p=1e9,
    options_need_stream=False,
    bias_pairs=True,
    repetition_name="repeat_penalty",
    penalty_window=64,
    # --samplers penalties;dry;top_n_sigma;top_k;typ_p;top_p;min_p;xtc;temperature
    temperature_last=True,
)

LLAMA_CPP_ERRORS = ErrorShape(
    has_param=False,
    status_as_code=True,
    kinds=MappingProxyType({401: "authentication_error"}),
)
