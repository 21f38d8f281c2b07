"""The engine's input and output: requests, their prompts, and chunks."""

from dataclasses import dataclass

from reference_server.engine.choice import ChoiceRequest, TextChunk
from reference_server.engine.constraint import Grammar
from reference_server.engine.parameters import SamplingParameters


@dataclass(frozen=True)
class Generation:
    """One prompt and the candidates to generate from it."""

    model_ids: tuple[int, ...]
    """What the model reads: the prompt, arranged with the suffix if there is one."""
    choice: ChoiceRequest
    sampling: SamplingParameters
    candidates: int
    seed: int
    prompt_index: int = 0
    alternatives: int | None = None
    """The number of alternatives per sampled token, None for no log probabilities."""
    score_prompt: bool = False
    prompt_start: int = 0
    """The position of the prompt's first token in `model_ids`."""
    never_ends: bool = False
    """Whether the end of text is never sampled."""
    prompt_alternatives: int | None = None
    """The number of alternatives per token of `model_ids`, None for no list of them."""
    grammar: Grammar | None = None
    """What the text has to follow."""


@dataclass(eq=False)
class EngineRequest:
    """One request in the engine: its prompts, and whether its chunks are delivered one by one."""

    generations: tuple[Generation, ...]
    live: bool = False
    """True: every chunk is delivered at once; False: a choice is delivered when finished."""
    cancelled: bool = False
    """Set to drop the request in the next step."""

    @property
    def size(self) -> int:
        """The number of sequences of the request."""
        return sum(generation.candidates for generation in self.generations)


@dataclass(frozen=True)
class Update:
    """A chunk of one candidate, or the failure of its request."""

    request: EngineRequest
    prompt: int = 0
    candidate: int = 0
    chunks: tuple[TextChunk, ...] = ()
    failed: bool = False
