"""What an error names: a part of the request, or a model that nobody asked for."""

from __future__ import annotations

import pytest

from conformance.checks._shared.error_bodies import names_part_of, other_models_in

NAMES = {"model", "prompt", "n", "max_tokens", "stream_options", "include_usage", "500"}


@pytest.mark.parametrize(
    "param",
    [
        "n",
        "body.n",
        "body.prompt.list[str]",
        "prompt[0]",
        "stream_options.include_usage",
        "logit_bias.500",
        "maxTokens",
        "max_tokens, input_tokens",
        "body",
        "Request",
        "number of choices",
    ],
)
def test_parts_of_a_request_are_named(param: str) -> None:
    assert names_part_of(NAMES, param)


@pytest.mark.parametrize("param", ["body.18", "input_tokens", "max_new_tokens", "None", "18"])
def test_other_words_name_no_part(param: str) -> None:
    assert not names_part_of(NAMES, param)


@pytest.mark.parametrize(
    "message",
    [
        "The model `text-davinci-003` does not exist",
        "model text-davinci-003 not found",
        "No such model: davinci-002.",
        "模型 text-davinci-003 不存在",
        "'unknown-1' not found",
    ],
)
def test_another_model_is_read(message: str) -> None:
    assert other_models_in(message, {"mine-1"})


@pytest.mark.parametrize(
    "message",
    [
        "you must provide a model parameter",
        "The model does not exist",
        "Model not found; this server has 'mine-1'.",
        "model: field required",
        "The `model` is missing model_not_found invalid_request_error",
    ],
)
def test_a_missing_model_names_no_other(message: str) -> None:
    assert not other_models_in(message, {"mine-1"})
