"""Results measured elsewhere become runs: means of wordings, and single answers of three other tools."""

import json
import zipfile

import pytest

from isophrase.api.importing import import_results
from isophrase.api.runs import read, write_report
from isophrase.errors import IsophraseError
from isophrase.report.machine import to_json_text

HEADER = "Model,Dataset,Collection,Type,ID,Shots,Performance,Metric,Include?\n"


def paper_table(path):
    lines = [
        f"flan,{dataset},{collection},{kind},{number},0,{base + number},EM,{'TRUE' if number % 2 else 'True'}"
        for dataset in ("strategyqa", "winowhy")
        for collection, kind, base in (("flan", "Observed", 60), ("human", "Unobserved", 52))
        for number in range(6)
    ]
    lines += ["flan,winowhy,human,Unobserved,9,0,PD,EM,TRUE", "flan,winowhy,human,Unobserved,10,0,3,EM,FALSE"]
    path.write_text(HEADER + "\n".join(lines) + "\n")
    return path


def test_a_table_of_means_has_means_gaps_and_tests_without_single_answers(tmp_path):
    folder = import_results([paper_table(tmp_path / "paper.csv")], tmp_path / "run")
    view = read(folder)
    first = view.panels[0].summary
    assert (first.task, first.model, first.n_instructions) == ("strategyqa", "flan", 12)
    assert first.mean.value == pytest.approx(0.585)
    assert first.gap.value == pytest.approx(0.08)
    assert first.gap.low > 0
    assert first.flip_rate.value != first.flip_rate.value
    assert any("1 rows are marked as not included" in note for note in view.notes)
    assert any("1 wordings were never run" in note for note in view.notes)
    assert view.panels[1].summary.unscored.value == pytest.approx(1 / 13)
    values = json.loads(to_json_text(view))
    assert values["models"][0]["gap"]["these"]["value"] == pytest.approx(0.08)
    page = write_report(folder, view).read_text()
    assert "What can be concluded" in page


def test_the_same_table_may_be_imported_again_and_another_is_refused(tmp_path):
    table = paper_table(tmp_path / "paper.csv")
    import_results([table], tmp_path / "run")
    import_results([table], tmp_path / "run")
    table.write_text(table.read_text().replace(",60,", ",61,"))
    with pytest.raises(IsophraseError, match="an empty folder"):
        import_results([table], tmp_path / "run")


def test_everything_wrong_with_a_table_is_said_at_once(tmp_path):
    path = tmp_path / "bad.csv"
    path.write_text(
        HEADER + "m,d,c,Observed,1,zero,50,EM,TRUE\nm,d,c,Observed,2,0,good,EM,maybe\nm,,c,Observed,3,0,5,EM,1\n"
    )
    with pytest.raises(IsophraseError) as caught:
        import_results([path], tmp_path / "run")
    text = str(caught.value)
    for words in ("bad.csv:2: Shots", "bad.csv:3: Include?", "bad.csv:3: Performance", "bad.csv:4: Dataset"):
        assert words in text
    path.write_text("Model,Dataset\nm,d\n")
    with pytest.raises(IsophraseError, match="none called Collection"):
        import_results([path], tmp_path / "run")


def lm_eval_file(path, right):
    lines = []
    for number in range(12):
        best = number % 2 if number < right else 1 - number % 2
        scores = [[[str(-1.0 if index == best else -2.0), "False"]] for index in range(2)]
        lines.append(json.dumps({
            "doc_id": number, "doc": {"question": f"q{number}", "answer": number % 2}, "target": number % 2,
            "arguments": {f"gen_args_{index}": {"arg_0": f"Q: q{number}\nA:", "arg_1": f" {name}"}
                          for index, name in enumerate(("no", "yes"))},
            "resps": scores, "acc": float(number < right),
        }))  # fmt: skip
    path.parent.mkdir(exist_ok=True)
    path.write_text("\n".join(lines))
    return path


