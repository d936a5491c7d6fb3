"""From a job's file to an adapter and its proof, on a small model."""

import csv
import json
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from pydantic import TypeAdapter

from isophrase.alignment.dividing import material_of
from isophrase.alignment.exposure import with_exposure, without_seen
from isophrase.alignment.job import load_job
from isophrase.alignment.method import TUNE
from isophrase.alignment.record import Record, content_digest, read_record
from isophrase.api import alignment, runs
from isophrase.cache import cache_folder
from isophrase.errors import ConfigError, ManyErrors, StoreError
from isophrase.experiment import Seen, parse_experiment
from isophrase.plan import Asked, Plan, make_plan
from isophrase.progress import Silent
from isophrase.sources.documents import Document
from isophrase.types import ModelSpec, Split
from tests.alignment.small import material
from tests.engine.reference import folder

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")


NOUNS = ("film", "food", "game", "place", "song", "book", "play", "trip", "talk", "room")


class Told(Silent):
    def __init__(self, note):
        self.note = note


def no_model(*_, **__):
    raise AssertionError("loaded")


def job_file(path, **changes):
    content = {
        "name": "small",
        "model": {"source": str(folder("llama")), "format": "plain", "dtype": "float32"},
        "method": {"base": "pt+kl", "parameters": {"length": 3}, "schedule": {"steps": 2}},
        "tasks": ["sentiment"],
        "watch": {"every": 1, "wordings": 1, "inputs": 2},
        "verify": {"limit": 3},
        **changes,
    }
    (path / "job.yaml").write_text(yaml.safe_dump(content))
    return path / "job.yaml"


def test_a_job_becomes_an_adapter_that_is_verified_on_what_it_never_saw(tmp_path):
    path = job_file(tmp_path)
    found = alignment.align(path, tmp_path / "out")
    assert found.record.parameters == 3 * 2 * 2 * 2 * 8  # tokens × layers × (key, value) × heads × head size
    assert (found.folder / "adapter_model.safetensors").is_file()
    before, after = alignment.verify(path, tmp_path / "out")
    panels = [runs.read(place).panels[0] for place in (before, after)]
    asked = {item.id for item in panels[0].instructions}
    trained = set(found.record.instructions["sentiment"])
    references = {item.id for item in load_job(path, cache_folder()).materials[0].wordings.references}
    assert asked & trained == references
    assert panels[0].measurements != panels[1].measurements
    assert len(json.loads((found.folder / "isophrase.json").read_text())["sights"]) == 3


