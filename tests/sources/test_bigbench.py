import gzip
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from isophrase.errors import ManyErrors, SourceError
from isophrase.prompts import check_fit, pick_exemplars, render
from isophrase.sources.bigbench import BIGBENCH_LITE, bigbench_folder, bigbench_tasks
from isophrase.sources.bigbench_example import Frame, LeftOutError, listing_order, read_example
from isophrase.sources.resolve import load_tasks
from isophrase.types import Metric, OutputForm, PromptFormat, Split, TaskKind, digest


def _example(question="q", **keys):
    return {"input": question, **keys}


def _load(tmp_path, content, reference="bigbench/t"):
    (tmp_path / "t").mkdir(exist_ok=True)
    (tmp_path / "t" / "task.json").write_text(json.dumps(content), encoding="utf-8")
    (loaded,) = load_tasks(reference, folder=tmp_path, cache=tmp_path / "cache")
    return loaded


def test_the_native_prompt_is_that_of_bigbench(tmp_path):
    scores = {"red": 0, "green": 1, "blue": 0, "amber": 0}
    content = {
        "description": "Two\n lines.",
        "task_prefix": "Choose.\n",
        "examples": [_example("Grass?", target_scores=scores)],
    }
    loaded = _load(tmp_path, content)
    # numpy's generator seeded with 42 permutes four sorted choices to 1, 3, 0, 2.
    (example,) = loaded.task.examples
    assert example.options == ("blue", "red", "amber", "green")
    assert example.fields["native"] == (
        "Choose.\n\nQ: Grass?\n  choice: blue\n  choice: red\n  choice: amber\n  choice: green\nA: "
    )
    assert (example.fields["input"], example.fields["task_prefix"]) == ("Grass?", "Choose.\n")
    assert (example.gold, example.id, loaded.task.description) == ((3,), "0", "Two lines.")
    (native,) = loaded.instruction_sets
    (instruction,) = native.instructions
    assert (native.name, native.tasks, instruction.collection) == ("native", ("bigbench/t",), "bigbench")
    assert (instruction.output_form, instruction.exemplar_separator) == (OutputForm.LABEL, "\n")
    prompt = render(instruction, example, (), PromptFormat.PLAIN)
    assert prompt.text + prompt.answers[3] == example.fields["native"] + "green"


def test_every_setting_of_the_prompt_is_used(tmp_path):
    content = {
        "task_prefix": "P",
        "example_input_prefix": "<i>",
        "example_output_prefix": "<o>",
        "choice_prefix": "<c>",
        "few_shot_example_separator": "\n##\n",
        "examples": [_example("x", target_scores={"a": 1, "b": 0})],
    }
    loaded = _load(tmp_path, content)
    listed = "<c>" + "<c>".join(listing_order(("a", "b")))
    assert loaded.task.examples[0].fields["native"] == "P<i>x" + listed + "<o>"
    assert loaded.instruction_sets[0].instructions[0].exemplar_separator == "\n##\n"


@pytest.mark.parametrize(
    ("append", "listed", "noted"), [(True, True, 0), (False, False, 0), ("false", False, 1), ("true", True, 0)]
)
def test_choices_are_appended_unless_the_task_says_no(tmp_path, append, listed, noted):
    scores = {"a": 1, "b": 0}
    loaded = _load(tmp_path, {"append_choices_to_input": append, "examples": [_example(target_scores=scores)]})
    assert ("choice:" in loaded.task.examples[0].fields["native"]) is listed
    assert sum("append_choices_to_input" in note for note in loaded.notes) == noted


def test_a_task_with_the_same_choices_everywhere_is_classification(tmp_path):
    examples = [_example(str(number), target_scores={"b": number % 2, "a": 1 - number % 2}) for number in range(4)]
    assert _load(tmp_path, {"examples": examples}).task.kind is TaskKind.CLASSIFICATION
    examples.append(_example("z", target_scores={"a": 1, "c": 0}))
    assert _load(tmp_path, {"examples": examples}).task.kind is TaskKind.MULTIPLE_CHOICE


