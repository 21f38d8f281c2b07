"""Print what LiteLLM's SDK reads from the server as one JSON object on stdout.

Run by `test_litellm_sdk.py` in an environment of its own.
"""

import asyncio
import json
import os
import sys
from typing import Any

import litellm
import openai

SERVER = {
    "model": "text-completion-openai/gpt-3.5-turbo-instruct",
    "api_base": os.environ["BASE_URL"],
    "api_key": os.environ["API_KEY"],
    "num_retries": 0,
}
GREEDY = {"prompt": "1, 2, 3,", "max_tokens": 6, "temperature": 0}


def ask(**request: Any) -> dict[str, Any]:
    response: dict[str, Any] = litellm.text_completion(**{**SERVER, **request}).model_dump()
    return response


def refused(**request: Any) -> dict[str, Any]:
    try:
        litellm.text_completion(**{**SERVER, **request})
    except openai.APIStatusError as error:  # what its own exceptions derive from
        return {"name": type(error).__name__, "status": error.status_code}
    return {}


def stream(**request: Any) -> list[dict[str, Any]]:
    return [part.model_dump() for part in litellm.text_completion(**SERVER, **request, stream=True)]


async def several(count: int, **request: Any) -> list[dict[str, Any]]:
    body = (litellm.atext_completion(**SERVER, **request) for _ in range(count))
    return [response.model_dump() for response in await asyncio.gather(*body)]


litellm.suppress_debug_info = True
json.dump(
    {
        "plain": ask(**GREEDY, user="someone", presence_penalty=0.1, logit_bias={"0": -100}),
        "streamed": stream(**GREEDY),
        "scored": ask(**GREEDY, logprobs=2, echo=True, n=2),
        "batch": ask(prompt=["One,", "二，"], max_tokens=3, seed=1),
        "best": ask(**{**GREEDY, "temperature": 1}, best_of=3, seed=1, top_p=0.9),
        "inserted": ask(**GREEDY, suffix=" 9, 10", stop=["\n"]),
        "asynchronous": asyncio.run(several(4, **GREEDY)),
        "refusals": {
            "temperature": refused(**{**GREEDY, "temperature": 3}),
            "key": refused(**{**GREEDY, "api_key": "sk-wrong"}),
            "model": refused(**{**GREEDY, "model": "text-completion-openai/gpt-9"}),
        },
    },
    sys.stdout,
)
