"""Muon's updates are orthogonal."""

import torch

from reference_server.training.optimiser import Muon, orthogonal


def test_singular_values_are_near_one():
    torch.manual_seed(0)
    for shape in ((2, 8, 32), (2, 32, 8)):
        values = torch.linalg.svdvals(orthogonal(torch.randn(shape)))
        assert values.min() > 0.5
        assert values.max() < 1.5


def test_step_reduces_the_loss():
    torch.manual_seed(0)
    matrix = torch.nn.Parameter(torch.randn(6, 4))
    muon = Muon([matrix], lr=0.05)
    losses = []
    for _ in range(60):
        loss = matrix.square().mean()
        muon.zero_grad()
        torch.autograd.backward(loss)
        muon.step()
        losses.append(loss.item())
    assert losses[-1] < 0.1 * losses[0]
