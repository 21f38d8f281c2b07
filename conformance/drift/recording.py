"""A recording as a file: a line that says what was asked, then a line for each answer.

Answers are added as they come, so that an interrupted recording is continued later and nothing is
paid for twice. A recording may come from anyone: reading one raises :class:`DriftFileError`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Any, Self, TypeGuard

from conformance.input_files import MIB, InputError, read_file

FORMAT = 1
MAX_BYTES = 4 * MIB
MAX_PROMPTS, MAX_PROMPT_CHARS = 50, 500
MIN_ROUNDS, MAX_ROUNDS = 3, 24
"""Answers to each prompt. With fewer than three, hardly any result is improbable enough to be
reported; with many, a recording is a good reference for small ones."""

MAX_TOKENS, MAX_TOKEN_CHARS = 20, 200
LOWEST = -100.0
"""Nats; lower log probabilities, such as the -9999 of some servers, are taken for this one."""


MOST_FLOAT = 1e300


class DriftFileError(InputError):
    """A recording or a file of border inputs is not usable; the message is one sentence."""


class Method(StrEnum):
    """What an answer holds."""

    LOGPROBS = "logprobs"
    TEXTS = "texts"


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer to a prompt.

    Attributes:
        prompt: the index of the prompt.
        turn: which of the rounds it belongs to, from 0.
        scores: the likeliest tokens with their log probabilities in nats; of a text, the text
            with 1.
    """

    prompt: int
    turn: int
    scores: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Recording:
    """What was asked, and the answers so far.

    Attributes:
        base_url: where the requests went, without secrets.
        model: the model that they named.
        started_at: ISO 8601, UTC.
        suite_version: the version of the suite that asked.
        method: what answers hold.
        temperature: of the requests.
        prompts: of the requests.
        rounds: how often each prompt is asked.
        target: the name in ``conformance.toml``; None if there is none.
        answers: the answers, in the order in which they came.
    """

    base_url: str
    model: str
    started_at: str
    suite_version: str
    method: Method
    temperature: float
    prompts: tuple[str, ...]
    rounds: int
    target: str | None = None
    answers: tuple[Answer, ...] = ()

    @property
    def missing(self) -> tuple[tuple[int, int], ...]:
        """The prompts and rounds that have no answer yet, round by round."""
        there = {(answer.prompt, answer.turn) for answer in self.answers}
        return tuple(
            (prompt, turn)
            for turn in range(self.rounds)
            for prompt in range(len(self.prompts))
            if (prompt, turn) not in there
        )

    def asks_as(self, other: Self) -> bool:
        """Whether this recording asks the same of the same endpoint."""
        return all(
            getattr(self, name) == getattr(other, name)
            for name in ("base_url", "model", "method", "temperature", "prompts", "rounds")
        )

    @property
    def head(self) -> str:
        """The first line of the file."""
        return _line(
            {
                "format": FORMAT,
                "kind": "drift",
                "suite_version": self.suite_version,
                "started_at": self.started_at,
                "target": self.target,
                "base_url": self.base_url,
                "model": self.model,
                "method": self.method.value,
                "temperature": self.temperature,
                "rounds": self.rounds,
                "prompts": self.prompts,
            }
        )


def line_of(answer: Answer) -> str:
    """Return the line of an answer."""
    return _line({"prompt": answer.prompt, "round": answer.turn, "scores": answer.scores})


def _line(values: Mapping[str, Any]) -> str:
    return json.dumps(values, separators=(",", ":")) + "\n"


def read_recording(path: Path) -> Recording:
    """Read a recording; a last line that was cut off is ignored.

    Raises:
        DriftFileError: the file cannot be read, or is no recording.
    """
    lines = _lines_of(path)
    number, head = next(lines, (1, None))
    recording = _head(head, path)
    answers: dict[tuple[int, int], Answer] = {}
    for number, values in lines:
        answer = _answer(values, recording)
        if answer is None:
            raise DriftFileError(f"{path}, line {number}: this is not an answer of a recording")
        answers[answer.prompt, answer.turn] = answer
    return replace(recording, answers=tuple(answers.values()))


def _lines_of(path: Path) -> Iterator[tuple[int, object]]:
    try:
        raw = read_file(path, MAX_BYTES)
    except InputError as error:
        raise DriftFileError(str(error)) from None
    *whole, _cut_off = raw.split(b"\n")
    for number, line in enumerate(whole, 1):
        try:
            yield number, json.loads(line)
        except (ValueError, RecursionError):
            raise DriftFileError(f"{path}, line {number}: this is not JSON") from None


def _head(values: object, path: Path) -> Recording:
    if not isinstance(values, dict) or values.get("kind") != "drift":
        raise DriftFileError(f"{path} is no recording; `conformance drift record` writes one")
    if values.get("format") != FORMAT:
        raise DriftFileError(f"{path} has a format that this version cannot read; update the suite")
    names = ("base_url", "model", "started_at", "suite_version")
    texts = [values.get(name) for name in names]
    prompts, rounds = values.get("prompts"), values.get("rounds")
    temperature, target = values.get("temperature"), values.get("target")
    if not (
        all(isinstance(text, str) for text in texts)
        and (target is None or isinstance(target, str))
        and are_prompts(prompts)
        and type(rounds) is int
        and MIN_ROUNDS <= rounds <= MAX_ROUNDS
        and is_number(temperature)
        and values.get("method") in list(Method)
    ):
        raise DriftFileError(f"{path}, line 1: it does not say what was asked")
    return Recording(
        base_url=values["base_url"],
        model=values["model"],
        started_at=values["started_at"],
        suite_version=values["suite_version"],
        method=Method(values["method"]),
        temperature=float(values["temperature"]),
        prompts=tuple(values["prompts"]),
        rounds=values["rounds"],
        target=target,
    )


def are_prompts(value: object) -> bool:
    """Whether a value is a list of prompts that a recording can have."""
    return (
        isinstance(value, list)
        and 0 < len(value) <= MAX_PROMPTS
        and all(isinstance(prompt, str) and len(prompt) <= MAX_PROMPT_CHARS for prompt in value)
    )


def is_number(value: object) -> TypeGuard[float]:
    """Whether a value is a number that a float can hold, and finite."""
    return type(value) in {int, float} and -MOST_FLOAT < value < MOST_FLOAT  # type: ignore[operator] # it is one


def _answer(values: object, recording: Recording) -> Answer | None:
    if not isinstance(values, dict):
        return None
    prompt, turn, scores = values.get("prompt"), values.get("round"), values.get("scores")
    if not (
        type(prompt) is int
        and 0 <= prompt < len(recording.prompts)
        and type(turn) is int
        and 0 <= turn < recording.rounds
        and isinstance(scores, dict)
        and 0 < len(scores) <= MAX_TOKENS
        and all(len(name) <= MAX_TOKEN_CHARS for name in scores)
        and all(is_number(score) and LOWEST <= score <= 1 for score in scores.values())
    ):
        return None
    return Answer(prompt, turn, {name: float(score) for name, score in scores.items()})
