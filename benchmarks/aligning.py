"""Training a prefix: Isophrase beside a straightforward loop of transformers' Trainer and PEFT.

Both see the same batches, the same loss (the paper's: cross-entropy and KL) and the same optimiser from the same start,
and their loss curves have to agree. `python -m benchmarks.aligning` prints the ratio of their speeds.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Sequence
from typing import Any

import torch
from torch.nn.functional import log_softmax
from torch.utils.data import SequentialSampler
from transformers import Trainer, TrainingArguments
from transformers.trainer_callback import TrainerCallback

from isophrase.alignment.method import PT_KL, Method, Schedule
from isophrase.alignment.optimising import rate_at
from isophrase.alignment.parameters import make_trainable
from isophrase.alignment.posing import Posed, Poser
from isophrase.alignment.sampling import draw
from isophrase.alignment.training import Training, train
from isophrase.cache import cache_folder
from isophrase.models.huggingface import LoadedModel, load
from isophrase.testbed.inputs import ALIGNED
from isophrase.testbed.recipe import BASE, Source, load_testbed
from isophrase.types import ModelSpec, PromptFormat

Pair = tuple[Posed, Posed]
"""An input under a paraphrase and under its reference wording."""


def _model() -> LoadedModel:
    return load(ModelSpec("base", BASE, dtype="float32", device="cpu", prompt_format=PromptFormat.PLAIN))


def _training(method: Method) -> Training:
    return Training(method=method, materials=load_testbed(Source.OWN, cache_folder()).of(ALIGNED), every=10_000)


def ours(method: Method) -> tuple[float, list[float]]:
    """Seconds a step, the teacher's part included, and the losses."""
    loaded, training = _model(), _training(method)
    start = time.perf_counter()
    trained = train(loaded, training)
    return (time.perf_counter() - start) / len(trained.steps), [step.total for step in trained.steps]


class _PairTrainer(Trainer):
    """The loss as one writes it: the reference through the frozen model in every step, logits of whole rows."""

    def compute_loss(self, model: Any, inputs: dict[str, Any], *_: Any, **__: Any) -> torch.Tensor:
        student = _answers(model(**inputs["student"]).logits, inputs["student_at"])
        with torch.no_grad(), model.disable_adapter():
            teacher = _answers(model(**inputs["teacher"]).logits, inputs["teacher_at"])
        losses = []
        for found, taught, gold in zip(student, teacher, inputs["gold"], strict=True):
            supervised = -found.gather(-1, gold[:, None]).mean()
            consistency = (taught.exp() * (taught - found)).sum(dim=-1).mean()
            losses.append(PT_KL.supervised * supervised + PT_KL.consistency * consistency)
        return torch.stack(losses).mean()

    def _get_train_sampler(self, *_: Any) -> SequentialSampler:
        return SequentialSampler(self.train_dataset)  # type: ignore[arg-type]


def _answers(logits: torch.Tensor, places: Sequence[tuple[int, int]]) -> list[torch.Tensor]:
    words = log_softmax(logits, dim=-1)
    return [words[row, start:stop] for row, (start, stop) in enumerate(places)]


def _collate(pairs: Sequence[Pair]) -> dict[str, Any]:
    batch: dict[str, Any] = {"gold": [torch.tensor(pair[0].answers[pair[0].gold]) for pair in pairs]}
    for side, name in enumerate(("student", "teacher")):
        rows = [pair[side].context + pair[side].answers[pair[side].gold][:-1] for pair in pairs]
        width = max(map(len, rows))
        batch[name] = {
            "input_ids": torch.tensor([[*row, *[0] * (width - len(row))] for row in rows]),
            "attention_mask": torch.tensor([[1] * len(row) + [0] * (width - len(row)) for row in rows]),
        }
        batch[f"{name}_at"] = [
            (len(pair[side].context) - 1, len(row)) for pair, row in zip(pairs, rows, strict=True)
        ]  # fmt: skip
    return batch


class _Losses(TrainerCallback):
    def __init__(self) -> None:
        self.found: list[float] = []

    def on_log(self, args: Any, state: Any, control: Any, logs: dict[str, float] | None = None, **_: Any) -> None:
        if logs and "loss" in logs:
            self.found.append(logs["loss"])


def theirs(method: Method) -> tuple[float, list[float]]:
    """Seconds a step of the straightforward loop, and the losses."""
    loaded, training = _model(), _training(method)
    model = make_trainable(loaded, method.parameters, training.seed).model
    poser = Poser(loaded, method.parameters.length)
    pairs: list[Pair] = []
    for step in range(method.schedule.steps):
        drawn = draw(training.materials, method.draws, (), training.seed, step)
        student = poser.pose([(item.wording, item.example) for item in drawn])
        teacher = poser.pose([(item.reference, item.example) for item in drawn])
        pairs += zip(student, teacher, strict=True)
    schedule = method.schedule
    optimiser = torch.optim.AdamW(
        [weight for weight in model.parameters() if weight.requires_grad], lr=1.0, weight_decay=0.0, fused=True
    )
    rates = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: rate_at(schedule, step))
    losses = _Losses()
    with tempfile.TemporaryDirectory() as folder:
        arguments = TrainingArguments(
            output_dir=folder, per_device_train_batch_size=method.draws.wordings * method.draws.inputs,
            max_steps=schedule.steps, max_grad_norm=schedule.clip, logging_steps=1, save_strategy="no", report_to=[],
            use_cpu=True, remove_unused_columns=False, disable_tqdm=True, logging_nan_inf_filter=False,
        )  # fmt: skip
        trainer = _PairTrainer(
            model=model, args=arguments, train_dataset=pairs, data_collator=_collate,  # type: ignore[arg-type]
            optimizers=(optimiser, rates), callbacks=[losses],
        )  # fmt: skip
        start = time.perf_counter()
        trainer.train()
        return (time.perf_counter() - start) / schedule.steps, losses.found


def main() -> None:
    """Runs both sides in turns and prints ratios."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.aligning", description=__doc__)
    parser.add_argument("--steps", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    method = Method(schedule=Schedule(steps=arguments.steps))
    ratios, furthest = [], 0.0
    for number in range(arguments.rounds):
        sides = (ours, theirs) if number % 2 == 0 else (theirs, ours)
        found = {side.__name__: side(method) for side in sides}
        (own, own_losses), (other, other_losses) = found["ours"], found["theirs"]
        ratios.append(other / own)
        furthest = max(furthest, *(abs(a - b) for a, b in zip(own_losses, other_losses, strict=True)))
        print(f"round {number + 1}: {1 / own:.3f} and {1 / other:.3f} steps a second", flush=True)
    ratios.sort()
    print(
        f"prefix alignment, {arguments.steps} steps of {method.draws.wordings * method.draws.inputs}: "
        f"{statistics.median(ratios):.2f}× [{ratios[0]:.2f}, {ratios[-1]:.2f}] the steps a second of Trainer + PEFT; "
        f"losses within {furthest:.1e}"
    )


if __name__ == "__main__":
    main()
