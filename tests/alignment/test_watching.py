"""What is seen of a training while it runs."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from isophrase.alignment import watching
from isophrase.alignment.method import Draws, Kind, Schedule
from isophrase.alignment.training import begin, train
from isophrase.alignment.watching import Watch, Watcher, look
from isophrase.alignment.wordings import Wordings
from isophrase.types import Role
from tests.alignment.small import TRAIN, material, method, tiny, training, wording

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")


def test_watching_sees_every_kind_of_wording_and_keeps_the_best_weights():
    watcher = Watcher(Watch(outside=(material(),), texts=("The film was a delight.",), patience=1))
    chosen = method(schedule=Schedule(steps=8, rate=1e-2))
    trained = train(tiny(), training(chosen), looks=[watcher])
    assert set(watcher.sights[0].values) == {
        "trained", "trained_std", "dev", "dev_std", "observed", "observed_std", "negated", "outside",
        "memorisation_gap", "reading", "perplexity",
    }  # fmt: skip
    assert trained.best == watcher.sights[watcher.best].step
    assert watcher.sights[0].step == 0


@pytest.mark.parametrize(("scores", "best"), [((0.5, 0.4, 0.3), 0), ((0.5, 0.6, 0.3, 0.2), 2)])
def test_a_training_that_stops_leaves_the_weights_of_its_best_look(scores, best, monkeypatch):
    seen, live = [], []

    def told(session, watch):
        live[:] = session.trainable.weights
        seen.append([weight.detach().clone() for weight in session.trainable.weights])
        return {"dev": scores[len(seen) - 1], "dev_std": 0.0}

    monkeypatch.setattr(watching, "look", told)
    trained = train(tiny(), training(method(schedule=Schedule(steps=8, rate=1e-2))), looks=[Watcher(Watch(patience=2))])
    assert (trained.best, trained.stopped) == (best, 2 * (len(scores) - 1))
    for weight, kept, last in zip(live, seen[best // 2], seen[-1], strict=True):
        assert torch.equal(weight, kept)
        assert not torch.equal(weight, last)


def test_a_difference_is_taken_over_the_tasks_that_have_both_kinds(monkeypatch):
    shares = {"reference": 0.9, "not": 0.5, "train-1": 0.8, "dev-1": 0.6, "b/reference": 0.3, "b/train": 0.1}
    monkeypatch.setattr(watching, "_accuracy", lambda session, wording, inputs: shares[wording.id])
    bare = Wordings(
        (wording("b/reference", "Tell the mood of {{ text }}", Role.REFERENCE),), (wording("b/train", "{{ text }}?"),),
        (), (),
    )  # fmt: skip
    two = (material(), replace(material(), wordings=bare))
    values = look(begin(tiny(), training(method(), materials=two)), Watch(wordings=1))
    assert (values["observed"], values["trained"]) == (pytest.approx(0.6), pytest.approx(0.45))
    assert values["reading"] == pytest.approx(0.4)
    assert values["memorisation_gap"] == pytest.approx(0.2)


def test_wordings_that_are_not_drawn_are_not_said_to_be_trained():
    chosen = method(draws=Draws(wordings=0, references=2), supervised_reference=1.0, supervised=0.0, consistency=0.0)
    values = look(begin(tiny(), training(chosen)), Watch(wordings=1))
    assert not {"trained", "trained_std", "memorisation_gap"} & set(values)
    assert {"observed", "dev"} <= set(values)


def test_perplexity_is_that_of_plain_transformers():
    loaded = tiny()
    text = "The food was cold, the waiter was rude."
    ids = torch.tensor([loaded.tokenizer(text, add_special_tokens=False)["input_ids"]])
    with torch.no_grad():
        expected = torch.exp(loaded.model(input_ids=ids, labels=ids).loss).item()
    watcher = Watcher(Watch(texts=(text,)))
    train(loaded, training(method(Kind.LORA, schedule=Schedule(steps=1))), looks=[watcher])
    assert watcher.sights[0].values["perplexity"] == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize(("family", "kind"), [("gpt2", Kind.PROMPT), ("llama", Kind.LORA)])
def test_a_text_that_is_longer_than_the_context_is_read_in_stretches(family, kind):
    session = begin(tiny(family), training(method(kind)))
    text = "The food was cold, the waiter was rude. " * 200
    ids = session.loaded.tokenizer(text, add_special_tokens=False)["input_ids"]
    most = session.loaded.context_length - len(session.trainable.virtual())
    assert len(ids) > 2 * most
    parts = [session.loaded.tokenizer.decode(ids[start : start + most]) for start in range(0, len(ids), most)]
    whole, apart = (look(session, Watch(texts=texts))["perplexity"] for texts in ((text,), tuple(parts)))
    assert whole == pytest.approx(apart, rel=1e-3)


def test_spread_is_the_standard_deviation_over_the_wordings_of_a_task(monkeypatch):
    shares = {"train-1": 0.25, "train-2": 0.75, "train-3": 0.5, "dev-1": 0.5, "reference": 1.0, "not": 0.25}
    monkeypatch.setattr(watching, "_accuracy", lambda session, wording, inputs: shares[wording.id])
    values = look(begin(tiny(), training(method())), Watch(wordings=3))
    assert values["trained"] == pytest.approx(0.5)
    assert values["trained_std"] == pytest.approx(np.std([0.25, 0.75, 0.5]))
    assert (values["dev_std"], values["observed_std"]) == (0.0, 0.0)
    assert (values["memorisation_gap"], values["reading"]) == (0.0, 0.75)


def test_accuracy_is_the_share_of_right_choices():
    session = begin(tiny(), training(method()))
    inputs = session.training.materials[0].train
    questions = session.poser.pose([(TRAIN[0], item) for item in inputs])
    labels = session.read(questions, labels=True)
    right = [
        int(labels.labels(question).argmax()) in item.gold for question, item in zip(questions, inputs, strict=True)
    ]
    blind = replace(material(), dev=inputs)
    values = look(begin(tiny(), training(method(), materials=(blind,))), Watch(wordings=1, inputs=len(inputs)))
    assert values["trained"] == pytest.approx(np.mean(right))


def test_what_there_is_nothing_to_look_at_for_is_missing():
    blind = replace(material(), dev=())
    session = begin(tiny(), training(method(), materials=(blind,)))
    assert set(look(session, Watch(outside=(blind,), texts=("The film was a delight.",)))) == {"perplexity"}
    assert look(session, Watch(texts=("a",))) == {}


def looked_at(scores, patience):
    """A watcher that was shown these scores, and what it said each time."""
    watcher = Watcher(Watch(patience=patience))
    weights = SimpleNamespace(trainable=SimpleNamespace(weights=[]))
    said = []
    for step, score in enumerate(scores):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(watching, "look", lambda *_, score=score: {"dev": score, "dev_std": 0.0})
            said.append(watcher(weights, step))
    return watcher, said


def test_a_look_that_is_as_good_as_the_best_is_no_improvement():
    watcher, said = looked_at([0.5, 1.0, 1.0, 1.0], patience=2)
    assert said == [False, False, False, True]
    assert watcher.best == 1
    assert not any(looked_at([0.5, 0.4, 0.3, 0.2], patience=0)[1])


def test_a_training_that_was_killed_behind_its_last_look_stays_stopped(tmp_path, monkeypatch):
    monkeypatch.setattr(watching, "_score", lambda values: 0.0)  # never better than before the first step
    chosen = method(schedule=Schedule(steps=8, rate=1e-2))
    started = training(chosen, checkpoint=tmp_path / "kept.pt")
    first = train(tiny(), started, looks=[Watcher(Watch(patience=1))])
    assert first.stopped == 2  # its checkpoint stays, as if killed before it was saved
    steps = []
    again = train(tiny(), started, looks=[Watcher(Watch(patience=1))], notify=steps.append)
    assert (again.stopped, again.best, steps) == (2, 0, [])
    assert [step.total for step in again.steps] == [step.total for step in first.steps]
