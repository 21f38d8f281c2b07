"""The reference server's dialects: each emulates one document exactly.

Written from the five vendors' pages, sentence by sentence, and for ``openai`` from the live API's
responses. Where a page leaves a choice, it is read like this:

- a parameter that it does not list does not exist: sending it is a 400;
- a type without "or null", and without null as the default, rejects null;
- a limit that it does not state does not exist; this server's own apply (`UNLIMITED`);
- a default that it does not state is the live API's;
- `best_of` below `n`, and `best_of` with `stream`, cannot be served: always a 400;
- a response has all fields that clients of the endpoint read, even if its samples show fewer;
  only ``system_fingerprint``, which no client needs, is omitted if its samples have none.

Another dialect is one more record in `DIALECTS`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from reference_server.completions.envelope import TEXT_COMPLETION, Objects
from reference_server.completions.errors import LIVE_SHAPE, ErrorShape
from reference_server.completions.hosted import CEREBRAS_RULES
from reference_server.completions.living import (
    LLAMA_CPP_ERRORS,
    LLAMA_CPP_RULES,
    VLLM_ERRORS,
    VLLM_RULES,
)
from reference_server.completions.rules import (
    PARAMETERS,
    UNLIMITED,
    Conflict,
    PromptForm,
    Rules,
)
from reference_server.completions.servers.deepseek_fim import DEEPSEEK_FIM_RULES
from reference_server.completions.servers.fireworks import FIREWORKS_ERRORS, FIREWORKS_RULES
from reference_server.completions.servers.ollama import OLLAMA_RULES
from reference_server.completions.servers.sglang import SGLANG_ERRORS, SGLANG_RULES
from reference_server.completions.servers.siliconflow import SILICONFLOW_RULES
from reference_server.completions.servers.together import TOGETHER_RULES

BASE_PATH = "/v1"
INSTRUCT = "gpt-3.5-turbo-instruct"


@dataclass(frozen=True)
class Dialect:
    """How the endpoint behaves according to one document."""

    name: str
    summary: str
    """One line, printed by ``--list-dialects``."""
    rules: Rules
    models: Mapping[str, Rules] = field(default_factory=lambda: MappingProxyType({}))
    """Rules of single models, if the document distinguishes models."""
    fingerprint: bool = False
    """Whether responses have ``system_fingerprint``."""
    any_model: bool = False
    """Whether the name of the model decides nothing: every name is served."""
    errors: ErrorShape = LIVE_SHAPE
    owner: str = "reference-server"
    """``owned_by`` in the list of models, where many servers write their own name."""
    usage_with_last_choice: bool = False
    """Whether the usage of a stream is always sent, on its last chunk with a choice."""
    objects: Objects = TEXT_COMPLETION
    has_prompt: bool = False
    """Whether responses have `prompt`, where an echo would be."""
    base_path: str = BASE_PATH
    """What the address of the endpoint has before ``/completions``; it is also at `BASE_PATH`."""

    def rules_for(self, model: str) -> Rules:
        """The rules for requests to this model."""
        return self.models.get(model, self.rules)


REFERENCE = Dialect(
    "reference",
    "every parameter of the endpoint, within the limits of the live API; the default",
    Rules(),
    fingerprint=True,
)

# The published description lists every parameter for every model; the live API rejects what a
# model cannot do.
_OPENAI_INSTRUCT = Rules(
    conflicts=(
        Conflict(
            "echo",
            "logprobs",
            "Setting 'echo' and 'logprobs' at the same time is not supported for this model.",
        ),
    ),
)
OPENAI = Dialect(
    "openai",
    "the live API: gpt-3.5-turbo-instruct refuses echo with logprobs, davinci-002 refuses suffix",
    Rules(unsupported=frozenset({"suffix"})),
    {INSTRUCT: _OPENAI_INSTRUCT},
    fingerprint=True,
)

ZERO = Dialect(
    "zero",
    "api000.com: thirteen parameters; no best_of, logit_bias, seed or user",
    replace(
        UNLIMITED,
        parameters=frozenset(
            {
                "model",
                "prompt",
                "max_tokens",
                "temperature",
                "top_p",
                "n",
                "stream",
                "stop",
                "presence_penalty",
                "frequency_penalty",
                "suffix",
                "echo",
                "logprobs",
            }
        ),
        nullable=frozenset(),
        # The cells of these two are empty; all others say "optional".
        required=(("prompt",),),
        # "A string or an array of strings": tokens are not among them.
        prompt_forms=(PromptForm.STRING, PromptForm.STRINGS),
        max_stops=4,
        max_penalty=2.0,
    ),
)

GPT_GE = Dialect(
    "gpt-ge",
    "api.gpt.ge: eleven parameters, messages instead of a prompt; no stop, echo or suffix",
    replace(
        UNLIMITED,
        parameters=frozenset(
            {
                "model",
                "prompt",
                "messages",
                "temperature",
                "top_p",
                "max_tokens",
                "n",
                "stream",
                "presence_penalty",
                "frequency_penalty",
                "logprobs",
                "user",
            }
        ),
        nullable=frozenset(),
        # One row of the table, marked as required, names both. Exactly one of them is accepted: the
        # page does not say in which order a text and a conversation would be continued.
        required=(("prompt", "messages"),),
        conflicts=(
            Conflict("prompt", "messages", "Send either 'prompt' or 'messages', not both."),
        ),
        # "A string or an array", without its content: an array of tokens is one, too.
        prompt_forms=tuple(PromptForm),
        max_penalty=2.0,
        # Typed "number"; other rows say "integer".
        whole_decimals=frozenset({"max_tokens"}),
    ),
)

AOCHENG = Dialect(
    "aocheng",
    "aigc.aochengcloud.com: every default but few limits; any number of stop sequences",
    replace(
        UNLIMITED,
        parameters=PARAMETERS - {"seed", "stream_options"},
        # Those with null as default.
        nullable=frozenset({"suffix", "logprobs", "stop", "logit_bias", "user"}),
        # In the first of two tables, which has no column for defaults.
        required=(("prompt",),),
        # "string/array", described as the text of the prompt: an array of texts.
        prompt_forms=(PromptForm.STRING, PromptForm.STRINGS),
        max_tokens_default=16,
    ),
)

_ZHIZENGZENG = replace(
    UNLIMITED,
    parameters=PARAMETERS - {"stream_options"},
    # "Or null", or null as the default.
    nullable=frozenset({"best_of", "echo", "logit_bias", "stop", "suffix", "temperature", "top_p"}),
    # `prompt` is marked as required, but the page also says what happens without it: the model
    # begins a document. That is more specific, so a request without a prompt is served.
    required=(),
    # The page advises against changing both, and ends: the two cannot be set at the same time.
    conflicts=(
        Conflict(
            "temperature",
            "top_p",
            "'temperature' and 'top_p' cannot be set at the same time. Please send one of them.",
        ),
    ),
    max_tokens_default=None,
    seed_default=1,
    max_stops=4,
    max_penalty=2.0,
    max_bias=100.0,
    # "Greater than n". The defaults, 1 and 1, would violate that, so it applies from n = 2.
    best_of_above_n=True,
    # A number by its type, a boolean by its description ("whether to return … if true"), and its
    # default of 0 switches something off. All three hold if it is a switch that can also be the
    # number of alternatives.
    logprobs_switch=True,
    whole_decimals=frozenset({"logprobs"}),
)
ZHIZENGZENG = Dialect(
    "zhizengzeng",
    "api.zhizengzeng.com: max_tokens unlimited by default, best_of above n, temperature or top_p",
    # The page says of suffix: "only supported by gpt-3.5-turbo-instruct".
    replace(_ZHIZENGZENG, unsupported=frozenset({"suffix"})),
    {INSTRUCT: _ZHIZENGZENG},
    # The page tells its readers to monitor it.
    fingerprint=True,
)

ERONMIND = Dialect(
    "eronmind",
    "newapi.eronmind.com: nine parameters, as its example sends them or in quotation marks",
    replace(
        UNLIMITED,
        parameters=frozenset(
            {
                "model",
                "prompt",
                "max_tokens",
                "temperature",
                "top_p",
                "n",
                "stream",
                "logprobs",
                "stop",
            }
        ),
        # As in the example.
        nullable=frozenset({"logprobs"}),
        # All nine are marked as required, although the prose describes requests without a prompt.
        # The mark is read as the client's obligation: a request with fewer is served as well,
        # because the page specifies no other response.
        required=(),
        # Typed as a string; the description lists all four.
        prompt_forms=tuple(PromptForm),
        max_stops=4,
        max_logprobs=5,
        # The schema types everything as a string, its example sends numbers, false and null. Both
        # are accepted: 7 and "7", false and "false".
        quoted_values=True,
    ),
)

VLLM = Dialect(
    "vllm",
    "vLLM: model optional, logprobs from -1 to 20, top_k and min_p; no suffix or best_of",
    VLLM_RULES,
    fingerprint=True,
    errors=VLLM_ERRORS,
    owner="vllm",
)
LLAMA_CPP = Dialect(
    "llama-cpp",
    "llama.cpp's server: any model, unlimited by default, temperature 0.8, top_k 40, min_p 0.05",
    LLAMA_CPP_RULES,
    fingerprint=True,
    any_model=True,
    errors=LLAMA_CPP_ERRORS,
    owner="llamacpp",
)

SGLANG = Dialect(
    "sglang",
    "SGLang: any model, max_tokens above 0, errors without an envelope; top_k, min_p and others",
    SGLANG_RULES,
    any_model=True,
    errors=SGLANG_ERRORS,
    owner="sglang",
)
CEREBRAS = Dialect(
    "cerebras",
    "Cerebras: temperature up to 1.5, null almost everywhere; no suffix",
    CEREBRAS_RULES,
    fingerprint=True,
)

DEEPSEEK_FIM = Dialect(
    "deepseek-fim",
    "DeepSeek FIM: eleven parameters at /beta, the prompt a string, usage on the last choice",
    DEEPSEEK_FIM_RULES,
    fingerprint=True,
    base_path="/beta",
    usage_with_last_choice=True,
    owner="deepseek",
)

OLLAMA = Dialect(
    "ollama",
    "Ollama: twelve parameters, the prompt a string; no n, best_of, echo, logprobs or logit_bias",
    OLLAMA_RULES,
    fingerprint=True,
    owner="library",
)

FIREWORKS = Dialect(
    "fireworks",
    "Fireworks: 422 with a list for bad input, max_tokens lowered to the context, top_k to 100",
    FIREWORKS_RULES,
    errors=FIREWORKS_ERRORS,
    owner="fireworks",
    usage_with_last_choice=True,
    base_path="/inference/v1",
)
SILICONFLOW = Dialect(
    "siliconflow",
    "SiliconFlow: temperature to 1, stop an array, eos as a finish reason; no echo or logprobs",
    SILICONFLOW_RULES,
    owner="siliconflow",
    usage_with_last_choice=True,
)
TOGETHER = Dialect(
    "together",
    "Together: objects text.completion and completion.chunk, temperature to 1, stop an array",
    TOGETHER_RULES,
    owner="together",
    usage_with_last_choice=True,
    objects=Objects("text.completion", "completion.chunk"),
    has_prompt=True,
)

DIALECTS: Mapping[str, Dialect] = MappingProxyType(
    {
        dialect.name: dialect
        for dialect in (
            *(REFERENCE, OPENAI, ZERO, GPT_GE, AOCHENG, ZHIZENGZENG, ERONMIND),
            *(VLLM, LLAMA_CPP, SGLANG, OLLAMA, DEEPSEEK_FIM, CEREBRAS),
            *(FIREWORKS, SILICONFLOW, TOGETHER),
        )
    }
)
