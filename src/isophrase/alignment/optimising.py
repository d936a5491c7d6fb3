"""How weights follow their gradient: AdamW, and the rate of each step.

Knows a schedule and tensors. Does not know losses or models.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from isophrase.alignment.method import Schedule
from isophrase.errors import ConfigError


def make_optimiser(weights: Sequence[Tensor], schedule: Schedule) -> torch.optim.AdamW:
    """AdamW over the weights; `descend` sets its rate."""
    fused = all(weight.device.type in ("cpu", "cuda") for weight in weights)
    return torch.optim.AdamW(weights, lr=schedule.rate, weight_decay=schedule.weight_decay, fused=fused)


def descend(optimiser: torch.optim.AdamW, weights: Sequence[Tensor], schedule: Schedule, step: int) -> float:
    """One step along the gradients that the weights have, and the norm that they had before it was cut.

    Args:
        optimiser: Of these weights.
        weights: What is trained.
        schedule: How.
        step: Its number, from 0.

    Raises:
        ConfigError: The gradient is no number any more; the weights stay as they were.
    """
    norm = torch.nn.utils.clip_grad_norm_(weights, schedule.clip)
    if not torch.isfinite(norm):
        raise ConfigError(
            "a training whose gradients stay finite", got=f"{float(norm)} in step {step + 1} of {schedule.steps}",
            remedy=f"say a smaller schedule.rate (it is {schedule.rate:g}), or a longer schedule.warmup",
        )  # fmt: skip
    for group in optimiser.param_groups:
        group["lr"] = rate_at(schedule, step)
    optimiser.step()
    return float(norm)


def rate_at(schedule: Schedule, step: int) -> float:
    """The learning rate of a step (from 0): a linear rise, then a cosine down to a tenth."""
    warm = max(1, round(schedule.warmup * schedule.steps))
    if step < warm:
        return schedule.rate * (step + 1) / warm
    done = (step - warm) / max(1, schedule.steps - warm)
    return schedule.rate * (0.55 + 0.45 * math.cos(math.pi * done))
