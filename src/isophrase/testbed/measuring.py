"""What a model of the testbed answers: right or wrong under each wording for each input.

Knows which wordings and inputs a result is measured on. Does not know training or statistics.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from isophrase.alignment.sampling import Material
from isophrase.engine.local import LocalModel
from isophrase.models.base import GenerationLimits
from isophrase.models.huggingface import LoadedModel
from isophrase.plan import content_free
from isophrase.prompts import render
from isophrase.scoring.outcomes import outcomes
from isophrase.testbed.inputs import HELD_OUT
from isophrase.testbed.untrained import repaired
from isophrase.types import Example, Instruction, Measurement, PromptFormat, Role, Rule, Split


class Exposure(StrEnum):
    """What the model has to do with a wording."""

    OBSERVED = "observed"
    """Seen in the instruction tuning of the base model."""
    TRAINED = "trained"
    """Seen in alignment."""
    UNOBSERVED = "unobserved"
    NEGATED = "negated"


@dataclass(frozen=True, slots=True)
class Quota:
    """How much is measured.

    Attributes:
        registers: Test wordings of each register.
        observed: Observed wordings.
        trained: Wordings of alignment.
        inputs: Test inputs.
        held_registers: Test wordings of each register of the tasks held out.
        held_inputs: Test inputs of the tasks held out.
        split: Which inputs and wordings: `test`, or `dev` for choosing a method.
        passed: Test wordings of each register that are passed over.
        passed_inputs: Test inputs that are passed over.
        folds: Into how many parts the registers of training are divided, of which the seed's is left out of alignment
            and counts as unobserved; 0: none is.
        folder: Where rows of it are kept, inside that of the results.
    """

    registers: int = 3
    observed: int = 4
    trained: int = 6
    inputs: int = 60
    held_registers: int = 3
    held_inputs: int = 60
    split: Split = Split.TEST
    passed: int = 0
    passed_inputs: int = 0
    folds: int = 0
    folder: str = ""


MAIN = Quota()
OTHER = Quota(registers=2, inputs=40, held_registers=2, held_inputs=40)
"""Rows beside the main ones: fewer wordings and inputs, all of them among those of `MAIN`."""
CONFIRMATION = Quota(
    registers=1, trained=1, held_registers=1, held_inputs=40, passed=3, passed_inputs=60, folder="confirmation"
)
"""Unobserved wordings and test inputs that no other quota has: of earlier ones of `default` the figures of four rows
were seen before today's was chosen, nothing else. Observed and negated wordings are those of `MAIN`, and the trained
one is of them."""
DEVELOPMENT = Quota(
    registers=2, trained=4, inputs=40, held_registers=1, held_inputs=20, split=Split.DEV, folds=4, folder="development"
)


@dataclass(frozen=True)
class TaskResult:
    """One task's answers.

    Attributes:
        wordings: Ids.
        exposures: What the model has to do with each.
        registers: The register of each.
        inputs: Ids.
        right: For each wording `1` (right), `0` (wrong) or `-` (unscored) an input.
    """

    wordings: tuple[str, ...]
    exposures: tuple[Exposure, ...]
    registers: tuple[str, ...]
    inputs: tuple[str, ...]
    right: tuple[str, ...]


def within(result: TaskResult, other: TaskResult) -> TaskResult:
    """The answers under those wordings and for those inputs that another result has as well."""
    rows = [place for place, one in enumerate(result.wordings) if one in other.wordings]
    columns = [place for place, one in enumerate(result.inputs) if one in other.inputs]
    return TaskResult(
        tuple(result.wordings[row] for row in rows),
        tuple(result.exposures[row] for row in rows),
        tuple(result.registers[row] for row in rows),
        tuple(result.inputs[column] for column in columns),
        tuple("".join(result.right[row][column] for column in columns) for row in rows),
    )


def measure(
    loaded: LoadedModel, materials: Sequence[Material], quota: Quota, untrained: str | None = None
) -> Mapping[str, TaskResult]:
    """Every task's answers, by its name.

    Args:
        loaded: The model.
        materials: Tasks with their wordings.
        quota: How much is measured.
        untrained: A repair that needs no training, one of `untrained.UNTRAINED`.
    """
    local = LocalModel(loaded)
    return {material.task.name: _measure_task(local, material, quota, untrained) for material in materials}


def chosen_of(material: Material, quota: Quota) -> tuple[list[tuple[Instruction, Exposure]], tuple[Example, ...]]:
    """What is measured of a task: wordings and inputs."""
    held = material.task.name.removeprefix("testbed-") in HELD_OUT
    inputs = material.task.split(quota.split)[quota.passed_inputs :]
    return _wordings(material, quota, held=held), inputs[: quota.held_inputs if held else quota.inputs]


def _measure_task(local: LocalModel, material: Material, quota: Quota, untrained: str | None) -> TaskResult:
    chosen, inputs = chosen_of(material, quota)
    wordings = [one for one, _ in chosen]
    measured = _measurements(local, wordings, inputs)
    if untrained is not None:
        empty = _measurements(local, wordings, content_free(material.task, inputs) if untrained == "contextual" else ())
        measured = repaired(untrained, measured, inputs, empty, [exposure for _, exposure in chosen])
    return TaskResult(
        tuple(one.id for one in wordings),
        tuple(exposure for _, exposure in chosen),
        tuple(one.register for one in wordings),
        tuple(item.id for item in inputs),
        tuple(_marks(material, row, inputs) for row in measured),
    )


def _measurements(
    local: LocalModel, wordings: Sequence[Instruction], inputs: Sequence[Example]
) -> list[list[Measurement]]:
    """[wordings, inputs]."""
    prompts = [render(one, item, (), PromptFormat.PLAIN) for one in wordings for item in inputs]
    found = local.measure(prompts, GenerationLimits())
    return [found[start : start + len(inputs)] for start in range(0, len(wordings) * len(inputs), len(inputs) or 1)]


def _marks(material: Material, measured: Sequence[Measurement], inputs: Sequence[Example]) -> str:
    """`1` (right), `0` (wrong) or `-` (unscored) for each input."""
    found = outcomes(measured, inputs, material.task.metric, Rule.SUM)
    return "".join("-" if one.value is None else str(int(one.value)) for one in found)


def _wordings(material: Material, quota: Quota, *, held: bool) -> list[tuple[Instruction, Exposure]]:
    wordings = material.wordings
    unobserved = wordings.dev if quota.split is Split.DEV else wordings.test
    controls = wordings.dev_controls if quota.split is Split.DEV else wordings.test_controls
    found = [(one, Exposure.OBSERVED) for one in wordings.references[: quota.observed]]
    if not held:
        found += [(one, Exposure.TRAINED) for one in wordings.train[:: max(1, len(wordings.train) // quota.trained)]]
    found += [
        (one, Exposure.UNOBSERVED)
        for one in _by_register(unobserved, quota.passed, quota.held_registers if held else quota.registers)
    ]
    return found + [(one, Exposure.NEGATED) for one in controls if one.role is Role.NEGATED]


def _by_register(wordings: Sequence[Instruction], passed: int, most: int) -> list[Instruction]:
    """At most so many wordings of each register after those passed over, in order."""
    counts: dict[str, int] = {}
    found = []
    for one in wordings:
        counts[one.register] = counts.get(one.register, 0) + 1
        if passed < counts[one.register] <= passed + most:
            found.append(one)
    return found
