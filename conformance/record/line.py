"""One line of a record: a JSON object, encoded from one of the model's records and decoded to it.

A line may come from anyone: it is decoded to plausible values or rejected with
:class:`RunFileError`. ``run.schema.json`` in this folder describes the format.
"""

from __future__ import annotations

import base64
import binascii
import json
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import Any

import cattrs
from cattrs.gen import make_dict_structure_fn, make_dict_unstructure_fn, override
from cattrs.preconf.json import make_converter
from cattrs.v import format_exception

from conformance.input_files import InputError, one_line
from conformance.message import Message
from conformance.model import Comparison, Exchange, Finding, Footer, Header
from conformance.record.messages import message_from_json, message_to_json
from conformance.record.validation import (
    BadValueError,
    assert_plausible,
    brief,
    decimal,
    integer,
    only,
    seconds,
    word,
)

FORMAT = 2
"""The version of the format that is written. In version 1 a message was a string."""

READABLE = frozenset({1, FORMAT})
"""The versions that are read; files of others are rejected."""

SCHEMA = Path(__file__).with_name("run.schema.json")

Record = Header | Exchange | Finding | Comparison | Footer
KINDS: dict[str, type[Record]] = {
    "header": Header,
    "exchange": Exchange,
    "finding": Finding,
    "comparison": Comparison,
    "footer": Footer,
}

MAX_REASONS = 3
"""Reasons that the message about an invalid line has."""


class RunFileError(InputError):
    """A record cannot be read; the message names the file, the line and the problem."""


def to_line(kind: str, record: Record) -> bytes:
    """Encode one record as a line, including the newline.

    Args:
        kind: one of :data:`KINDS`.
        record: the record.
    """
    data = {"kind": kind, **_converter.unstructure(record)}
    try:
        line = json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode()
    except UnicodeEncodeError:
        # Text of an endpoint can contain a lone surrogate, which only JSON escapes can represent.
        line = json.dumps(data, separators=(",", ":")).encode()
    return line + b"\n"


def from_line(line: bytes, where: str) -> Record:
    """Decode one line.

    Args:
        line: with or without its newline.
        where: the place, with which a message begins.

    Raises:
        RunFileError: it is not a record of a readable version.
    """
    try:
        data: Any = _JSON.decode(line.decode())
    except json.JSONDecodeError as error:
        raise RunFileError(f"{where}: not JSON ({error})") from None
    except UnicodeDecodeError as error:
        raise RunFileError(f"{where}: not UTF-8 (byte {error.start + 1})") from None
    except RecursionError:
        raise RunFileError(f"{where}: is nested too deeply") from None
    except ValueError as error:
        # Python converts integers of at most 4300 digits.
        reason = error if isinstance(error, _NotJsonError) else "a number has too many digits"
        raise RunFileError(f"{where}: not JSON ({reason})") from None
    kind = data.pop("kind", None) if isinstance(data, dict) else None
    if not isinstance(kind, str) or kind not in KINDS:
        raise RunFileError(f"{where}: unknown kind of record {brief(kind)}")
    if kind == "header" and not _is_readable(data.get("format")):
        raise RunFileError(
            f"{where}: has format {brief(data.get('format'))}; "
            f"this version reads format {' and '.join(map(str, sorted(READABLE)))}"
        )
    try:
        record = _converter.structure(data, KINDS[kind])
        assert_plausible(record)
    except (cattrs.BaseValidationError, ValueError, TypeError, KeyError, RecursionError) as error:
        raise RunFileError(f"{where}: invalid {kind} ({_reason(error)})") from None
    return record


def _is_readable(version: object) -> bool:
    # An array is not hashable, and True would equal 1.
    return type(version) is int and version in READABLE


def _reason(error: Exception) -> str:
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    if not isinstance(error, cattrs.BaseValidationError):
        return str(error)
    reasons = cattrs.transform_error(error, format_exception=_reason_of_one)
    more = [f"and {len(reasons) - MAX_REASONS} more"] if len(reasons) > MAX_REASONS else []
    shown = (one_line(reason, 200) for reason in reasons[:MAX_REASONS])
    return "; ".join((*shown, *more))


def _reason_of_one(error: BaseException, kind: Any) -> str:
    return str(error) if isinstance(error, BadValueError) else format_exception(error, kind)


class _NotJsonError(ValueError):
    """A word that Python reads and JSON does not have."""


def _no_constant(word: str) -> None:
    raise _NotJsonError(f"{word} is not a value")


_JSON = json.JSONDecoder(parse_constant=_no_constant)


_DOUBLED = b'"\\\n\r\t\b\f'
_SIXFOLD = bytes(byte for byte in range(0x20) if byte not in _DOUBLED)
"""The bytes that JSON writes with two, and those that it writes with six (RFC 8259, section 7)."""

_ALL = bytes(range(256))
_BUT_DOUBLED = bytes(byte for byte in _ALL if byte not in _DOUBLED)
_BUT_SIXFOLD = bytes(byte for byte in _ALL if byte not in _SIXFOLD)


def _body_to_json(body: bytes) -> dict[str, str]:
    """Return a body as text, or as base64 if it is not UTF-8 or JSON would write half as much more.

    So a record has at most one and a half times the bytes that an endpoint sent.
    """
    try:
        text = body.decode()
    except UnicodeDecodeError:
        return _base64(body)
    doubled = len(body.translate(None, _BUT_DOUBLED))
    sixfold = len(body.translate(None, _BUT_SIXFOLD))
    return _base64(body) if doubled + 5 * sixfold > len(body) // 2 else {"text": text}


def _base64(body: bytes) -> dict[str, str]:
    return {"base64": base64.b64encode(body).decode("ascii")}


def _body_from_json(data: Any, _: type[bytes]) -> bytes:
    match data:
        case {"text": str(text)}:
            return text.encode()
        case {"base64": str(text)}:
            try:
                return base64.b64decode(text, validate=True)
            except binascii.Error as error:
                raise ValueError(f"the body is not valid base64: {error}") from None
    raise ValueError("a body must be {text} or {base64}")


_converter = make_converter()
_converter.register_structure_hook(str, only(str))
_converter.register_structure_hook(bool, only(bool))
_converter.register_structure_hook(int, integer)
_converter.register_structure_hook(float, seconds)
# Enumerations are strings, too, and would otherwise not be converted.
_converter.register_structure_hook(StrEnum, word)
_converter.register_structure_hook(Decimal, decimal)
_converter.register_unstructure_hook(Decimal, "{:f}".format)
_converter.register_unstructure_hook(bytes, _body_to_json)
_converter.register_unstructure_hook(Message, message_to_json)
_converter.register_structure_hook(Message, message_from_json)
_converter.register_structure_hook(bytes, _body_from_json)
# What is expected is derived from the header when a record is read.
_converter.register_unstructure_hook(
    Finding, make_dict_unstructure_fn(Finding, _converter, expectation=override(omit=True))
)
_converter.register_structure_hook(
    Finding, make_dict_structure_fn(Finding, _converter, expectation=override(omit=True))
)
