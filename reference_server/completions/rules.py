"""What one document's completions endpoint accepts and rejects, as data.

The defaults of `Rules` are those of the reference server: every parameter, the limits of OpenAI's
API description (``CreateCompletionRequest``) and, where that is silent, the behaviour of the live
endpoint. A document that differs is another `Rules`; the code stays.
"""

from dataclasses import dataclass
from enum import StrEnum

from reference_server.engine.choice import Finish

INT64_MIN = -(2**63)
INT64_MAX = 2**63 - 1

PARAMETERS = frozenset(
    {
        "model",
        "prompt",
        "suffix",
        "max_tokens",
        "temperature",
        "top_p",
        "n",
        "stream",
        "stream_options",
        "logprobs",
        "echo",
        "stop",
        "presence_penalty",
        "frequency_penalty",
        "best_of",
        "logit_bias",
        "seed",
        "user",
    }
)


class PromptForm(StrEnum):
    """The forms of a prompt."""

    STRING = "a string"
    STRINGS = "an array of strings"
    TOKENS = "an array of tokens"
    TOKEN_ARRAYS = "an array of token arrays"  # noqa: S105 - tokens of text


@dataclass(frozen=True)
class Conflict:
    """Two parameters that cannot be combined in one request, and the error message.

    A parameter is in use if it is present and neither null nor false.
    """

    first: str
    second: str
    message: str


@dataclass(frozen=True)
class Rules:
    """The values in which one document's endpoint differs from another's."""

    parameters: frozenset[str] = PARAMETERS
    nullable: frozenset[str] = PARAMETERS - {"model", "user"}
    """Parameters that may be null, which means the same as absent."""
    required: tuple[tuple[str, ...], ...] = ()
    """One parameter of each group is required."""
    needs_model: bool = True
    """Whether `model` is required; without it, the first model of the server answers."""
    empty_prompts: bool = True
    unsupported: frozenset[str] = frozenset()
    """Parameters that the document lists and the model cannot serve."""
    conflicts: tuple[Conflict, ...] = ()
    prompt_forms: tuple[PromptForm, ...] = tuple(PromptForm)

    max_tokens_default: int | None = 16
    """None is all that fits into the context."""
    min_tokens_limit: int = 0
    """The least `max_tokens`; 0 serves an echo alone."""
    max_tokens_limit: int | None = None
    """The largest `max_tokens`; None is what fits into the context."""
    seed_default: int | None = None
    temperature_default: float = 1.0
    top_p_default: float = 1.0
    top_k_default: int = 0
    min_top_k: int = INT64_MIN
    """Below 1, all tokens are kept."""
    max_top_k: int = INT64_MAX
    min_p_default: float = 0.0
    max_repetition: float = 1e6

    max_n: int = 128
    max_best_of: int = 20
    max_stops: int = 4
    max_stop_length: int = 8192
    """Characters; a limit of this server, no document states one."""
    min_logprobs: int = 0
    """-1 lists the whole vocabulary."""
    max_logprobs: int = 5
    max_penalty: float = 2.0
    min_temperature: float = 0.0
    """Below 0 is as 0."""
    max_temperature: float = 2.0
    top_p_zero: bool = True
    """Whether `top_p` may be 0."""
    max_top_p: float = 1.0
    """1 and above keep all tokens."""
    endless_tokens: bool = False
    """Whether a negative `max_tokens` is no limit."""
    lowers_tokens: bool = False
    """Whether a `max_tokens` that does not fit into the context is lowered, unless
    `context_length_exceeded_behavior` is `error`."""
    max_bias: float = 100.0
    max_prompts: int = 2048
    max_sequences: int = 2048
    """Prompts × candidates of one request; a limit of this server, no document states one."""

    best_of_above_n: bool = False
    """Whether `best_of` has to be greater than an `n` above 1; otherwise it may also be equal."""
    logprobs_switch: bool = False
    """Whether `logprobs` is also a switch: 0 and false mean none, true means those of the sampled
    tokens alone."""
    whole_decimals: frozenset[str] = frozenset()
    """Integers that are typed as numbers, and so may be sent as 16.0."""
    quoted_values: bool = False
    """Whether numbers and booleans may be sent in quotation marks."""
    stop_arrays_only: bool = False
    """Whether `stop` has to be an array."""
    end_reason: Finish = "stop"
    """The finish reason where a text ends by itself."""
    usage_in_streams: bool = False
    """Whether all chunks have `usage`, null before the last, without being asked for it."""
    choice_fields: tuple[str, ...] = ()
    """Fields of a choice that the live API does not have."""
    stream_options: tuple[str, ...] = ("include_usage", "include_obfuscation")
    options_need_stream: bool = True
    """Whether `stream_options` is rejected without `stream`."""
    bias_pairs: bool = False
    """Whether `logit_bias` may also be an array of pairs of token id and bias, where false bans."""
    repetition_name: str = "repetition_penalty"
    repetition_of_prompt: bool = True
    """Whether the repetition penalty counts the tokens of the prompt."""
    penalty_window: int | None = None
    """The number of last tokens that penalties count; None counts the sampled ones alone."""
    schema_as_text: bool = False
    """Whether `json_schema` is a string that has the schema."""
    temperature_last: bool = False
    """Whether tokens are narrowed down before the temperature applies."""


UNLIMITED = Rules(
    # Far more than anyone requests, but low enough to protect the server.
    max_n=2048,
    max_best_of=2048,
    max_stops=256,
    max_logprobs=20,
    # Above this, a penalty or a bias decides alone, so higher values would change nothing.
    max_penalty=1000.0,
    max_bias=1000.0,
)
"""The limits that remain if a document states none; temperature is limited in most documents."""
