"""The crossed design: which cells there are, and in which units of work they are measured and written.

Pure and lazy: a grid of ten million cells costs its blocks, not its cells. Knows nouns only; renders nothing, computes
nothing, stores nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from isophrase.types import Cell, Example, Instruction, PromptFormat, Task, digest

DEFAULT_UNIT_CELLS = 128
_INSTRUCTIONS_PER_UNIT = 16


@dataclass(frozen=True, slots=True)
class Block:
    """One fully crossed rectangle of the grid: every instruction with every example.

    Attributes:
        model: Model name.
        dtype: The dtype that really runs.
        prompt_format: Frame around the instruction.
        task: The task; exemplars come from it.
        instructions: Rows; all fit the task.
        examples: Columns; none is an exemplar.
        shots: Exemplars in each prompt.
        exemplar_seed: Which exemplars are picked.
    """

    model: str
    dtype: str
    prompt_format: PromptFormat
    task: Task
    instructions: tuple[Instruction, ...]
    examples: tuple[Example, ...]
    shots: int = 0
    exemplar_seed: int = 0

    def __len__(self) -> int:
        return len(self.instructions) * len(self.examples)

    def cell(self, instruction: Instruction, example: Example) -> Cell:
        """The cell of one instruction and one example of this block."""
        return Cell(
            model=self.model,
            task=self.task.name,
            instruction=instruction.id,
            example=example.id,
            shots=self.shots,
            prompt_format=self.prompt_format.value,
            exemplar_seed=self.exemplar_seed,
            dtype=self.dtype,
        )


@dataclass(frozen=True, slots=True)
class Unit:
    """A rectangle of a block that is measured in one call and written in one piece.

    Attributes:
        id: Digest of what the unit holds: the same on every machine, whatever was measured before.
        block: The block that it is cut from.
        instructions: Its rows.
        examples: Its columns.
    """

    id: str
    block: Block
    instructions: tuple[Instruction, ...]
    examples: tuple[Example, ...]

    def __len__(self) -> int:
        return len(self.instructions) * len(self.examples)

    def pairs(self) -> Iterator[tuple[Instruction, Example]]:
        """Its cells, instruction by instruction."""
        return ((instruction, example) for instruction in self.instructions for example in self.examples)


@dataclass(frozen=True, slots=True)
class Grid:
    """All that is to be measured."""

    blocks: tuple[Block, ...]

    def __len__(self) -> int:
        return sum(len(block) for block in self.blocks)

    def cells(self) -> Iterator[Cell]:
        """Every cell, block by block."""
        return (
            block.cell(instruction, example)
            for block in self.blocks
            for instruction in block.instructions
            for example in block.examples
        )

    def units(self, cells: int = DEFAULT_UNIT_CELLS) -> Iterator[Unit]:
        """The grid cut into units of at most `cells` cells, the same way each time.

        A unit holds several instructions and several examples, so that an engine finds both shared instructions and
        shared examples in it.
        """
        return (unit for block in self.blocks for unit in _cut(block, cells))


def unit_of(block: Block, rows: Sequence[int], columns: Sequence[int]) -> Unit:
    """The unit of some rows and columns of a block."""
    instructions = tuple(block.instructions[row] for row in rows)
    examples = tuple(block.examples[column] for column in columns)
    return Unit(_unit_id(block, instructions, examples), block, instructions, examples)


def _cut(block: Block, cells: int) -> Iterator[Unit]:
    chunks = -(-len(block.instructions) // min(_INSTRUCTIONS_PER_UNIT, cells))
    rows = -(-len(block.instructions) // max(1, chunks))
    columns = max(1, cells // max(1, rows))
    for left in range(0, len(block.examples), columns):
        examples = block.examples[left : left + columns]
        for top in range(0, len(block.instructions), rows):
            instructions = block.instructions[top : top + rows]
            yield Unit(_unit_id(block, instructions, examples), block, instructions, examples)


def _unit_id(block: Block, instructions: tuple[Instruction, ...], examples: tuple[Example, ...]) -> str:
    frame = [block.model, block.dtype, block.prompt_format, block.task.name, block.shots, block.exemplar_seed]
    content = [*frame, [item.id for item in instructions], [item.id for item in examples]]
    return digest(content)[:20]