def test_right_are_all_choices_with_the_highest_score(tmp_path):
    scores = {"a": 0.5, "b": 2, "c": 2, "d": 0}
    loaded = _load(tmp_path, {"examples": [_example(target_scores=scores)]})
    (example,) = loaded.task.examples
    assert {example.options[index] for index in example.gold} == {"b", "c"}
    assert any(note.startswith("1 examples have scores other than 0 and 1") for note in loaded.notes)


def test_unusable_examples_are_left_out_with_their_reason(tmp_path):
    good = _example("ok", target_scores={"a": 1, "b": 0})
    examples = [
        good,
        _example("none right", target_scores={"a": 0, "b": -1}),
        _example("all right", target_scores={"a": 1, "b": 1}),
        _example("one choice", target_scores={"a": 1}),
        _example("no scores", target="a"),
        _example("blank", target_scores={"a": 1, " ": 0}),
        _example("alike", target_scores={"a": 1, "a\n": 0}),
        _example("words", target_scores={"a": "1", "b": 0}),
        _example(3, target_scores={"a": 1, "b": 0}),
        {"target_scores": {"a": 1, "b": 0}},
        "text",
        {"target_scores": {"b": 0, "a": 1}, "input": "ok"},
    ]
    loaded = _load(tmp_path, {"examples": examples})
    assert [example.id for example in loaded.task.examples] == ["0"]
    assert [note for note in loaded.notes if "left out" in note] == [
        "1 left out, no choice has a score above 0 (examples 1)",
        "1 left out, all choices have the same score (examples 2)",
        "1 left out, only one choice (examples 3)",
        "1 left out, without `target_scores`, which other examples have (examples 4)",
        "1 left out, a choice is empty (examples 5)",
        "1 left out, two choices differ in white space only (examples 6)",
        "1 left out, a score is not a number (examples 7)",
        "2 left out, without an `input` text (examples 8, 9)",
        "1 left out, not an object (examples 10)",
        "1 left out, the same as an earlier example (examples 11)",
    ]


def test_targets_are_the_references_of_a_generation_task(tmp_path):
    examples = [_example("x", target="one "), _example("y", target=["two", "2", "two"]), _example("z", target=[])]
    loaded = _load(tmp_path, {"examples": examples, "preferred_score": "bleu", "output_regex": "\\w+"})
    assert (loaded.task.kind, loaded.task.metric) == (TaskKind.GENERATION, Metric.EXACT_MATCH)
    assert [example.references for example in loaded.task.examples] == [("one",), ("two", "2")]
    assert loaded.task.examples[0].fields["native"] == "\nQ: x\nA: "
    assert loaded.notes == (
        "1 left out, without a `target` text (examples 2)",
        "BIG-bench prefers the score bleu; measured here by exact match (or say `metric: token_f1`)",
        "output_regex '\\\\w+' is not applied to the generated text",
    )
    changed = _load(tmp_path, {"examples": examples}, {"bigbench": "t", "metric": "token_f1"})
    assert changed.task.metric is Metric.TOKEN_F1


def test_where_an_example_has_both_the_choices_are_used(tmp_path):
    examples = [_example(target="a, since …", target_scores={"a": 1, "b": 0})]
    loaded = _load(tmp_path, {"examples": examples})
    (example,) = loaded.task.examples
    assert (example.options[example.gold[0]], example.references) == ("a", ())
    assert any("`target` texts" in note for note in loaded.notes)


def _tree(root: Path) -> None:
    for name in ("solo", "parent", "parent/one", "parent/two"):
        (root / name).mkdir()
        content = {"examples": [_example(name, target="x")]} if name != "parent" else {"name": "parent"}
        (root / name / "task.json").write_text(json.dumps(content), encoding="utf-8")


