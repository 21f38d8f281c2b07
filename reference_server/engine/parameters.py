"""How the tokens of a choice are chosen, as data."""

from dataclasses import dataclass


@dataclass(frozen=True)
class SamplingParameters:
    """How tokens are chosen. Temperature 0 takes the likeliest, the lowest id among equals."""

    temperature: float = 1.0
    top_p: float = 1.0
    presence_penalty: float = 0.0
    frequency_penalty: float = 0.0
    logit_bias: tuple[tuple[int, float], ...] = ()
    top_k: int = 0
    """The number of likeliest tokens that are kept; 0 or less keeps all."""
    min_p: float = 0.0
    """The least probability of a token, as a share of the likeliest one's."""
    repetition_penalty: float = 1.0
    penalty_window: int | None = None
    """The number of last tokens that all penalties count, those of the prompt among them; None
    counts the sampled ones, and for the repetition penalty also those of the prompt."""
    temperature_last: bool = False
    """Whether `top_k`, `top_p` and `min_p` choose, in this order, before the temperature applies.
    Otherwise it applies first, and `min_p` chooses before `top_k` and `top_p`."""

    repetition_of_prompt: bool = True
    """Whether the repetition penalty counts the tokens of the prompt, where there is no window."""

    @property
    def narrows(self) -> bool:
        """Whether not all tokens are kept."""
        return self.top_p < 1 or self.top_k > 0 or self.min_p > 0
