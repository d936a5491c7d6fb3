"""Wordings made of training wordings and controls: halves of two, other letters, registers around them.

Knows template text and probabilities. Does not know tasks, tokens or models. What a wording asks stays what it was, as
far as that can be told from its text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from isophrase.alignment.method import Draws
from isophrase.alignment.registers import Register, wrap
from isophrase.types import Instruction, OutputForm

_SLOT = re.compile(r"(\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\})", re.DOTALL)
_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")


def _title(text: str) -> str:
    return _WORD.sub(lambda word: word[0][:1].upper() + word[0][1:], text)


_CASES: tuple[Callable[[str], str], ...] = (str.upper, str.lower, _title)


def augment(
    wording: Instruction,
    random: np.random.Generator,
    draws: Draws,
    *,
    others: Sequence[Instruction],
    registers: Sequence[Register],
) -> Instruction:
    """A wording as a step sees it; what is done to it is in its id.

    Args:
        wording: A training wording or control.
        random: Where chance comes from.
        draws: The probabilities.
        others: All of its kind, for halves.
        registers: To put around it.
    """
    if draws.splices and random.random() < draws.splices:
        wording = splice(wording, others[int(random.integers(len(others)))])
    if draws.cases and random.random() < draws.cases:
        wording = recase(wording, int(random.integers(len(_CASES))))
    for _ in range(draws.layers if registers else 0):
        if random.random() >= draws.registers:
            break
        wording = wrap(wording, registers[int(random.integers(len(registers)))])
    return wording


def splice(wording: Instruction, other: Instruction) -> Instruction:
    """The side of one wording that says what to do, with the opposite side of another.

    Unchanged unless both have the same one slot and ask for the same form of answer, and one side is at least twice as
    long as the other: else none can be told to be the one that says it.
    """
    one, two = _SLOT.split(wording.template), _SLOT.split(other.template)
    forms = {(item.output_form, item.answer_template) for item in (wording, other)}
    if len(one) != 3 or len(two) != 3 or one[1] != two[1] or len(forms) > 1 or other.id == wording.id:
        return wording
    before, slot, after = one
    shorter, longer = sorted((len(before.strip()), len(after.strip())))
    if 2 * shorter > longer:
        return wording
    template = before + slot + two[2] if len(before) > len(after) else two[0] + slot + after
    return replace(wording, id=f"{wording.id}+{other.id}", template=template)


def recase(wording: Instruction, case: int) -> Instruction:
    """The wording in capitals (0), small letters (1) or with capitals at the beginnings of words (2); slots stay.

    Unchanged where the answer is a letter or written as the wording shows it: there letters matter.
    """
    if wording.output_form is OutputForm.LETTER or wording.answer_template:
        return wording
    parts = _SLOT.split(wording.template)
    changed = [part if place % 2 else _CASES[case](part) for place, part in enumerate(parts)]
    return replace(wording, id=f"{wording.id}+case{case}", template="".join(changed))