def test_a_table_that_repeats_its_rows_is_trained_on_and_verified(tmp_path):
    texts = [f"The {noun} was {mood}, they said." for noun in NOUNS for mood in ("a delight", "cold")]
    with (tmp_path / "moods.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["text", "label"])
        rows.writerows([text, "positive" if "delight" in text else "negative"] for text in (*texts, *texts))
    task = {
        "name": "moods", "kind": "classification", "data": "moods.csv", "fields": {"input": "text"}, "label": "label",
        "options": ["negative", "positive"],
    }  # fmt: skip
    path = job_file(tmp_path, tasks=[{"task": task, "instructions": "sentiment"}], verify={"limit": 20})
    said = []
    alignment.align(path, tmp_path / "out", Told(said.append))
    before, _ = alignment.verify(path, tmp_path / "out")
    assert any("repeat" in line for line in said)
    assert any("repeat" in note for note in runs.read(before).notes)


def test_a_tuned_model_is_a_checkpoint_that_knows_what_it_observed(tmp_path):
    method = {"parameters": {"kind": "lora"}, "schedule": {"steps": 1}}
    found = alignment.tune(job_file(tmp_path, method=method), tmp_path / "out")
    assert found.record.kind == "tune"
    assert found.record.parameters > 0
    spec = with_exposure(ModelSpec("x", "base", adapter=str(found.folder)))
    assert spec.trained_on == frozenset(found.record.tuned_on)
    assert len(spec.trained_on) > 3


def test_everything_wrong_with_a_job_is_said_at_once(tmp_path):
    path = job_file(tmp_path, method={"consistency": "much", "draws": {"word": 3}}, tasks=["sentimentt", "topic"])
    with pytest.raises(ManyErrors) as caught:
        load_job(path, cache_folder())
    text = str(caught.value)
    assert "sentimentt" in text
    assert "consistency" in text
    assert "draws.word" in text


def test_a_method_that_is_no_name_is_said_in_one_line(tmp_path):
    with pytest.raises(
        ManyErrors, match="method: expected a method's name or a mapping of its fields; got 5"
    ) as caught:
        load_job(job_file(tmp_path, method=5), cache_folder())
    assert len(caught.value.problems) == 1


def test_the_wordings_that_come_with_a_task_can_be_trained_on(tmp_path):
    examples = [{"input": f"The {noun} was {mood}.", "target_scores": {"good": mood == "fine", "bad": mood != "fine"}}
                for noun in NOUNS for mood in ("fine", "cold")]  # fmt: skip
    content = {
        "name": "moods", "description": "Moods", "keywords": [], "metrics": ["multiple_choice_grade"],
        "preferred_score": "multiple_choice_grade", "examples": examples,
        "task_prefix": "Say whether the following is good or bad.",
    }  # fmt: skip
    (tmp_path / "moods").mkdir()
    (tmp_path / "moods" / "task.json").write_text(json.dumps(content))
    tuning = {"supervised": 0, "supervised_reference": 1, "draws": {"wordings": 0, "references": 2}}
    for named in ({}, {"instructions": "native"}):
        task = {"task": "bigbench/moods", "folder": ".", **named}
        job = load_job(job_file(tmp_path, tasks=[task], method=tuning), cache_folder(), default=TUNE)
        assert job.materials[0].wordings.references


def test_a_model_that_was_trained_is_known_by_its_own_folder_and_record():
    base = ModelSpec("m", "org/m", revision="abc", trained_on=frozenset({"flan"}))
    whole, adapted = (alignment._trained(base, Path("out"), full=full) for full in (True, False))
    assert (whole.source, whole.revision, whole.trained_on) == ("out", None, None)
    assert (adapted.source, adapted.revision, adapted.adapter, adapted.trained_on) == ("org/m", "abc", "out", None)


@pytest.mark.parametrize(
    "change",
    [
        {"methods": "pt"},
        {"tasks": []},
        {"seed": "x"},
        {"seed": -1},
        {"watch": {"outside": [{"task": "topic", "weight": 7}]}},
    ],
)
def test_unknown_keys_missing_tasks_and_bad_seeds_are_errors(tmp_path, change):
    with pytest.raises(ManyErrors):
        load_job(job_file(tmp_path, **change), cache_folder())


def test_texts_that_are_no_utf8_or_missing_are_said_with_all_else(tmp_path):
    (tmp_path / "latin.txt").write_bytes("caf\u00e9\n".encode("latin-1"))
    with pytest.raises(ManyErrors) as caught:
        load_job(job_file(tmp_path, watch={"texts": "latin.txt"}, tasks=["sentimentt"]), cache_folder())
    assert "watch.texts: expected UTF-8 text; got the byte 0xe9" in str(caught.value)
    assert "sentimentt" in str(caught.value)
    with pytest.raises(ManyErrors, match=r"watch\.texts: expected an existing file"):
        load_job(job_file(tmp_path, watch={"texts": "none.txt"}), cache_folder())


@pytest.mark.parametrize("below", [(), ("deep", "er")])
def test_an_output_folder_that_is_a_file_is_said_before_the_model_is_loaded(tmp_path, monkeypatch, below):
    monkeypatch.setattr(alignment, "load", no_model)
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="choose another --out"):
        alignment.align(job_file(tmp_path), (tmp_path / "file").joinpath(*below))


def test_wordings_that_do_not_fit_a_task_are_refused_as_an_experiment_does(tmp_path):
    tasks = [{"task": "extraction", "instructions": "multiple-choice"}, {"task": "topic", "instructions": "extraction"}]
    with pytest.raises(ManyErrors) as caught:
        load_job(job_file(tmp_path, tasks=tasks), cache_folder())
    content = {"name": "x", "models": ["m"], "tasks": tasks}
    experiment = parse_experiment(Document("x.yaml", content), base=tmp_path)
    with pytest.raises(ManyErrors) as refused:
        make_plan(experiment, cache_folder())
    assert len(caught.value.problems) == 2
    assert caught.value.problems == refused.value.problems


