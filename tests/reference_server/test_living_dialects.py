"""What the dialects of today's servers accept and reject according to their documentation."""

import math
from dataclasses import replace
from typing import Any

import pytest

from reference_server.completions.constraints import ANY_OBJECT
from reference_server.completions.dialects import DIALECTS
from reference_server.completions.envelope import Envelope
from reference_server.completions.errors import ApiError, bad_request, unknown_model
from reference_server.completions.extensions import NONE
from reference_server.completions.schema import CompletionRequest, parse
from reference_server.engine.constraint import Constraint, ConstraintKind
from tests.cases import for_each_case

HOSTED = ("cerebras", "fireworks", "siliconflow", "together")
LIVING = ("vllm", "llama-cpp", "sglang", "ollama", "deepseek-fim", *HOSTED)
WITHOUT_MODEL = ("vllm", "llama-cpp", "sglang")

OBJECT = {"type": "json_object"}
NOTHING = replace(NONE, choice_fields=DIALECTS["vllm"].rules.choice_fields)


def ask(dialect: str, **body: Any) -> CompletionRequest:
    named = {} if dialect in WITHOUT_MODEL else {"model": "m"}
    return parse({**named, "prompt": "Hi", **body}, DIALECTS[dialect])


def refusal(dialect: str, **body: Any) -> str:
    with pytest.raises(ApiError) as caught:
        ask(dialect, **body)
    assert caught.value.status == 400
    return caught.value.message


@for_each_case("dialect", WITHOUT_MODEL)
def test_model_is_optional(dialect: str) -> None:
    assert ask(dialect).model == ""
    assert ask(dialect, model="any").model == "any"


@for_each_case("dialect", LIVING)
def test_null_is_no_prompt(dialect: str) -> None:
    assert "prompt" in refusal(dialect, prompt=None)


@for_each_case(
    ("dialect", "body"),
    [
        ("vllm", {"prompt": ""}),
        ("vllm", {"top_p": 0}),
        ("vllm", {"temperature": 2.1}),
        ("vllm", {"frequency_penalty": -2.1}),
        ("vllm", {"logprobs": -2}),
        ("vllm", {"logprobs": 21}),
        ("vllm", {"max_tokens": -1}),
        ("vllm", {"n": None}),
        ("vllm", {"suffix": "end"}),
        ("vllm", {"best_of": 2}),
        ("vllm", {"min_p": 1.1}),
        ("vllm", {"top_k": -2}),
        ("vllm", {"min_tokens": -1}),
        ("vllm", {"min_tokens": 17}),
        ("vllm", {"stop_token_ids": [-1]}),
        ("vllm", {"prompt_logprobs": -2}),
        ("vllm", {"prompt_logprobs": 1, "stream": True}),
        ("vllm", {"return_token_ids": "yes"}),
        ("vllm", {"ignore_eos": None}),
        ("vllm", {"structured_outputs": {}}),
        ("vllm", {"structured_outputs": {"regex": "a", "choice": ["a"]}}),
        ("vllm", {"structured_outputs": {"choice": []}}),
        ("vllm", {"structured_outputs": {"choice": [1]}}),
        ("vllm", {"structured_outputs": {"json": 1}}),
        ("vllm", {"structured_outputs": {"json_object": False}}),
        ("vllm", {"structured_outputs": {"structural_tag": "{}"}}),
        ("vllm", {"structured_outputs": {"rexeg": "a"}}),
        ("vllm", {"structured_outputs": {"regex": "a"}, "response_format": OBJECT}),
        ("vllm", {"response_format": {"type": "xml"}}),
        ("vllm", {"response_format": {"type": "json_schema"}}),
        ("vllm", {"regex": "a"}),
        ("vllm", {"guided_choice": ["a"]}),
        ("vllm", {"stream_options": {}}),
        ("vllm", {"stream": True, "stream_options": {"include_obfuscation": True}}),
        ("vllm", {"repeat_penalty": 1.1}),
        ("cerebras", {"temperature": 1.6}),
        ("cerebras", {"suffix": "end"}),
        ("cerebras", {"stop": ["a", "b", "c", "d", "e"]}),
        ("cerebras", {"echo": None}),
        ("cerebras", {"frequency_penalty": 2.1}),
        ("cerebras", {"logit_bias": {"5": 101}}),
        ("cerebras", {"min_tokens": 2}),
        ("cerebras", {"grammar_root": "root"}),
        ("cerebras", {"return_raw_tokens": True}),
        ("cerebras", {"top_k": 5}),
        ("cerebras", {"stream": True, "stream_options": {"include_obfuscation": True}}),
        ("llama-cpp", {"n": 0}),
        ("llama-cpp", {"top_p": -0.1}),
        ("llama-cpp", {"logit_bias": [[5]]}),
        ("llama-cpp", {"logit_bias": [["text", 1]]}),
        ("llama-cpp", {"repetition_penalty": 1.1}),
        ("llama-cpp", {"grammar": ["root"]}),
        ("llama-cpp", {"json_schema": "{}"}),
        ("llama-cpp", {"json_schema": {}, "grammar": "root ::= 'a'"}),
        ("llama-cpp", {"response_format": OBJECT}),
        ("sglang", {"max_tokens": 0, "echo": True}),
        ("sglang", {"max_tokens": None}),
        ("sglang", {"echo": None}),
        ("sglang", {"prompt": ""}),
        ("sglang", {"top_p": 0}),
        ("sglang", {"temperature": -0.1}),
        ("sglang", {"logit_bias": {"5": 101}}),
        ("sglang", {"json_schema": {}}),
        ("sglang", {"json_schema": "{}", "regex": "a"}),
        ("sglang", {"regex": "a", "response_format": OBJECT}),
        ("sglang", {"structured_outputs": {"regex": "a"}}),
        ("ollama", {"prompt": ["a"]}),
        ("ollama", {"logprobs": 1}),
        ("ollama", {"n": 1}),
        ("deepseek-fim", {"prompt": [1]}),
        ("deepseek-fim", {"max_tokens": 4097}),
        ("deepseek-fim", {"stop": list("abcdefghijklmnopq")}),
        ("deepseek-fim", {"echo": True, "logprobs": 0}),
        ("deepseek-fim", {"echo": True, "suffix": "end"}),
        ("deepseek-fim", {"temperature": None}),
        ("deepseek-fim", {"seed": 1}),
        ("fireworks", {"suffix": "end"}),
        ("fireworks", {"stream": True, "stream_options": {"include_usage": True}}),
        ("fireworks", {"n": None}),
        ("fireworks", {"n": 129}),
        ("fireworks", {"logprobs": 6}),
        ("fireworks", {"logprobs": True}),
        ("fireworks", {"top_k": 101}),
        ("fireworks", {"top_k": -1}),
        ("fireworks", {"repetition_penalty": 2.1}),
        ("fireworks", {"stop": ["a", "b", "c", "d", "e"]}),
        ("fireworks", {"context_length_exceeded_behavior": "wrap"}),
        ("fireworks", {"typical_p": 0.5}),
        ("siliconflow", {"prompt": ["a"]}),
        ("siliconflow", {"temperature": 1.1}),
        ("siliconflow", {"stop": "a"}),
        ("siliconflow", {"stop": None}),
        ("siliconflow", {"echo": True}),
        ("siliconflow", {"min_p": 0.5}),
        ("together", {"prompt": [1]}),
        ("together", {"temperature": 1.1}),
        ("together", {"stop": "a"}),
        ("together", {"suffix": "end"}),
        ("together", {"echo": True}),
        ("together", {"logprobs": 1}),
        ("together", {"n": 129}),
        ("together", {"min_p": 1.1}),
    ],
)
def test_rejected(dialect: str, body: dict[str, Any]) -> None:
    refusal(dialect, **body)


