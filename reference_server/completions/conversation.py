"""A conversation as a prompt, for the document whose endpoint accepts `messages`.

Messages have the form of OpenAI's chat endpoint: a role, and a content that is a string or an array
of text parts. A base model has no turns, so it gets a transcript to continue.
"""

from typing import Any

from reference_server.completions import fields
from reference_server.completions.errors import bad_request

ROLES = ("system", "developer", "user", "assistant")


def transcript(value: Any, name: str) -> str:
    """One line for each message, and the beginning of the assistant's next one.

    Raises ApiError (400) if it is not a valid conversation.
    """
    if not isinstance(value, list):
        raise fields.wrong_type(value, name, "an array of messages")
    fields.at_least_one(value, name)
    lines = [_line(message, f"{name}[{place}]") for place, message in enumerate(value)]
    return "\n".join([*lines, "assistant:"])


def _line(value: Any, name: str) -> str:
    message = fields.members(value, name, ("role", "content", "name"))
    role = fields.string(message.get("role"), f"{name}.role")
    if role not in ROLES:
        raise bad_request(
            f"Invalid value: '{role[:100]}'. Supported values are: {', '.join(ROLES)}.",
            param=f"{name}.role",
            code="invalid_value",
        )
    return f"{role}: {_content(message.get('content'), f'{name}.content')}"


def _content(value: Any, name: str) -> str:
    if isinstance(value, str):
        return value
    if not isinstance(value, list):
        raise fields.wrong_type(value, name, "a string or an array of text parts")
    return "".join(_part(part, f"{name}[{place}]") for place, part in enumerate(value))


def _part(value: Any, name: str) -> str:
    part = fields.members(value, name, ("type", "text"))
    if part.get("type") != "text":
        raise bad_request(
            f"Invalid '{name}.type': this endpoint reads parts of type 'text' only.",
            param=f"{name}.type",
            code="invalid_value",
        )
    return fields.string(part.get("text"), f"{name}.text")