def test_a_parent_gives_all_its_subtasks(tmp_path):
    _tree(tmp_path)
    names = [item.task.name for item in load_tasks("bigbench/parent", folder=tmp_path, cache=tmp_path)]
    assert names == ["bigbench/parent/one", "bigbench/parent/two"]
    (one,) = load_tasks("bigbench/parent/one", folder=tmp_path, cache=tmp_path)
    assert one.task.name == "bigbench/parent/one"
    assert bigbench_tasks(tmp_path) == ("parent/one", "parent/two", "solo")


def test_packed_files_in_the_cache_and_checkouts_are_found(tmp_path):
    content = json.dumps({"examples": [_example(target="x")]}).encode()
    cached = bigbench_folder(tmp_path / "cache") / "t"
    cached.mkdir(parents=True)
    (cached / "task.json.gz").write_bytes(gzip.compress(content))
    checkout = tmp_path / "checkout" / "bigbench" / "benchmark_tasks" / "t"
    checkout.mkdir(parents=True)
    (checkout / "task.json").write_bytes(content)
    (packed,) = load_tasks("bigbench/t", cache=tmp_path / "cache")
    (plain,) = load_tasks("bigbench/t", folder=tmp_path / "checkout", cache=tmp_path)
    assert digest(packed.task) == digest(plain.task)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("bigbench/sola", "expected a BIG-bench task under DIR; got 'sola'; did you mean 'solo'?"),
        ("bigbench/parent/on", "expected a BIG-bench task under DIR; got 'parent/on'; did you mean 'parent/one'?"),
        ("bigbench/../x", "expected a BIG-bench task under DIR; got '../x'; see `isophrase tasks` for the names"),
        ("bigbench//etc", "expected a BIG-bench task under DIR; got '/etc'; see `isophrase tasks` for the names"),
        ("bigbench", "expected a BIG-bench task under DIR; got ''; see `isophrase tasks` for the names"),
        (
            {"bigbench": "solo", "metric": "accuracy"},
            "expected a metric for the generation task bigbench/solo; got accuracy; remove the key",
        ),
        (
            {"bigbench": "solo", "exemplars": 1},
            "expected some examples left to score; got 1 of 1 examples of bigbench/solo as exemplars; "
            "reserve fewer exemplars",
        ),
    ],
)
def test_a_wrong_reference_is_told(tmp_path, name, message):
    _tree(tmp_path)
    with pytest.raises(SourceError) as caught:
        load_tasks(name, folder=tmp_path, cache=tmp_path)
    assert str(caught.value).replace(str(tmp_path), "DIR") == message


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"{", "a BIG-bench task (JSON)"),
        (b"[]", "a BIG-bench task (a JSON object)"),
        (b"\xff", "UTF-8 text"),
        (b"{}", "a BIG-bench task with a list of examples"),
        (b'{"examples": [1]}', "usable examples in bigbench/t"),
    ],
)
def test_a_broken_file_is_named(tmp_path, content, message):
    (tmp_path / "t").mkdir()
    (tmp_path / "t" / "task.json").write_bytes(content)
    with pytest.raises(SourceError) as caught:
        load_tasks("bigbench/t", folder=tmp_path, cache=tmp_path)
    assert caught.value.expected == message
    assert "bigbench/t" in str(caught.value) or str(tmp_path / "t") in str(caught.value)


def test_a_broken_packed_file_is_named(tmp_path):
    (tmp_path / "t").mkdir()
    (tmp_path / "t" / "task.json.gz").write_bytes(gzip.compress(b'{"examples": []}')[:-6])
    with pytest.raises(SourceError, match=r"task\.json\.gz"):
        load_tasks("bigbench/t", folder=tmp_path, cache=tmp_path)


def test_data_that_was_never_fetched_says_how_to_get_it(tmp_path):
    with pytest.raises(SourceError, match="run `isophrase tasks fetch bigbench`"):
        load_tasks("bigbench/strategyqa", cache=tmp_path)


def test_an_unknown_option_is_told(tmp_path):
    with pytest.raises(ManyErrors, match="unknown key 'exemplar'; did you mean 'exemplars'"):
        load_tasks({"bigbench": "t", "exemplar": 3}, cache=tmp_path)