def set_file(path, name, parts):
    wordings = [
        {"id": f"{part}-{number}", "template": template, "collection": part, "register": f"{name}-{part}",
         "output_form": "label", "role": "reference" if part == "reference" else "paraphrase"}
        for part, templates in parts.items()
        for number, template in enumerate(templates)
    ]  # fmt: skip
    content = {"name": name, "version": "1.0", "origin": "The test.", "instructions": wordings}
    (path / f"{name}.yaml").write_text(yaml.safe_dump(content))
    return {"task": "sentiment", "instructions": f"{name}.yaml", "division": "collections"}


FIRST = {
    "reference": ["Say whether its sentiment is positive or negative. {{ input }}"],
    "train": ["{{ input }} Which of the labels?", "Read the sentence: {{ input }} Answer with one label."],
    "dev": ["Topic and sentiment of {{ input }} please"],
    "test": ["In Paris they say: {{ input }} What now?"],
}
SECOND = {
    "reference": ["Tell the mood that speaks from {{ input }}"],
    "train": ["Glad or sad, what do you make of {{ input }}"],
    "dev": ["How does this one feel to you, {{ input }}"],
    "test": ["A critic wrote {{ input }} Was there praise?"],
}


def test_entries_of_one_task_that_leak_into_each_other_are_refused_with_all_else(tmp_path):
    leaking = {**SECOND, "train": FIRST["test"]}
    tasks = [set_file(tmp_path, "a", FIRST), "sentimentt", set_file(tmp_path, "b", leaking)]
    with pytest.raises(ManyErrors, match=r"tasks: test wording 'a/test-0' is nearly 'b/train-0'") as caught:
        load_job(job_file(tmp_path, tasks=tasks), cache_folder())
    assert len(caught.value.problems) == 2


def test_two_sets_for_one_task_are_both_recorded_and_both_verified(tmp_path):
    tasks = [set_file(tmp_path, "a", FIRST), set_file(tmp_path, "b", SECOND)]
    path = job_file(tmp_path, tasks=tasks)
    found = alignment.align(path, tmp_path / "out", to_verify=True)
    assert {name.split("/")[0] for name in found.record.instructions["sentiment"]} == {"a", "b"}
    before, _ = alignment.verify(path, tmp_path / "out")
    (panel,) = runs.read(before).panels
    assert {item.id for item in panel.instructions} == {"a/reference-0", "b/reference-0", "a/test-0", "b/test-0"}


def test_what_a_base_model_was_tuned_on_is_left_out_or_said_before_training(tmp_path, monkeypatch):
    method = {"parameters": {"kind": "full"}, "schedule": {"steps": 1}}
    tuned = alignment.tune(job_file(tmp_path, method=method, seed=1), tmp_path / "tuned")
    model = {"source": str(tuned.folder), "format": "plain", "dtype": "float32"}
    path = job_file(tmp_path, model=model)
    said = []
    alignment.align(path, tmp_path / "out", Told(said.append), to_verify=True)
    before, _ = alignment.verify(path, tmp_path / "out")
    for lines in (said, runs.read(before).notes):
        assert any("the base model has seen them" in line for line in lines)
    assert not {content_digest(item) for item in runs.read(before).panels[0].examples} & set(tuned.record.examples)

    monkeypatch.setattr(alignment, "load", no_model)
    everything = tuple(content_digest(item) for item in load_job(path, cache_folder()).materials[0].task.examples)
    record = replace(tuned.record, examples=everything)
    (tuned.folder / "isophrase.json").write_bytes(TypeAdapter(Record).dump_json(record))
    with pytest.raises(ManyErrors, match="say `seed: 1`, with which the base model was trained"):
        alignment.align(path, tmp_path / "other", to_verify=True)


def test_a_tuned_model_of_all_weights_is_verified_too(tmp_path):
    path = job_file(tmp_path, method={"schedule": {"steps": 1}})
    with pytest.raises(StoreError, match="a finished training"):
        alignment.verify(path, tmp_path / "out")
    assert alignment.tune(path, tmp_path / "out").record.method["parameters"]["kind"] == "full"
    before, after = alignment.verify(path, tmp_path / "out")
    assert runs.read(before).panels[0].measurements != runs.read(after).panels[0].measurements


def test_patience_without_wordings_to_look_at_is_an_error(tmp_path):
    with pytest.raises(ManyErrors, match="patience waits for development wordings"):
        load_job(job_file(tmp_path, watch={"wordings": 0, "patience": 2}), cache_folder())


def test_inputs_for_development_are_taken_out_of_those_for_training():
    task = replace(material().task, examples=tuple(one for one in material(20).task.examples if one.split != Split.DEV))
    divided = material_of(task, material().wordings, 0)
    assert len(divided.train) == 16
    assert len(divided.dev) == 4
    assert not {one.id for one in divided.train} & {one.id for one in divided.dev}


