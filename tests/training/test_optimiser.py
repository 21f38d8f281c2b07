"""Muon's updates are orthogonal."""

import torch

from reference_server.training.optimiser import Muon, orthogonal


def test_singular_values_come_close_to_one():
    torch.manual_seed(0)
    for shape in ((2, 8, 32), (2, 32, 8)):
        values = torch.linalg.svdvals(orthogonal(torch.randn(shape)))
        assert values.min() > 0.5
        assert values.max() < 1.5


def test_a_step_goes_downhill():
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
