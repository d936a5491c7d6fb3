"""Which wordings of a task are for what: references, training, development, test, controls.

Knows instruction sets and how they are divided so that no test wording leaks into training. Does not know models or
examples.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from isophrase.duplicates import near_duplicates, near_duplicates_between
from isophrase.errors import ConfigError, ManyErrors
from isophrase.statistics.observed import template_digest
from isophrase.types import Instruction, InstructionSet, Role

SHARES = (("train", 0.6), ("dev", 0.15))
"""How wordings are divided where nothing is said; the rest is for testing."""

PARTS = ("references", "train", "dev", "test")
"""The parts that re-phrasings are divided into; alignment, whose result is to be proven, needs them all."""


@dataclass(frozen=True, slots=True)
class Wordings:
    """One task's wordings by purpose.

    Attributes:
        references: What the model is aligned to.
        train: Re-phrasings that training sees.
        dev: Re-phrasings that choose when to stop.
        test: Re-phrasings that nothing but the final measurement sees.
        train_controls: Negated, wrong-task and nonsense wordings that training may see.
        dev_controls: Those by which a method is chosen.
        test_controls: Those that the final measurement uses.
    """

    references: tuple[Instruction, ...]
    train: tuple[Instruction, ...]
    dev: tuple[Instruction, ...]
    test: tuple[Instruction, ...]
    train_controls: tuple[Instruction, ...] = ()
    dev_controls: tuple[Instruction, ...] = ()
    test_controls: tuple[Instruction, ...] = ()


def by_collection(source: InstructionSet, needed: Sequence[str] = PARTS) -> Wordings:
    """Wordings whose collections say what they are for: `train`, `dev`, `test`; references by their role.

    Controls of other collections are shared out between training and testing.

    A register of a test wording must be no register of a training or development wording; those without one are held
    to the likeness of their words alone.

    Args:
        source: The set.
        needed: Parts that must not be empty.

    Raises:
        ManyErrors: A part is missing or a test wording leaks.
    """
    plain = [item for item in source.instructions if not item.role.is_control]
    controls = [item for item in source.instructions if item.role.is_control]

    def of(items: Sequence[Instruction], collection: str) -> tuple[Instruction, ...]:
        return tuple(item for item in items if item.collection == collection and item.role is not Role.REFERENCE)

    train, test = _halves([item for item in controls if item.collection not in ("train", "dev", "test")])
    wordings = Wordings(
        references=tuple(item for item in plain if item.role is Role.REFERENCE),
        train=of(plain, "train"), dev=of(plain, "dev"), test=of(plain, "test"),
        train_controls=of(controls, "train") + train,
        dev_controls=of(controls, "dev"),
        test_controls=of(controls, "test") + test,
    )  # fmt: skip
    check(source.name, wordings, needed, registers=True)
    return wordings


def by_chance(source: InstructionSet, seed: int, needed: Sequence[str] = PARTS) -> Wordings:
    """A seeded division of a set that says nothing itself; near duplicates stay together.

    Args:
        source: The set.
        seed: Of the division.
        needed: Parts that must not be empty.

    Raises:
        ManyErrors: There are too few wordings for all parts.
    """
    references = tuple(item for item in source.instructions if item.role is Role.REFERENCE)
    others = [item for item in source.instructions if not item.role.is_control and item.role is not Role.REFERENCE]
    controls = [item for item in source.instructions if item.role.is_control]
    # What is nearly a reference is trained on anyway, so it is no test.
    near = {b for _, b, _ in near_duplicates_between(_templates(references), _templates(others))}
    parts: dict[str, list[Instruction]] = {"train": [item for item in others if item.id in near], "dev": [], "test": []}
    families = _families([item for item in others if item.id not in near])
    families.sort(key=lambda family: hashlib.sha256(f"{seed}\0{source.name}\0{family[0].id}".encode()).digest())
    wanted = {name: share * len(others) for name, share in SHARES}
    for family in families:
        part = next((name for name in wanted if len(parts[name]) < wanted[name]), "test")
        parts[part] += family
    train_controls, test_controls = _halves(controls)
    wordings = Wordings(
        references, tuple(parts["train"]), tuple(parts["dev"]), tuple(parts["test"]),
        train_controls=train_controls, test_controls=test_controls,
    )  # fmt: skip
    check(source.name, wordings, needed)
    return wordings


def check(name: str, wordings: Wordings, needed: Sequence[str] = PARTS, *, registers: bool = False) -> None:
    """Refuse a division that can't be used or that leaks.

    Args:
        name: The set's.
        wordings: The division.
        needed: Parts that must not be empty.
        registers: Whether a test wording may have no register of a training or development wording.

    Raises:
        ManyErrors: What is wrong with it.
    """
    problems = [
        f"expected at least one {part} wording; got none; add some to the set or divide it otherwise"
        for part in needed
        if not getattr(wordings, part)
    ]
    for kind, seen, test in (
        ("wording", (*wordings.references, *wordings.train, *wordings.dev), wordings.test),
        ("control", (*wordings.train_controls, *wordings.dev_controls), wordings.test_controls),
    ):
        problems += [
            f"test {kind} {b!r} is nearly {a!r}, which training sees (similarity {alike:.2f}); re-word one of them"
            for a, b, alike in near_duplicates_between(_templates(seen), _templates(test))
        ]
    if registers:
        known = {item.register for item in (*wordings.train, *wordings.dev) if item.register}
        problems += [
            f"expected test wordings in registers of their own; got {item.id!r} in {item.register!r}, which a training "
            "or development wording is in; re-word it, or divide the set otherwise"
            for item in wordings.test
            if item.register in known
        ]
    if problems:
        raise ManyErrors(f"wordings of {name!r}", problems, exit_code=ConfigError.exit_code)


def check_made(name: str, made: Mapping[str, str], wordings: Wordings) -> None:
    """Refuse wordings that training makes of training wordings if one is nearly a test wording.

    Args:
        name: The task's.
        made: Templates by id.
        wordings: The task's wordings.

    Raises:
        ManyErrors: Which ones.
    """
    test = _templates((*wordings.test, *wordings.test_controls))
    problems = [
        f"test wording {b!r} is nearly what training makes as {a!r} (similarity {alike:.2f}); re-word it, or say "
        "`draws: {splices: 0, registers: 0, inversions: 0}` in the method"
        for a, b, alike in near_duplicates_between(made, test)
    ]
    if problems:
        raise ManyErrors(f"wordings of {name!r}", problems, exit_code=ConfigError.exit_code)


def digests(wordings: Sequence[Instruction]) -> frozenset[str]:
    """The template digests of wordings: how a record names what was trained on."""
    return frozenset(map(template_digest, wordings))


def _halves(controls: Sequence[Instruction]) -> tuple[tuple[Instruction, ...], tuple[Instruction, ...]]:
    """Controls for training and for testing: of each kind every second one, near duplicates together."""
    families = sorted(_families(controls), key=lambda family: controls.index(family[0]))
    train = [
        item
        for role in (Role.NEGATED, Role.WRONG_TASK, Role.NONSENSE)
        for family in [one for one in families if one[0].role is role][1::2]
        for item in family
    ]
    return tuple(train), tuple(item for item in controls if item not in train)


def _families(items: Sequence[Instruction]) -> list[list[Instruction]]:
    """Wordings grouped so that near duplicates are in one group."""
    group = {item.id: {item.id} for item in items}
    for one, other, _ in near_duplicates(_templates(items)):
        merged = group[one] | group[other]
        group |= dict.fromkeys(merged, merged)
    distinct = {frozenset(members) for members in group.values()}
    return [[item for item in items if item.id in members] for members in sorted(distinct, key=min)]


def _templates(items: Sequence[Instruction]) -> Mapping[str, str]:
    return {item.id: item.template for item in items}
