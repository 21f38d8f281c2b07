"""Build the printed table from the numbers of every round.

Of several rounds the best counts: what else ran on the machine can only have made the others worse.
The median stands beside it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from statistics import median
from typing import Any


@dataclass
class Result:
    """What one contestant did, a number for each round."""

    name: str
    start: float
    """Seconds from the start of the process to its first answer."""
    first_token: list[float] = field(default_factory=list)
    """Seconds."""
    alone: list[float] = field(default_factory=list)
    """Tokens a second of one request."""
    together: list[float] = field(default_factory=list)
    """Tokens a second of sixteen requests."""
    memory: int = 0
    """Resident bytes at the end."""

    def record(self) -> dict[str, Any]:
        """As JSON has it."""
        return asdict(self)


def overhead(server: Result, model: Result) -> tuple[float, float]:
    """The share of a server's time in which its model does not run: alone, with others."""
    return (
        1 - max(server.alone) / max(model.alone),
        1 - max(server.together) / max(model.together),
    )


def table(results: Sequence[Result], *, generate: str, serve: str) -> str:
    """One line for each contestant, its speeds also as multiples of those two, where they ran."""
    base = {result.name: result for result in results}
    head = [
        "",
        "first answer after",
        "first token",
        "tokens/s alone",
        f"× {generate}",
        "tokens/s of 16",
        f"× {serve}",
        "memory",
    ]
    lines = [
        [
            result.name,
            f"{result.start:.1f} s",
            f"{min(result.first_token) * 1000:.0f} ms",
            _speeds(result.alone),
            _ratio(result.alone, base[generate].alone if generate in base else []),
            _speeds(result.together),
            _ratio(result.together, base[serve].together if serve in base else []),
            f"{result.memory / 2**20:.0f} MB",
        ]
        for result in results
    ]
    return "\n".join(_row(line) for line in [head, ["---"] * len(head), *lines])


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _speeds(rounds: Sequence[float]) -> str:
    return f"{max(rounds):,.0f} (median {median(rounds):,.0f})"


def _ratio(own: Sequence[float], others: Sequence[float]) -> str:
    return f"{max(own) / max(others):.1f}" if others else "–"
