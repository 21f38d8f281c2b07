"""What ``GET /models`` says of models: bounded, and tolerant of every shape; pure.

OpenAI, vLLM, SGLang, llama.cpp and Ollama answer ``{"object": "list", "data": [...]}``; Together's
description (openapi.yaml, 090263aa) has the bare array.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from itertools import islice
from typing import Any

MAX_MODELS = 10_000
"""Entries that are read; the longest list known has about a thousand."""

MAX_WORD_CHARS = 100
"""Longer owners are no name."""

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


@dataclass(frozen=True, slots=True)
class ListedModel:
    """One entry of the list.

    Attributes:
        id: the model's name in requests.
        owned_by: who the endpoint says the model belongs to; many servers write their own name.
        shutdown_date: the day from which on the model is no longer served, which OpenAI's list has
            (developers.openai.com/api/docs/deprecations, read on 2026-12-01); None if none is
            announced, or what is there is not a date.
    """

    id: str
    owned_by: str | None = None
    shutdown_date: date | None = None


def listed_models(body: bytes) -> tuple[ListedModel, ...]:
    """Return the models that a response lists; none if it is not a list of models."""
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        return ()
    entries = answer.get("data") if isinstance(answer, dict) else answer
    if not isinstance(entries, list):
        return ()
    found = (_model(entry) for entry in islice(entries, MAX_MODELS) if isinstance(entry, dict))
    return tuple(model for model in found if model is not None)


def _model(entry: Mapping[str, Any]) -> ListedModel | None:
    name, owner = entry.get("id"), entry.get("owned_by")
    if not isinstance(name, str):
        return None
    is_name = isinstance(owner, str) and 0 < len(owner) <= MAX_WORD_CHARS
    return ListedModel(name, owner if is_name else None, _date(entry.get("shutdown_date")))


def _date(value: object) -> date | None:
    if not isinstance(value, str) or not _DATE.fullmatch(value):
        return None
    try:
        return date.fromisoformat(value)
    except ValueError:
        return None
