"""The two sides of a comparison, which share one loaded model: Isophrase and lm-evaluation-harness.

Know how to ask each side the same prompts. Do not know how anything is timed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from benchmarks.workloads import Workload
from isophrase.engine.local import LocalModel
from isophrase.models.base import GenerationLimits
from isophrase.models.huggingface import LoadedModel
from isophrase.types import Prompt


@dataclass(frozen=True)
class Answer:
    """What a side says to a prompt: the sum of each option, or a text."""

    sums: tuple[float, ...] = ()
    text: str = ""

    @property
    def choice(self) -> int | str:
        return max(range(len(self.sums)), key=self.sums.__getitem__) if self.sums else self.text.strip()


class Side(Protocol):
    """One competitor."""

    name: str

    def ask(self, workload: Workload) -> list[Answer]:
        """An answer for each prompt, in order."""
        ...


class Isophrase:
    """The engine behind `LocalModel`, tokenising included."""

    def __init__(self, loaded: LoadedModel) -> None:
        self.name = "isophrase"
        self._model = LocalModel(loaded)

    def ask(self, workload: Workload) -> list[Answer]:
        found = [answer for unit in workload.units for answer in self._model.measure(unit, workload.limits)]
        return [Answer(one.logprobs, one.text or "") for one in found]


class Harness:
    """lm-evaluation-harness's `HFLM`, tokenising included, as its command line would use it with this batch size."""

    def __init__(self, loaded: LoadedModel, batch_size: int) -> None:
        from lm_eval.models.huggingface import HFLM

        self.name = f"lm-eval (batch {batch_size})"
        self._model = HFLM(
            pretrained=loaded.model, tokenizer=loaded.tokenizer, backend="causal", batch_size=batch_size,
            max_length=loaded.context_length, device=str(loaded.model.device),
        )  # fmt: skip

    def ask(self, workload: Workload) -> list[Answer]:
        if workload.prompts[0].answers:
            return self._score(workload.prompts)
        return self._generate(workload.prompts, workload.limits)

    def _score(self, prompts: Sequence[Prompt]) -> list[Answer]:
        pairs = [(prompt.text, answer) for prompt in prompts for answer in prompt.answers]
        sums = iter(self._model.loglikelihood(_instances("loglikelihood", pairs), disable_tqdm=True))
        return [Answer(tuple(next(sums)[0] for _ in prompt.answers)) for prompt in prompts]

    def _generate(self, prompts: Sequence[Prompt], limits: GenerationLimits) -> list[Answer]:
        options = {"until": list(limits.stop), "max_gen_toks": limits.max_new_tokens, "do_sample": False}
        asked = [(prompt.text, options) for prompt in prompts]
        texts = self._model.generate_until(_instances("generate_until", asked), disable_tqdm=True)
        return [Answer(text=text) for text in texts]


def _instances(kind: str, arguments: Sequence[tuple[Any, ...]]) -> list[Any]:
    from lm_eval.api.instance import Instance

    return [Instance(kind, {}, pair, index) for index, pair in enumerate(arguments)]
