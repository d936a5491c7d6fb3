import pytest

from isophrase.errors import SourceError
from isophrase.sources.resolve import bundled_sets, bundled_tasks, load_instruction_set, load_tasks, sets_for


def test_every_bundled_task_loads_by_its_name_with_its_instructions(tmp_path):
    assert bundled_tasks() == tuple(sorted(bundled_tasks()))
    assert "sentiment" in bundled_tasks()
    for name in bundled_tasks():
        (loaded,) = load_tasks(name, cache=tmp_path)
        assert loaded.task.name == name
        assert loaded.instruction_sets == sets_for(name) != ()


def test_every_bundled_set_loads_by_its_name():
    for name in bundled_sets():
        assert load_instruction_set(name).name == name


def test_a_near_miss_is_told(tmp_path):
    with pytest.raises(SourceError, match="did you mean 'sentiment'"):
        load_tasks("sentimet", cache=tmp_path)


def test_no_set_is_written_for_an_unknown_task():
    assert sets_for("no-such-task") == ()
