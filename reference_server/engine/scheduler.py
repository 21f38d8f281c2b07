"""Continuous batching: all running sequences advance together, one token per step.

A step first starts what waits (a prompt is read once for all of its candidates), then advances
every running sequence in one batch.

There are no threads and no clock here: the owner of the loop calls `step`.
"""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from reference_server.engine import logprobs, sampling
from reference_server.engine.backend import Backend, Floats, Prefilled
from reference_server.engine.choice import ChoiceWriter, TextChunk
from reference_server.engine.constraint import BrokenConstraintError
from reference_server.engine.logprobs import TokenScore
from reference_server.engine.queue import RequestQueue
from reference_server.engine.request import EngineRequest, Generation, Update
from reference_server.engine.sampling import Sampler
from reference_server.engine.tokenizer import Tokenizer

logger = logging.getLogger(__name__)

PREFILL_BUDGET_TOKENS = 512
"""Prompt tokens read in a step before the running sequences get their next token."""


@dataclass(eq=False)
class _Prompt:
    """A prompt that several candidates share."""

    generation: Generation
    prefilled: Prefilled | None = None
    scores: list[TokenScore | None] | None = None
    listed: tuple[TokenScore | None, ...] | None = None
    """The scores of all that the model read, if they were requested."""


@dataclass(eq=False)
class _Candidate:
    """A sequence in progress."""

    request: EngineRequest
    prompt: _Prompt
    index: int
    writer: ChoiceWriter
    sampler: Sampler
    begun: bool = False
    handle: int = 0
    """The backend's handle, once the sequence has begun."""
    token: int = 0
    kept: list[TextChunk] = field(default_factory=list)
    """Chunks of a choice that is delivered whole."""


