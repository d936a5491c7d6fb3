import re
from dataclasses import replace

import pytest
import torch

from isophrase.alignment import training as loop
from isophrase.alignment.method import Draws, Kind, Parameters, Schedule, Space, Start, Teacher
from isophrase.alignment.record import Record, read_record, save
from isophrase.alignment.registers import Register
from isophrase.alignment.running import Provenance, run_training
from isophrase.alignment.training import Training, begin, train
from isophrase.alignment.watching import Watch
from isophrase.errors import ConfigError, ManyErrors, SourceError
from isophrase.models.devices import Choice
from isophrase.models.huggingface import load
from isophrase.types import PromptFormat, Role
from tests.alignment.small import TRAIN, material, method, parameters, tiny, training, wording

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")

KINDS = [Kind.PREFIX, Kind.PROMPT, Kind.LORA, Kind.FULL]


def weights_of(trained):
    return {name: weight.detach().clone() for name, weight in trained.trainable.model.named_parameters()}


RATES = {Kind.PREFIX: 0.2, Kind.PROMPT: 0.2, Kind.LORA: 0.02, Kind.FULL: 0.02}


@pytest.mark.parametrize("kind", KINDS)
def test_a_small_model_learns_its_task_by_heart(kind):
    length = 16 if kind is Kind.PROMPT else 4  # a prompt alone has a hard time with a random model
    chosen = method(
        kind, parameters=parameters(kind, length=length), supervised=1.0, consistency=0.0, anchor=0.0,
        draws=Draws(wordings=3, inputs=4), schedule=Schedule(steps=60, rate=RATES[kind]),
    )  # fmt: skip
    trained = train(tiny(), training(chosen, every=100))
    first = sum(step.total for step in trained.steps[:3]) / 3
    last = sum(step.total for step in trained.steps[-3:]) / 3
    assert last < 0.5 * first


def test_a_small_t5_learns_its_task_by_heart():
    chosen = method(
        Kind.LORA, supervised=0.8, consistency=0.2, anchor=0.0,
        draws=Draws(wordings=3, inputs=4), schedule=Schedule(steps=60, rate=0.02),
    )  # fmt: skip
    trained = train(tiny("t5"), training(chosen, every=100))
    assert trained.steps[-1].parts["supervised"] < 0.5 * trained.steps[0].parts["supervised"]


@pytest.mark.parametrize("changes", [{}, {"worst_group": 0.5}])
@pytest.mark.parametrize("kind", [Kind.PREFIX, Kind.LORA])
def test_an_interrupted_training_ends_with_the_same_weights(tmp_path, kind, changes):
    class StopError(Exception):
        pass

    def stop(step):
        if step.number == 3:
            raise StopError

    chosen = method(kind, **changes)
    whole = train(tiny(), training(chosen))
    with pytest.raises(StopError):
        train(tiny(), training(chosen, checkpoint=tmp_path / "state.pt"), notify=stop)
    resumed = train(tiny(), training(chosen, checkpoint=tmp_path / "state.pt"))
    assert [step.total for step in resumed.steps] == [step.total for step in whole.steps]
    expected = weights_of(whole)
    for name, weight in weights_of(resumed).items():
        assert torch.equal(weight, expected[name])


@pytest.mark.parametrize("hidden", [0, 8])
@pytest.mark.parametrize("start", Start)
@pytest.mark.parametrize("kind", [Kind.PREFIX, Kind.PROMPT])
def test_a_saved_adapter_gives_the_same_logits_in_plain_peft(tmp_path, kind, start, hidden):
    import peft
    from transformers import AutoModelForCausalLM

    chosen = method(kind, parameters=parameters(kind, start=start, hidden=hidden))
    loaded = tiny()
    trained = train(loaded, training(chosen))
    save(tmp_path, loaded, trained.trainable, Record(kind="align", name="x", method={}, seed=0, base={}, tuned_on=None))
    ids = torch.tensor([loaded.tokenizer("The film was a delight.")["input_ids"]])
    with torch.no_grad():
        expected = trained.trainable.model(input_ids=ids).logits
        plain = AutoModelForCausalLM.from_pretrained(loaded.spec.source)
        found = peft.PeftModel.from_pretrained(plain, tmp_path)(input_ids=ids).logits
    assert torch.equal(found, expected)


