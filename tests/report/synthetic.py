"""A made-up run that looks like a real one: several tasks, 18 wordings with effects of their own, 60 examples."""

from dataclasses import dataclass, replace
from functools import cache

import numpy as np

from isophrase.report.view import Geometry, Panel, RunView
from isophrase.statistics.distance import DistanceTable, findings
from isophrase.statistics.observed import reference_rows
from isophrase.statistics.summary import InstructionSummary, TaskSummary, summarise
from isophrase.statistics.tables import Estimate, OutcomeTable
from isophrase.types import Example, Instruction, Measurement, Metric, OutputForm, Role

MODEL = "smollm2-135m-instruct"

# id, collection, register, template: ASK, NOUN and LOWER are filled in for each task.
_WORDINGS = [
    ("reference-1", "reference", "neutral", "ASK\n\nText: {{ input }}\nOptions: {{ options }}\nAnswer:"),
    ("reference-2", "reference", "neutral", "Text: {{ input }}\nASK Choose from {{ options }}.\nAnswer:"),
    ("terse-1", "human", "terse", "{{ input }}\nNOUN:"),
    ("terse-2", "human", "terse", "NOUN of “{{ input }}”?"),
    ("terse-3", "human", "terse", "NOUN ({{ options }}): {{ input }} →"),
    ("chatty-1", "human", "chatty", "Hey, quick one: somebody wrote “{{ input }}”. ASK I'd go with"),
    ("chatty-2", "human", "chatty", "So I found this the other day:\n\n{{ input }}\n\nWhat do you think? ASK\nMe:"),
    ("chatty-3", "human", "chatty", "Could you help me out here? ASK It says: {{ input }}\nThanks! The answer is"),
    ("formal-1", "flan", "formal", "Please determine the following. ASK\n\nPassage: {{ input }}\n\nDetermination:"),
    ("formal-2", "flan", "formal", "Given the passage below, state the appropriate LOWER.\n{{ input }}\nNOUN:"),
    ("formal-3", "flan", "formal", "You are to assign one LOWER ({{ options }}) to this passage: {{ input }}\nIt is"),
    ("expert-1", "p3", "role play", "You are an experienced annotator. ASK\nItem: {{ input }}\nYour label:"),
    ("expert-2", "p3", "role play", "As a careful reader, tell us: ASK\n“{{ input }}”\nReader:"),
    ("exam-1", "p3", "exam", "Question 7. ASK\n{{ input }}\nOptions: {{ options }}\nCorrect option:"),
    ("exam-2", "niv2", "exam", "Definition: ASK Input: {{ input }} Output:"),
    ("code-1", "niv2", "code", "def LOWER(text):\n    # ASK\n    ...\n\nLOWER({{ input }}) =="),
    ("input-last-1", "human", "plain", "ASK Answer with {{ options }} and nothing else. Here it is: {{ input }}\n"),
    (
        "long-1", "human", "wordy",
        "I am going to show you a short piece of text, and what I would like you to do, after reading it slowly and "
        "all the way to its end, is to answer one question. ASK The text is: {{ input }} And the answer would be:",
    ),
]  # fmt: skip

_OPENINGS = [
    "The second half of", "Nobody at our table liked", "I would gladly pay again for", "After two weeks with",
    "My sister returned", "We waited an hour for", "For the price, you can't beat", "The instructions that came with",
    "I fell asleep during", "Everyone should try",
]  # fmt: skip
_THINGS = ["the garden lamp", "this film", "their lentil soup", "the night train", "the new keyboard", "that museum"]
_ENDINGS = [
    ", and I would do it again tomorrow.", ", which says it all.", " and it broke on the third day.",
    ", honestly better than I had hoped.", "; the staff could not have cared less.", ", although the colour is nice.",
]  # fmt: skip


@dataclass(frozen=True)
class Plan:
    """One synthetic task: its words, and how hard (`level`) and how fragile (`effect`) it is, in logits."""

    name: str
    ask: str
    noun: str
    options: tuple[str, ...]
    level: float
    effect: float


INTENTS = ("book a table", "cancel an order", "ask for opening hours", "complain", "track a parcel", "say thanks")
PLANS = (
    Plan("sentiment", "Is the opinion positive or negative?", "Sentiment", ("positive", "negative"), 1.3, 0.9),
    Plan("topic", "What is the text about?", "Topic", ("sports", "business", "science", "travel"), 0.8, 0.7),
    Plan("intent", "What does the writer want?", "Intent", INTENTS, 0.1, 0.8),
    Plan("entailment", "Does the first sentence imply the second?", "Relation", ("yes", "no", "maybe"), -0.3, 0.45),
)
HEADLINE = Plan("headline", "What is the text about, in a few words?", "Headline", (), 0.6, 0.8)


