"""Faults of ``index``: which of the answers asked for a choice is."""

from collections.abc import Callable
from typing import Any

from reference_server.behaviour.builders import choices, each_choice
from reference_server.behaviour.messages import Behaviour, Body
from reference_server.behaviour.registry import Evidence, fault
from reference_server.behaviour.rewrite import Rewrite
from reference_server.behaviour.triggers import EVERYWHERE, Modifier

ONCE = "index.each-once"
SEVERAL = EVERYWHERE - {Modifier.SECOND_CHOICE}


@fault("index-missing", breaks=ONCE, modifiers=EVERYWHERE - {Modifier.STREAM})
def index_missing() -> Behaviour:
    """The choices of a plain answer have no ``index``."""
    return choices(lambda _, of: [{k: v for k, v in c.items() if k != "index"} for c in of])


@fault("index-null", breaks=ONCE, modifiers=EVERYWHERE - {Modifier.STREAM})
def index_null() -> Behaviour:
    """``index`` of a plain answer's choices is null."""
    return _plain_index(lambda _: None)


@fault("index-string", breaks=ONCE)
def index_string() -> Behaviour:
    """``index`` is a string."""
    return _index(lambda _, index: str(index))


@fault("index-all-zero", breaks=ONCE, evidence=Evidence.SIBLING, modifiers=SEVERAL)
def index_all_zero() -> Behaviour:
    """``index`` of every choice is 0."""
    return _index(lambda *_: 0)


@fault("index-from-one", breaks=ONCE, modifiers=SEVERAL)
def index_from_one() -> Behaviour:
    """The choices are numbered from 1."""
    return _index(lambda _, index: index + 1)


@fault("index-skips", breaks=ONCE, modifiers=SEVERAL)
def index_skips() -> Behaviour:
    """Every second number is left out: 0, 2, 4."""
    return _index(lambda _, index: 2 * index)


@fault(
    "index-anew-for-each-prompt",
    breaks=ONCE,
    evidence=Evidence.SIBLING,
    modifiers=SEVERAL - {Modifier.BATCH},
)
def index_anew_for_each_prompt() -> Behaviour:
    """The choices of each prompt are numbered from 0."""
    return _index(lambda request, index: index % (request.get("n") or 1))


@fault("index-reversed", breaks="index.prompt-major", modifiers=SEVERAL - {Modifier.BATCH})
def index_reversed() -> Behaviour:
    """The choices of a batch are numbered from its end."""

    def of(request: Body, index: int) -> int:
        return _size(request) * (request.get("n") or 1) - 1 - index if _size(request) > 1 else index

    return _index(of)


@fault("index-copies-first", breaks="index.prompt-major", modifiers=SEVERAL - {Modifier.BATCH})
def index_copies_first() -> Behaviour:
    """The choices are numbered by copies first, and by prompts within them."""

    def of(request: Body, index: int) -> int:
        n = request.get("n") or 1
        return (index % n) * _size(request) + index // n

    return _index(of)


@fault(
    "choice-doubled",
    breaks="envelope.choices n.count prompt.strings",
    modifiers=EVERYWHERE - {Modifier.STREAM},
)
def choice_doubled() -> Behaviour:
    """A plain answer has every choice twice."""
    return choices(lambda _, of: [choice for choice in of for _ in range(2)])


def _size(request: Body) -> int:
    prompt = request.get("prompt")
    batch = isinstance(prompt, list) and bool(prompt) and not isinstance(prompt[0], int)
    return len(prompt) if batch and isinstance(prompt, list) else 1


def _index(change: Callable[[Body, int], Any]) -> Rewrite:
    """Another number for every choice, plain and streamed: ``(asked, index)``."""
    return each_choice(lambda request, c: {**c, "index": change(request, c["index"])})


def _plain_index(change: Callable[[int], Any]) -> Rewrite:
    return choices(lambda _, of: [{**c, "index": change(c["index"])} for c in of])
