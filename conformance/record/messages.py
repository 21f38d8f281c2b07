"""Messages in a record: the English sentence, and its id and arguments, so that it is translated.

    {"text": "1 choices, 3 promised", "id": "{count} choices, {promised} promised",
     "args": {"count": 1, "promised": 3}}

A sentence without data is a plain string, as every sentence is in records of older versions. A
message among the arguments has no ``text`` of its own, because the sentence around it has it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from conformance.message import Argument, Message, as_message
from conformance.record.validation import BadValueError, brief, integer

MAX_DEPTH = 16
"""The deepest nesting of messages that is read."""

MAX_ARGUMENTS = 100


def message_to_json(message: Message) -> Any:
    """Return a message as the record has it."""
    if not isinstance(message, Message) or not message.arguments:
        return str(message)
    return {"text": str(message), **_data_of(message)}


def _data_of(message: Message) -> dict[str, Any]:
    return {
        "id": message.template,
        "args": {name: _argument(value) for name, value in message.arguments.items()},
    }


def _argument(value: Argument) -> Any:
    if isinstance(value, tuple):
        return [_argument(inner) for inner in value]
    return _data_of(value) if isinstance(value, Message) else value


def message_from_json(value: Any, _: Any) -> Message:
    """Read a message, which may come from anyone.

    Data that does not make up the text is left out, so that every language says the same.

    Raises:
        BadValueError: it is neither a text nor a message.
    """
    match value:
        case str():
            return as_message(value)
        case {"text": str(text), "id": str(), "args": dict()} if len(value) == 3:
            message = _message(value, 0)
            return message if message == text else as_message(text)
    raise BadValueError(f"{brief(value)} is not a message")


def _message(data: Mapping[str, Any], depth: int) -> Message:
    if depth == MAX_DEPTH:
        raise BadValueError("a message is nested too deeply")
    template, arguments = data["id"], data["args"]
    if len(arguments) > MAX_ARGUMENTS:
        raise BadValueError("a message has too many arguments")
    values = {name: _argument_from(value, depth) for name, value in arguments.items()}
    try:
        return Message(template, values)
    except ValueError as error:
        raise BadValueError(f"{brief(template)} is not the id of a message") from error


def _argument_from(value: Any, depth: int) -> Argument:
    if isinstance(value, list):
        return tuple(_scalar(inner, depth) for inner in value)
    return _scalar(value, depth)


def _scalar(value: Any, depth: int) -> str | int | float:
    match value:
        case bool():
            pass
        case str() | float():
            return value
        case int():
            return integer(value, int)
        case {"id": str(), "args": dict()} if len(value) == 2:
            return _message(value, depth + 1)
    raise BadValueError(f"{brief(value)} is not an argument of a message")
