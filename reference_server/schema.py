"""From a request's JSON object to a checked, complete request; every default is filled in here.

What a document promises differs in numbers and names, so those are data (`Rules`): another dialect
is another `Rules`, the code stays. Sources of the defaults: OpenAI's API description
(``CreateCompletionRequest``) and, where it is silent, the behaviour of the live endpoint.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from reference_server import fields
from reference_server.errors import bad_request

Prompt = str | tuple[int, ...] | None
"""Text, token ids, or None where nothing was said: the beginning of a document."""

T = TypeVar("T")

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


@dataclass(frozen=True)
class Rules:
    """The numbers and names in which one document's completions endpoint differs from another's."""

    parameters: frozenset[str] = PARAMETERS
    not_nullable: frozenset[str] = frozenset({"model", "user"})
    max_tokens_default: int = 16
    max_n: int = 128
    max_best_of: int = 20
    max_stops: int = 4
    max_stop_length: int = 8192
    """Characters; a limit of this server, no document states one."""
    max_logprobs: int = 5
    max_penalty: float = 2.0
    max_temperature: float = 2.0
    max_bias: float = 100.0
    max_prompts: int = 2048
    max_sequences: int = 2048
    """Prompts × candidates of one request; a limit of this server, no document states one."""


DEFAULT_RULES = Rules()


@dataclass(frozen=True)
class CompletionRequest:
    """One request, complete and in range. What depends on the model is not checked yet."""

    model: str
    prompts: tuple[Prompt, ...]
    suffix: str | None
    max_tokens: int
    temperature: float
    top_p: float
    n: int
    best_of: int
    """Candidates per prompt, at least ``n``."""
    stream: bool
    include_usage: bool
    logprobs: int | None
    echo: bool
    stop: tuple[str, ...]
    presence_penalty: float
    frequency_penalty: float
    logit_bias: tuple[tuple[int, float], ...]
    seed: int | None
    user: str | None


def parse(body: Mapping[str, Any], rules: Rules = DEFAULT_RULES) -> CompletionRequest:
    """Check a body against the rules.

    Raises ApiError (400) naming the first field at fault.
    """
    _refuse_unknown(body, rules)
    if body.get("model") in (None, ""):
        raise bad_request("You must provide a model parameter.", param="model")

    def read(name: str, default: T, reader: Callable[..., T], *args: Any) -> T:
        if name not in body or (body[name] is None and name not in rules.not_nullable):
            return default
        return reader(body[name], name, *args)

    n = read("n", 1, fields.integer, 1, rules.max_n)
    penalty = (-rules.max_penalty, rules.max_penalty)
    best_of = read("best_of", 0, fields.integer, 0, rules.max_best_of)
    stream = read("stream", False, fields.boolean)
    if stream and best_of > 1:
        raise bad_request("Results cannot be streamed with 'best_of'.", param="best_of")
    request = CompletionRequest(
        model=fields.string(body["model"], "model"),
        prompts=_prompts(body.get("prompt"), rules),
        suffix=read("suffix", None, fields.string) or None,
        max_tokens=read("max_tokens", rules.max_tokens_default, fields.integer, 0),
        temperature=read("temperature", 1.0, fields.decimal, 0, rules.max_temperature),
        top_p=read("top_p", 1.0, fields.decimal, 0, 1),
        n=n,
        # The documented range begins at 0, which can only mean "as if it were not there".
        best_of=best_of or n,
        stream=stream,
        include_usage=_include_usage(body, stream=stream),
        logprobs=read("logprobs", None, fields.integer, 0, rules.max_logprobs),
        echo=read("echo", False, fields.boolean),
        stop=read("stop", (), fields.stop_sequences, rules.max_stops, rules.max_stop_length),
        presence_penalty=read("presence_penalty", 0.0, fields.decimal, *penalty),
        frequency_penalty=read("frequency_penalty", 0.0, fields.decimal, *penalty),
        logit_bias=read("logit_bias", (), fields.token_bias, -rules.max_bias, rules.max_bias),
        seed=read("seed", None, fields.integer, *fields.INT64),
        user=read("user", None, fields.string),
    )
    _check_together(request, rules)
    return request


def _refuse_unknown(body: Mapping[str, Any], rules: Rules) -> None:
    unknown = [name[:100] for name in body if name not in rules.parameters]
    if unknown:
        noun = "argument" if len(unknown) == 1 else "arguments"
        raise bad_request(f"Unrecognized request {noun} supplied: {', '.join(unknown[:10])}")


def _check_together(request: CompletionRequest, rules: Rules) -> None:
    """What no field says alone."""
    if request.best_of < request.n:
        raise bad_request(
            f"You requested that the server return more choices than it will generate: 'n' "
            f"({request.n}) must not be greater than 'best_of' ({request.best_of}).",
            param="best_of",
        )
    if request.max_tokens == 0 and not request.echo:
        raise bad_request(
            "Invalid 'max_tokens': 0 generates nothing and is of use only with 'echo'. "
            "Expected a value >= 1.",
            param="max_tokens",
            code="integer_below_min_value",
        )
    sequences = len(request.prompts) * request.best_of
    if sequences > rules.max_sequences:
        raise bad_request(
            f"The request asks for {sequences} completions at once ({len(request.prompts)} prompts "
            f"with {request.best_of} candidates each); at most {rules.max_sequences} are served.",
            param="n" if request.n > 1 else "prompt",
        )


def _include_usage(body: Mapping[str, Any], *, stream: bool) -> bool:
    options = body.get("stream_options")
    if options is None:
        return False
    options = fields.members(options, "stream_options", ("include_usage", "include_obfuscation"))
    if not stream:
        raise bad_request(
            "The 'stream_options' parameter is only allowed when 'stream' is enabled.",
            param="stream_options",
        )
    for name, value in options.items():
        fields.boolean(value, f"stream_options.{name}")
    return bool(options.get("include_usage", False))


def _prompts(value: Any, rules: Rules) -> tuple[Prompt, ...]:
    """The four forms, told apart by their first element; anything mixed is refused."""
    expected = "a string, an array of strings, an array of tokens or an array of token arrays"
    match value:
        case None:
            return (None,)
        case str():
            return (value,)
        case list():
            fields.at_least_one(value, "prompt")
        case _:
            raise fields.wrong_type(value, "prompt", expected)
    match value[0]:
        case bool():
            raise fields.wrong_type(value[0], "prompt[0]", "a string, a token or an array")
        case int():
            return (_tokens(value, "prompt"),)
        case str():
            fields.at_most(value, "prompt", rules.max_prompts)
            return tuple(fields.string(item, f"prompt[{i}]") for i, item in enumerate(value))
        case list():
            fields.at_most(value, "prompt", rules.max_prompts)
            return tuple(_token_array(item, f"prompt[{i}]") for i, item in enumerate(value))
        case _:
            raise fields.wrong_type(value[0], "prompt[0]", "a string, a token or an array")


def _token_array(value: Any, name: str) -> tuple[int, ...]:
    if not isinstance(value, list):
        raise fields.wrong_type(value, name, "an array of tokens")
    fields.at_least_one(value, name)
    return _tokens(value, name)


def _tokens(items: list[Any], name: str) -> tuple[int, ...]:
    if any(type(item) is not int or item < 0 for item in items):
        for place, item in enumerate(items):  # a second look, to name the culprit
            fields.integer(item, f"{name}[{place}]", 0)
    return tuple(items)
