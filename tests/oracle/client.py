"""Send requests to a server; a stream is joined to a non-streaming response."""

import json
from collections.abc import Mapping
from typing import Any

import httpx

Json = dict[str, Any]


def ask(client: httpx.Client, body: Mapping[str, Any]) -> Json:
    """The response, streamed or not, with `usage` if it was sent."""
    response = client.post("/completions", json=body)
    assert response.status_code == 200, response.text
    if not body.get("stream"):
        assert response.headers["content-type"] == "application/json"
        result: Json = response.json()
        return result
    assert response.headers["content-type"].startswith("text/event-stream")
    return collect_stream(response.content.decode())


def collect_stream(stream: str) -> Json:
    """A stream's chunks as one response, with the choices ordered by index."""
    events = stream.split("\n\n")
    assert events[-2:] == ["data: [DONE]", ""]
    chunks = [json.loads(event.removeprefix("data: ")) for event in events[:-2]]
    response: Json = {name: value for name, value in chunks[0].items() if name != "usage"}
    choices: dict[int, Json] = {}
    for chunk in chunks:
        assert {"choices": [], **chunk}.keys() - {"usage"} == response.keys()
        for name in response.keys() - {"choices"}:
            assert chunk[name] == response[name], f"{name} changes in the stream"
        for part in chunk["choices"]:
            extend(choices.setdefault(part["index"], {}), part)
    usages = [chunk["usage"] for chunk in chunks if "usage" in chunk]
    if usages:
        assert len(usages) == len(chunks)
        assert not any(usages[:-1])
        assert chunks[-1]["choices"] == []
        response["usage"] = usages[-1]
    response["choices"] = [choices[index] for index in sorted(choices)]
    return response


def extend(choice: Json, part: Json) -> None:
    """Add what a chunk brings to a choice; nothing may come after its finish."""
    if not choice:
        choice.update(part)
        return
    assert choice["finish_reason"] is None, "a choice goes on after its end"
    choice["text"] += part["text"]
    choice["finish_reason"] = part["finish_reason"]
    assert (choice["logprobs"] is None) == (part["logprobs"] is None)
    for name, values in (part["logprobs"] or {}).items():
        choice["logprobs"][name] += values
