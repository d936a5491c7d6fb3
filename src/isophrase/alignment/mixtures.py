"""Several materials, some of the same task: what one of them trains on is no test of another.

Knows materials, what a method sees of them and what is drawn. Does not know models, or how a task is divided.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from isophrase.alignment.method import Draws
from isophrase.alignment.sampling import Draw, Material
from isophrase.alignment.wordings import Wordings, check, check_made
from isophrase.errors import ConfigError
from isophrase.types import Instruction, Split


def by_task(materials: Sequence[Material]) -> Mapping[str, list[Material]]:
    """The materials by the name of their task, in the order of their first mention."""
    found: dict[str, list[Material]] = {}
    for item in materials:
        found.setdefault(item.task.name, []).append(item)
    return found


def parts_seen(draws: Draws) -> tuple[str, ...]:
    """The parts of a task's wordings that training sees."""
    parts = ["references"]
    if draws.wordings or draws.inversions:
        parts.append("train")
    if draws.controls:
        parts.append("train_controls")
    return tuple(parts)


def wordings_seen(materials: Sequence[Material], draws: Draws) -> Mapping[str, tuple[Instruction, ...]]:
    """The wordings that training sees, by task: those of all its materials, each once."""
    parts = parts_seen(draws)
    return {
        name: _once(one for part in parts for item in group for one in getattr(item.wordings, part))
        for name, group in by_task(materials).items()
    }


def merged(materials: Sequence[Material]) -> Wordings:
    """All wordings of one task by purpose, each once."""
    parts = [item.wordings for item in materials]
    return Wordings(
        references=_once(one for item in parts for one in item.references),
        train=_once(one for item in parts for one in item.train),
        dev=_once(one for item in parts for one in item.dev),
        test=_once(one for item in parts for one in item.test),
        train_controls=_once(one for item in parts for one in item.train_controls),
        dev_controls=_once(one for item in parts for one in item.dev_controls),
        test_controls=_once(one for item in parts for one in item.test_controls),
    )


def check_mixture(materials: Sequence[Material], *, registers: bool = False) -> None:
    """Refuse materials of one task that leak into each other or can't be told apart.

    Args:
        materials: All of one task.
        registers: Whether a register of a test wording must be no register of a training or development wording.

    Raises:
        ConfigError: They are different tasks, or sets, of one name.
        ManyErrors: A test wording of one is nearly what another one trains on.
    """
    first, *others = materials
    name = first.task.name
    if any(item.task.split(Split.TEST) != first.task.split(Split.TEST) for item in others):
        raise ConfigError(
            f"one task of the name {name!r}", got="several with other test examples",
            remedy="give each task a name of its own",
        )  # fmt: skip
    known: dict[str, Instruction] = {}
    for one in (one for item in materials for one in _all(item.wordings)):
        if known.setdefault(one.id, one) != one:
            raise ConfigError(
                f"instruction sets of task {name!r} with a name each", got=f"two wordings {one.id!r}",
                remedy="rename one of the sets",
            )  # fmt: skip
    check(f"{name} in {len(materials)} entries", merged(materials), (), registers=registers)


def refuse_leaks(drawn: Sequence[Draw], materials: Sequence[Material]) -> None:
    """Refuse draws in which splices and registers make a test wording out of training wordings.

    A training wording or control as it stands, or in other letters, was held against those of testing when the set was
    divided.

    Raises:
        ManyErrors: Which ones.
    """
    for name, group in by_task(materials).items():
        whole = merged(group)
        standing = {item.template.casefold() for item in (*whole.references, *whole.train, *whole.train_controls)}
        wordings = (item.wording for item in drawn if materials[item.material].task.name == name)
        made = {one.id: one.template for one in wordings if one.template.casefold() not in standing}
        check_made(name, made, whole)


def _all(wordings: Wordings) -> Iterable[Instruction]:
    return (
        *wordings.references, *wordings.train, *wordings.dev, *wordings.test,
        *wordings.train_controls, *wordings.dev_controls, *wordings.test_controls,
    )  # fmt: skip


def _once(items: Iterable[Instruction]) -> tuple[Instruction, ...]:
    return tuple(dict.fromkeys(items))
