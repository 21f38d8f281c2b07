"""The schema that request bodies are generated from: the contract's, narrowed to cheap values.

Bodies from the contract's own schema would be expensive (128 choices, unlimited tokens) and would
request things that no server has (token 10²⁷). Types, nulls and documented limits are kept; a copy
of the schema is narrowed here, never widened.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from conformance.contract import Contract

Json = dict[str, Any]

TEXTS = ("1, 2,", " red", "一二", "🌸", "é\n")
"""Short prompts: digits, a leading space, and characters of two, three and four UTF-8 bytes."""

STOPS = ("\n\n\n", "§", "zq", "。。")
"""Stop sequences that rarely occur, so that the response is not cut short by them."""

TOKENS = (1, 2, 3, 5, 8)
"""Token ids that every vocabulary has."""

STEP = 0.125
"""Generated numbers are multiples of it: exact in binary, and short to read."""

NARROWER: Mapping[str, Json] = {
    "suffix": {"enum": [" end", "。", None]},
    "max_tokens": {"type": "integer", "minimum": 1, "maximum": 3},
    # Some documents state no limits; values far out of the usual ones are of no interest.
    "temperature": {"minimum": 0, "maximum": 2, "multipleOf": STEP},
    "top_p": {"minimum": STEP, "maximum": 1, "multipleOf": STEP},
    "n": {"maximum": 2},
    "presence_penalty": {"minimum": -2, "maximum": 2, "multipleOf": STEP},
    "frequency_penalty": {"minimum": -2, "maximum": 2, "multipleOf": STEP},
    "best_of": {"minimum": 1, "maximum": 2},
    "logit_bias": {
        "propertyNames": {"enum": [str(token) for token in TOKENS]},
        "additionalProperties": {"type": "number", "minimum": -2, "maximum": 2, "multipleOf": 1},
        "maxProperties": 2,
    },
    # Below 0 is the whole vocabulary, where it is allowed at all.
    "logprobs": {"minimum": 0, "maximum": 2},
    "seed": {"minimum": 0, "maximum": 99},
    "stream_options": {"required": ["include_usage"], "additionalProperties": False},
    "user": {"enum": ["reader-1", "読者", None]},
}
"""The keywords that narrow each parameter's schema."""

OPTIONS = frozenset({"include_usage", "include_obfuscation"})
"""The members of `stream_options`; others are extensions of one server."""

KEYWORDS = frozenset({"type", "minimum", "maximum", "properties"})
"""The keywords of the contract's schema that are kept for a parameter."""


def request_schema(contract: Contract, model: str) -> Json:
    """Return the JSON Schema that requests are generated from.

    Args:
        contract: only its documented parameters are generated, without extensions of one server.
        model: the only model that is generated; others would get a 404.
    """
    schema = contract.openapi["components"]["schemas"]["CreateCompletionRequest"]
    properties = {
        name: _narrowed(name, property_, contract)
        for name, property_ in schema["properties"].items()
        if not contract.parameter(name).is_extension and contract.parameter(name).documented
    }
    # Without `max_tokens` a completion may be as long as the endpoint likes.
    required = dict.fromkeys(["model", "prompt", "max_tokens", *schema.get("required", ())])
    return {
        "type": "object",
        "required": [name for name in required if name in properties],
        "properties": {**properties, "model": {"const": model}},
        "additionalProperties": False,
    }


def description(contract: Contract, model: str) -> Json:
    """Return the contract's OpenAPI description with the narrowed schema for its requests.

    Examples are left out, because schemathesis would send them too. So is the security scheme: a
    generated key would replace the target's own. The schemas of responses stay unchanged, but for
    that of errors without an envelope.
    """
    whole = {name: part for name, part in contract.openapi.items() if name != "security"}
    schemas = {
        **whole["components"]["schemas"],
        "CreateCompletionRequest": request_schema(contract, model),
    }
    if contract.has_flat_errors:
        schemas["Error"] = schemas["Error"]["properties"]["error"]
    ((path, item),) = whole["paths"].items()
    ((media_type, content),) = item["post"]["requestBody"]["content"].items()
    generated = {key: value for key, value in content.items() if key != "examples"}
    body = {**item["post"]["requestBody"], "content": {media_type: generated}}
    return {
        **whole,
        "components": {**whole["components"], "schemas": schemas},
        "paths": {path: {"post": {**item["post"], "requestBody": body}}},
    }


def _narrowed(name: str, schema: Mapping[str, Any], contract: Contract) -> Json:
    parameter = contract.parameter(name)
    if name == "prompt":
        return {"anyOf": list(_prompts(parameter.forms))}
    if name == "stop":
        most = len(STOPS) if parameter.max_items is None else min(len(STOPS), parameter.max_items)
        some: Json = {"type": "array", "items": {"enum": list(STOPS)}, "minItems": 1}
        one: list[Json] = [] if parameter.types == ("array",) else [{"enum": list(STOPS)}]
        branches: list[Json] = [*one, {**some, "maxItems": most}]
        return {"anyOf": [*branches, {"type": "null"}] if parameter.nullable else branches}
    kept = {key: value for key, value in schema.items() if key in KEYWORDS}
    if name == "logprobs" and "logprobs.boolean" not in contract.requirements:
        # What a switch returns may have another form, of which nothing is promised.
        kinds = (*parameter.types, *(["null"] if parameter.nullable else []))
        kept["type"] = [kind for kind in kinds if kind != "boolean"]
    if name == "stream_options":
        kept["properties"] = {k: v for k, v in kept["properties"].items() if k in OPTIONS}
    narrower = NARROWER.get(name, {})
    return {**kept, **{key: _closer(key, kept.get(key), value) for key, value in narrower.items()}}


def _closer(keyword: str, stated: Any, wanted: Any) -> Any:
    """Return the narrower of two limits; for any other keyword, the wanted value."""
    narrower = {"minimum": max, "maximum": min}.get(keyword)
    return wanted if stated is None or narrower is None else narrower(stated, wanted)


def _prompts(forms: Mapping[str, bool]) -> Iterator[Json]:
    """Yield a schema for each documented form of a prompt, without null and empty prompts."""
    tokens: Json = {"type": "array", "items": {"enum": list(TOKENS)}, "minItems": 1, "maxItems": 3}
    known: Mapping[str, Json] = {
        "string": {"enum": list(TEXTS)},
        "strings": {
            "type": "array",
            "items": {"enum": list(TEXTS)},
            "minItems": 1,
            "maxItems": 2,
        },
        "tokens": tokens,
        "token-arrays": {"type": "array", "items": tokens, "minItems": 1, "maxItems": 2},
    }
    yield from (known[form] for form in forms or ("string",) if form in known)
