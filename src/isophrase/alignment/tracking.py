"""Losses and looks for TensorBoard, Weights & Biases, MLflow and the other trackers of accelerate.

Knows accelerate's trackers. Does not know how training is done; the record holds everything without any of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from isophrase.errors import ConfigError
from isophrase.models.extras import local_library

Log = Callable[[Mapping[str, float], int], None]


def open_trackers(
    names: Sequence[str], project: str, folder: Path, config: Mapping[str, Any]
) -> tuple[Log, Callable[[], None]]:
    """Start trackers.

    Args:
        names: As accelerate calls them: `tensorboard`, `wandb`, `mlflow`, ...; `check_trackers` has passed them.
        project: The run's name.
        folder: Where those that write files write them.
        config: Plain values that describe the run.

    Returns:
        What logs values at a step, and what ends all trackers.
    """
    if not names:
        return lambda values, step: None, lambda: None
    accelerate = local_library("accelerate")
    folder.mkdir(parents=True, exist_ok=True)
    accelerator = accelerate.Accelerator(log_with=list(names), project_dir=str(folder), cpu=True)
    accelerator.init_trackers(project, config={key: str(value) for key, value in config.items()})

    def log(values: Mapping[str, float], step: int) -> None:
        accelerator.log(dict(values), step=step)

    return log, accelerator.end_training


def check_trackers(names: Sequence[str]) -> None:
    """Refuse trackers that can't be started here.

    Raises:
        ConfigError: No such tracker, or its library is not installed.
    """
    accelerate = local_library("accelerate")
    known = [str(item) for item in accelerate.utils.LoggerType.list() if str(item) != "all"]
    for name in names:
        if name not in known:
            raise ConfigError(f"a tracker ({', '.join(known)})", got=repr(name), remedy="correct watch.trackers")
        available = getattr(accelerate.utils, f"is_{name}_available", None)
        if available is not None and not available():
            raise ConfigError(f"the library of tracker {name}", got="not installed", remedy=f"pip install {name}")
