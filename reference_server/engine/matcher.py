"""Constrained decoding with llguidance: which tokens may come next in a text.

llguidance (https://github.com/guidance-ai/llguidance, read at 1.9.1 on 2026-12-01) parses the
constraint and follows it byte by byte, so a token that is a part of a character is judged as well
as a whole word. Of the other libraries, xgrammar needs torch, and outlines-core knows no grammars.
"""

import json
from collections.abc import Sequence

import numpy as np
from llguidance import LLMatcher, LLParserLimits, LLTokenizer, TokenizerWrapper, grammar_from

from reference_server.engine.constraint import (
    BrokenConstraintError,
    Constraint,
    ConstraintKind,
    InvalidConstraintError,
    Mask,
)
from reference_server.engine.tokenizer import Tokenizer

MAX_CHARACTERS = 16_384
"""Characters of a schema, an expression or a grammar; a limit of this server.

`(a|b)*` repeated to this length was read in 0.4 seconds, and to three times of it in 11.
"""

_LIMITS = LLParserLimits(verbose_errors=False)
"""The library's own limits; without its state in error messages."""


class MatcherFollower:
    """The place of one text in a constraint."""

    def __init__(self, matcher: LLMatcher, vocabulary: int) -> None:
        self._matcher = matcher
        self._vocabulary = vocabulary

    def allowed(self) -> Mask:
        """Which tokens may come next, of shape [vocabulary]; the end of text may be among them.

        Raises BrokenConstraintError.
        """
        bits = np.frombuffer(self._matcher.compute_bitmask(), np.uint8)
        if self._matcher.is_error():
            raise BrokenConstraintError(self._matcher.get_error())
        mask = np.zeros(self._vocabulary, np.bool_)
        known = np.unpackbits(bits, bitorder="little")[: self._vocabulary]
        mask[: len(known)] = known
        return mask

    def advance(self, token: int) -> None:
        """A token was taken, which is one of those allowed.

        Raises BrokenConstraintError.
        """
        if not self._matcher.consume_token(token):
            raise BrokenConstraintError(self._matcher.get_error())


class MatcherGrammar:
    """A constraint that was read for a vocabulary, for any number of texts."""

    def __init__(self, matcher: LLMatcher, vocabulary: int) -> None:
        self._matcher = matcher
        self._vocabulary = vocabulary

    def follower(self) -> MatcherFollower:
        """The beginning of another text."""
        return MatcherFollower(self._matcher.deep_copy(), self._vocabulary)


class MatcherReader:
    """Reads constraints for the vocabulary of a model."""

    def __init__(self, tokenizer: Tokenizer, vocabulary: int) -> None:
        """``vocabulary``: the length of a row of logits, at least the tokenizer's size."""
        self._vocabulary = vocabulary
        ends = sorted(tokenizer.end_ids)
        self._tokenizer = LLTokenizer(
            TokenizerWrapper(_Vocabulary(tokenizer, ends)), n_vocab=tokenizer.size, eos_token=ends
        )

    def read(self, constraint: Constraint) -> MatcherGrammar:
        """Read a constraint, which takes up to seconds for a complex one.

        Raises InvalidConstraintError.
        """
        if len(constraint.source) > MAX_CHARACTERS:
            raise InvalidConstraintError(f"it has more than {MAX_CHARACTERS} characters")
        try:
            description = _described(constraint)
        except (ValueError, RecursionError) as error:
            raise InvalidConstraintError(str(error)) from error
        matcher = LLMatcher(self._tokenizer, description, log_level=0, limits=_LIMITS)
        if matcher.is_error():
            raise InvalidConstraintError(matcher.get_error())
        return MatcherGrammar(matcher, self._vocabulary)


class _Vocabulary:
    """A tokenizer as the library expects one."""

    bos_token_id = None

    def __init__(self, tokenizer: Tokenizer, ends: Sequence[int]) -> None:
        self._tokenizer = tokenizer
        self.eos_token_id = ends[0]
        self.special_token_ids = sorted(tokenizer.special)
        self.tokens = [tokenizer.token_bytes(token) for token in range(tokenizer.size)]

    def __call__(self, text: bytes) -> list[int]:
        return list(self._tokenizer.encode(text.decode("utf-8", "replace")))


def _described(constraint: Constraint) -> str:
    """A constraint in the library's own form.

    Raises ValueError.
    """
    source = constraint.source
    match constraint.kind:
        case ConstraintKind.CHOICE:
            return grammar_from("choice", source)
        case ConstraintKind.REGEX:
            return grammar_from("regex", source)
        case ConstraintKind.GRAMMAR:
            return grammar_from("grammar", source)
        case ConstraintKind.SCHEMA if isinstance(json.loads(source), dict):
            # One layout, as `json.dumps` writes it: where whitespace is free, a small model may
            # write nothing else.
            return LLMatcher.grammar_from_json_schema(
                source,
                overrides={
                    "whitespace_flexible": False,
                    "item_separator": ", ",
                    "key_separator": ": ",
                },
            )
        case ConstraintKind.SCHEMA:
            return LLMatcher.grammar_from_json_schema(source)
