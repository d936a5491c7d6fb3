import json

import pytest

from isophrase.errors import ManyErrors, SourceError
from isophrase.sources.mmlu import GROUPS, SUBJECTS, subject_text
from isophrase.sources.resolve import load_tasks
from isophrase.types import Split, TaskKind, digest


def _rows(count, start=0):
    return "".join(
        f'"What, about ""{number}""?",a{number},b,c,d,{"ABCD"[number % 4]}\n' for number in range(start, start + count)
    )


def _load(folder, reference="mmlu/anatomy", **places):
    return load_tasks(reference, folder=folder, cache=folder, **places)


def test_there_are_57_subjects_in_four_groups():
    assert (len(SUBJECTS), len(set(SUBJECTS)), len(GROUPS)) == (57, 57, 4)
    assert [len(GROUPS[name]) for name in ("stem", "humanities", "social_sciences", "other")] == [18, 13, 12, 14]
    assert subject_text("us_foreign_policy") == "US foreign policy"
    assert subject_text("high_school_us_history") == "high school US history"


def test_the_published_layout_has_exemplars_and_dev_rows(write):
    folder = write(
        {
            "data/test/anatomy_test.csv": _rows(6),
            "data/dev/anatomy_dev.csv": _rows(5, 100),
            "data/val/anatomy_val.csv": _rows(2, 200),
        }
    )
    (loaded,) = _load(folder)
    task = loaded.task
    assert (task.name, task.kind, loaded.notes) == ("mmlu/anatomy", TaskKind.MULTIPLE_CHOICE, ())
    assert [len(task.split(split)) for split in (Split.TEST, Split.DEV, Split.EXEMPLAR, Split.TRAIN)] == [6, 2, 5, 0]
    first = task.examples[0]
    assert (first.id, first.options, first.gold) == ("test-1", ("a0", "b", "c", "d"), (0,))
    assert dict(first.fields) == {"input": 'What, about "0"?', "subject": "anatomy"}


def test_without_dev_rows_five_test_rows_are_exemplars_and_never_scored(write):
    folder = write({"anatomy_test.csv": _rows(20)})
    (loaded,) = _load(folder)
    assert [len(loaded.task.split(split)) for split in (Split.EXEMPLAR, Split.TEST)] == [5, 15]
    assert loaded.notes == ("no dev rows: 5 test rows are exemplars (seed 0) and not scored",)
    assert digest(_load(folder)[0].task) == digest(loaded.task)
    (other,) = _load(folder, {"mmlu": "anatomy", "seed": 1, "exemplars": 3})
    assert len(other.task.split(Split.EXEMPLAR)) == 3
    assert other.task.split(Split.EXEMPLAR) != loaded.task.split(Split.EXEMPLAR)[:3]


def test_a_repeated_row_is_never_an_exemplar(write):
    folder = write({"anatomy_test.csv": _rows(4) * 2 + _rows(5, 50)})
    (loaded,) = _load(folder)
    assert all("5" in example.fields["input"] for example in loaded.task.split(Split.EXEMPLAR))
    assert loaded.notes[-1].startswith("kept as published, though they repeat an earlier row: test-5, test-6")


def test_rows_with_two_equal_options_are_left_out_and_noted(write):
    folder = write({"anatomy_test.csv": _rows(9) + "q,x,x,y,z,C\n"})
    (loaded,) = _load(folder)
    assert len(loaded.task.examples) == 9
    assert loaded.notes[0] == "1 left out, two options have the same text (examples test-10)"


def test_bad_rows_are_named_all_at_once(write):
    folder = write({"anatomy_test.csv": _rows(1) + 'q,a,b,c,A\n"q\nr",a,b,c,d,E\nq,a,,c,d,A\n'})
    with pytest.raises(ManyErrors) as caught:
        _load(folder)
    assert caught.value.problems == (
        "anatomy_test.csv:2: 5 cells; expected a question, four options and a letter",
        "anatomy_test.csv:3: the answer is 'E'; expected A, B, C or D",
        "anatomy_test.csv:5: an empty cell; fill it",
    )


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        ("mmlu/anatomi", "did you mean 'anatomy'"),
        ("mmlu/anatomy", "none under .*; put the published data there"),
        ({"mmlu": "anatomy", "shots": 3}, "unknown key 'shots'"),
    ],
)
def test_a_wrong_reference_is_told(tmp_path, reference, message):
    with pytest.raises((SourceError, ManyErrors), match=message):
        _load(tmp_path, reference)


def test_too_few_rows_to_reserve_and_score_are_told(write):
    with pytest.raises(SourceError, match="reserve fewer `exemplars`"):
        _load(write({"anatomy_test.csv": _rows(5)}))


def test_a_hub_shaped_folder_gives_the_same_examples(write):
    import pyarrow as pa
    import pyarrow.parquet as pq

    folder = write({"csv/test/anatomy_test.csv": _rows(6), "csv/dev/anatomy_dev.csv": _rows(5, 100)})
    hub = folder / "hub"
    hub.mkdir()
    for name, count, start in (("test", 6, 0), ("dev", 5, 100), ("validation", 1, 900)):
        rows = [
            {
                "question": f'What, about "{number}"?',
                "subject": "anatomy",
                "choices": [f"a{number}", "b", "c", "d"],
                "answer": number % 4,
            }
            for number in range(start, start + count)
        ]
        if name == "test":
            rows.append({"question": "other", "subject": "astronomy", "choices": ["1", "0", "2", "3"], "answer": 1})
        pq.write_table(pa.Table.from_pylist(rows), hub / f"{name}-00000-of-00001.parquet")
    (from_csv,) = _load(folder / "csv")
    (from_hub,) = load_tasks({"mmlu": "anatomy", "hf": "hub"}, base=folder, cache=folder)
    for split in (Split.TEST, Split.EXEMPLAR):
        assert from_hub.task.split(split) == from_csv.task.split(split)
    (other,) = load_tasks({"mmlu": "astronomy", "hf": "hub", "exemplars": 0}, base=folder, cache=folder)
    assert [(example.gold, example.options) for example in other.task.examples] == [((1,), ("1", "0", "2", "3"))]
    with pytest.raises(SourceError, match="rows whose subject is 'virology'"):
        load_tasks({"mmlu": "virology", "hf": "hub"}, base=folder, cache=folder)


def test_all_of_the_published_test_rows_load(shared_data, tmp_path):
    loaded = load_tasks("mmlu/all", folder=shared_data / "mmlu", cache=tmp_path)
    left_out = sum(int(note.split()[0]) for item in loaded for note in item.notes if " left out, " in note)
    assert len(loaded) == 57
    assert sum(len(item.task.examples) for item in loaded) + left_out == 14042
    assert all(len(item.task.split(Split.EXEMPLAR)) == 5 for item in loaded)
    assert left_out < 15
    group = load_tasks("mmlu/stem", folder=shared_data / "mmlu", cache=tmp_path)
    assert [item.task.name for item in group] == [f"mmlu/{subject}" for subject in GROUPS["stem"]]
    json.dumps([item.notes for item in loaded])
