"""The fake endpoint's validation: the contract's schema, and rules between parameters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from conformance.contract import Contract, SchemaViolation
from conformance.testing import fake_model as language
from conformance.testing.fake_constraints import PARAMETERS, draw_of

CONTEXT = 4096
"""Maximum tokens of prompt and completion together."""

CODES = {
    "type": "invalid_type",
    "anyOf": "invalid_type",
    "minimum": "number_below_min_value",
    "maximum": "number_above_max_value",
    "minItems": "array_below_min_length",
    "maxItems": "array_above_max_length",
    "required": "missing_required_parameter",
}

Body = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class RequestError:
    """The error for an invalid request: the members of the error envelope, and the status."""

    message: str
    param: str | None = None
    code: str | None = None
    status: int = 400
    type: str = "invalid_request_error"

    @property
    def members(self) -> dict[str, object]:
        """The error object."""
        return {
            "message": self.message,
            "type": self.type,
            "param": self.param,
            "code": self.code,
        }


def error_in(body: object, contract: Contract, model: str) -> RequestError | None:
    """Return the error for a request body, or None if it is valid.

    Args:
        body: the parsed body.
        contract: the contract, whose limits apply.
        model: the only model that exists.
    """
    if not isinstance(body, Mapping):
        return RequestError("the body must be a JSON object")
    if not isinstance(body.get("model"), str):
        return RequestError("you must provide a model parameter", "model", CODES["required"])
    known = {parameter.name for parameter in contract.parameters}
    unknown = [name for name in body if name not in known]
    if unknown:
        return RequestError(f"Unrecognized request argument supplied: {unknown[0]}", unknown[0])
    prompt = body.get("prompt")
    if prompt is not None and not _is_prompt(prompt):
        message = "prompt must be a string or an array of strings or of tokens"
        return RequestError(message, "prompt", CODES["type"])
    if body["model"] != model:
        message = f"The model `{body['model']}` does not exist"
        return RequestError(message, "model", "model_not_found", status=404)
    # More lenient than the document: null is the default, only the model is required, and the
    # prompt can have any form.
    given = {name: value for name, value in body.items() if value is not None} | {"prompt": ""}
    wrong = (found for found in contract.validate_request(given) if found.rule != "required")
    violation = next(wrong, None)
    return _of_schema(violation) if violation else _of_rules(body, contract)


def _is_prompt(value: object) -> bool:
    """Return whether a value has one of the four forms of a prompt."""
    if not isinstance(value, list) or not value:
        return isinstance(value, str)
    return all(isinstance(part, str) for part in value) or all(
        _are_tokens(ids) for ids in ([value] if isinstance(value[0], int) else value)
    )


def _are_tokens(value: object) -> bool:
    return isinstance(value, list) and bool(value) and all(type(part) is int for part in value)


def _of_schema(violation: SchemaViolation) -> RequestError:
    name = violation.path.partition(".")[0].partition("[")[0] or None
    message = f"Invalid value for {name or 'the body'}: {violation.message}"
    return RequestError(message, name, CODES.get(violation.rule))


def _of_rules(body: Body, contract: Contract) -> RequestError | None:
    """Apply the rules between parameters, which no schema can express."""
    error = None
    choices, candidates = body.get("n") or 1, body.get("best_of")
    if candidates and candidates < choices:
        error = RequestError("best_of must be at least n", "best_of")
    elif candidates == choices > 1 and "best-of.equal-to-n-refused" in contract.requirements:
        error = RequestError("best_of must be greater than n", "best_of")
    elif (candidates or 1) > 1 and body.get("stream"):
        error = RequestError("best_of above 1 cannot be streamed", "best_of")
    elif any(_all(names, body) for names in contract.refused_together):
        error = RequestError("these parameters cannot be used together")
    elif body.get("stream_options") is not None and not body.get("stream"):
        error = RequestError("stream_options is only allowed with stream", "stream_options")
    elif body.get("max_tokens") == 0 and not body.get("echo"):
        error = RequestError("max_tokens must be at least 1 without echo", "max_tokens")
    elif 0 <= (body.get("max_tokens") or CONTEXT) < (body.get("min_tokens") or 0):
        error = RequestError("min_tokens must be at most max_tokens", "min_tokens")
    elif body.get("stream") and body.get("prompt_logprobs") is not None:
        error = RequestError("prompt_logprobs cannot be streamed", "prompt_logprobs")
    elif any(not _is_token(key) for key in body.get("logit_bias") or ()):
        error = RequestError("logit_bias names a token that does not exist", "logit_bias")
    elif any(not 0 <= token < language.SIZE for ids in prompts_of(body) for token in ids):
        error = RequestError("prompt holds a token that does not exist", "prompt")
    else:
        error = _of_constraint(body) or _over_context(body)
    return error


def _of_constraint(body: Body) -> RequestError | None:
    try:
        draw_of(body)
    except ValueError as error:
        name = next(name for name in PARAMETERS if body.get(name) is not None)
        return RequestError(f"the constraint in {name} cannot be followed: {error}", name)
    return None


def _all(names: frozenset[str], body: Body) -> bool:
    """Return whether a body uses all of some parameters."""
    return all(body.get(name) not in (None, False) for name in names)


def _over_context(body: Body) -> RequestError | None:
    request = body.get("max_tokens") or 0
    longest = max(map(len, prompts_of(body)), default=0)
    if longest + request <= CONTEXT:
        return None
    return RequestError(
        f"This model's maximum context length is {CONTEXT} tokens, however you requested"
        f" {longest + request} tokens ({longest} in your prompt; {request} for the completion)",
        code="context_length_exceeded",
    )


def _is_token(key: str) -> bool:
    return key.isdecimal() and int(key) < language.SIZE


def prompts_of(body: Body) -> list[list[int]]:
    """Return the tokens of each prompt, in any form; a missing prompt has none."""
    prompt = body.get("prompt")
    is_batch = isinstance(prompt, list) and any(isinstance(part, str | list) for part in prompt)
    prompts = prompt if is_batch and isinstance(prompt, list) else [prompt]
    return [
        language.encode(part) if isinstance(part, str) else list(part or ()) for part in prompts
    ]