def instructions(plan: Plan, count: int) -> tuple[Instruction, ...]:
    made = []
    for index in range(count):
        name, collection, register, template = _WORDINGS[index % len(_WORDINGS)]
        repeat = index // len(_WORDINGS)
        text = template.replace("ASK", plan.ask).replace("NOUN", plan.noun).replace("LOWER", plan.noun.lower())
        is_reference = collection == "reference" and not repeat
        made.append(
            Instruction(
                id=f"{name}-{repeat}" if repeat else name,
                template=text,
                collection="human" if collection == "reference" and repeat else collection,
                output_form=OutputForm.LABEL if plan.options else OutputForm.TEXT,
                register=register,
                author="isophrase",
                role=Role.REFERENCE if is_reference else Role.PARAPHRASE,
                reference=None if is_reference else "reference-1",
            )
        )
    return tuple(made)


def examples(plan: Plan, count: int, rng: np.random.Generator) -> tuple[Example, ...]:
    made = []
    for index in range(count):
        text = f"{rng.choice(_OPENINGS)} {rng.choice(_THINGS)}{rng.choice(_ENDINGS)}"
        fields = {"input": text}
        if plan.name == "entailment":
            fields = {"premise": text, "hypothesis": f"{rng.choice(_OPENINGS)} {rng.choice(_THINGS)}."}
        gold = (int(rng.integers(len(plan.options))),) if plan.options else ()
        references = () if plan.options else (str(rng.choice(_THINGS)), "the thing")
        made.append(Example(f"{plan.name}-{index + 1:03d}", fields, plan.options, gold, references))
    return tuple(made)


@cache
def panel(
    plan: Plan = PLANS[0], *, shots: int = 0, n_instructions: int = 18, n_examples: int = 60, known: bool = False
) -> Panel:
    """A panel whose parts agree with each other; `known`: what the model was tuned on is known."""
    rng = np.random.default_rng([*plan.name.encode(), shots])
    rows, columns = instructions(plan, n_instructions), examples(plan, n_examples, rng)
    effects = rng.normal(0, plan.effect, len(rows))
    ease = rng.normal(0, 1.0, len(columns))
    measurements: dict[tuple[str, str], Measurement] = {}
    chosen: dict[tuple[str, str], str] = {}
    values = np.full((len(rows), len(columns)), np.nan)
    choices = np.full(values.shape, -1, dtype=np.int64)
    codes: dict[str, int] = {}
    for i, row in enumerate(rows):
        leaning = rng.normal(0, 0.8, max(1, len(plan.options)))
        for j, column in enumerate(columns):
            cell = (row.id, column.id)
            if plan.name == "topic" and rng.random() < 0.01:
                measurements[cell] = Measurement(unscored="the prompt is longer than the context (2,113 tokens)")
                continue
            strength = plan.level + effects[i] + ease[j]
            if plan.options:
                measurements[cell], best = _scored(column, leaning, strength, rng)
                answer, values[i, j] = plan.options[best], float(best in column.gold)
            else:
                answer, values[i, j] = _written(column, strength, rng)
                measurements[cell] = Measurement(text=answer.capitalize() + ".")
            chosen[cell] = answer
            choices[i, j] = codes.setdefault(answer, len(codes))
    table = OutcomeTable(
        model=MODEL,
        task=plan.name,
        shots=shots,
        prompt_format="chat",
        instructions=tuple(row.id for row in rows),
        examples=tuple(column.id for column in columns),
        values=values,
        choices=choices,
        observed=np.array([row.collection in ("flan", "reference") for row in rows]) if known else None,
        chance=1 / len(plan.options) if plan.options else float("nan"),
    )
    controls = (InstructionSummary("negated-1", estimate(0.12, 0.05, 0.2), 0.0, None),) * (plan.name == "sentiment")
    metric = Metric.ACCURACY if plan.options else Metric.TOKEN_F1
    return Panel(summarise(table, resamples=200), table, rows, controls, columns, measurements, chosen, metric)


def _scored(column: Example, leaning: np.ndarray, strength: float, rng: np.random.Generator) -> tuple[Measurement, int]:
    scores = leaning + rng.gumbel(0, 0.7, len(column.options))
    scores[column.gold[0]] += 1.2 * strength
    logprobs = scores - np.log(np.exp(scores).sum()) - rng.exponential(0.7)
    measured = Measurement(
        logprobs=tuple(float(value) for value in logprobs),
        tokens=tuple(len(option.split()) for option in column.options),
        bytes=tuple(len(option.encode()) for option in column.options),
        merged=bool(rng.random() < 0.02),
    )
    return measured, int(scores.argmax())


def _written(column: Example, strength: float, rng: np.random.Generator) -> tuple[str, float]:
    if rng.random() < 1 / (1 + np.exp(-strength)):
        return column.references[0], 1.0
    if rng.random() < 0.4:
        return f"{column.references[0]} probably", 0.8
    return f"{rng.choice(_THINGS)} or so", 0.0


@cache
def run(*, known: bool = False, plans: tuple[Plan, ...] = PLANS, shots: tuple[int, ...] = (0,)) -> RunView:
    """A run of one model over several tasks."""
    return RunView(
        name="demo",
        facts={
            f"model {MODEL}: weights": "sha256 4f1c2a9be07d",
            "environment 1": "python 3.11, torch 2.13.0",
            "seed": "0",
        },
        notes=("entailment is near chance under most wordings: there, wording can show little.",),
        panels=tuple(panel(plan, shots=shot, known=known) for shot in shots for plan in plans),
    )


