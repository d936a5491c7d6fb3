"""MMLU: folders of csv as published, and data sets of the shape of `cais/mmlu`.

Knows the 57 subjects, their four groups, and both layouts. Does not know the hub (huggingface.py).
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, field_validator

from isophrase.errors import SourceError
from isophrase.sources.documents import Document, decode, parse, read_bytes
from isophrase.sources.loaded import Loaded, Request, repeated, reserve_exemplars
from isophrase.sources.problems import Problems, listed, meant
from isophrase.sources.taskfile import HubData, LabelType, OptionSource, TaskFile
from isophrase.types import Example, Metric, Split, Task, TaskKind

_SUBJECTS_OF = {
    "stem": "abstract_algebra astronomy college_biology college_chemistry college_computer_science college_mathematics "
    "college_physics computer_security conceptual_physics electrical_engineering elementary_mathematics "
    "high_school_biology high_school_chemistry high_school_computer_science high_school_mathematics "
    "high_school_physics high_school_statistics machine_learning",
    "humanities": "formal_logic high_school_european_history high_school_us_history high_school_world_history "
    "international_law jurisprudence logical_fallacies moral_disputes moral_scenarios philosophy prehistory "
    "professional_law world_religions",
    "social_sciences": "econometrics high_school_geography high_school_government_and_politics "
    "high_school_macroeconomics high_school_microeconomics high_school_psychology human_sexuality "
    "professional_psychology public_relations security_studies sociology us_foreign_policy",
    "other": "anatomy business_ethics clinical_knowledge college_medicine global_facts human_aging management "
    "marketing medical_genetics miscellaneous nutrition professional_accounting professional_medicine virology",
}

GROUPS = MappingProxyType({group: tuple(subjects.split()) for group, subjects in _SUBJECTS_OF.items()})
"""Group -> subjects, as in the code published with the benchmark (Hendrycks et al., ICLR 2021)."""

SUBJECTS = tuple(sorted(subject for subjects in GROUPS.values() for subject in subjects))

LETTERS = "ABCD"
_FILES = ((Split.TEST, "test"), (Split.DEV, "val"), (Split.EXEMPLAR, "dev"))
_ORIGIN = "MMLU (Hendrycks et al., 2021; MIT)."


class _Options(BaseModel):
    """Further keys of a reference such as `{mmlu: anatomy, hf: cais/mmlu}`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    hf: HubData | None = None
    exemplars: Annotated[int, Field(ge=0)] = 5
    seed: int = 0

    @field_validator("hf", mode="before")
    @classmethod
    def _hub_data(cls, value: Any) -> Any:
        return {"dataset": value} if isinstance(value, str) else value


@dataclass(frozen=True, slots=True)
class _Found:
    """Where the csv files of a folder are: `nested` as published (`test/anatomy_test.csv`), or flat."""

    root: Path
    nested: bool

    def file(self, subject: str, part: str) -> Path:
        return (self.root / part if self.nested else self.root) / f"{subject}_{part}.csv"


def subject_text(subject: str) -> str:
    """A subject as a reader writes it: `us_foreign_policy` -> `US foreign policy`."""
    return subject.replace("_", " ").replace("us ", "US ")


def load(request: Request) -> tuple[Loaded, ...]:
    """Loader of MMLU: a subject, a group (`stem`, `humanities`, `social_sciences`, `other`), or `all` subjects.

    Rows of `dev` files are exemplars and rows of `val` files the dev split. Where there are no `dev` files, `exemplars`
    test rows of each subject (5 unless told otherwise) are reserved as exemplars by seed, and never scored.

    Raises:
        SourceError: An unknown subject, or no data for it.
        ManyErrors: Rows that are not a question with four options and a letter.
    """
    problems = Problems(f"mmlu/{request.name}")
    options = parse(_Options, Document("", dict(request.options)), problems)
    problems.check()
    assert options is not None, "parse gives None only with problems"
    subjects = _subjects(request.name)
    if options.hf is not None:
        return tuple(_from_dataset(subject, options, options.hf, request.base) for subject in subjects)
    found = _find(request.folder if request.folder is not None else request.cache / "mmlu")
    return tuple(_from_csv(subject, found, options) for subject in subjects)


def _subjects(name: str) -> Sequence[str]:
    if name in ("", "all"):
        return SUBJECTS
    subjects = GROUPS.get(name) or ((name,) if name in SUBJECTS else ())
    if not subjects:
        close = meant(name, [*SUBJECTS, *GROUPS]).removeprefix("; ")
        raise SourceError(
            f"an MMLU subject, a group ({listed(GROUPS)}) or `all`",
            got=repr(name),
            remedy=close or f"choose one of {listed(SUBJECTS, 57)}",
        )
    return subjects


def _find(folder: Path) -> _Found:
    for root in (folder, folder / "data"):
        if any((root / "test").glob("*_test.csv")):
            return _Found(root, nested=True)
        if any(root.glob("*_test.csv")):
            return _Found(root, nested=False)
    raise SourceError(
        "MMLU's csv files (`anatomy_test.csv` …, in one folder or in test/, dev/ and val/)",
        got=f"none under {folder}",
        remedy="put the published data there, give its `folder`, or use `{mmlu: anatomy, hf: cais/mmlu}`",
    )


