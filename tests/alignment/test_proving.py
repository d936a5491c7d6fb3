"""The commands that train and prove, on a small model: what they write, print and refuse."""

import json
import re
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from isophrase.alignment.job import load_job
from isophrase.alignment.method import TUNE
from isophrase.alignment.record import read_record
from isophrase.api import alignment, runs
from isophrase.cache import cache_folder
from isophrase.cli import app
from isophrase.commands.alignment import train_and_verify
from isophrase.errors import ManyErrors, StoreError
from isophrase.sources.resolve import sets_for
from isophrase.types import OutputForm
from tests.alignment.test_job import job_file
from tests.engine.reference import folder

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def proved(tmp_path_factory):
    """What `align --verify` prints and writes, with a task outside training."""
    path = tmp_path_factory.mktemp("proved")
    job = job_file(path, verify={"limit": 3, "outside": ["topic"]})
    found = CliRunner().invoke(app, ["align", str(job), "--out", str(path / "out"), "--verify"])
    assert found.exit_code == 0, found.output
    return path / "out", found.stdout


def test_before_and_after_are_compared_on_held_out_wordings_and_negations(proved):
    place, said = proved
    inside, outside = said.split("Tasks outside training")
    assert "Held-out wordings of the tasks trained on" in inside
    assert re.search(r"sentiment +Mean", inside)
    assert re.search(r"Negation drop .*\n *sentiment", inside)
    assert "topic" not in inside
    assert "one-sided, for the better" in inside
    assert re.search(r"topic +Mean", outside)
    assert "two-sided" in outside
    for name in ("training.html", "compared.html", "compared-outside.html", "adapter/adapter_model.safetensors"):
        assert (place / name).is_file()
    assert "Negation drop" in (place / "compared.html").read_text(encoding="utf-8")


def test_all_wordings_of_a_task_outside_training_are_measured(proved):
    place, _ = proved
    (panel,) = [item for item in runs.read(place / "after").panels if item.summary.task == "topic"]
    (source,) = sets_for("topic")
    asked = [one for one in source.instructions if not one.role.is_control and one.output_form is OutputForm.LABEL]
    assert set(panel.table.instructions) == {f"topic/{one.id}" for one in asked}
    assert len(asked) > 10
    assert len(panel.examples) == 3


def test_a_task_cannot_be_inside_and_outside(tmp_path):
    path = job_file(tmp_path, watch={"outside": ["sentiment"]}, verify={"outside": ["sentiment"]})
    with pytest.raises(ManyErrors) as caught:
        load_job(path, cache_folder())
    said = "\n".join(caught.value.problems)
    assert "watch.outside: expected tasks that are not trained on; got 'sentiment'" in said
    assert "verify.outside: expected tasks that are not trained on; got 'sentiment'" in said


def test_a_task_outside_is_named_once(tmp_path):
    topic = {"task": "topic", "instructions": "topic"}
    with pytest.raises(ManyErrors, match=r"verify.outside: expected each task once; got 'topic' again"):
        load_job(job_file(tmp_path, verify={"outside": ["topic", topic]}), cache_folder())


@pytest.mark.parametrize("drawn", [0, 1])
def test_a_task_without_controls_for_training_is_said(tmp_path, drawn):
    method = {"base": "pt+kl", "draws": {"controls": drawn}, "anchor": float(drawn)}
    job = load_job(job_file(tmp_path, method=method), cache_folder())
    assert not job.materials[0].wordings.train_controls
    line = "sentiment: no negated, wrong-task or nonsense wording for training, so none is drawn"
    assert (line in job.notes) is bool(drawn)


def test_what_is_not_the_result_can_go_to_stderr(tmp_path, capsys):
    train_and_verify(job_file(tmp_path), tmp_path / "out", on_stdout=False)
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "Negation drop" in shown.err


def test_tune_writes_a_checkpoint(tmp_path):
    method = {"base": "default", "parameters": {"kind": "full"}, "schedule": {"steps": 2}}
    found = CliRunner().invoke(app, ["tune", str(job_file(tmp_path, method=method)), "--out", str(tmp_path / "out")])
    assert found.exit_code == 0, found.output
    assert "numbers trained" in found.stdout
    record = json.loads((tmp_path / "out" / "adapter" / "isophrase.json").read_text(encoding="utf-8"))
    assert record["kind"] == "tune"


def test_the_recipe_for_tuning_is_a_job():
    job = load_job(ROOT / "recipes" / "tune.yaml", cache_folder(), default=TUNE)
    assert [item.weight for item in job.materials] == [2.0, 1.0, 1.0]


@pytest.mark.parametrize(
    "path", [*sorted((ROOT / "recipes").glob("align*.yaml")), ROOT / "src" / "isophrase" / "data" / "demo-align.yaml"]
)
def test_the_recipes_are_jobs(path):
    job = load_job(path, cache_folder())
    assert job.materials
    assert job.method_name == "custom"


def test_a_seed_that_no_row_has_is_refused():
    found = CliRunner().invoke(app, ["testbed", "run", "--method", "pt", "--seed", "2", "--seed", "99"])
    assert found.exit_code == 2
    assert "expected a row of the table; got none for some method and seed" in re.sub(r"\W*\n\W*", " ", found.output)


def test_the_command_says_beforehand_that_it_will_verify(monkeypatch, tmp_path):
    asked = []

    def stop(*_, **given):
        asked.append(given)
        raise StoreError("nothing", got="a test", remedy="go on")

    monkeypatch.setattr(alignment, "align", stop)
    with pytest.raises(StoreError):
        train_and_verify(job_file(tmp_path), tmp_path / "out")
    assert asked == [{"to_verify": True}]


@pytest.mark.parametrize(
    ("change", "other"),
    [
        ({"seed": 7}, "seed and wordings"),
        ({"method": {"base": "pt", "schedule": {"steps": 1}}}, "method"),
        ({"model": {"source": str(folder("gpt2")), "format": "plain", "dtype": "float32"}}, "base model"),
    ],
)
def test_a_training_of_another_file_is_not_verified(tmp_path, change, other):
    alignment.align(job_file(tmp_path), tmp_path / "out")
    with pytest.raises(StoreError, match=f"got one with another {other};"):
        alignment.verify(job_file(tmp_path, **change), tmp_path / "out")
    assert not (tmp_path / "out" / "before").exists()


def test_another_training_is_refused_before_it_replaces_one_that_was_verified(tmp_path):
    out = tmp_path / "out"
    first = alignment.align(job_file(tmp_path), out, to_verify=True).record
    alignment.verify(job_file(tmp_path), out)
    assert alignment.align(job_file(tmp_path), out, to_verify=True).record == first
    changed = job_file(tmp_path, seed=3)
    with pytest.raises(StoreError, match=r"before and .*after; choose another --out, or delete these folders"):
        alignment.align(changed, out, to_verify=True)
    assert read_record(out / "adapter") == first
    for name in ("before", "after"):
        shutil.rmtree(out / name)
    assert alignment.align(changed, out, to_verify=True).record.seed == 3
    alignment.verify(changed, out)
