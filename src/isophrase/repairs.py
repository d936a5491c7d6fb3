"""A run read with a repair that needs no training: option scores calibrated, or wordings joined to ensembles.

Knows the names of the repairs and which panels they are for. The formulas are in `statistics.calibration`. The repaired
run is compared like any other; its wordings keep their ids.
"""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np

from isophrase.errors import ConfigError
from isophrase.report.view import Panel, RunView
from isophrase.results import options_table
from isophrase.statistics import calibration
from isophrase.statistics.tables import OptionTable

REPAIR_NOTE = "repair: "
NAMES = "batch, contextual, ensemble-N"
_ENSEMBLE = re.compile(r"ensemble-([1-9]\d*)")


def repaired(view: RunView, repair: str, seed: int = 0) -> RunView:
    """The view with every answer chosen anew from repaired scores.

    Args:
        view: A run.
        repair: `batch`, `contextual`, or `ensemble-N` with N wordings in each ensemble.
        seed: Which wordings join which ensemble.

    Returns:
        Panels that can be repaired, with tables and model names of the repaired model (their summaries are those
        before); what was left out and what is unsafe is in the notes, which begin with `repair: `.

    Raises:
        ConfigError: There is no such repair, or no panel that it is for.
    """
    matched = _ENSEMBLE.fullmatch(repair)
    if repair not in ("batch", "contextual") and not matched:
        raise ConfigError(f"a repair: {NAMES}", got=repr(repair), remedy="correct the name")
    notes: list[str] = []
    panels = []
    for panel in view.panels:
        options = options_table(panel.table, panel.examples, panel.measurements)
        reason = _unfit(panel, options, repair, int(matched.group(1)) if matched else 0)
        if reason or options is None:
            notes.append(f"{REPAIR_NOTE}{panel.summary.task} is left out: {reason}")
            continue
        found = _calibrated(
            panel, options, repair, np.random.default_rng(seed), int(matched.group(1)) if matched else 0
        )
        table = replace(calibration.outcomes(panel.table, found), model=f"{panel.table.model} + {repair}")
        panels.append(replace(panel, table=table, negated_table=None))  # they are not repaired
        balance = calibration.imbalance(options.gold)
        if repair == "batch" and balance.unsafe:
            notes.append(
                f"{REPAIR_NOTE}{panel.summary.task}: batch calibration is unsafe, as it pulls answers to equal shares: "
                f"the rarest class has {balance.smallest:.0%} of {len(panel.examples)} examples, the largest "
                f"{balance.largest:.0%}"
            )
    if not panels:
        raise ConfigError(f"a task that {repair} can repair", got="; ".join(notes), remedy="choose another repair")
    return replace(view, panels=tuple(panels), notes=(*view.notes, *notes))


def _unfit(panel: Panel, options: OptionTable | None, repair: str, size: int) -> str:
    """Why a panel cannot be repaired, or an empty string."""
    if options is None:
        return "its answers are generated text"
    if size and size > len(panel.instructions):
        return f"it has {len(panel.instructions)} wordings"
    if not size and not options.classes:
        return "its options differ from example to example"
    if repair == "contextual" and not panel.content_free:
        return "it was measured without `content_free: true`"
    return ""


def _calibrated(
    panel: Panel, options: OptionTable, repair: str, generator: np.random.Generator, size: int
) -> OptionTable:
    if repair == "batch":
        return calibration.batch_calibrated(options)
    if size:
        return calibration.ensemble(options, size, generator)
    names = list(dict.fromkeys(example for _, example in panel.content_free))
    scores = np.full((len(panel.instructions), len(names), options.logprobs.shape[2]), np.nan)
    for row, instruction in enumerate(panel.instructions):
        for column, name in enumerate(names):
            measured = panel.content_free.get((instruction.id, name))
            if measured is not None and measured.unscored is None:
                scores[row, column] = measured.logprobs
    return calibration.contextually_calibrated(options, scores)