def test_a_saved_lora_and_a_saved_full_model_give_the_same_logits(tmp_path):
    import peft
    from transformers import AutoModelForCausalLM

    for kind in (Kind.LORA, Kind.FULL):
        loaded = tiny()
        trained = train(loaded, training(method(kind)))
        every = sum(weight.numel() for weight in loaded.model.parameters())
        assert trained.trainable.count == every if kind is Kind.FULL else 0 < trained.trainable.count < every
        record = Record(kind="align", name="x", method={}, seed=0, base={}, tuned_on=None)
        save(tmp_path / kind, loaded, trained.trainable, record)
        ids = torch.tensor([loaded.tokenizer("The film was a delight.")["input_ids"]])
        with torch.no_grad():
            expected = trained.trainable.model(input_ids=ids).logits
            source = tmp_path / kind if kind is Kind.FULL else loaded.spec.source
            plain = AutoModelForCausalLM.from_pretrained(source)
            plain = plain if kind is Kind.FULL else peft.PeftModel.from_pretrained(plain, tmp_path / kind)
            assert torch.allclose(plain(input_ids=ids).logits, expected, atol=1e-6)


def test_a_re_parametrised_prefix_starts_where_a_plain_one_does():
    totals = [
        train(tiny(), training(method(Kind.PREFIX, parameters=parameters(Kind.PREFIX, hidden=hidden)))).steps[0].total
        for hidden in (0, 8)
    ]
    assert totals[0] == pytest.approx(totals[1], abs=1e-6)


def test_a_checkpoint_is_kept_between_looks_too(tmp_path, monkeypatch):
    class StopError(Exception):
        pass

    def stop(step):
        if step.number == 4:
            raise StopError

    monkeypatch.setattr(loop, "_SECONDS_UNKEPT", 0.0)
    kept = training(method(), checkpoint=tmp_path / "state.pt", every=100)
    with pytest.raises(StopError):
        train(tiny(), kept, notify=stop)
    monkeypatch.setattr(loop, "_SECONDS_UNKEPT", 1000.0)
    rest = []
    resumed = train(tiny(), kept, notify=lambda step: rest.append(step.number))
    assert rest == [4]
    assert [step.total for step in resumed.steps] == [step.total for step in train(tiny(), training(method())).steps]


def test_accumulated_passes_are_the_mean_of_their_losses():
    chosen = method(schedule=Schedule(steps=1, accumulate=2, rate=0.0))
    session_total = train(tiny(), training(chosen)).steps[0].total
    single = [
        train(tiny(), training(method(schedule=Schedule(steps=2, rate=0.0)))).steps[number].total for number in (0, 1)
    ]
    assert session_total == pytest.approx(sum(single) / 2, abs=1e-6)


def test_a_finished_training_is_left_and_another_one_trains_anew(tmp_path):
    provenance = Provenance(kind="align", name="x", tuned_on=None)
    chosen = training(method())
    first = run_training(tiny(), chosen, provenance, tmp_path)
    assert read_record(tmp_path) == first
    assert first.instructions["mood"] == ("reference", "train-1", "train-2", "train-3", "not")
    assert run_training(tiny(), chosen, provenance, tmp_path).seconds == first.seconds
    other = Training(**{**vars(chosen), "seed": 1})
    assert run_training(tiny(), other, provenance, tmp_path).seed == 1


def test_a_model_with_an_adapter_is_refused(tmp_path):
    from tests.engine.reference import loaded

    with pytest.raises(ConfigError, match="without an adapter"):
        train(loaded("llama", "lora"), training(method()))


def test_a_prefix_from_text_on_an_encoder_decoder_says_what_to_do():
    with pytest.raises(ConfigError, match="start: random"):
        train(tiny("t5"), training(method(Kind.PREFIX, parameters=Parameters(start=Start.TEXT))))


def test_a_consensus_is_over_some_wordings_the_same_for_an_input_each_time():
    chosen = method(Kind.LORA, teacher=Teacher.CONSENSUS, space=Space.LABELS, supervised=0.0, views=2)
    session = begin(tiny(), training(chosen))
    drawn = [item for number in range(4) for item in session._draw(number)]
    views = [session._views(item) for item in drawn]
    assert views == [session._views(item) for item in drawn]
    assert all(len(view) == 2 for view in views)
    assert all(example == item.example for view, item in zip(views, drawn, strict=True) for _, example in view)
    assert len({wording.id for view in views for wording, _ in view}) > 2


