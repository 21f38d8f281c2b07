"""From a request's JSON object to a checked, complete request; all defaults are filled in here.

Differences between documents are data (`Dialect`, `Rules`): another dialect is another record.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from reference_server.completions import extensions, fields
from reference_server.completions.conversation import transcript
from reference_server.completions.dialects import REFERENCE, Dialect
from reference_server.completions.errors import bad_request
from reference_server.completions.extensions import NONE, Extensions
from reference_server.completions.rules import PromptForm, Rules
from reference_server.engine.choice import Finish

Prompt = str | tuple[int, ...] | None
"""Text, token ids, or None if there is no prompt: the beginning of a document."""

T = TypeVar("T")

MIN_REPETITION = 1e-6
"""The scores are divided by it, so that 0 cannot be served."""

TEXTUAL = frozenset({"model", "prompt", "suffix", "stop", "user"})
"""Parameters whose strings are never parsed as numbers."""


@dataclass(frozen=True)
class CompletionRequest:
    """One request, complete and in range. What depends on the model is not checked yet."""

    model: str
    """Empty if none is named and none is required."""
    prompts: tuple[Prompt, ...]
    suffix: str | None
    max_tokens: int | None
    """None is all that fits into the context."""
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
    top_k: int = 0
    """0 or less keeps all tokens."""
    min_p: float = 0.0
    repetition_penalty: float = 1.0
    ignore_eos: bool = False
    """Whether the completion never ends by itself."""
    repetition_of_prompt: bool = True
    penalty_window: int | None = None
    temperature_last: bool = False
    lowers_tokens: bool = False
    """Whether `max_tokens` is lowered to what fits into the context."""
    end_reason: Finish = "stop"
    extensions: Extensions = NONE


def parse(body: Mapping[str, Any], dialect: Dialect = REFERENCE) -> CompletionRequest:
    """Check a body against the dialect's rules for its model.

    Raises ApiError (400) with the first invalid field.
    """
    rules = dialect.rules_for(body["model"] if isinstance(body.get("model"), str) else "")
    model = _model(body, rules)
    _refuse_unknown(body, rules)
    given = _given(body, rules)
    _check_presence(given, rules)

    def read(name: str, default: T, reader: Callable[..., T], *args: Any) -> T:
        return reader(given[name], name, *args) if name in given else default

    n = read("n", 1, fields.integer, 1, rules.max_n)
    penalty = (-rules.max_penalty, rules.max_penalty)
    repetition = (MIN_REPETITION, rules.max_repetition)
    temperatures = (fields.decimal, rules.min_temperature, rules.max_temperature)
    best_of = read("best_of", 0, fields.integer, 0, rules.max_best_of)
    stream = read("stream", False, fields.boolean)
    if stream and best_of > 1:
        raise bad_request("Results cannot be streamed with 'best_of'.", param="best_of")
    request = CompletionRequest(
        model=model,
        prompts=_prompts_or_messages(given, rules),
        suffix=read("suffix", None, fields.string) or None,
        max_tokens=read("max_tokens", rules.max_tokens_default, _max_tokens, rules),
        temperature=max(0.0, read("temperature", rules.temperature_default, *temperatures)),
        top_p=read("top_p", rules.top_p_default, fields.decimal, 0, rules.max_top_p),
        n=n,
        # The documented range begins at 0, which can only mean "as if absent".
        best_of=best_of or n,
        stream=stream,
        include_usage=_include_usage(given, rules, stream=stream),
        logprobs=read("logprobs", None, _logprobs, rules),
        echo=read("echo", False, fields.boolean),
        stop=read("stop", (), _stop, rules),
        presence_penalty=read("presence_penalty", 0.0, fields.decimal, *penalty),
        frequency_penalty=read("frequency_penalty", 0.0, fields.decimal, *penalty),
        logit_bias=read("logit_bias", (), _bias, rules),
        seed=read("seed", rules.seed_default, fields.integer, *fields.INT64),
        user=read("user", None, fields.string),
        top_k=read("top_k", rules.top_k_default, fields.integer, rules.min_top_k, rules.max_top_k),
        min_p=read("min_p", rules.min_p_default, fields.decimal, 0, 1),
        repetition_penalty=read(rules.repetition_name, 1.0, fields.decimal, *repetition),
        ignore_eos=read("ignore_eos", False, fields.boolean),
        repetition_of_prompt=rules.repetition_of_prompt,
        penalty_window=rules.penalty_window,
        temperature_last=rules.temperature_last,
        lowers_tokens=_lowers_tokens(given, rules),
        end_reason=rules.end_reason,
        extensions=extensions.read(given, rules, stream=stream),
    )
    _check_together(request, best_of, rules)
    return request


def _model(body: Mapping[str, Any], rules: Rules) -> str:
    if body.get("model") in (None, ""):
        if not rules.needs_model:
            return ""
        raise bad_request("You must provide a model parameter.", param="model")
    return fields.string(body["model"], "model")


def _refuse_unknown(body: Mapping[str, Any], rules: Rules) -> None:
    unknown = [name[:100] for name in body if name not in rules.parameters]
    if unknown:
        noun = "argument" if len(unknown) == 1 else "arguments"
        raise bad_request(f"Unrecognized request {noun} supplied: {', '.join(unknown[:10])}")


def _given(body: Mapping[str, Any], rules: Rules) -> dict[str, Any]:
    """The parameters that count: without nulls, and without quotation marks around numbers."""
    return {
        name: _unquoted(name, value, rules)
        for name, value in body.items()
        if value is not None or name not in rules.nullable
    }


def _unquoted(name: str, value: Any, rules: Rules) -> Any:
    """A value in the form that the readers expect, if the document permits another form."""
    if rules.quoted_values and name not in TEXTUAL:
        return fields.unquoted(value)
    return fields.whole(value) if name in rules.whole_decimals else value


def _check_presence(given: Mapping[str, Any], rules: Rules) -> None:
    """Required parameters, unsupported ones, and conflicts."""
    for group in rules.required:
        if not any(name in given for name in group):
            quoted = " or ".join(f"'{name}'" for name in group)
            raise bad_request(
                f"Missing required parameter: {quoted}.",
                param=group[0],
                code="missing_required_parameter",
            )
    for name in given:
        if name in rules.unsupported and _requested(given, name):
            raise bad_request(
                f"The '{name}' parameter is not supported for this model.", param=name
            )
    for conflict in rules.conflicts:
        if _requested(given, conflict.first) and _requested(given, conflict.second):
            raise bad_request(conflict.message)


def _requested(given: Mapping[str, Any], name: str) -> bool:
    return given.get(name) is not None and given[name] is not False


def _check_together(request: CompletionRequest, best_of: int, rules: Rules) -> None:
    """Conditions on several fields; ``best_of`` is the requested value, 0 if absent."""
    if request.best_of < request.n:
        raise bad_request(
            f"You requested that the server return more choices than it will generate: 'n' "
            f"({request.n}) must not be greater than 'best_of' ({request.best_of}).",
            param="best_of",
        )
    if request.top_p == 0 and not rules.top_p_zero:
        raise bad_request("Invalid 'top_p': it must be above 0.", param="top_p")
    if "" in request.prompts and not rules.empty_prompts:
        raise bad_request("Invalid 'prompt': it must not be empty.", param="prompt")
    if rules.best_of_above_n and best_of == request.n > 1:
        raise bad_request(
            f"Invalid 'best_of': it must be greater than 'n' ({request.n}), but got {best_of} "
            "instead.",
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


def _include_usage(given: Mapping[str, Any], rules: Rules, *, stream: bool) -> bool:
    if "stream_options" not in given:
        return stream and rules.usage_in_streams
    options = fields.members(given["stream_options"], "stream_options", rules.stream_options)
    if not stream and rules.options_need_stream:
        raise bad_request(
            "The 'stream_options' parameter is only allowed when 'stream' is enabled.",
            param="stream_options",
        )
    for name, value in options.items():
        fields.boolean(value, f"stream_options.{name}")
    return stream and bool(options.get("include_usage", False))


def _max_tokens(value: Any, name: str, rules: Rules) -> int | None:
    low = fields.INT64[0] if rules.endless_tokens else rules.min_tokens_limit
    count = fields.integer(value, name, low, rules.max_tokens_limit or fields.INT64[1])
    return None if count < 0 else count


def _lowers_tokens(given: Mapping[str, Any], rules: Rules) -> bool:
    name, behaviours = "context_length_exceeded_behavior", ("error", "truncate")
    behaviour = given.get(name, "truncate")
    if behaviour not in behaviours:
        raise bad_request(f"Invalid '{name}': expected error or truncate.", param=name)
    return rules.lowers_tokens and behaviour == "truncate"


def _stop(value: Any, name: str, rules: Rules) -> tuple[str, ...]:
    if rules.stop_arrays_only and not isinstance(value, list):
        raise fields.wrong_type(value, name, "an array of strings")
    return fields.stop_sequences(value, name, rules.max_stops, rules.max_stop_length)


def _bias(value: Any, name: str, rules: Rules) -> tuple[tuple[int, float], ...]:
    limits = (-rules.max_bias, rules.max_bias)
    if rules.bias_pairs and isinstance(value, list):
        return fields.bias_pairs(value, name, *limits)
    return fields.token_bias(value, name, *limits)


def _logprobs(value: Any, name: str, rules: Rules) -> int | None:
    """The number of alternatives requested, None without ``logprobs``."""
    if rules.logprobs_switch and isinstance(value, bool):
        return 0 if value else None
    count = fields.integer(value, name, rules.min_logprobs, rules.max_logprobs)
    return None if rules.logprobs_switch and count == 0 else count


def _prompts_or_messages(given: Mapping[str, Any], rules: Rules) -> tuple[Prompt, ...]:
    if "messages" in given:
        return (transcript(given["messages"], "messages"),)
    if "prompt" not in given:
        return (None,)
    return _prompts(given["prompt"], rules)


def _prompts(value: Any, rules: Rules) -> tuple[Prompt, ...]:
    """One of the four forms, by its first element; anything mixed is rejected."""
    form = _form_of(value)
    if form not in rules.prompt_forms:
        raise fields.wrong_type(value, "prompt", _either(rules.prompt_forms))
    match form:
        case PromptForm.STRING:
            return (value,)
        case PromptForm.TOKENS:
            return (_tokens(value, "prompt"),)
        case PromptForm.STRINGS:
            fields.at_most(value, "prompt", rules.max_prompts)
            return tuple(fields.string(item, f"prompt[{i}]") for i, item in enumerate(value))
        case PromptForm.TOKEN_ARRAYS:
            fields.at_most(value, "prompt", rules.max_prompts)
            return tuple(_token_array(item, f"prompt[{i}]") for i, item in enumerate(value))


def _form_of(value: Any) -> PromptForm:
    match value:
        case str():
            return PromptForm.STRING
        case list():
            fields.at_least_one(value, "prompt")
        case _:
            raise fields.wrong_type(value, "prompt", _either(tuple(PromptForm)))
    match value[0]:
        case str():
            return PromptForm.STRINGS
        case int() if not isinstance(value[0], bool):
            return PromptForm.TOKENS
        case list():
            return PromptForm.TOKEN_ARRAYS
        case _:
            raise fields.wrong_type(value[0], "prompt[0]", "a string, a token or an array")


def _either(forms: tuple[PromptForm, ...]) -> str:
    *others, last = forms
    return f"{', '.join(others)} or {last}" if others else str(last)


def _token_array(value: Any, name: str) -> tuple[int, ...]:
    if not isinstance(value, list):
        raise fields.wrong_type(value, name, "an array of tokens")
    fields.at_least_one(value, name)
    return _tokens(value, name)


def _tokens(items: list[Any], name: str) -> tuple[int, ...]:
    if any(type(item) is not int or item < 0 for item in items):
        for place, item in enumerate(items):  # a second pass, to find the invalid element
            fields.integer(item, f"{name}[{place}]", 0)
    return tuple(items)