@for_each_case(
    ("dialect", "body", "name", "value"),
    [
        ("vllm", {}, "max_tokens", 16),
        ("vllm", {"max_tokens": None}, "max_tokens", 16),
        ("vllm", {}, "temperature", 1.0),
        ("vllm", {"logprobs": -1}, "logprobs", -1),
        ("vllm", {"n": 129}, "n", 129),
        ("vllm", {"top_k": 5}, "top_k", 5),
        ("vllm", {"min_p": 0.5}, "min_p", 0.5),
        ("vllm", {"ignore_eos": True}, "ignore_eos", True),
        ("vllm", {"repetition_penalty": 1.2}, "repetition_penalty", 1.2),
        ("vllm", {}, "penalty_window", None),
        ("vllm", {}, "extensions", NOTHING),
        ("vllm", {"stop_token_ids": [5]}, "extensions", replace(NOTHING, stop_token_ids=(5,))),
        ("vllm", {"min_tokens": 16}, "extensions", replace(NOTHING, min_tokens=16)),
        ("vllm", {"prompt_logprobs": -1}, "extensions", replace(NOTHING, prompt_logprobs=-1)),
        (
            "vllm",
            {"structured_outputs": {"regex": "a+"}},
            "extensions",
            replace(
                NOTHING,
                constraint=Constraint(ConstraintKind.REGEX, "a+", "structured_outputs.regex"),
            ),
        ),
        (
            "vllm",
            {"response_format": OBJECT},
            "extensions",
            replace(
                NOTHING,
                constraint=Constraint(ConstraintKind.SCHEMA, ANY_OBJECT, "response_format"),
            ),
        ),
        ("vllm", {"response_format": {"type": "text"}}, "extensions", NOTHING),
        ("vllm", {"structured_outputs": None}, "extensions", NOTHING),
        ("llama-cpp", {}, "extensions", NONE),
        ("llama-cpp", {}, "max_tokens", None),
        ("llama-cpp", {"max_tokens": -1}, "max_tokens", None),
        ("llama-cpp", {}, "temperature", 0.8),
        ("llama-cpp", {"temperature": -1}, "temperature", 0.0),
        ("llama-cpp", {"temperature": 3}, "temperature", 3.0),
        ("llama-cpp", {}, "top_p", 0.95),
        ("llama-cpp", {"top_p": 1.1}, "top_p", 1.1),
        ("llama-cpp", {}, "top_k", 40),
        ("llama-cpp", {}, "min_p", 0.05),
        ("llama-cpp", {}, "penalty_window", 64),
        ("llama-cpp", {"repeat_penalty": 1.2}, "repetition_penalty", 1.2),
        ("llama-cpp", {"logit_bias": [[5, 1.5]]}, "logit_bias", ((5, 1.5),)),
        ("llama-cpp", {"logit_bias": [[5, False]]}, "logit_bias", ((5, -math.inf),)),
        ("llama-cpp", {"logit_bias": {"5": 101}}, "logit_bias", ((5, 101.0),)),
        ("llama-cpp", {"stream_options": {"include_usage": True}}, "include_usage", False),
        ("cerebras", {"temperature": 1.5}, "temperature", 1.5),
        ("cerebras", {"temperature": None}, "temperature", 1.0),
        ("cerebras", {"n": 129}, "n", 129),
        ("cerebras", {"logit_bias": {"5": 100}}, "logit_bias", ((5, 100.0),)),
        ("sglang", {}, "max_tokens", 16),
        ("sglang", {"temperature": 3}, "temperature", 3.0),
        ("sglang", {"seed": None}, "seed", None),
        ("sglang", {"best_of": 2}, "best_of", 2),
        ("sglang", {"suffix": "end"}, "suffix", "end"),
        ("sglang", {"stream_options": {"include_usage": True}}, "include_usage", False),
        ("sglang", {"repetition_penalty": 1.2}, "repetition_of_prompt", False),
        ("vllm", {"repetition_penalty": 1.2}, "repetition_of_prompt", True),
        ("ollama", {}, "max_tokens", None),
        ("ollama", {"temperature": 3}, "temperature", 3.0),
        ("ollama", {"suffix": None}, "suffix", None),
        ("deepseek-fim", {}, "max_tokens", None),
        ("deepseek-fim", {"max_tokens": 4096}, "max_tokens", 4096),
        ("deepseek-fim", {"stop": list("abcdefghijklmnop")}, "stop", tuple("abcdefghijklmnop")),
        ("deepseek-fim", {"echo": False, "logprobs": 20}, "logprobs", 20),
        ("fireworks", {}, "lowers_tokens", True),
        ("fireworks", {"context_length_exceeded_behavior": "error"}, "lowers_tokens", False),
        ("fireworks", {"top_k": 100}, "top_k", 100),
        ("fireworks", {"echo": None}, "echo", False),
        ("fireworks", {"stream": True}, "include_usage", True),
        ("fireworks", {}, "end_reason", "stop"),
        ("siliconflow", {"suffix": "end"}, "suffix", "end"),
        ("siliconflow", {"stop": ["a", "b"]}, "stop", ("a", "b")),
        ("siliconflow", {"temperature": 1}, "temperature", 1.0),
        ("siliconflow", {}, "end_reason", "eos"),
        ("together", {"min_p": 0.5}, "min_p", 0.5),
        ("together", {"logit_bias": {"5": 101}}, "logit_bias", ((5, 101.0),)),
        ("together", {}, "end_reason", "eos"),
    ],
)
def test_accepted(dialect: str, body: dict[str, Any], name: str, value: object) -> None:
    assert getattr(ask(dialect, **body), name) == value


