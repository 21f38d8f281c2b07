"""Print what LiteLLM's SDK makes of each kind of response as one JSON object on stdout.

Run by `test_litellm_profile.py` in an environment of its own.
"""

import json
import os
import sys
from collections.abc import Callable
from typing import Any

import litellm
import openai

MODEL = "text-completion-openai/gpt-3.5-turbo-instruct"
ASK = {
    "model": MODEL,
    "api_base": os.environ["BASE_URL"],
    "api_key": os.environ["API_KEY"],
    "prompt": "1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12,",
    "max_tokens": 16,
    "temperature": 0,
}
BAD = {**ASK, "temperature": 9}


def tried(call: Callable[[], Any]) -> dict[str, Any]:
    """What the call returns, or the error that it raises."""
    try:
        return {"got": call(), "error": None}
    except openai.OpenAIError as error:  # what its own exceptions derive from
        return {"got": None, "error": type(error).__name__}


def completed() -> dict[str, Any]:
    response: dict[str, Any] = litellm.text_completion(**ASK).model_dump()
    return response


def streamed() -> str:
    parts = litellm.text_completion(**ASK, stream=True)
    return "".join(choice.text or "" for part in parts for choice in part.choices)


litellm.suppress_debug_info = True
json.dump(
    {
        "completion": tried(completed),
        "stream": tried(streamed),
        "refused": tried(lambda: litellm.text_completion(**BAD).choices[0].text),
        "stranger": tried(lambda: litellm.text_completion(**{**ASK, "api_key": "sk-wrong"}).id),
    },
    sys.stdout,
)
