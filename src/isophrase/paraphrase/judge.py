"""A model as a judge of candidates: does each of two wordings imply the other?

Knows the questions that are put and how answers become reasons, through the `Model` protocol. A small model judges
badly:
measure yours with `python -m benchmarks.gate` before trusting it.
"""

from __future__ import annotations

from collections.abc import Sequence

from isophrase.models.base import GenerationLimits, Message, Model
from isophrase.paraphrase.pair import Pair, Reason, Verdict
from isophrase.types import Prompt, PromptFormat

NAME = "judge"
_QUESTION = (
    "Two instructions for the same program are given. Names in double braces are filled in later.\n\n"
    "Instruction 1:\n{first}\n\nInstruction 2:\n{second}\n\n"
    "If somebody does exactly what instruction 1 asks, have they then also done what instruction 2 asks, with the same "
    "answer in the same form? Reply with yes or no."
)
_ANSWERS = ("yes", "no")


class ModelJudge:
    """Bidirectional entailment by a model that chooses between `yes` and `no` (MacCartney and Manning 2009, section 2).

    Args:
        model: Any model; the chat format is used where it has one.
        margin: By how much log P(yes) must exceed log P(no), in nats.
    """

    def __init__(self, model: Model, margin: float = 0.0) -> None:
        self._model = model
        self._margin = margin

    def weigh(self, pairs: Sequence[Pair]) -> list[tuple[Reason, ...]]:
        """For each pair a failure for each direction that the model denies, or a doubt where it gives no answer."""
        prompts = [self._prompt(*direction) for pair in pairs for direction in _directions(pair)]
        found = self._model.measure(prompts, GenerationLimits(max_new_tokens=1))
        reasons: list[tuple[Reason, ...]] = []
        for index in range(len(pairs)):
            both = found[2 * index : 2 * index + 2]
            unscored = next((item.unscored for item in both if item.unscored), None)
            if unscored is not None:
                reasons.append((Reason(NAME, Verdict.DOUBT, f"gave no verdict ({unscored})"),))
                continue
            denied = [
                text
                for item, text in zip(both, ("the reference does not imply it", "it does not imply the reference"),
                                      strict=True)
                if item.logprobs[0] - item.logprobs[1] <= self._margin
            ]  # fmt: skip
            reasons.append(tuple(Reason(NAME, Verdict.FAIL, text) for text in denied))
        return reasons

    def _prompt(self, first: str, second: str) -> Prompt:
        text = _QUESTION.format(first=first, second=second)
        if self._model.spec.prompt_format is PromptFormat.CHAT:
            return Prompt(self._model.render_chat([Message("user", text)]), _ANSWERS, (), special_tokens=False)
        return Prompt(f"{text}\nReply:", tuple(f" {answer}" for answer in _ANSWERS), ())


def _directions(pair: Pair) -> tuple[tuple[str, str], tuple[str, str]]:
    one, other = pair.reference.template, pair.candidate.template
    return (one, other), (other, one)
