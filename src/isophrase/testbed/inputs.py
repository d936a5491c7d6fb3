"""The testbed's tasks: six questions about the same short reviews, so that only the instruction says what to do.

Knows the label rules and the two sources of reviews: sentences written by this project, and BIG-bench's multiemo. Does
not know wordings or models.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.resources import files
from itertools import islice, zip_longest
from pathlib import Path

from isophrase.alignment.sampling import wrong_option
from isophrase.errors import SourceError
from isophrase.sources.resolve import load_tasks
from isophrase.types import Example, Metric, Split, Task, TaskKind

ALIGNED = ("sentiment", "domain", "negation", "number")
"""The tasks that alignment sees."""
HELD_OUT = ("person", "length")
"""The tasks that it does not."""
TASKS = ALIGNED + HELD_OUT

SHORT, LONG = 8, 13
"""A short text has at most 8 words, a long one at least 13; there is none in between."""
MOST = 26
"""No text has more words."""

_NEGATION = re.compile(
    r"\b(not|no|never|nothing|nobody|none|nor|neither|without|cannot|nowhere)\b|n[’']t\b", re.IGNORECASE
)
_PERSON = re.compile(r"\b(I|me|my|mine|myself|we|us|our|ours|ourselves)\b", re.IGNORECASE)
_NUMBER = re.compile(
    r"\d|\b(two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|twenty|thirty|forty|fifty|sixty|hundred|thousand"
    r"|dozen)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Review:
    """A text with what its author or annotator says of it.

    Attributes:
        id: Unique inside its source.
        text: The review.
        sentiment: `positive` or `negative`.
        domain: `hotel`, `doctor` or `product`.
        split: What it is for.
    """

    id: str
    text: str
    sentiment: str
    domain: str
    split: Split


def _yes(pattern: re.Pattern[str]) -> Callable[[Review], str]:
    return lambda review: "yes" if pattern.search(review.text) else "no"


def _length(review: Review) -> str:
    return "short" if len(review.text.split()) <= SHORT else "long"


RULES: Mapping[str, tuple[tuple[str, ...], Callable[[Review], str]]] = {
    "sentiment": (("positive", "negative"), lambda review: review.sentiment),
    "domain": (("hotel", "doctor", "product"), lambda review: review.domain),
    "negation": (("yes", "no"), _yes(_NEGATION)),
    "number": (("yes", "no"), _yes(_NUMBER)),
    "person": (("yes", "no"), _yes(_PERSON)),
    "length": (("short", "long"), _length),
}
"""Task -> its labels and the rule that gives a review's label."""


def make_task(name: str, reviews: Sequence[Review], origin: str) -> Task:
    """One of the testbed's tasks over some reviews."""
    options, rule = RULES[name]
    examples = tuple(
        Example(item.id, {"text": item.text}, options, (options.index(rule(item)),), split=item.split)
        for item in reviews
    )
    return Task(
        f"testbed-{name}", "1.0", TaskKind.CLASSIFICATION, Metric.ACCURACY, examples,
        description=f"The {name} of a short review, asked over the same reviews as the other testbed tasks.",
        origin=origin,
    )  # fmt: skip


def make_opposite(task: Task) -> Task:
    """The same inputs with the label that a negated wording of the task asks for: the other one, or one of the others.

    Among several the input's id decides.
    """
    examples = tuple(replace(item, gold=(wrong_option(item),)) for item in task.examples)
    return replace(
        task, name=task.name.replace("testbed-", "testbed-not-", 1), examples=examples,
        description=f"What a negated wording of {task.name} asks for, over the same reviews.",
    )  # fmt: skip


def own_reviews() -> tuple[Review, ...]:
    """The reviews that this project wrote."""
    lines = (files("isophrase.data") / "testbed" / "inputs.jsonl").read_text(encoding="utf-8").splitlines()
    rows = map(json.loads, lines)
    return tuple(
        Review(row["id"], row["text"], row["sentiment"], row["domain"], Split(row["split"])) for row in rows
    )  # fmt: skip


_DOMAINS = {"hotels": "hotel", "medicine": "doctor", "products": "product"}
_COUNTS = {Split.TRAIN: 420, Split.DEV: 100, Split.TEST: 140}


def multiemo_reviews(cache: Path) -> tuple[Review, ...]:
    """English sentences of BIG-bench's multiemo, chosen by a hash of their text: clearly short or long, of one mood.

    Raises:
        SourceError: BIG-bench is not in the cache.
    """
    found: list[Review] = []
    for folder, domain in _DOMAINS.items():
        (loaded,) = load_tasks(f"bigbench/multiemo/{folder}_sentence_en", cache=cache)
        for sentiment in RULES["sentiment"][0]:
            texts = {
                example.fields["input"].strip()
                for example in loaded.task.examples
                if example.options[example.gold[0]] == sentiment
            }
            found += _chosen(domain, sentiment, sorted(texts, key=_rank))
    # By another hash than they were chosen by, in which those of a small pool come last.
    return tuple(sorted(found, key=lambda review: _rank(f"in order\0{review.text}")))


def _chosen(domain: str, sentiment: str, ranked: Sequence[str]) -> list[Review]:
    """A sixth of every split, half of it short."""
    fit = {
        "short": [text for text in ranked if 4 <= len(text.split()) <= SHORT],
        "long": [text for text in ranked if LONG <= len(text.split()) <= MOST],
    }
    found = []
    for size, pool in fit.items():
        shares = {split: count // 12 + (1 if size == "short" and count % 12 else 0) for split, count in _COUNTS.items()}
        wanted = sum(shares.values())
        if wanted > len(pool):
            raise SourceError(
                f"at least {wanted} {size} {sentiment} sentences about a {domain} in multiemo",
                got=str(len(pool)), remedy="fetch BIG-bench 1.0.0 again: isophrase tasks fetch bigbench",
            )  # fmt: skip
        texts = iter(sorted(_of_all_kinds(pool, wanted), key=lambda text: _rank(f"split\0{text}")))
        for split, share in shares.items():
            for text in islice(texts, share):
                found.append(Review(f"{domain}-{_rank(text)[:10]}", text, sentiment, domain, split))
    return found


def _of_all_kinds(pool: Sequence[str], count: int) -> list[str]:
    """The first texts of each combination of negation, number and person in turn, so that no label is rare."""
    kinds: dict[tuple[bool, ...], list[str]] = {}
    for text in pool:
        kind = tuple(pattern.search(text) is not None for pattern in (_NEGATION, _NUMBER, _PERSON))
        kinds.setdefault(kind, []).append(text)
    rounds = zip_longest(*(kinds[kind] for kind in sorted(kinds)))
    return list(islice((text for one in rounds for text in one if text is not None), count))


def _rank(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
