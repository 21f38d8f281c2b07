"""The learning rate schedule, and positions with jumps."""

import torch

from reference_server.training.model import CONTEXT
from reference_server.training.train import Plan, positions


def test_learning_rate_rises_stays_and_falls():
    plan = Plan(steps=1000, warm_up=10, cool_down=0.2)
    assert [plan.rate_at(step) for step in (0, 9, 500, 900, 1000)] == [0.1, 1.0, 1.0, 0.5, 0.0]


def test_windows_grow():
    plan = Plan(steps=1000, first_steps=100, long_steps=50)
    windows = [plan.window_at(step) for step in (0, 100, 950)]
    assert windows == [plan.first_window, plan.window, plan.long_window]


def test_every_second_row_has_one_position_jump():
    torch.manual_seed(0)
    places = positions(8, 64)
    steps = places.diff(dim=1)
    assert (steps[::2] == 1).all()
    assert ((steps[1::2] > 1).sum(dim=1) == 1).all()
    assert places.max() < CONTEXT
