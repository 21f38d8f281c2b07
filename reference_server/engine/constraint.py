"""What a text has to follow, as data, and what the engine needs of a library that follows it.

A constraint decides before anything else: where a bias, a penalty, `ignore_eos` or `min_tokens`
leave no token that it allows, they give way.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]


class ConstraintKind(StrEnum):
    """The languages in which a constraint is written."""

    CHOICE = "choice"
    """A JSON array of texts, one of which is generated."""
    REGEX = "regex"
    """A regular expression of the whole text, in the syntax of Rust's `regex`."""
    SCHEMA = "schema"
    """A JSON Schema."""
    GRAMMAR = "grammar"
    """A grammar in GBNF, whose rule `root` is the whole text, or in Lark, where it is `start`."""


@dataclass(frozen=True)
class Constraint:
    """What a text has to follow, as a client wrote it."""

    kind: ConstraintKind
    source: str
    parameter: str = ""
    """The name in the request, for messages."""


class InvalidConstraintError(Exception):
    """A constraint that cannot be read or followed; the message is the library's."""


class BrokenConstraintError(Exception):
    """A constraint became too complex while a text followed it."""


class Follower(Protocol):
    """The place of one text in a constraint."""

    def allowed(self) -> Mask:
        """Which tokens may come next, of shape [vocabulary]; the end of text may be among them.

        Raises BrokenConstraintError.
        """
        ...

    def advance(self, token: int) -> None:
        """A token was taken, which is one of those allowed.

        Raises BrokenConstraintError.
        """
        ...


class Grammar(Protocol):
    """A constraint that was read for a vocabulary, for any number of texts."""

    def follower(self) -> Follower:
        """The beginning of another text."""
        ...


class GrammarReader(Protocol):
    """Reads constraints for the vocabulary of a model."""

    def read(self, constraint: Constraint) -> Grammar:
        """Read a constraint, which takes up to seconds for a complex one.

        Raises InvalidConstraintError.
        """
        ...
