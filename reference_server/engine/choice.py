"""From sampled tokens to a choice's text, in chunks.

A stream sends the chunks, and a non-streaming response is the same chunks joined, so the two cannot
differ.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from reference_server.engine.logprobs import TokenScore, render
from reference_server.engine.stop import StopMatcher
from reference_server.engine.tokenizer import Tokenizer
from reference_server.engine.utf8 import CharacterStream

Finish = Literal["stop", "length", "eos"]


@dataclass(frozen=True)
class TokenEntry:
    """One position of the four parallel arrays of ``logprobs``."""

    token: str
    logprob: float | None
    """None for the first token of an echoed prompt, because nothing precedes it."""
    top: dict[str, float] | None
    offset: int
    """Index of the token's first character, in characters of prompt and completion."""


@dataclass(frozen=True)
class TextChunk:
    """An addition to a choice: text, the entries of its tokens, and its finish reason, if any."""

    text: str = ""
    entries: tuple[TokenEntry, ...] = ()
    finish: Finish | None = None
    tokens: int = 0
    """Tokens sampled so far, including the end of text and those of a stop sequence."""
    ids: tuple[int, ...] = ()
    """The tokens sampled since the chunk before, including those that are in no text."""
    reason: str | int | None = None
    """The stop sequence or the token that ended the choice, other than the end of text."""
    prompt: tuple[TokenScore | None, ...] | None = None
    """In the first chunk, the scores of what the model read, if they were requested."""

    def __bool__(self) -> bool:
        return bool(self.text or self.entries or self.finish)


@dataclass(frozen=True)
class ChoiceRequest:
    """What a choice's text depends on besides its tokens."""

    prompt_ids: tuple[int, ...]
    """The prompt as the client sent it, without special tokens for infilling."""
    prompt_text: str | None
    """The prompt if it was sent as text, None if it was sent as token ids."""
    max_tokens: int
    echo: bool = False
    stop: tuple[str, ...] = ()
    stop_ids: frozenset[int] = frozenset()
    """Tokens that end the choice, and are in its text."""
    include_stop: bool = False
    """Whether the text includes the stop sequence that ended it."""
    min_tokens: int = 0
    """Tokens whose text is not searched for stop sequences."""
    tokens_as_ids: bool = False
    """Whether entries name tokens by their ids."""
    end_reason: Finish = "stop"
    """The finish reason where the text ends by itself."""