def far(panel: Panel, slope: float, models: tuple[str, ...], seed: int) -> tuple[Panel, DistanceTable]:
    """A panel with made-up distances, of which `slope` goes with the loss."""
    rng = np.random.default_rng([seed, *panel.summary.task.encode("utf-8", "surrogatepass")])
    references, count = reference_rows(panel.instructions), min(20, len(panel.examples))
    table = DistanceTable(panel.table, tuple(range(count)), np.zeros((1, 1)), np.zeros((1, 1)), references)
    loss = table.losses
    own, common = rng.normal(0, 0.03, (len(loss), count)), rng.normal(0, 0.1 * (1 - slope), (len(loss), 1))
    cosine = np.abs(0.4 + slope * np.nan_to_num(loss)[:, None] + own + common)
    cosine = np.where(np.isnan(loss)[:, None], np.nan, cosine)
    means = cosine @ np.full(count, 1 / count)
    rows, columns = np.divmod(np.arange(len(loss) * count), count)
    points = rng.uniform(-1, 1, (len(rows), 2)).astype(np.float32)
    geometry = Geometry(
        layer=-2, position="last", to="reference wording", l2=10 * means, cosine=means, centroid=12 * means,
        cka=1 - means, loss=loss, spread_l2=4.0, spread_cosine=0.2, examples=count, rows=rows, columns=columns,
        tsne=points, pca=points[::-1].copy(), explained=(0.4, 0.2), perplexity=19.0, together=models,
    )  # fmt: skip
    return replace(panel, geometry=geometry), replace(table, l2=10 * cosine, cosine=cosine)


@cache
def run_with_distances(*, slope: float = 0.5, models: tuple[str, ...] = (MODEL,)) -> RunView:
    """The standard run with distances; with several models, each has the same outcomes."""
    panels, said = [], {}
    for place, model in enumerate(models):
        pairs = [far(item, slope, models, place) for item in run().panels]
        panels += [
            replace(item, summary=replace(item.summary, model=model), table=replace(item.table, model=model))
            for item, _ in pairs
        ]
        said[model, 0, "chat"] = findings([table for _, table in pairs])
    return replace(run(), panels=tuple(panels), distances=said)


def estimate(value: float, low: float = float("nan"), high: float = float("nan")) -> Estimate:
    return Estimate(value, low, high, 0.95)


def tiny(
    *,
    task: str = "colour",
    model: str = "tiny",
    templates: tuple[str, ...] = ("What colour is {{ input }}?", "{{ input }}: which colour?"),
    text: str = "grass",
    options: tuple[str, ...] = ("green", "blue"),
    gap: Estimate | None = None,
) -> Panel:
    """Two examples under a few instructions, with estimates written by hand: nothing in it depends on an estimator."""
    rows = tuple(
        Instruction(
            f"wording-{index}", template, "human", OutputForm.LABEL, register="plain",
            reference="wording-0" if index else None, role=Role.PARAPHRASE if index else Role.REFERENCE,
        )
        for index, template in enumerate(templates)
    )  # fmt: skip
    columns = tuple(Example(f"{task}-{index}", {"input": text}, options, (0,)) for index in range(2))
    picked = [[0, 0] if not row else [0, 1] for row in range(len(rows))]
    logprobs = {0: (-0.1, -2.5), 1: (-1.75, -0.25)}
    cells = [(i, j, picked[i][j]) for i in range(len(rows)) for j in range(2)]
    values = np.array([[float(choice == 0) for choice in line] for line in picked])
    means = (estimate(1.0, 0.9, 1.0), *[estimate(0.5, 0.125, 0.875)] * (len(rows) - 1))
    summary = TaskSummary(
        model=model, task=task, shots=0, prompt_format="plain", n_instructions=len(rows), n_examples=2, chance=0.5,
        mean=estimate(0.75, 0.6, 0.9), std=estimate(0.354, 0.1, 0.4), minimum=means[-1], maximum=means[0],
        spread=estimate(0.5, 0.25, 0.625), gap=gap, flip_rate=estimate(0.5, 0.2, 0.8), unscored=estimate(0.0, 0.0, 0.0),
        instructions=tuple(InstructionSummary(row.id, mean, 0.0, None) for row, mean in zip(rows, means, strict=True)),
    )  # fmt: skip
    table = OutcomeTable(
        model, task, 0, "plain", tuple(row.id for row in rows), tuple(column.id for column in columns), values,
        np.array(picked, dtype=np.int64), None, 0.5,
    )  # fmt: skip
    measurements = {(rows[i].id, columns[j].id): Measurement(logprobs[k], (1, 1), (5, 4)) for i, j, k in cells}
    chosen = {(rows[i].id, columns[j].id): options[k] for i, j, k in cells}
    return Panel(summary, table, rows, (), columns, measurements, chosen)
