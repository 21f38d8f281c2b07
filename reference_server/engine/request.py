"""What is asked of the engine, and what it gives back: requests, their prompts, new pieces."""

from dataclasses import dataclass

from reference_server.engine.choice import ChoiceRequest, TextChunk
from reference_server.engine.sampling import SamplingParameters


@dataclass(frozen=True)
class Generation:
    """One prompt and the candidates to be generated from it."""

    model_ids: tuple[int, ...]
    """What the model reads: the prompt, arranged with the suffix where there is one."""
    choice: ChoiceRequest
    sampling: SamplingParameters
    candidates: int
    seed: int
    prompt_index: int = 0
    alternatives: int | None = None
    """How many alternatives to score each sampled token with, None for no scores at all."""
    score_prompt: bool = False
    prompt_start: int = 0
    """Where in `model_ids` the prompt's own tokens begin."""


@dataclass(eq=False)
class EngineRequest:
    """One request in the engine: its prompts, and whether it wants pieces as they come."""

    generations: tuple[Generation, ...]
    live: bool = False
    """True: every piece is delivered in its turn; False: a choice is delivered when finished."""
    cancelled: bool = False
    """Set it to have the request dropped in the next turn."""

    @property
    def size(self) -> int:
        """Sequences that the request amounts to."""
        return sum(generation.candidates for generation in self.generations)


@dataclass(frozen=True)
class Update:
    """New pieces of one candidate, or the failure of its whole ticket."""

    request: EngineRequest
    prompt: int = 0
    candidate: int = 0
    chunks: tuple[TextChunk, ...] = ()
    failed: bool = False