def _from_csv(subject: str, found: _Found, options: _Options) -> Loaded:
    problems = Problems(f"mmlu/{subject}")
    examples: list[Example] = []
    content = hashlib.sha256()
    for split, part in _FILES:
        file = found.file(subject, part)
        if part == "test" or file.is_file():
            raw = read_bytes(file)
            content.update(raw)
            examples += _rows(raw, file.name, subject, split, problems)
    problems.check()
    return _finish(subject, f"sha256:{content.hexdigest()[:12]}", examples, options)


def _rows(raw: bytes, where: str, subject: str, split: Split, problems: Problems) -> Iterator[Example]:
    """The rows of one file. The published files quote freely, which lenient csv reading takes as they mean it."""
    reader = csv.reader(io.StringIO(decode(raw, where), newline=""))
    number, start = 0, 1
    try:
        for cells in reader:
            place, start = f"{where}:{start}", reader.line_num + 1
            if not cells:
                continue
            number += 1
            question, *rest = (cell.strip() for cell in cells)
            if len(rest) != 5:
                problems.add(place, f"{len(cells)} cells; expected a question, four options and a letter")
            elif rest[-1] not in LETTERS or len(rest[-1]) != 1:
                problems.add(place, f"the answer is {rest[-1]!r}; expected A, B, C or D")
            elif not question or not all(rest):
                problems.add(place, "an empty cell; fill it")
            else:
                yield _example(f"{split.value}-{number}", subject, question, rest[:4], LETTERS.index(rest[-1]), split)
    except csv.Error as error:
        problems.add(f"{where}:{start}", f"not csv ({error}); check the quotes")


def _example(identifier: str, subject: str, question: str, options: Sequence[str], gold: int, split: Split) -> Example:
    fields = {"input": question, "subject": subject_text(subject)}
    return Example(identifier, fields, tuple(options), (gold,), split=split)


def _finish(subject: str, version: str, examples: Sequence[Example], options: _Options) -> Loaded:
    notes: list[str] = []
    kept = tuple(item for item in examples if len(set(item.options)) == len(item.options))
    if len(kept) < len(examples):
        alike = listed([item.id for item in examples if len(set(item.options)) < len(item.options)], 5)
        notes.append(f"{len(examples) - len(kept)} left out, two options have the same text (examples {alike})")
    if not any(item.split is Split.EXEMPLAR for item in kept) and options.exemplars:
        kept = reserve_exemplars(kept, options.exemplars, options.seed)
        notes.append(f"no dev rows: {options.exemplars} test rows are exemplars (seed {options.seed}) and not scored")
    if not any(item.split is Split.TEST for item in kept):
        got = f"{len(examples)} rows, of which {options.exemplars} are reserved as exemplars"
        raise SourceError(f"test rows of mmlu/{subject}", got=got, remedy="reserve fewer `exemplars`")
    twins = repeated(kept)
    if twins:
        notes.append(f"kept as published, though they repeat an earlier row: {listed([item.id for item in twins], 5)}")
    task = Task(
        name=f"mmlu/{subject}",
        version=version,
        kind=TaskKind.MULTIPLE_CHOICE,
        metric=Metric.ACCURACY,
        examples=kept,
        description=f"Multiple choice questions about {subject_text(subject)}, four options each.",
        origin=_ORIGIN,
    )
    return Loaded(task, notes=tuple(notes))


def _from_dataset(subject: str, options: _Options, data: HubData, base: Path) -> Loaded:
    """A subject from a data set with the columns question, choices, answer (an index) and perhaps subject."""
    from isophrase.sources.huggingface import load_hub_task, local_folder

    local = local_folder(data.dataset, base) is not None
    splits = {Split.TEST: "test", Split.DEV: "validation", Split.EXEMPLAR: "dev"}
    file = TaskFile(
        name=f"mmlu/{subject}",
        kind=TaskKind.MULTIPLE_CHOICE,
        metric=Metric.ACCURACY,
        hf=data.model_copy(
            update={
                "subset": data.subset or (None if local else subject),
                "splits": data.splits if "splits" in data.model_fields_set else splits,
            }
        ),
        fields={"input": "question", "subject": "subject"},
        options=OptionSource(column="choices"),
        label="answer",
        label_type=LabelType.INDEX,
        bad_rows="skip",
    )
    loaded = load_hub_task(file, Document(f"mmlu/{subject}", {}), base)
    mine = [item for item in loaded.task.examples if item.fields["subject"].replace(" ", "_") == subject]
    if not mine:
        found = listed(sorted({item.fields["subject"] for item in loaded.task.examples}), 5)
        raise SourceError(f"rows whose subject is {subject!r}", got=f"the subjects {found}", remedy="check `subset`")
    named = [replace(item, fields={**item.fields, "subject": subject_text(subject)}) for item in mine]
    finished = _finish(subject, loaded.task.version, named, options)
    return replace(finished, notes=loaded.notes + finished.notes)
