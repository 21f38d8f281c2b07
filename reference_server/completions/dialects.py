"""The reference server's dialects: each speaks exactly as one document says.

Read from the five vendors' pages, sentence by sentence, and for ``openai`` from the live API's
answers. How a page is read where it leaves a choice, the same for all:

- a parameter that it does not list does not exist: sending it is a 400;
- a type without "or null", and without null as the default, does not take null;
- a limit that it does not state is not there; what remains are this server's own (`UNLIMITED`);
- a default that it does not state is the live API's;
- `best_of` below `n`, and `best_of` with `stream`, ask for what nobody can serve: always a 400;
- an answer has the fields that clients of the endpoint read, however few of them it shows; only
  ``system_fingerprint``, which no client needs, is left out where its samples do without.

Another dialect is one more record in `DIALECTS`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from reference_server.completions.rules import PARAMETERS, Conflict, PromptForm, Rules

INSTRUCT = "gpt-3.5-turbo-instruct"


@dataclass(frozen=True)
class Dialect:
    """One document's way of serving the endpoint."""

    name: str
    summary: str
    """One line for people who choose."""
    rules: Rules
    models: Mapping[str, Rules] = field(default_factory=lambda: MappingProxyType({}))
    """Rules of single models, where the document tells models apart."""
    fingerprint: bool = False
    """Whether answers carry ``system_fingerprint``."""

    def rules_for(self, model: str) -> Rules:
        """What a request to this model is held to."""
        return self.models.get(model, self.rules)


UNLIMITED = Rules(
    # Far more than anybody asks for, and still no way to bring the server down.
    max_n=2048,
    max_best_of=2048,
    max_stops=256,
    max_logprobs=20,
    # Past this a penalty or a bias decides alone, so more of it changes nothing.
    max_penalty=1000.0,
    max_bias=1000.0,
)
"""What remains where a document states no limit; the temperature has one in every document."""

REFERENCE = Dialect(
    "reference",
    "every parameter of the endpoint, within the limits of the live API; the default",
    Rules(),
    fingerprint=True,
)

# The published description lists every parameter for every model; what a model of the live API
# cannot do, it refuses when asked.
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
        # The cells of these two are empty where all others say "optional".
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
        # One row of the table, marked as required, names both. It takes the one or the other:
        # nothing says in which order a text and a conversation would be continued.
        required=(("prompt", "messages"),),
        conflicts=(
            Conflict("prompt", "messages", "Send either 'prompt' or 'messages', not both."),
        ),
        # "A string or an array", without a word on what is in it: an array of tokens is one too.
        prompt_forms=tuple(PromptForm),
        max_penalty=2.0,
        # Typed "number" beside other rows that say "integer".
        whole_decimals=frozenset({"max_tokens"}),
    ),
)

AOCHENG = Dialect(
    "aocheng",
    "aigc.aochengcloud.com: every default but few limits; any number of stop sequences",
    replace(
        UNLIMITED,
        parameters=PARAMETERS - {"seed", "stream_options"},
        # Those whose default is null.
        nullable=frozenset({"suffix", "logprobs", "stop", "logit_bias", "user"}),
        # The first of two tables, which has no column for a default.
        required=(("prompt",),),
        # "string/array", described as the text to prompt with: an array of texts.
        prompt_forms=(PromptForm.STRING, PromptForm.STRINGS),
        max_tokens_default=16,
    ),
)

_ZHIZENGZENG = replace(
    UNLIMITED,
    parameters=PARAMETERS - {"stream_options"},
    # "Or null", or null as the default.
    nullable=frozenset({"best_of", "echo", "logit_bias", "stop", "suffix", "temperature", "top_p"}),
    # `prompt` is marked as required, but the page also says what happens where none is specified:
    # the model begins a document. That tells more, so a request without one is served.
    required=(),
    # The page advises against changing both, and ends: the two cannot be there at the same time.
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
    # "Greater than n". The defaults, 1 and 1, would break that, so it binds from two choices on.
    best_of_above_n=True,
    # A number by its type, a boolean by its description ("whether to return … if true"), and by
    # its default of 0 something that 0 turns off. All three hold if it is a switch that may also
    # say how many alternatives are wanted.
    logprobs_switch=True,
    whole_decimals=frozenset({"logprobs"}),
)
ZHIZENGZENG = Dialect(
    "zhizengzeng",
    "api.zhizengzeng.com: max_tokens unlimited by default, best_of above n, temperature or top_p",
    # "Only supported by gpt-3.5-turbo-instruct", says the page of suffix.
    replace(_ZHIZENGZENG, unsupported=frozenset({"suffix"})),
    {INSTRUCT: _ZHIZENGZENG},
    # The page tells its readers to watch it.
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
        # As the example has it.
        nullable=frozenset({"logprobs"}),
        # All nine are marked as required. A mark on everything tells nothing apart, and the prose
        # speaks of requests without a prompt; it is taken as the sender's duty. A request with all
        # nine is served, and one with fewer as well, for which the page has no other answer.
        required=(),
        # Typed as a string; the description names all four.
        prompt_forms=tuple(PromptForm),
        max_stops=4,
        max_logprobs=5,
        # The schema types everything as a string, its example sends numbers, false and null. Who
        # follows either of them is served: 7 and "7", false and "false".
        quoted_values=True,
    ),
)

DIALECTS: Mapping[str, Dialect] = MappingProxyType(
    {
        dialect.name: dialect
        for dialect in (REFERENCE, OPENAI, ZERO, GPT_GE, AOCHENG, ZHIZENGZENG, ERONMIND)
    }
)
