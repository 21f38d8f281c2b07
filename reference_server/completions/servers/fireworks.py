"""Fireworks, read from the types of its official client on 2026-12-01.

``types/completion_create_params.py``, ``completion_create_response.py`` and ``completion_chunk.py``
of ``github.com/fw-ai-external/python-sdk`` (8399c127), which are generated; the errors are those of
its reference page.
"""

from dataclasses import replace

from reference_server.completions.errors import ErrorShape
from reference_server.completions.extensions import PROMPT_TOKEN_IDS, TOKEN_IDS
from reference_server.completions.rules import PARAMETERS, UNLIMITED

_SERVED = frozenset({"top_k", "min_p", "repetition_penalty", "return_token_ids", "response_format"})
_NOT_NULL = frozenset({"ignore_eos", "context_length_exceeded_behavior"})
_REJECTED = frozenset(
    {
        "echo_last",
        "images",
        "max_completion_tokens",
        "metadata",
        "mirostat_lr",
        "mirostat_target",
        "perf_metrics_in_response",
        "prediction",
        "prompt_cache_isolation_key",
        "prompt_cache_key",
        "raw_output",
        "reasoning_effort",
        "reasoning_history",
        "service_tier",
        "speculation",
        "thinking",
        "top_logprobs",
        "typical_p",
    }
)
_OF_THE_LIVE_API = PARAMETERS - {"suffix", "best_of", "stream_options"}

FIREWORKS_RULES = replace(
    UNLIMITED,
    parameters=_OF_THE_LIVE_API | _SERVED | _NOT_NULL | _REJECTED,
    unsupported=_REJECTED,
    # "Optional", or a union with None.
    nullable=_OF_THE_LIVE_API - {"model", "prompt", "n"} | _SERVED,
    required=(("prompt",),),
    # "1 <= x <= 128", "up to 4 sequences", "integer N (0-5)", "-2 <= x <= 2", "from -100 to 100".
    max_n=128,
    max_stops=4,
    max_logprobs=5,
    max_penalty=2.0,
    max_bias=100.0,
    # "0 <= x <= 100" and "0 <= x <= 2"; this server divides by the penalty, and takes no 0.
    min_top_k=0,
    max_top_k=100,
    max_repetition=2.0,
    # "max_tokens will be lowered to fit in the context window instead of returning an error".
    lowers_tokens=True,
    # In every chunk: "usage: Optional[UsageInfo] = None".
    usage_in_streams=True,
    choice_fields=(TOKEN_IDS, PROMPT_TOKEN_IDS),
)

FIREWORKS_ERRORS = ErrorShape(detail_status=422)