@given(st.sets(st.text(min_size=1, max_size=8), min_size=2, max_size=12))
def test_choices_are_listed_as_numpy_permutes_them(choices):
    expected = np.random.RandomState(42).permutation(np.array(sorted(choices), dtype=object)).tolist()
    assert list(listing_order(tuple(choices))) == expected


scores = st.dictionaries(st.text("abcd \n", max_size=4), st.sampled_from([-1, 0, 0.5, 1, 1, 2]), max_size=6)


@given(scores, st.data())
def test_gold_does_not_depend_on_the_order_of_the_file(scores, data):
    shuffled = dict(data.draw(st.permutations(list(scores.items()))))
    results = []
    for order in (scores, shuffled):
        try:
            example = read_example(_example(target_scores=order), "0", Frame(), choices=True)
        except LeftOutError as reason:
            results.append(str(reason))
        else:
            best = max(scores.values())
            right = {choice.strip() for choice, score in scores.items() if score == best}
            assert {example.options[index] for index in example.gold} == right
            assert best > 0
            assert 0 < len(example.gold) < len(example.options)
            results.append(digest(example))
    assert results[0] == results[1]


@pytest.mark.parametrize("name", BIGBENCH_LITE)
def test_every_task_of_bigbench_lite_loads(shared_data, name, tmp_path):
    loaded = load_tasks(f"bigbench/{name}", folder=shared_data / "bigbench", cache=tmp_path)
    for item in loaded:
        content = json.loads((shared_data / item.task.name / "task.json").read_text(encoding="utf-8"))
        left_out = sum(int(note.split()[0]) for note in item.notes if " left out, " in note)
        assert len(item.task.examples) + left_out == len(content["examples"])
        ids = [example.id for example in item.task.examples]
        assert len(set(ids)) == len(ids)
        (instruction,) = item.instruction_sets[0].instructions
        check_fit(instruction, item.task)
    assert name == "misconceptions_russian" or all(item.task.examples[0].fields["native"] for item in loaded)


def test_bigbench_lite_has_68_tasks_with_examples(shared_data, tmp_path):
    assert len(set(BIGBENCH_LITE)) == 24
    names = [name for name in bigbench_tasks(shared_data / "bigbench") if name.split("/")[0] in BIGBENCH_LITE]
    assert len(names) == 68


def test_known_facts_of_real_tasks(shared_data, tmp_path):
    def load(reference):
        return load_tasks(reference, folder=shared_data / "bigbench", cache=tmp_path)[0]

    strategy = load("bigbench/strategyqa")
    assert (strategy.task.kind, len(strategy.task.examples)) == (TaskKind.CLASSIFICATION, 2289)
    assert strategy.task.examples[0].options == ("Yes", "No") or strategy.task.examples[0].options == ("No", "Yes")
    assert "choice:" not in strategy.task.examples[0].fields["native"]
    puzzle = load("bigbench/logic_grid_puzzle")
    assert "choice:" not in puzzle.task.examples[0].fields["native"]
    assert any("read as false" in note for note in puzzle.notes)
    symbols = load("bigbench/symbol_interpretation/plain")
    assert symbols.task.examples[0].fields["native"].endswith(".\n\nA: ")
    assert not any(option != option.strip() for option in symbols.task.examples[0].options)
    hindu = load("bigbench/hindu_knowledge")
    assert sum(len(example.gold) > 1 for example in hindu.task.examples) == 1


def test_reserved_exemplars_serve_few_shot_prompts(shared_data, tmp_path):
    reference = {"bigbench": "strange_stories/boolean", "exemplars": 4, "seed": 7}
    (loaded,) = load_tasks(reference, folder=shared_data / "bigbench", cache=tmp_path)
    assert len(loaded.task.split(Split.EXEMPLAR)) == 4
    exemplars = pick_exemplars(loaded.task, 3, seed=0)
    example = loaded.task.split(Split.TEST)[0]
    (instruction,) = loaded.instruction_sets[0].instructions
    prompt = render(instruction, example, exemplars, PromptFormat.PLAIN)
    assert prompt.text.count("\nA:") == 4
