"""Accepted and rejected forms of the model's name."""

import pytest

from conformance.checks.model.names import assert_names_model
from conformance.judgement import Failure


@pytest.mark.parametrize(
    ("body", "answered"),
    [
        ("davinci-002", "davinci-002"),
        ("gpt-3.5-turbo-instruct", "gpt-3.5-turbo-instruct-0914"),
        ("gpt-3.5-turbo-instruct:20230824-v2", "gpt-3.5-turbo-instruct"),
        ("llama3", "llama3:latest"),
        ("qwen", "Qwen2.5-7B-Instruct"),
        ("org/Model-7B", "/srv/models/model-7b/"),
        ("model-7b", "org/Model-7B"),
        ("x", "x-2026-01-01"),
        ("model", "my-model"),
        ("模型", "模型-2026"),
    ],
)
def test_form_of_the_model_name_is_accepted(body: str, answered: str) -> None:
    assert_names_model(answered, body)


@pytest.mark.parametrize(
    ("body", "answered"),
    [
        ("gpt-3.5-turbo-instruct", "gpt-3.5-turbo"),
        ("gpt-3.5-turbo-instruct", "gpt-4o-mini"),
        ("gpt-4", "gpt-4o"),
        ("gpt-4", "gpt-4.1-nano"),
        ("gpt-4", "gpt-41"),
        ("gpt-4o-mini", "gpt-4o"),
        ("llama", "llamafile"),
        ("davinci-002", "babbage-002"),
        ("davinci-002", ""),
        ("davinci-002", None),
    ],
)
def test_another_models_name_is_a_failure(body: str, answered: str | None) -> None:
    with pytest.raises(Failure):
        assert_names_model(answered, body)
