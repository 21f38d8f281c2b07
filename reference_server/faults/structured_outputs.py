"""Faults of parameters that say what a text has to follow: schemas, expressions, grammars."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import partial
from http import HTTPStatus
from typing import Any

from reference_server.behaviour.builders import drops, each_choice, texts
from reference_server.behaviour.messages import (
    Behaviour,
    Body,
    ClientRequest,
    ServerResponse,
    Upstream,
)
from reference_server.behaviour.registry import Evidence, Tier, fault
from reference_server.behaviour.rewrite import Rewrite
from reference_server.behaviour.triggers import Trigger

OF_VLLM = "structured_outputs"
IN_FORMS = (Trigger.STREAM, Trigger.NON_STREAMING)
IN_CHOICES = (*IN_FORMS, Trigger.BATCH, Trigger.SECOND_CHOICE)

on_vllm = partial(fault, contract="vllm", dialect="vllm")
on_sglang = partial(fault, contract="sglang", dialect="sglang")
on_llama_cpp = partial(fault, contract="llama-cpp", dialect="llama-cpp")


def has(kind: str) -> Callable[[Body], bool]:
    """Return whether a request to vLLM has a constraint of this kind alone."""

    def condition(request: Body) -> bool:
        given = request.get(OF_VLLM)
        return isinstance(given, Mapping) and given.keys() == {kind}

    return condition


def formatted(request: Body) -> bool:
    """Whether a request has a schema in `response_format`."""
    given = request.get("response_format")
    return isinstance(given, Mapping) and given.get("type") == "json_schema"


# ── dropped ──────────────────────────────────────────────────────────────────────────────────────


@on_vllm(
    "choice-list-dropped",
    breaks="structured-outputs.choice-followed",
    evidence=Evidence.SIBLING,
    triggers=IN_CHOICES,
)
def choice_list_dropped() -> Behaviour:
    """``structured_outputs.choice`` is not passed on.

    Reported for vLLM: https://github.com/vllm-project/vllm/issues/12225, and for a server in front
    of it: https://github.com/scaleapi/llm-engine/issues/528
    """
    return drops(OF_VLLM, when=has("choice"))


@on_vllm(
    "pattern-dropped",
    breaks="structured-outputs.regex-followed",
    also_breaks="structured-outputs.regex-unreadable-refused",
    triggers=IN_CHOICES,
)
def pattern_dropped() -> Behaviour:
    """``structured_outputs.regex`` is not passed on."""
    return drops(OF_VLLM, when=has("regex"))


@on_vllm(
    "schema-dropped",
    breaks="structured-outputs.json-followed",
    also_breaks="structured-outputs.json-unreadable-refused",
    evidence=Evidence.SIBLING,
    triggers=IN_CHOICES,
)
def schema_dropped() -> Behaviour:
    """``structured_outputs.json`` is not passed on.

    Reported for vLLM: https://github.com/vllm-project/vllm/issues/12692, and for its streams:
    https://github.com/vllm-project/vllm/issues/10376
    """
    return drops(OF_VLLM, when=has("json"))


@on_vllm(
    "grammar-dropped",
    breaks="structured-outputs.grammar-followed",
    also_breaks="structured-outputs.grammar-unreadable-refused",
    triggers=IN_CHOICES,
)
def grammar_dropped() -> Behaviour:
    """``structured_outputs.grammar`` is not passed on."""
    return drops(OF_VLLM, when=has("grammar"))


@on_vllm(
    "response-format-dropped",
    breaks="response-format.followed",
    also_breaks="response-format.unreadable-refused",
    evidence=Evidence.SIBLING,
    triggers=IN_CHOICES,
)
def response_format_dropped() -> Behaviour:
    """A schema in ``response_format`` is accepted and not passed on.

    Reported for vLLM: https://github.com/ogx-ai/ogx/pull/529
    """
    return drops("response_format", when=formatted)


@on_vllm(
    "json-object-dropped",
    breaks="response-format.object-followed",
    evidence=Evidence.SOURCE,
    tier=Tier.DEEP,
    triggers=(),
)
def json_object_dropped() -> Behaviour:
    """A ``response_format`` of ``json_object`` is accepted and changes nothing.

    llama.cpp's server serves it so: it reads ``response_format`` for chats only.
    """
    return drops("response_format", when=lambda request: not formatted(request))


@on_vllm(
    "old-name-dropped",
    breaks="structured-outputs.old-names",
    evidence=Evidence.SIBLING,
    triggers=(),
)
def old_name_dropped() -> Behaviour:
    """``guided_choice``, the name of vLLM before v0.12, is dropped without a word.

    Reported for ``guided_json``: https://github.com/vllm-project/vllm/issues/53975
    """
    return drops("guided_choice")


@on_sglang(
    "json-schema-dropped",
    breaks="json-schema.followed",
    also_breaks="json-schema.unreadable-refused",
    triggers=IN_CHOICES,
)
def json_schema_dropped() -> Behaviour:
    """``json_schema`` is not passed on."""
    return drops("json_schema")


@on_sglang(
    "regex-dropped",
    breaks="regex.followed",
    also_breaks="regex.unreadable-refused regex.one-kind",
    triggers=IN_CHOICES,
)
def regex_dropped() -> Behaviour:
    """``regex`` is not passed on."""
    return drops("regex")


@on_sglang(
    "ebnf-dropped",
    breaks="ebnf.followed",
    also_breaks="ebnf.unreadable-refused regex.one-kind",
    triggers=IN_CHOICES,
)
def ebnf_dropped() -> Behaviour:
    """``ebnf`` is not passed on."""
    return drops("ebnf")


@on_llama_cpp(
    "gbnf-dropped",
    breaks="grammar.followed",
    also_breaks="grammar.unreadable-refused",
    evidence=Evidence.SIBLING,
    triggers=IN_CHOICES,
)
def gbnf_dropped() -> Behaviour:
    """``grammar`` is not passed on.

    Reported for llama.cpp's own endpoint: https://github.com/ggml-org/llama.cpp/issues/11544
    """
    return drops("grammar")


# ── followed badly ───────────────────────────────────────────────────────────────────────────────


def cut(when: Callable[[Body], bool]) -> Behaviour:
    """Leave out the last character of texts that end by themselves."""
    return _where(when, lambda text: text[:-1])


def _where(when: Callable[[Body], bool], change: Callable[[str], str]) -> Behaviour:
    return texts(lambda request, _, text: change(text) if when(request) else text)


@on_vllm(
    "json-cut",
    breaks="structured-outputs.json-followed",
    evidence=Evidence.SIBLING,
    triggers=IN_FORMS,
)
def json_cut() -> Behaviour:
    """The text ends one character before the JSON does, with finish_reason ``stop``.

    Reported for the same engines' chats: https://github.com/ggml-org/llama.cpp/issues/27279,
    https://github.com/kekzl/imp/issues/1199
    """
    return cut(has("json"))


@on_vllm("choice-begun", breaks="structured-outputs.choice-followed", triggers=IN_FORMS)
def choice_begun() -> Behaviour:
    """The text is the beginning of a choice: the end of text is not masked."""
    return cut(has("choice"))


@on_vllm("pattern-searched", breaks="structured-outputs.regex-followed", triggers=IN_FORMS)
def pattern_searched() -> Behaviour:
    """The expression is searched in the text instead of matching all of it."""
    return _where(has("regex"), lambda text: f"So: {text}.")


@on_vllm(
    "limit-called-stop",
    breaks="structured-outputs.json-followed",
    evidence=Evidence.REQUIRED,
    tier=Tier.DEEP,
    triggers=(),
)
def limit_called_stop() -> Behaviour:
    """JSON that ``max_tokens`` cut off has the finish reason ``stop``."""
    return each_choice(
        lambda request, choice: (
            {**choice, "finish_reason": "stop"}
            if has("json")(request) and choice["finish_reason"] == "length"
            else choice
        )
    )


@on_vllm(
    "schema-values-free",
    breaks="response-format.followed",
    triggers=IN_FORMS,
)
def schema_values_free() -> Behaviour:
    """Of a schema only the type of the outermost value is followed."""
    return _schemas(lambda schema: {"type": schema["type"]})


def _schemas(change: Callable[[Any], Any]) -> Behaviour:
    def rewrite(request: Body) -> Body:
        if not formatted(request):
            return request
        given = request["response_format"]
        schema = given["json_schema"]
        changed = {**schema, "schema": change(schema["schema"])}
        return {**request, "response_format": {**given, "json_schema": changed}}

    return Rewrite(request=rewrite)


@on_vllm(
    "wide-characters-unmasked",
    breaks="structured-outputs.choice-followed",
    tier=Tier.DEEP,
    triggers=(),
)
def wide_characters_unmasked() -> Behaviour:
    """Tokens are masked by whole characters, so that those of several bytes are lost."""
    return _where(has("choice"), lambda text: text if text.isascii() else text[:1])


# ── constraints that have to be rejected ─────────────────────────────────────────────────────────


def unreadable(got: ServerResponse) -> bool:
    """Whether the server rejected a constraint that it cannot read."""
    return got.status == HTTPStatus.BAD_REQUEST and "cannot be followed" in json.dumps(got.body)


def crashes(*names: str) -> Behaviour:
    """Answer an unreadable constraint in one of these parameters with 500."""

    def raw(request: ClientRequest, got: ServerResponse) -> ServerResponse:
        concerned = not request.body.keys().isdisjoint(names)
        return (
            got.with_status(HTTPStatus.INTERNAL_SERVER_ERROR)
            if concerned and unreadable(got)
            else got
        )

    return Rewrite(raw=raw)


def ignores(*names: str) -> Behaviour:
    """Serve a request with an unreadable constraint as if it had none of these parameters."""

    async def behaviour(request: ClientRequest, upstream: Upstream) -> ServerResponse:
        got = await upstream(request)
        left = {name: value for name, value in request.body.items() if name not in names}
        return await upstream(request.with_body(left)) if unreadable(got) else got

    return behaviour


@on_vllm(
    "unreadable-schema-crashes",
    breaks="structured-outputs.json-unreadable-refused",
    also_breaks="errors.*",
    evidence=Evidence.SIBLING,
    triggers=(),
)
def unreadable_schema_crashes() -> Behaviour:
    """A schema that cannot be read is an internal error.

    Reported for vLLM, whose server it ended: https://github.com/vllm-project/vllm/issues/17248
    """
    return crashes(OF_VLLM)


@on_vllm(
    "unreadable-constraints-ignored",
    breaks="response-format.unreadable-refused structured-outputs.json-unreadable-refused "
    "structured-outputs.regex-unreadable-refused structured-outputs.grammar-unreadable-refused",
    triggers=(),
)
def unreadable_constraints_ignored() -> Behaviour:
    """A constraint that cannot be read is dropped, and the text is free."""
    return ignores(OF_VLLM, "response_format")


@on_sglang(
    "unreadable-schema-ends-the-server",
    breaks="json-schema.unreadable-refused response-format.unreadable-refused",
    also_breaks="errors.*",
    evidence=Evidence.SIBLING,
    triggers=(),
)
def unreadable_schema_ends_the_server() -> Behaviour:
    """A schema that cannot be read is an internal error.

    Reported for SGLang, whose scheduler it ended:
    https://github.com/sgl-project/sglang/issues/4574
    """
    return crashes("json_schema", "response_format")


@on_sglang(
    "unreadable-expressions-ignored",
    breaks="regex.unreadable-refused ebnf.unreadable-refused",
    tier=Tier.DEEP,
    triggers=(),
)
def unreadable_expressions_ignored() -> Behaviour:
    """An expression or a grammar that cannot be read is dropped, and the text is free."""
    return ignores("regex", "ebnf")


@on_llama_cpp(
    "unreadable-schema-ignored",
    breaks="json-schema.unreadable-refused",
    evidence=Evidence.SIBLING,
    triggers=(),
)
def unreadable_schema_ignored() -> Behaviour:
    """A schema that cannot be read is dropped, and the text is free.

    Reported for llama.cpp: https://github.com/ggml-org/llama.cpp/issues/19051
    """
    return ignores("json_schema")


@on_llama_cpp(
    "unreadable-grammar-crashes",
    breaks="grammar.unreadable-refused",
    also_breaks="errors.*",
    evidence=Evidence.SIBLING,
    tier=Tier.DEEP,
    triggers=(),
)
def unreadable_grammar_crashes() -> Behaviour:
    """A grammar that cannot be read is an internal error.

    Reported for llama.cpp, whose server it ended:
    https://github.com/ggml-org/llama.cpp/issues/4492
    """
    return crashes("grammar")


@on_vllm(
    "first-constraint-wins",
    breaks="structured-outputs.one-kind",
    tier=Tier.DEEP,
    triggers=(),
)
def first_constraint_wins() -> Behaviour:
    """Of several kinds of constraint the first is followed, and the others are dropped."""
    return Rewrite(
        request=lambda request: (
            {**request, OF_VLLM: dict([*request[OF_VLLM].items()][:1])}
            if isinstance(request.get(OF_VLLM), Mapping)
            else request
        )
    )


@on_sglang("regex-before-ebnf", breaks="regex.one-kind", tier=Tier.DEEP, triggers=())
def regex_before_ebnf() -> Behaviour:
    """With ``regex`` and ``ebnf``, the latter is dropped."""
    return drops("ebnf", when=lambda request: "regex" in request)