def test_an_unknown_method_lists_those_there_are(tmp_path):
    with pytest.raises(ManyErrors, match=r"pt\+kl"):
        load_job(job_file(tmp_path, method="prefix"), cache_folder())


@pytest.fixture(scope="module")
def aligned(tmp_path_factory):
    place = tmp_path_factory.mktemp("aligned")
    path = job_file(place)
    return load_job(path, cache_folder()).materials[0], alignment.align(path, place / "out").folder


def plan_of(material, wordings, examples):
    return Plan((Asked(material.task, tuple(wordings), tuple(examples)),), (), {})


def test_scoring_a_trained_wording_or_example_as_held_out_is_refused(aligned):
    material, adapter = aligned
    spec = ModelSpec("x", str(folder("llama")), adapter=str(adapter))
    test = material.task.split(Split.TEST)
    wordings = material.wordings
    clean = plan_of(material, (*wordings.references, *wordings.test), test)
    assert without_seen(clean, [spec], Seen.REFUSE) == clean
    with pytest.raises(ConfigError, match="1 wordings"):
        without_seen(plan_of(material, (*wordings.test, wordings.train[0]), test), [spec], Seen.REFUSE)


def test_what_was_seen_can_be_left_out(aligned):
    material, adapter = aligned
    spec = ModelSpec("x", str(folder("llama")), adapter=str(adapter))
    wordings = (*material.wordings.test, *material.wordings.train)
    plan = plan_of(material, wordings, material.task.split(Split.TEST))
    (asked,) = without_seen(plan, [spec], Seen.LEAVE_OUT).asked
    assert asked.instructions == material.wordings.test
    with pytest.raises(ConfigError, match="nothing"):
        without_seen(plan_of(material, material.wordings.train, material.task.examples), [spec], Seen.LEAVE_OUT)


def test_a_damaged_record_says_what_to_do(aligned, tmp_path):
    (tmp_path / "isophrase.json").write_text("{}")
    with pytest.raises(Exception, match="train again"):
        read_record(tmp_path)


