"""Faults of ``index``, the number of a choice."""

from collections.abc import Callable
from typing import Any

from reference_server.behaviour.builders import choices, each_choice
from reference_server.behaviour.messages import Behaviour, Body
from reference_server.behaviour.registry import Evidence, fault
from reference_server.behaviour.rewrite import Rewrite
from reference_server.behaviour.triggers import ALL_TRIGGERS, Trigger

ONCE = "index.each-once"
TRIGGERS = ALL_TRIGGERS - {Trigger.SECOND_CHOICE}


@fault("index-missing", breaks=ONCE, triggers=ALL_TRIGGERS - {Trigger.STREAM})
def index_missing() -> Behaviour:
    """The choices of a non-streaming response have no ``index``."""
    return choices(lambda _, of: [{k: v for k, v in c.items() if k != "index"} for c in of])


@fault("index-null", breaks=ONCE, triggers=ALL_TRIGGERS - {Trigger.STREAM})
def index_null() -> Behaviour:
    """``index`` is null in non-streaming responses."""
    return _plain_index(lambda _: None)


@fault("index-string", breaks=ONCE)
def index_string() -> Behaviour:
    """``index`` is a string."""
    return _index(lambda _, index: str(index))


@fault("index-all-zero", breaks=ONCE, evidence=Evidence.SIBLING, triggers=TRIGGERS)
def index_all_zero() -> Behaviour:
    """``index`` of every choice is 0."""
    return _index(lambda *_: 0)


@fault("index-from-one", breaks=ONCE, triggers=TRIGGERS)
def index_from_one() -> Behaviour:
    """The choices are numbered from 1."""
    return _index(lambda _, index: index + 1)


@fault("index-skips", breaks=ONCE, triggers=TRIGGERS)
def index_skips() -> Behaviour:
    """The choices have even numbers: 0, 2, 4."""
    return _index(lambda _, index: 2 * index)


@fault(
    "index-anew-for-each-prompt",
    breaks=ONCE,
    evidence=Evidence.SIBLING,
    triggers=TRIGGERS - {Trigger.BATCH},
)
def index_anew_for_each_prompt() -> Behaviour:
    """The choices of each prompt are numbered from 0."""
    return _index(lambda request, index: index % (request.get("n") or 1))


@fault("index-reversed", breaks="index.prompt-major", triggers=TRIGGERS - {Trigger.BATCH})
def index_reversed() -> Behaviour:
    """The choices of a batch are numbered in reverse order."""

    def of(request: Body, index: int) -> int:
        return _size(request) * (request.get("n") or 1) - 1 - index if _size(request) > 1 else index

    return _index(of)


@fault("index-copies-first", breaks="index.prompt-major", triggers=TRIGGERS - {Trigger.BATCH})
def index_copies_first() -> Behaviour:
    """Choices are numbered by candidate first, then by prompt."""

    def of(request: Body, index: int) -> int:
        n = request.get("n") or 1
        return (index % n) * _size(request) + index // n

    return _index(of)


@fault(
    "choice-doubled",
    breaks="envelope.choices n.count prompt.strings",
    also_breaks="n.default-one",
    triggers=ALL_TRIGGERS - {Trigger.STREAM},
)
def choice_doubled() -> Behaviour:
    """A non-streaming response contains every choice twice."""
    return choices(lambda _, of: [choice for choice in of for _ in range(2)])


def _size(request: Body) -> int:
    prompt = request.get("prompt")
    batch = isinstance(prompt, list) and bool(prompt) and not isinstance(prompt[0], int)
    return len(prompt) if batch and isinstance(prompt, list) else 1


def _index(change: Callable[[Body, int], Any]) -> Rewrite:
    """Change the index of every choice, streamed or not: ``(request, index)``."""
    return each_choice(lambda request, c: {**c, "index": change(request, c["index"])})


def _plain_index(change: Callable[[int], Any]) -> Rewrite:
    return choices(lambda _, of: [{**c, "index": change(c["index"])} for c in of])