def test_samples_of_lm_eval_are_wordings_of_one_task(tmp_path):
    files = [
        lm_eval_file(tmp_path / "gpt2" / f"samples_boolq_v{index}_2025-01-02T03-04-05.678.jsonl", right)
        for index, right in enumerate((12, 6))
    ]
    view = read(import_results(files, tmp_path / "run", task="boolq"))
    panel = view.panels[0]
    assert (panel.summary.task, panel.summary.model) == ("boolq", "gpt2")
    assert panel.table.instructions == ("boolq_v0", "boolq_v1")
    assert panel.summary.measured_means.tolist() == [1.0, 0.5]
    assert panel.further.measures.posix.value > 0
    assert "Q: q0" in panel.instructions[0].template


def test_a_line_that_is_no_sample_is_named(tmp_path):
    path = lm_eval_file(tmp_path / "m" / "samples_x_2025-01-02T03-04-05.678.jsonl", 3)
    path.write_text(path.read_text() + "\n{}\nnothing")
    with pytest.raises(IsophraseError) as caught:
        import_results([path], tmp_path / "run")
    assert ".jsonl:13" in str(caught.value)
    assert ".jsonl:14" in str(caught.value)


def inspect_log(answers):
    samples = [
        {"id": index, "epoch": 1, "input": f"q{index}", "target": "A", "output": {"completion": f"ANSWER: {answer}"},
         "scores": {"choice": {"value": "C" if answer == "A" else "I", "answer": answer}}}
        for index, answer in enumerate(answers)
    ]  # fmt: skip
    return {"version": 2, "eval": {"task": "quiz", "model": "openai/gpt", "task_args": {}}, "samples": samples}


def test_logs_of_inspect_are_read_as_json_and_as_eval(tmp_path):
    first, second = tmp_path / "plain.json", tmp_path / "packed.eval"
    first.write_text(json.dumps(inspect_log("AAAB")))
    log = inspect_log("ABBB")
    with zipfile.ZipFile(second, "w") as archive:
        archive.writestr("header.json", json.dumps({name: log[name] for name in ("version", "eval")}))
        for sample in log["samples"]:
            archive.writestr(f"samples/{sample['id']}_epoch_1.json", json.dumps(sample))
    panel = read(import_results([first, second], tmp_path / "run")).panels[0]
    assert (panel.summary.task, panel.summary.model) == ("quiz", "gpt")
    assert panel.table.instructions == ("plain", "packed")
    assert panel.summary.measured_means.tolist() == [0.75, 0.25]
    assert panel.summary.flip_rate.value == pytest.approx(0.5)


def helm_folder(folder, answers):
    folder.mkdir()
    references = [{"output": {"text": text}, "tags": tags} for text, tags in (("red", ["correct"]), ("blue", []))]
    instances = [
        {"id": f"id{index}", "input": {"text": f"q{index}"}, "references": references} for index in range(len(answers))
    ]
    predictions = [
        {"instance_id": f"id{index}", "train_trial_index": 0, "predicted_text": " A", "mapped_output": answer,
         "stats": {"exact_match": float(answer == "red")}}
        for index, answer in enumerate(answers)
    ]  # fmt: skip
    spec = {
        "name": "colours:model=x",
        "adapter_spec": {"model": "org/x", "instructions": "Choose.", "max_train_instances": 0},
    }
    for name, content in (("run_spec", spec), ("instances", instances), ("display_predictions", predictions)):
        (folder / f"{name}.json").write_text(json.dumps(content))
    return folder


def test_run_folders_of_helm_are_read(tmp_path):
    folders = [helm_folder(tmp_path / "a", ["red", "red"]), helm_folder(tmp_path / "b", ["red", "blue"])]
    panel = read(import_results(folders, tmp_path / "run")).panels[0]
    assert (panel.summary.task, panel.summary.model) == ("colours", "x")
    assert panel.summary.measured_means.tolist() == [1.0, 0.5]


def test_files_of_other_kinds_and_missing_ones_are_refused(tmp_path):
    (tmp_path / "x.txt").write_text("x")
    with pytest.raises(IsophraseError, match=r"x.txt: expected a file that ends with"):
        import_results([tmp_path / "x.txt"], tmp_path / "run")
    with pytest.raises(IsophraseError, match="existing files"):
        import_results([tmp_path / "y.csv"], tmp_path / "run")
    (tmp_path / "empty").mkdir()
    with pytest.raises(IsophraseError, match=r"none of its run_spec.json"):
        import_results([tmp_path / "empty"], tmp_path / "run")