class ChoiceWriter:
    """Builds one choice. Call `begin` once, then `add` for every sampled token until a finish.

    Text is released as soon as it is final: held back are the beginning of a character and, before
    it, the longest suffix that a stop sequence begins with. A token's entry is released with the
    first of its characters, an echoed prompt's with the echo.
    """

    def __init__(self, request: ChoiceRequest, tokenizer: Tokenizer) -> None:
        self._request = request
        self._tokenizer = tokenizer
        self._characters = CharacterStream()
        self._stop = StopMatcher(request.stop, keeps=request.include_stop)
        self._fresh: list[int] = []
        self._waiting: deque[TokenEntry] = deque()
        self._sampled = 0
        self._base = 0
        """The beginning of the character stream, in characters of prompt and completion."""
        self._released = 0
        """The end of the released text, in the same unit."""

    def begin(self, scores: Sequence[TokenScore | None] | None) -> TextChunk:
        """The echo with all its entries, or an empty chunk without ``echo``.

        ``scores`` are those of the prompt's tokens, or None without ``logprobs``.
        """
        request = self._request
        if not request.echo:
            self._base = self._released = len(self._prompt_text())
            return TextChunk()
        text, starts = self._echo(scored=scores is not None)
        self._released = len(text)
        entries = list(map(self._entry, request.prompt_ids, scores or (), starts))
        if entries and request.prompt_text is not None and not request.tokens_as_ids:
            # The text that the tokenizer puts before every text is not the client's.
            name = entries[0].token.removeprefix(self._tokenizer.prefix)
            entries[0] = replace(entries[0], token=name)
        if request.max_tokens == 0:
            return TextChunk(text + self._characters.finish(), tuple(entries), "length")
        return TextChunk(text, tuple(entries))

    def add(self, token: int, score: TokenScore | None) -> TextChunk:
        """Add the next sampled token, with its score if there are ``logprobs``.

        The token that ends a text is not in the text, but it was sampled: it is counted, and has an
        entry whose offset is the end of the text. (Programs that score with ``max_tokens`` 1, such
        as lm-evaluation-harness, expect one entry after the prompt's.)
        """
        self._sampled += 1
        self._fresh.append(token)
        ended = token in self._tokenizer.end_ids
        if ended:
            completed = self._characters.finish()
            start = self._characters.length
        else:
            completed, start = self._characters.feed(self._tokenizer.token_bytes(token))
        if score is not None:
            self._waiting.append(self._entry(token, score, self._base + start))
        searched = self._sampled > self._request.min_tokens
        text = self._stop.feed(completed) if searched else completed
        if ended:
            return self._end(text, self._request.end_reason)
        if token in self._request.stop_ids and self._stop.found is None:
            return self._end(text, "stop", token)
        if self._stop.found is not None or self._sampled == self._request.max_tokens:
            return self._end(text, "length")
        self._released += len(text)
        chunk = TextChunk(text, self._release(), tokens=self._sampled)
        return replace(chunk, ids=self._news()) if chunk else chunk

    def _end(self, text: str, finish: Finish, reason: int | None = None) -> TextChunk:
        if self._stop.found is None:
            rest = self._characters.finish()
            searched = self._sampled > self._request.min_tokens
            text += self._stop.feed(rest) if searched else rest
        found = self._stop.found
        text += self._stop.flush()
        self._released += len(text)
        entries = self._release(everything=found is None)
        if found is not None:
            return TextChunk(text, entries, "stop", self._sampled, self._news(), found)
        return TextChunk(text, entries, finish, self._sampled, self._news(), reason)

    def _news(self) -> tuple[int, ...]:
        """The tokens since the chunk before."""
        news, self._fresh = tuple(self._fresh), []
        return news

    def _release(self, *, everything: bool = False) -> tuple[TokenEntry, ...]:
        """The entries of tokens that begin in released text; the others wait, in order."""
        ready = []
        while self._waiting and (everything or self._waiting[0].offset < self._released):
            ready.append(self._waiting.popleft())
        return tuple(ready)

    def _echo(self, *, scored: bool) -> tuple[str, list[int]]:
        """The prompt's text and, if it is scored, the offsets of its tokens."""
        text = self._request.prompt_text
        if text is None:
            # Its last character may end in the completion, so both are one stream.
            return self._spell(self._characters)
        self._base = len(text)
        if not scored:
            return text, []
        # The client's own text is returned, even if its tokens spell it differently, most often
        # with a space before it.
        spelt = CharacterStream()
        _, starts = self._spell(spelt)
        return text, [max(0, start + len(text) - spelt.length) for start in starts]

    def _spell(self, characters: CharacterStream) -> tuple[str, list[int]]:
        """The text of the prompt's tokens, and the offset of each."""
        fed = [characters.feed(self._tokenizer.token_bytes(t)) for t in self._request.prompt_ids]
        return "".join(text for text, _ in fed), [start for _, start in fed]

    def _prompt_text(self) -> str:
        text = self._request.prompt_text
        return self._tokenizer.text(self._request.prompt_ids) if text is None else text

    def _entry(self, token: int, score: TokenScore | None, offset: int) -> TokenEntry:
        name = self._name(token)
        if score is None:
            return TokenEntry(name, None, None, offset)
        top: dict[str, float] = {}
        for other, logprob in score.top:
            if other != token:
                # If two ids have the same spelling, the likelier one is listed.
                top.setdefault(self._name(other), logprob)
            else:
                top[name] = logprob
        return TokenEntry(name, score.logprob, top, offset)

    def _name(self, token: int) -> str:
        if self._request.tokens_as_ids:
            return f"token_id:{token}"
        return render(self._tokenizer.token_bytes(token))


@dataclass
class Choice:
    """Chunks joined: a choice of a non-streaming response, or the sent part of a stream."""

    chunks: list[TextChunk] = field(default_factory=list)

    @property
    def text(self) -> str:
        """The text of all chunks."""
        return "".join(chunk.text for chunk in self.chunks)

    @property
    def entries(self) -> tuple[TokenEntry, ...]:
        """The entries of all chunks."""
        return tuple(entry for chunk in self.chunks for entry in chunk.entries)

    @property
    def finish(self) -> Finish | None:
        """The finish reason, None if the choice has not ended."""
        return self.chunks[-1].finish if self.chunks else None

    @property
    def tokens(self) -> int:
        """Tokens sampled."""
        return self.chunks[-1].tokens if self.chunks else 0