def test_errors_have_the_shape_of_the_document() -> None:
    error = unknown_model("m")
    assert error.envelope(DIALECTS["vllm"].errors)["error"] == {
        "message": error.message,
        "type": "NotFoundError",
        "param": "model",
        "code": 404,
    }
    assert error.envelope(DIALECTS["llama-cpp"].errors)["error"] == {
        "message": error.message,
        "type": "invalid_request_error",
        "code": 404,
    }
    assert error.envelope(DIALECTS["sglang"].errors) == {
        "object": "error",
        "message": error.message,
        "type": "NotFoundError",
        "param": "model",
        "code": 404,
    }


def test_invalid_requests_may_get_a_list() -> None:
    shape = DIALECTS["fireworks"].errors
    invalid, unknown = bad_request("too many", param="n"), unknown_model("m")
    row = {"loc": ["body", "n"], "msg": "too many", "type": "invalid_request_error"}
    assert (shape.status_of(invalid), invalid.envelope(shape)) == (422, {"detail": [row]})
    assert (shape.status_of(unknown), unknown.envelope(shape)) == (404, unknown.envelope())


def test_response_and_chunks_have_different_objects() -> None:
    together = DIALECTS["together"]
    head = Envelope("m", None, together.objects, has_prompt=together.has_prompt)
    assert head.whole([])["object"] == "text.completion"
    assert head.whole([])["prompt"] == []
    assert head.chunk([])["object"] == "completion.chunk"
    assert "prompt" not in head.chunk([])