def test_a_splice_that_would_be_a_test_wording_is_refused():
    one = wording("train-1", "Read this with care, please: {{ text }} And?")
    two = wording("train-2", "See {{ text }} What is its sentiment, all in all?")
    leak = wording("test-1", "Read this with care, please: {{ text }} What is its sentiment, all in all?")
    item = material()
    item = replace(item, wordings=replace(item.wordings, train=(one, two), test=(leak,)))
    chosen = method(Kind.LORA, draws=Draws(wordings=4, inputs=1, splices=0.9))
    with pytest.raises(ManyErrors, match=r"test-1.*is nearly what training makes as 'train-1\+train-2'"):
        begin(tiny(), training(chosen, materials=(item,)))


def test_what_training_makes_is_held_against_test_controls_too():
    item = material()
    control = wording("not-9", "Please: {{ text }} Which of the labels?", Role.NEGATED)
    item = replace(item, wordings=replace(item.wordings, test_controls=(control,)))
    registers = (Register("polite", "Please: {{ instruction }}"),)
    chosen = method(Kind.LORA, draws=Draws(wordings=4, inputs=1, registers=1.0))
    with pytest.raises(ManyErrors, match=r"not-9.*is nearly what training makes as 'train-1\+polite'"):
        begin(tiny(), training(chosen, materials=(item,), registers=registers))


def test_a_step_that_would_draw_nothing_is_refused():
    item = replace(material(), wordings=replace(material().wordings, train_controls=()))
    chosen = method(Kind.LORA, supervised=0.0, consistency=0.0, draws=Draws(wordings=0, controls=2))
    with pytest.raises(ConfigError, match="nothing in 4 of 4"):
        begin(tiny(), training(chosen, materials=(item,)))


def test_inputs_that_are_too_long_are_named_before_the_first_step():
    item = material()
    long = {"train-3": "first-long", "train-6": "second-long"}
    fields = {"text": " ".join(["long"] * 60)}
    inputs = [replace(one, id=long[one.id], fields=fields) if one.id in long else one for one in item.train]
    chosen = method(
        Kind.LORA, supervised=1.0, consistency=0.0, anchor=0.0, schedule=Schedule(steps=40),
        draws=Draws(wordings=1, inputs=1),
    )  # fmt: skip
    steps = []
    loaded = replace(tiny(), context_length=100)
    with pytest.raises(SourceError) as caught:
        train(loaded, training(chosen, materials=(replace(item, train=tuple(inputs)),)), notify=steps.append)
    assert steps == []
    assert all(name in str(caught.value) for name in long.values())
    assert re.search(r"take \d+ tokens, the model's context is 100", str(caught.value))
    assert "leave the examples out" in str(caught.value)


def test_whatever_changes_the_weights_makes_another_training(tmp_path, monkeypatch):
    chosen, provenance = method(Kind.LORA), Provenance(kind="align", name="x", tuned_on=None)
    runs = []

    def run(changes, watch=None):
        run_training(tiny(), training(chosen, **changes), provenance, tmp_path, watch, on_step=lambda _: runs.append(1))
        count = len(runs)
        runs.clear()
        return count

    assert run({}) == 4
    assert run({}) == 0
    assert run({"materials": (replace(material(), weight=2.0), replace(material(), weight=1.0))}) == 4
    assert run({"materials": (replace(material(), weight=2.0), replace(material(), since=1))}) == 4
    assert run({}, Watch(patience=3)) == 4
    assert run({}, Watch(patience=3)) == 0
    monkeypatch.setattr(loop, "fast_dtype", lambda device: Choice("bfloat16", "the test says so"))
    assert run({"autocast": True}, Watch(patience=3)) == 4
    assert run({}, Watch(patience=3)) == 4


def test_a_full_model_in_an_adapters_folder_leaves_no_adapter_behind(tmp_path):
    provenance = Provenance(kind="align", name="x", tuned_on=None)
    run_training(tiny(), training(method(Kind.LORA)), provenance, tmp_path)
    run_training(tiny(), training(method(Kind.FULL)), provenance, tmp_path)
    assert not list(tmp_path.glob("adapter_*"))
    assert load(replace(tiny().spec, source=str(tmp_path))).identity


def test_the_prompts_format_makes_another_training(tmp_path):
    provenance = Provenance(kind="align", name="x", tuned_on=None)
    formats = []
    for prompt_format in (PromptFormat.PLAIN, PromptFormat.ALPACA):
        loaded = load(replace(tiny().spec, prompt_format=prompt_format))
        formats.append(run_training(loaded, training(method()), provenance, tmp_path).base["format"])
    assert formats == ["plain", "alpaca"]


