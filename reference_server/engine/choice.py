"""From sampled tokens to a choice's text, piece by piece.

Pieces are what a stream sends and what a plain answer joins.

A plain answer *is* its stream put together, so the two cannot disagree.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from reference_server.engine.logprobs import TokenScore, render
from reference_server.engine.stop import StopMatcher
from reference_server.engine.tokenizer import Tokenizer
from reference_server.engine.utf8 import CharacterStream

Finish = Literal["stop", "length"]


@dataclass(frozen=True)
class TokenEntry:
    """One place in the four parallel arrays of ``logprobs``."""

    token: str
    logprob: float | None
    """None for the first token of an echoed prompt: nothing comes before it."""
    top: dict[str, float] | None
    offset: int
    """Index of the character that the token begins in, in characters of prompt and completion."""


@dataclass(frozen=True)
class TextChunk:
    """What is new in a choice: text, the entries of its tokens, and how it ended if it did."""

    text: str = ""
    entries: tuple[TokenEntry, ...] = ()
    finish: Finish | None = None
    tokens: int = 0
    """Tokens sampled so far, the end mark and those of a stop sequence included."""

    def __bool__(self) -> bool:
        return bool(self.text or self.entries or self.finish)


@dataclass(frozen=True)
class ChoiceRequest:
    """What a choice's text depends on besides its tokens."""

    prompt_ids: tuple[int, ...]
    """The prompt as the client sees it, without marks for infilling."""
    prompt_text: str | None
    """The prompt if it came as text, None if it came as token ids."""
    max_tokens: int
    echo: bool = False
    stop: tuple[str, ...] = ()


class ChoiceWriter:
    """Writes one choice. `begin` once, then `add` for every sampled token until a finish.

    Text is given out as soon as it is safe: what is held back is the beginning of a character, and
    before it the longest ending that a stop sequence begins with. A token's entry is given out with
    the first of its characters, an echoed prompt's with the echo.
    """

    def __init__(self, request: ChoiceRequest, tokenizer: Tokenizer) -> None:
        self._request = request
        self._tokenizer = tokenizer
        self._characters = CharacterStream()
        self._stop = StopMatcher(request.stop)
        self._waiting: deque[TokenEntry] = deque()
        self._sampled = 0
        self._base = 0
        """Where the stream of characters begins, in characters of prompt and completion."""
        self._released = 0
        """How far text was given out, on the same count."""

    def begin(self, scores: Sequence[TokenScore | None] | None) -> TextChunk:
        """The echo with all its entries, or an empty piece where none is asked for.

        ``scores`` are those of the prompt's tokens, or None if no logprobs are asked for.
        """
        request = self._request
        if not request.echo:
            self._base = self._released = len(self._prompt_text())
            return TextChunk()
        text, starts = self._echo(scored=scores is not None)
        self._released = len(text)
        entries = list(map(self._entry, request.prompt_ids, scores or (), starts))
        if entries and request.prompt_text is not None:
            # What the tokenizer writes before every text is not the client's.
            name = entries[0].token.removeprefix(self._tokenizer.prefix)
            entries[0] = replace(entries[0], token=name)
        if request.max_tokens == 0:
            return TextChunk(text + self._characters.finish(), tuple(entries), "length")
        return TextChunk(text, tuple(entries))

    def add(self, token: int, score: TokenScore | None) -> TextChunk:
        """Take the next sampled token, scored if logprobs are asked for.

        The mark that ends a text is no part of it, but it was sampled: it is counted, and scored as
        a token that begins where the text ends. (Those who score with ``max_tokens`` 1, as the
        language model evaluation harness does, rely on one entry after the prompt's.)
        """
        self._sampled += 1
        ended = token in self._tokenizer.end_ids
        if ended:
            completed = self._characters.finish()
            start = self._characters.length
        else:
            completed, start = self._characters.feed(self._tokenizer.token_bytes(token))
        if score is not None:
            self._waiting.append(self._entry(token, score, self._base + start))
        text = self._stop.feed(completed)
        if ended:
            return self._end(text, "stop")
        if self._stop.found or self._sampled == self._request.max_tokens:
            return self._end(text, "length")
        self._released += len(text)
        return TextChunk(text, self._release(), tokens=self._sampled)

    def _end(self, text: str, finish: Finish) -> TextChunk:
        if not self._stop.found:
            text += self._stop.feed(self._characters.finish())
        if self._stop.found:
            finish = "stop"
        text += self._stop.flush()
        self._released += len(text)
        entries = self._release(everything=not self._stop.found)
        return TextChunk(text, entries, finish, self._sampled)

    def _release(self, *, everything: bool = False) -> tuple[TokenEntry, ...]:
        """The entries of tokens that begin in text given out; the others wait, in their order."""
        ready = []
        while self._waiting and (everything or self._waiting[0].offset < self._released):
            ready.append(self._waiting.popleft())
        return tuple(ready)

    def _echo(self, *, scored: bool) -> tuple[str, list[int]]:
        """The prompt's text and, if it is scored, where in it each of its tokens begins."""
        text = self._request.prompt_text
        if text is None:
            # Its last character may end in the completion, so both are one stream.
            return self._spell(self._characters)
        self._base = len(text)
        if not scored:
            return text, []
        # The client's own text goes back to it, also where its tokens spell it in another way:
        # most often with a space before it.
        spelt = CharacterStream()
        _, starts = self._spell(spelt)
        return text, [max(0, start + len(text) - spelt.length) for start in starts]

    def _spell(self, characters: CharacterStream) -> tuple[str, list[int]]:
        """The text that the prompt's tokens stand for, and where in it each of them begins."""
        fed = [characters.feed(self._tokenizer.token_bytes(t)) for t in self._request.prompt_ids]
        return "".join(text for text, _ in fed), [start for _, start in fed]

    def _prompt_text(self) -> str:
        text = self._request.prompt_text
        return self._tokenizer.text(self._request.prompt_ids) if text is None else text

    def _entry(self, token: int, score: TokenScore | None, offset: int) -> TokenEntry:
        name = render(self._tokenizer.token_bytes(token))
        if score is None:
            return TokenEntry(name, None, None, offset)
        top: dict[str, float] = {}
        for other, logprob in score.top:
            if other != token:
                # Two ids can have one spelling: the likelier of them stands for it.
                top.setdefault(render(self._tokenizer.token_bytes(other)), logprob)
            else:
                top[name] = logprob
        return TokenEntry(name, score.logprob, top, offset)


@dataclass
class Choice:
    """Pieces put together: a plain answer's choice, or what a stream has sent so far."""

    chunks: list[TextChunk] = field(default_factory=list)

    @property
    def text(self) -> str:
        """The text of all pieces."""
        return "".join(chunk.text for chunk in self.chunks)

    @property
    def entries(self) -> tuple[TokenEntry, ...]:
        """The logprobs entries of all pieces."""
        return tuple(entry for chunk in self.chunks for entry in chunk.entries)

    @property
    def finish(self) -> Finish | None:
        """How the choice ended, None while it goes on."""
        return self.chunks[-1].finish if self.chunks else None

    @property
    def tokens(self) -> int:
        """Tokens sampled."""
        return self.chunks[-1].tokens if self.chunks else 0
