"""The last gate: what the process writes or prints shows none of the secrets that it has read.

Bodies, headers and findings are redacted where they are made. The gate is for what nobody thought
of, such as the traceback of a library or a message that quotes an option.

    gate.remember(os.environ["EXAMPLE_KEY"])
    with gate.guarded():
        print(...)
    path.write_text(gate.redact(text))
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, TextIO, cast

from conformance.transport.redact import MIN_SECRET_CHARS, Redactor, is_placeholder

LONGEST_LINE = 2**16
"""Characters of a line after which it is printed before its end."""

LEAST_HELD = 4
"""Characters of a secret's beginning that are held back at the end of a flush."""


class _Gate:
    """The secrets of this process."""

    def __init__(self) -> None:
        self.secrets: tuple[str, ...] = ()
        self.redactor = Redactor(None)

    def learn(self, secrets: tuple[str, ...]) -> None:
        self.secrets = secrets
        first, *others = secrets or (None,)
        self.redactor = Redactor(first, [other for other in others if other])


_GATE = _Gate()


def remember(secret: str) -> None:
    """Keep a secret from everything that passes the gate from now on."""
    if len(secret) >= MIN_SECRET_CHARS and secret not in _GATE.secrets:
        _GATE.learn((*_GATE.secrets, secret))


def forget_all() -> None:
    """Forget all secrets, for a command that starts in a process that has run others."""
    _GATE.learn(())


def known() -> tuple[str, ...]:
    """Return the secrets of this process, without placeholders.

    A record has to hide them all, not only those of its own target: with several targets, one
    endpoint can show a key that another one got, and both may be the same gateway.
    """
    return tuple(secret for secret in _GATE.secrets if not is_placeholder(secret))


def redact(text: str) -> str:
    """Return a text without the secrets of this process."""
    return _GATE.redactor.text(text, split=False)


@contextmanager
def guarded() -> Iterator[None]:
    """Redact everything that a block prints to standard output and standard error."""
    before = sys.stdout, sys.stderr
    streams = Stream(sys.stdout), Stream(sys.stderr)
    sys.stdout, sys.stderr = cast("tuple[TextIO, TextIO]", streams)
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before
        for stream in streams:
            # A pipe may be closed by now, and the error that ends the block is the one that counts.
            with suppress(OSError, ValueError):
                stream.end()


class Stream:
    """A text stream that redacts whole lines, and what there is of a line at a flush.

    It has no ``buffer``, so that nothing can be written past it.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._waiting = ""

    def __getattr__(self, name: str) -> Any:
        if name in {"buffer", "detach"}:
            raise AttributeError(name)
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        """Write all complete lines."""
        self._waiting += text
        end = self._waiting.rfind("\n") + 1
        self._print(end if len(self._waiting) - end < LONGEST_LINE else len(self._waiting))
        return len(text)

    def writelines(self, lines: list[str]) -> None:
        """Write several texts."""
        for line in lines:
            self.write(line)

    def flush(self) -> None:
        """Write the unfinished line as well, but not the beginning of a secret at its end."""
        self._print(len(self._waiting) - _held(self._waiting))
        self._stream.flush()

    def end(self) -> None:
        """Write the rest."""
        self._print(len(self._waiting))
        self._stream.flush()

    def _print(self, end: int) -> None:
        text, self._waiting = self._waiting[:end], self._waiting[end:]
        if text:
            self._stream.write(redact(text))


def _held(text: str) -> int:
    """Return how many characters at the end of a text are the beginning of a secret."""
    for secret in _GATE.secrets:
        for size in range(min(len(secret) - 1, len(text), LONGEST_LINE), LEAST_HELD - 1, -1):
            if text.endswith(secret[:size]):
                return size
    return 0