def test_a_wording_that_has_the_answer_written_otherwise_is_not_pulled_to_its_references_words():
    capital = replace(TRAIN[0], id="capital", answer_template="{{ option | capitalize }}")
    item = material()
    item = replace(item, wordings=replace(item.wordings, train=(capital,)))
    chosen = method(supervised=0.0, consistency=1.0, anchor=0.0, draws=Draws(wordings=2, inputs=2))
    assert train(tiny(), training(chosen, materials=(item,))).steps[0].parts["consistency"] == 0
    labels = replace(chosen, space=Space.LABELS)
    assert train(tiny(), training(labels, materials=(item,))).steps[0].parts["consistency"] > 0


def test_a_negated_wording_is_taught_the_option_that_it_asks_for():
    """The loss is -log P(the other option) of plain transformers, and the frozen model is not asked."""
    draws = Draws(wordings=0, controls=2, inputs=2)
    chosen = method(Kind.LORA, consistency=0.0, supervised=0.0, anchor=0.7, supervised_negated=0.5, draws=draws)
    loaded = tiny()
    session = begin(loaded, training(chosen))
    assert not session.teacher._states
    drawn = session._draw(0)
    expected = []
    for item in drawn:
        text = item.wording.template.replace("{{ text }}", item.example.fields["text"])
        asked = ("negative", "positive")[
            material().train.index(replace(item.example, gold=(1 - item.example.gold[0],))) % 2
        ]
        ids, answer = (loaded.tokenizer(part, add_special_tokens=False)["input_ids"] for part in (text, f" {asked}"))
        with torch.no_grad():
            logits = loaded.model(input_ids=torch.tensor([ids + answer])).logits[0, len(ids) - 1 : -1]
        expected.append(-torch.log_softmax(logits.float(), -1)[range(len(answer)), answer].mean().item())
    found = session.loss(0)
    assert found.parts == {"supervised_negated": pytest.approx(sum(expected) / len(expected), rel=1e-4)}
    assert float(found.total.detach()) == pytest.approx(0.5 * found.parts["supervised_negated"])


def test_what_a_negated_wording_asks_for_goes_with_every_other_loss():
    """The teachers, the contrast and the anchor of references still have all that they compare."""
    draws = Draws(wordings=2, inputs=2, references=1, controls=2)
    for changes in (
        {"contrastive": 0.1},
        {"teacher": Teacher.JOINT},
        {"teacher": Teacher.ADAPTED},
        {"teacher": Teacher.CONSENSUS, "space": Space.LABELS, "views": 2},
    ):
        chosen = method(Kind.LORA, supervised_negated=0.5, draws=draws, **changes)
        first = train(tiny(), training(chosen)).steps[0]
        assert {"supervised_negated", "anchor", "consistency"} <= set(first.parts)
        alone = train(tiny(), training(replace(chosen, supervised_negated=0.0))).steps[0]
        assert first.parts["consistency"] == pytest.approx(alone.parts["consistency"], abs=1e-6)
        assert first.parts["anchor"] != alone.parts["anchor"] or first.parts["anchor"] == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("plain_forward", [False, True])
def test_inputs_without_a_label_train_as_those_with_one_where_no_loss_needs_it(plain_forward):
    """Over labels bit for bit, and over words by their first token, which no label decides."""
    item = material()
    bare = replace(item, train=tuple(replace(one, gold=()) for one in item.train))
    for chosen in (
        method(supervised=0.0, consistency=1.0, space=Space.LABELS),
        method(supervised=0.0, consistency=1.0, teacher=Teacher.CONSENSUS, space=Space.LABELS, views=2),
    ):
        with_label, without = (
            [step.total for step in train(tiny(), training(chosen, materials=(one,), plain=plain_forward)).steps]
            for one in (item, bare)
        )
        assert with_label == without
    words = method(supervised=0.0, consistency=1.0)
    turned = replace(item, train=tuple(replace(one, options=one.options[::-1], gold=()) for one in item.train))
    found = [train(tiny(), training(words, materials=(one,), plain=plain_forward)).steps[0] for one in (bare, turned)]
    assert found[0].parts["consistency"] == pytest.approx(found[1].parts["consistency"], abs=1e-6)
    assert found[0].parts["consistency"] > 0