def moods(path, rows):
    """A task with a split column over these (text, label, split)."""
    with (path / "moods.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["text", "label", "split"])
        writer.writerows(rows)
    return {
        "name": "moods", "kind": "classification", "data": "moods.csv", "fields": {"input": "text"}, "label": "label",
        "options": ["negative", "positive"], "split": "split",
    }  # fmt: skip


def sentences(split, labelled=True):
    return [
        (f"The {noun} was {mood}, {split} said.", label if labelled else "", split)
        for noun in NOUNS for mood, label in (("a delight", "positive"), ("cold", "negative"))
    ]  # fmt: skip


def test_inputs_without_labels_are_trained_on_by_a_method_that_needs_none(tmp_path):
    task = moods(tmp_path, sentences("train", labelled=False) + sentences("test"))
    tasks = [{"task": task, "instructions": "sentiment"}]
    method = {"base": "consensus", "parameters": {"length": 3}, "schedule": {"steps": 2}}
    path = job_file(tmp_path, tasks=tasks, method=method)
    said = []
    found = alignment.align(path, tmp_path / "out", Told(said.append), to_verify=True)
    assert "moods: 20 train rows have no label: only training that needs none can use them" in said
    (item,) = load_job(path, cache_folder()).materials
    assert not any(one.labelled for one in item.train)
    assert all(one.labelled for one in item.dev)
    assert {one.id for one in item.dev}.isdisjoint(one.id for one in item.task.split(Split.TEST))
    with_label = replace(item.train[0], gold=(1,))
    assert content_digest(with_label) in found.record.examples  # met again with a label, it is no held-out input
    before, _ = alignment.verify(path, tmp_path / "out")
    assert runs.read(before).panels[0].examples


def test_inputs_without_labels_are_refused_where_a_loss_needs_one(tmp_path):
    task = moods(tmp_path, sentences("train", labelled=False) + sentences("test"))
    path = job_file(tmp_path, tasks=[{"task": task, "instructions": "sentiment"}], method="default")
    with pytest.raises(
        ManyErrors, match="20 of 20 train examples of task 'moods' have none; got cross-entropy"
    ) as caught:
        load_job(path, cache_folder())
    assert "`{base: pt+kl, supervised: 0, consistency: 1}`" in str(caught.value)  # and what is said there is heeded:
    method = {"base": "pt+kl", "supervised": 0, "consistency": 1}
    job_file(tmp_path, tasks=[{"task": task, "instructions": "sentiment"}], method=method)
    assert load_job(path, cache_folder()).method.consistency == 1


def test_a_test_row_without_a_label_stays_an_error(tmp_path):
    task = moods(tmp_path, sentences("train") + sentences("test", labelled=False))
    with pytest.raises(ManyErrors, match="no label; give the right option"):
        load_job(job_file(tmp_path, tasks=[{"task": task, "instructions": "sentiment"}]), cache_folder())


def test_label_distributions_of_free_text_are_refused(tmp_path):
    path = job_file(tmp_path, tasks=["extraction"], method="consensus")
    with pytest.raises(ManyErrors, match="expected `space: vocabulary`, as task 'extraction' has no options"):
        load_job(path, cache_folder())


def test_one_wording_and_train_rows_alone_can_be_tuned_on_but_not_aligned(tmp_path):
    task = moods(tmp_path, sentences("train"))
    wordings = set_file(tmp_path, "one", {"reference": FIRST["reference"]})
    tasks = [{**wordings, "task": task, "division": "chance"}]
    method = {
        "supervised": 0, "supervised_reference": 1, "parameters": {"kind": "lora"},
        "draws": {"wordings": 0, "references": 2}, "schedule": {"steps": 1},
    }  # fmt: skip
    path = job_file(tmp_path, tasks=tasks, method=method)
    found = alignment.tune(path, tmp_path / "out")
    assert found.record.instructions == {"moods": ("one/reference-0",)}
    with pytest.raises(ManyErrors, match="got none; add some to the set"):
        load_job(path, cache_folder())


def test_a_checkpoint_remembers_what_the_model_that_it_comes_from_has_seen(tmp_path):
    method = {"parameters": {"kind": "full"}, "schedule": {"steps": 1}}
    tuned = alignment.tune(job_file(tmp_path, method=method), tmp_path / "tuned")
    model = {"source": str(tuned.folder), "format": "plain", "dtype": "float32"}
    path = job_file(tmp_path, model=model, method={**method, "base": "ft"}, tasks=["topic"])
    found = alignment.align(path, tmp_path / "out")
    spec = with_exposure(ModelSpec("x", str(found.folder)))
    assert spec.trained_on == frozenset(tuned.record.tuned_on)
    assert set(tuned.record.examples) < set(found.record.examples)
    again = {**model, "source": str(found.folder)}
    last = alignment.align(job_file(tmp_path, model=again, method={**method, "base": "ft"}), tmp_path / "last")
    assert set(found.record.aligned_on) < set(last.record.aligned_on)


def test_inputs_without_labels_are_not_scored(tmp_path):
    task = moods(tmp_path, sentences("train", labelled=False)[:15] + sentences("train")[15:] + sentences("test"))
    asked = {"task": task, "instructions": "sentiment", "split": "train"}
    content = {"name": "x", "models": [{"source": "base"}], "tasks": [asked]}
    plan = make_plan(parse_experiment(Document("x", content), base=tmp_path), cache_folder())
    assert len(plan.asked[0].examples) == 5
    assert "moods: 15 train rows have no label: only training that needs none can use them" in plan.notes


def test_a_tuning_on_references_alone_is_verified_by_its_own_default(tmp_path):
    method = {
        "supervised": 0, "supervised_reference": 1, "draws": {"wordings": 0, "references": 2}, "schedule": {"steps": 1},
    }  # fmt: skip
    path = job_file(tmp_path, method=method)
    assert alignment.tune(path, tmp_path / "out", to_verify=True).record.kind == "tune"
    before, _ = alignment.verify(path, tmp_path / "out")
    assert runs.read(before).panels[0].examples


def test_development_inputs_have_labels_where_every_train_row_has_a_copy_without_one(tmp_path):
    rows = sentences("train")
    task = moods(tmp_path, rows + [(text, "", split) for text, _, split in rows] + sentences("test"))
    (item,) = load_job(job_file(tmp_path, tasks=[{"task": task, "instructions": "sentiment"}],
                                method="consensus"), cache_folder()).materials  # fmt: skip
    assert item.dev  # taken from the test examples, as copies of unlabelled inputs can't be looked at
    assert all(one.labelled for one in item.dev)
