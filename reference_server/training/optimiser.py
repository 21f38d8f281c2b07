"""Muon for the matrices, AdamW for the rest.

On two CPU cores tokens are expensive, and Muon is known for needing fewer of them than AdamW.
PyTorch has a Muon, but it orthogonalises in bfloat16, which is very slow on processors without it;
this one uses float32.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import overload

import torch
from torch import Tensor, nn

_COEFFICIENTS = (3.4445, -4.7750, 2.0315)
"""Of the Newton-Schulz iteration, after Keller Jordan, "Muon" (2024)."""


class Muon(torch.optim.Optimizer):
    """Momentum whose update is made orthogonal; for matrices [out, in] only."""

    def __init__(self, matrices: Iterable[Tensor], lr: float, momentum: float = 0.95) -> None:
        """`lr` is the size of an update's singular values before the scaling by shape."""
        super().__init__(matrices, {"lr": lr, "momentum": momentum})

    @overload
    def step(self, closure: None = None) -> None: ...

    @overload
    def step(self, closure: Callable[[], float]) -> float: ...

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:
        """Apply one update from the gradients; `closure`, if any, computes the loss first."""
        loss = None if closure is None else closure()
        for group in self.param_groups:
            by_shape: dict[torch.Size, list[Tensor]] = {}
            for matrix in group["params"]:
                by_shape.setdefault(matrix.shape, []).append(matrix)
            for shape, matrices in by_shape.items():
                updates = torch.stack([self._momentum(m, group["momentum"]) for m in matrices])
                scale = group["lr"] * max(1.0, shape[0] / shape[1]) ** 0.5
                for matrix, update in zip(matrices, orthogonal(updates), strict=True):
                    matrix.add_(update, alpha=-scale)
        return loss

    def _momentum(self, matrix: Tensor, momentum: float) -> Tensor:
        """The Nesterov-style blend of gradient and its running mean."""
        if matrix.grad is None:
            raise ValueError("a matrix without a gradient")
        state = self.state[matrix]
        mean = state.setdefault("mean", torch.zeros_like(matrix))
        mean.lerp_(matrix.grad, 1 - momentum)
        return matrix.grad.lerp(mean, momentum)


def orthogonal(matrices: Tensor, rounds: int = 5) -> Tensor:
    """Bring all singular values of each matrix in [count, rows, columns] close to 1."""
    a, b, c = _COEFFICIENTS
    tall = matrices.shape[1] > matrices.shape[2]
    x = matrices.mT if tall else matrices
    x = x / (x.norm(dim=(1, 2), keepdim=True) + 1e-7)
    for _ in range(rounds):
        square = x @ x.mT
        x = a * x + (b * square + c * square @ square) @ x
    result: Tensor = x.mT if tall else x
    return result


def optimisers(
    model: nn.Module, matrix_rate: float, other_rate: float
) -> tuple[Muon, torch.optim.AdamW]:
    """Split the parameters: attention and MLP matrices to Muon, embeddings and norms to AdamW."""
    named = dict(model.named_parameters())
    matrices = [p for name, p in named.items() if p.ndim == 2 and "embed" not in name]
    others = [p for name, p in named.items() if p.ndim != 2 or "embed" in name]
    adamw = torch.optim.AdamW(others, lr=other_rate, betas=(0.9, 0.95), weight_decay=0.01)
    return Muon(matrices, lr=matrix_rate), adamw
