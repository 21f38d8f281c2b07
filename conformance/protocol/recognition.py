"""Which contract fits an endpoint, by what it says of itself: a proposal, never a decision; pure.

Every server here writes its own name somewhere. Read on 2026-12-01:

- vLLM, ``entrypoints/openai/engine/protocol.py``: ``owned_by: str = "vllm"``; its errors have a
  number as ``code`` and a type such as ``BadRequestError``;
- llama.cpp, ``tools/server/server-context.cpp``: ``{"owned_by", "llamacpp"}``, and the header
  ``Server: llama.cpp``; its errors have no ``param``;
- SGLang, ``srt/entrypoints/openai/protocol.py``: ``owned_by: str = "sglang"``, and errors without
  the member ``error`` around them;
- Ollama, ``openai/openai.go``: the namespace of the model, which is ``library`` unless it is a
  user's;
- the services by their own domains, and not by ``owned_by``, where relays write the maker of a
  model; Fireworks also by headers that begin with its name (docs.fireworks.ai), SiliconFlow by
  ``x-siliconcloud-trace-id`` (docs.siliconflow.cn).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from conformance.contract import CONTRACTS
from conformance.message import Message, say
from conformance.model import Exchange
from conformance.protocol.model_list import ListedModel

MAX_VALUE_CHARS = 60
READ_BYTES = 64 * 2**10
"""Bytes of an error that are read; those of servers have less than one KiB."""


@dataclass(frozen=True, slots=True)
class Mark:
    """What one server or service says of itself.

    Attributes:
        contract: the contract that its documentation makes.
        name: what it is called.
        owners: values of ``owned_by`` in its list of models.
        headers: names of headers that it alone sends; one that ends in ``-`` is a beginning.
        server: what its header ``Server`` begins with; empty if that tells nothing.
        hosts: its own hosts.
    """

    contract: str
    name: str
    owners: tuple[str, ...] = ()
    headers: tuple[str, ...] = ()
    server: str = ""
    hosts: tuple[str, ...] = ()


MARKS = (
    Mark("openai", "OpenAI", headers=("openai-version",), hosts=("api.openai.com",)),
    Mark("vllm", "vLLM", owners=("vllm",)),
    Mark("sglang", "SGLang", owners=("sglang",)),
    Mark("llama-cpp", "llama.cpp", owners=("llamacpp",), server="llama.cpp"),
    Mark("ollama", "Ollama", owners=("library",)),
    Mark("deepseek-fim", "DeepSeek", hosts=("api.deepseek.com",)),
    Mark("together", "Together", hosts=("api.together.ai", "api.together.xyz")),
    Mark("fireworks", "Fireworks", headers=("fireworks-",), hosts=("api.fireworks.ai",)),
    Mark("cerebras", "Cerebras", hosts=("api.cerebras.ai",)),
    Mark(
        "siliconflow",
        "SiliconFlow",
        headers=("x-siliconcloud-trace-id",),
        hosts=("api.siliconflow.cn", "api.siliconflow.com"),
    ),
)
"""The servers and services that say who they are; those without a contract are left out."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """A contract that fits, the name of its server, and what speaks for it."""

    contract: str
    name: str
    evidence: tuple[Message, ...]


def proposals(
    base_url: str, model: str, listed: Sequence[ListedModel], answers: Sequence[Exchange]
) -> tuple[Proposal, ...]:
    """Return the contracts that something speaks for, the one with most evidence first.

    Args:
        base_url: the endpoint.
        model: the model that is requested.
        listed: the endpoint's list of models; empty if it has none.
        answers: its other responses, of which headers and error bodies are read.
    """
    owner = _owner(listed, model)
    headers = {name.lower(): value for answer in answers for name, value in answer.headers}
    shape = next(filter(None, map(_error_shape, answers)), None)
    found = (
        Proposal(mark.contract, mark.name, tuple(_evidence(mark, base_url, owner, headers, shape)))
        for mark in MARKS
        if mark.contract in CONTRACTS
    )
    return tuple(sorted((one for one in found if one.evidence), key=lambda p: -len(p.evidence)))


@dataclass(frozen=True, slots=True)
class _ErrorShape:
    """Whose errors have this shape, and what tells them."""

    contract: str
    tells: Message


def _evidence(
    mark: Mark,
    base_url: str,
    owner: str | None,
    headers: dict[str, str],
    shape: _ErrorShape | None,
) -> Iterator[Message]:
    host = _host(base_url)
    if host in mark.hosts:
        yield say("the host is {host}", host=host)
    if owner is not None and owner in mark.owners:
        yield say("`owned_by` is {owner}", owner=owner)
    server = headers.get("server", "")
    if mark.server and server.lower().startswith(mark.server):
        yield say("the header `Server` is {value}", value=server[:MAX_VALUE_CHARS])
    for known in mark.headers:
        name = next((name for name in headers if _is_header(name, known)), None)
        if name is not None:
            yield say("there is the header `{name}`", name=name[:MAX_VALUE_CHARS])
    if shape is not None and shape.contract == mark.contract:
        yield shape.tells


def _is_header(name: str, known: str) -> bool:
    return name.startswith(known) if known.endswith("-") else name == known


def _host(base_url: str) -> str:
    try:
        return urlsplit(base_url).hostname or ""
    except ValueError:
        return ""


def _owner(listed: Sequence[ListedModel], model: str) -> str | None:
    """Return the owner of a model; of a list without it, the owner of all that are there."""
    own = next((one.owned_by for one in listed if one.id == model), None)
    owners = {one.owned_by for one in listed}
    return own or (owners.pop() if len(owners) == 1 else None)


_VLLM_TYPE = re.compile(r"[A-Z][A-Za-z]{2,40}Error|Bad Request|Not Found", re.ASCII)
"""A class of an exception, or the words of the status, as vLLM 0.32 sends them."""


def _error_shape(answer: Exchange) -> _ErrorShape | None:
    """Return whose errors a rejection looks like; None if it is none, or like many others'."""
    body = _rejection(answer)
    if body.get("object") == "error" and isinstance(body.get("message"), str):
        return _ErrorShape("sglang", say("an error has its `message` at the top"))
    error = body.get("error")
    if not isinstance(error, dict) or type(error.get("code")) is not int:
        return None
    kind = error.get("type")
    if isinstance(kind, str) and _VLLM_TYPE.fullmatch(kind):
        tells = say("an error has a number as `code` and the type {type}", type=kind)
        return _ErrorShape("vllm", tells)
    if kind == "invalid_request_error" and "param" not in error:
        return _ErrorShape("llama-cpp", say("an error has a number as `code` and no `param`"))
    return None


def _rejection(answer: Exchange) -> Mapping[str, Any]:
    """Return the body of a rejection; empty if the answer is none, or not a JSON object."""
    if answer.status not in {400, 404, 422} or len(answer.body) > READ_BYTES:
        return {}
    try:
        body = json.loads(answer.body)
    except (ValueError, RecursionError):
        return {}
    return body if isinstance(body, dict) else {}
