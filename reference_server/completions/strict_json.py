"""JSON as RFC 8259 defines it: stricter than Python's parser.

No NaN and no Infinity, no duplicate names in an object, no byte order mark, UTF-8 only, no lone
surrogates, and limited nesting.
"""

import json
import math
import re
from collections import Counter
from typing import Any, NoReturn

from reference_server.completions.errors import bad_request

MAX_BODY_BYTES = 8 * 2**20
"""Bytes of a request body. Only 2,048 prompts of the full context would need more."""
MAX_VALUES = 500_000
"""Values of a request body, counted by its commas and opening brackets, those in strings included.
Each takes up to a hundred times its bytes in memory, and Python parses them without a pause."""
_UNSAFE_IN_LINES = re.compile("[\x85\u2028\u2029]")
_SURROGATE = re.compile("[\ud800-\udfff]")


def decode(body: bytes) -> dict[str, Any]:
    """The object in a request's body.

    Raises ApiError (400) if it is not one JSON object.
    """
    if not body:
        raise bad_request("The request body is empty; expected a JSON object.")
    if sum(map(body.count, (b",", b"[", b"{"))) > MAX_VALUES:
        raise bad_request(f"The JSON body has more than {MAX_VALUES} values.")
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise bad_request(f"The body is not UTF-8 (byte {error.start}).") from None
    if text.startswith("\ufeff"):
        raise bad_request("The body begins with a byte order mark, which JSON does not allow.")
    try:
        value = json.loads(
            text,
            parse_constant=_no_constant,
            parse_float=_finite,
            object_pairs_hook=_no_name_twice,
        )
    except json.JSONDecodeError as error:
        raise bad_request(
            f"We could not parse the JSON body of your request: {error.msg} "
            f"(line {error.lineno}, column {error.colno})."
        ) from None
    except RecursionError:
        raise bad_request("The JSON body is nested too deeply.") from None
    except ValueError:  # an integer with more digits than Python converts
        raise bad_request("The JSON body has an integer of too many digits.") from None
    if not isinstance(value, dict):
        raise bad_request("The JSON body is not an object; expected one with `model` and `prompt`.")
    if "\\u" in text:  # only an escape can contain half a surrogate pair in valid UTF-8
        _refuse_lone_surrogates(value)
    return value


def encode(value: Any) -> str:
    """Compact JSON; non-ASCII characters are not escaped.

    U+0085, U+2028 and U+2029 are escaped: legal in JSON, but many clients that read an event stream
    treat them as the end of a line.
    """
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    if text.isascii():
        return text
    return _UNSAFE_IN_LINES.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def _no_constant(name: str) -> NoReturn:
    raise bad_request(f"The JSON body has {name}, which is not a JSON number.")


def _finite(digits: str) -> float:
    number = float(digits)
    if math.isinf(number):
        raise bad_request("The JSON body has a number too large to be represented.")
    return number


def _no_name_twice(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        twice, _ = Counter(name for name, _ in pairs).most_common(1)[0]
        shown = twice[:100].encode("utf-8", "replace").decode()
        raise bad_request(f"The JSON body has the name '{shown}' more than once in an object.")
    return members


def _refuse_lone_surrogates(value: Any) -> None:
    # Not recursive: a depth that the parser can handle may be too much for another recursion.
    waiting = [value]
    while waiting:
        match waiting.pop():
            case str() as text:
                if _SURROGATE.search(text):
                    raise bad_request(
                        "The JSON body has half of a surrogate pair, which is no character."
                    )
            case dict() as members:
                waiting += [*members.keys(), *members.values()]
            case list() as items:
                waiting += items
