"""Losses and looks in a tracker's own files."""

import pytest

from isophrase.alignment.job import load_job
from isophrase.api import alignment
from isophrase.cache import cache_folder
from isophrase.errors import ManyErrors
from tests.alignment.test_job import job_file

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")


def scalars(folder):
    """Every scalar of TensorBoard's event files: name -> {step: value}."""
    from tensorboardX.proto import event_pb2

    found = {}
    for path in sorted(folder.rglob("events.out.tfevents.*")):
        content, place = path.read_bytes(), 0
        while place < len(content):
            size = int.from_bytes(content[place : place + 8], "little")  # length, its check, content, its check
            event = event_pb2.Event.FromString(content[place + 12 : place + 12 + size])
            place += 12 + size + 4
            for value in event.summary.value:
                if value.HasField("simple_value"):
                    found.setdefault(value.tag, {})[event.step] = value.simple_value
    return found


def test_tensorboard_has_every_step_and_every_look(tmp_path):
    path = job_file(tmp_path, watch={"every": 1, "wordings": 1, "inputs": 2, "trackers": ["tensorboard"]})
    record = alignment.align(path, tmp_path / "out").record
    found = scalars(tmp_path / "out" / "trackers")
    assert found["loss"] == {step["number"]: pytest.approx(step["total"], rel=1e-6) for step in record.steps}
    assert found["gradient_norm"] == {step["number"]: pytest.approx(step["norm"], rel=1e-6) for step in record.steps}
    for part in record.steps[0]["parts"]:
        assert sorted(found[f"loss/{part}"]) == [1, 2]
    for name, value in record.sights[-1]["values"].items():
        assert found[f"look/{name}"][record.sights[-1]["step"]] == pytest.approx(value, rel=1e-6)


@pytest.mark.parametrize(
    ("name", "message"), [("tensorbored", "expected a tracker"), ("comet_ml", "pip install comet_ml")]
)
def test_a_tracker_that_is_not_there_is_said_with_all_else_that_is_wrong(tmp_path, name, message):
    path = job_file(tmp_path, watch={"trackers": [name], "texts": "none.txt"})
    with pytest.raises(ManyErrors, match=message) as caught:
        load_job(path, cache_folder())
    assert len(caught.value.problems) == 2
