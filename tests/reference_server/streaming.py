"""A strict reader of streams that checks every guarantee to clients."""

import json
from typing import Any

SAME_IN_ALL = ("id", "object", "created", "model", "system_fingerprint")


def events(raw: str) -> list[dict[str, Any]]:
    """The chunks of a body of server-sent events, which must end with `[DONE]`."""
    *parts, done, nothing = raw.split("\n\n")
    assert (done, nothing) == ("data: [DONE]", "")
    assert all(part.startswith("data: ") and "\n" not in part for part in parts)
    chunks = [json.loads(part.removeprefix("data: ")) for part in parts]
    assert "[DONE]" not in chunks
    return chunks


def join(chunks: list[dict[str, Any]], *, usage: bool) -> dict[str, Any]:
    """The non-streaming response that equals the chunks, with ``usage`` if it was requested."""
    head = {name: chunks[0][name] for name in SAME_IN_ALL}
    choices: dict[int, dict[str, Any]] = {}
    response: dict[str, Any] = {**head}
    if usage:
        *chunks, last = chunks
        assert last["choices"] == []
        assert all(chunk["usage"] is None for chunk in chunks)
        response["usage"] = last["usage"]
        assert {name: last[name] for name in SAME_IN_ALL} == head
    else:
        assert not any("usage" in chunk for chunk in chunks)
    for chunk in chunks:
        assert {name: chunk[name] for name in SAME_IN_ALL} == head
        (part,) = chunk["choices"]
        _add(choices.setdefault(part["index"], _nothing_yet(part["index"])), part)
    assert all(choice["finish_reason"] is not None for choice in choices.values())
    response["choices"] = [choices[index] for index in sorted(choices)]
    return response


def _nothing_yet(index: int) -> dict[str, Any]:
    return {"text": "", "index": index, "logprobs": None, "finish_reason": None}


def _add(choice: dict[str, Any], part: dict[str, Any]) -> None:
    assert choice["finish_reason"] is None, "a chunk after the one that finished"
    scores = part["logprobs"]
    assert part["text"] or part["finish_reason"] or scores["tokens"], "a chunk that says nothing"
    choice["text"] += part["text"]
    choice["finish_reason"] = part["finish_reason"]
    if scores is not None:
        assert len({len(values) for values in scores.values()}) == 1
        joined = choice["logprobs"] or {name: [] for name in scores}
        choice["logprobs"] = {name: joined[name] + values for name, values in scores.items()}