class Scheduler:
    """Owns the queue and the running batch. Not thread-safe."""

    def __init__(self, backend: Backend, tokenizer: Tokenizer, rows: int = 32) -> None:
        """``rows``: the number of sequences that run at once."""
        self._backend = backend
        self._tokenizer = tokenizer
        self._queue: RequestQueue[_Candidate] = RequestQueue(rows)
        self._running: list[_Candidate] = []
        # Special tokens other than the end of text have no meaning within a text, and ids above the
        # tokenizer's (padding of the vocabulary) have no text: they are never sampled.
        unspoken = range(tokenizer.size, backend.vocabulary)
        self._forbidden = sorted((tokenizer.special - tokenizer.end_ids) | set(unspoken))

    @property
    def idle(self) -> bool:
        """True if a step would do nothing."""
        return not self._queue and not self._running

    @property
    def running(self) -> int:
        """The number of sequences in the batch."""
        return len(self._running)

    def add(self, request: EngineRequest) -> None:
        """Add a request to the queue."""
        self._queue.join(request, self._candidates(request))

    def step(self) -> list[Update]:
        """Start sequences while there is room, then advance every running one by a token."""
        self._drop_cancelled()
        updates: list[Update] = []
        self._admit(updates)
        if self._running:
            self._advance(updates)
        return updates

    def fail_all(self) -> list[Update]:
        """Drop everything, after an error of the backend; one failure for every request."""
        waiting, paused = self._queue.leave(everything=True)
        requests = dict.fromkeys([*(candidate.request for candidate in self._running), *waiting])
        self._close([*self._running, *paused])
        self._running.clear()
        return [Update(request, failed=True) for request in requests]

    def _drop_cancelled(self) -> None:
        _, paused = self._queue.leave()
        self._close([*paused, *(c for c in self._running if c.request.cancelled)])
        self._running = [c for c in self._running if not c.request.cancelled]

    def _close(self, candidates: Sequence[_Candidate]) -> None:
        for candidate in candidates:
            self._backend.close(candidate.handle)

    def _admit(self, updates: list[Update]) -> None:
        budget = PREFILL_BUDGET_TOKENS
        while budget > 0 and (chosen := self._queue.next(self._running)):
            candidate, paused = chosen
            if paused is not None:
                self._running.remove(paused)
                self._queue.pause(paused)
            if candidate.begun:
                self._running.append(candidate)
                continue
            if candidate.prompt.prefilled is None:
                budget -= len(candidate.prompt.generation.model_ids)
            self._start(candidate, updates)

    def _candidates(self, request: EngineRequest) -> Iterator[_Candidate]:
        for generation in request.generations:
            prompt = _Prompt(generation)
            ends = self._tokenizer.end_ids if generation.never_ends else ()
            grammar = generation.grammar
            for index in range(generation.candidates):
                random = sampling.generator(generation.seed, generation.prompt_index, index)
                yield _Candidate(
                    request,
                    prompt,
                    index,
                    ChoiceWriter(generation.choice, self._tokenizer),
                    Sampler(
                        generation.sampling,
                        self._backend.vocabulary,
                        [*self._forbidden, *ends],
                        random,
                        generation.model_ids,
                        held=self._tokenizer.end_ids | generation.choice.stop_ids,
                        until=generation.choice.min_tokens,
                        follower=None if grammar is None else grammar.follower(),
                    ),
                )

    def _start(self, candidate: _Candidate, updates: list[Update]) -> None:
        """Deliver the echo, sample the first token, and join the batch unless that ended it."""
        prompt = candidate.prompt
        prefilled = prompt.prefilled or self._read(prompt)
        chunk = replace(candidate.writer.begin(prompt.scores), prompt=prompt.listed)
        _deliver(candidate, chunk, updates)
        if not chunk.finish and not self._choose(candidate, prefilled.logits[-1], updates):
            candidate.handle = self._backend.open(prefilled)
            candidate.begun = True
            self._running.append(candidate)

    def _advance(self, updates: list[Update]) -> None:
        logits = self._backend.step(
            [c.handle for c in self._running], [c.token for c in self._running]
        )
        ended = [
            self._choose(candidate, row, updates)
            for candidate, row in zip(self._running, logits, strict=True)
        ]
        self._close([c for c, end in zip(self._running, ended, strict=True) if end])
        self._running = [c for c, end in zip(self._running, ended, strict=True) if not end]

    def _choose(self, candidate: _Candidate, logits: Floats, updates: list[Update]) -> bool:
        """Sample a token and add it; True if it ends the choice.

        A constraint that has become too complex ends its own request, and no other one.
        """
        try:
            token = candidate.sampler.pick(logits)
        except BrokenConstraintError:
            logger.exception("a constraint could not be followed; its request gets an error")
            updates.append(Update(candidate.request, failed=True))
            candidate.request.cancelled = True
            return True
        alternatives = candidate.prompt.generation.alternatives
        score = None
        if alternatives is not None:
            score = self._score(logits[None], [token], alternatives)[0]
        chunk = candidate.writer.add(token, score)
        candidate.token = token
        _deliver(candidate, chunk, updates)
        return chunk.finish is not None

    def _score(self, logits: Floats, tokens: Sequence[int], top: int) -> list[TokenScore]:
        return logprobs.score(logits, tokens, top, self._tokenizer.size)

    def _read(self, prompt: _Prompt) -> Prefilled:
        """Run the prompt through the model, and score its own tokens if requested."""
        generation = prompt.generation
        prefilled = self._backend.prefill(generation.model_ids)
        if generation.score_prompt:
            ids = generation.choice.prompt_ids
            first = generation.prompt_start
            rows = prefilled.logits[first : first + len(ids) - 1]
            scores = self._score(rows, ids[1:], generation.alternatives or 0) if ids else []
            # Nothing precedes the first token of a prompt, so it has no score.
            prompt.scores = [None, *scores] if ids else []
        if generation.prompt_alternatives is not None:
            ids = generation.model_ids
            rows = prefilled.logits[: len(ids) - 1]
            scores = self._score(rows, ids[1:], generation.prompt_alternatives) if ids[1:] else []
            prompt.listed = (None, *logprobs.ranked(scores, rows, ids[1:]))
        # Only the last row is needed from here on; the others can be many megabytes.
        prefilled = replace(prefilled, logits=prefilled.logits[-1:].copy())
        prompt.prefilled = prefilled
        return prefilled


def _deliver(candidate: _Candidate, chunk: TextChunk, updates: list[Update]) -> None:
    if not candidate.request.live:
        candidate.kept.append(chunk)
        if chunk.finish is None:
            return
    chunks = (chunk,) if candidate.request.live else tuple(candidate.kept)
    place = candidate.prompt.generation.prompt_index
    updates.append(Update(candidate.request, place, candidate.index, chunks))
