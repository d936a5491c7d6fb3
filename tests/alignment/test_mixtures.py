"""Several materials of one task: none trains on what another one tests."""

from dataclasses import replace

import pytest

from isophrase.alignment.method import Draws, Kind
from isophrase.alignment.mixtures import check_mixture, wordings_seen
from isophrase.alignment.posing import Poser
from isophrase.alignment.registers import Register
from isophrase.alignment.training import begin
from isophrase.alignment.wordings import Wordings, check
from isophrase.errors import ConfigError, ManyErrors
from isophrase.types import OutputForm, Role
from tests.alignment.small import example, material, method, tiny, training, wording

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")


def first():
    """The small task without the control that it both trains on and tests."""
    item = material()
    return replace(item, wordings=replace(item.wordings, test_controls=()))


def other(**parts):
    """The small task under another set of wordings."""
    given = {
        "references": (wording("b/reference", "Tell the mood that speaks from {{ text }}", Role.REFERENCE),),
        "train": (wording("b/train", "Glad or sad, what do you make of {{ text }}"),),
        "dev": (wording("b/dev", "How does this one feel to you, {{ text }}"),),
        "test": (wording("b/test", "A critic wrote {{ text }} Was there praise?"),),
        **parts,
    }
    return replace(material(), wordings=Wordings(**given))


def test_what_training_sees_of_a_task_is_what_all_its_materials_say():
    mixture = (material(), other())
    seen = wordings_seen(mixture, Draws(wordings=1, controls=1))["mood"]
    assert {one.id for one in seen} == {"reference", "train-1", "train-2", "train-3", "not", "b/reference", "b/train"}
    assert wordings_seen((material(), material()), Draws()) == wordings_seen((material(),), Draws())
    assert {one.id for one in wordings_seen(mixture, Draws(wordings=0))["mood"]} == {"reference", "b/reference"}


def test_other_letters_make_no_leak_of_a_wording_that_is_none():
    text = "Decide whether the following customer review is {}positive or negative: {{{{ text }}}}"
    plain, turned = wording("train-1", text.format("")), wording("not-2", text.format("not "), Role.NEGATED)
    parts = replace(first().wordings, train=(plain,), test_controls=(turned,))
    chosen = method(Kind.LORA, draws=Draws(wordings=8, inputs=1, cases=1.0))
    begin(tiny(), training(chosen, materials=(replace(first(), wordings=parts),)))
    leak = replace(parts, test=(wording("test-2", text.format("")),))
    with pytest.raises(ManyErrors, match="is nearly"):
        check(first().task.name, leak)


def test_wordings_that_have_nothing_in_common_make_a_mixture():
    check_mixture((first(), other()))
    check_mixture((first(), first()))


def test_a_test_wording_of_one_entry_that_another_one_trains_on_is_refused():
    leak = (wording("b/test", "Question: is this one good? {{ text }}"),)
    with pytest.raises(ManyErrors, match=r"test wording 'b/test' is nearly 'train-3'"):
        check_mixture((first(), other(test=leak)))
    with pytest.raises(ManyErrors, match=r"test wording 'test-1' is nearly 'b/train'"):
        check_mixture((first(), other(train=(wording("b/train", "In Paris they say: {{ text }} What now?"),))))


def test_a_test_control_of_one_entry_that_another_one_trains_on_is_refused():
    leak = (wording("b/not", "Answer with the wrong label. {{ text }}", Role.NEGATED),)
    with pytest.raises(ManyErrors, match=r"test control 'b/not' is nearly 'not'"):
        check_mixture((first(), other(test_controls=leak)))


def test_a_register_of_a_test_wording_is_no_register_of_another_entrys_training():
    def registered(item, name):
        parts = {part: getattr(item.wordings, part) for part in ("train", "dev", "test")}
        parts = {part: tuple(replace(one, register=f"{name}-{part}") for one in own) for part, own in parts.items()}
        return replace(item, wordings=replace(item.wordings, **parts))

    one, two = registered(first(), "a"), registered(other(), "b")
    check_mixture((one, two), registers=True)
    shared = replace(two.wordings.test[0], register="a-train")
    two = replace(two, wordings=replace(two.wordings, test=(shared,)))
    with pytest.raises(ManyErrors, match=r"got 'b/test' in 'a-train'"):
        check_mixture((one, two), registers=True)


def test_tasks_and_sets_that_can_not_be_told_apart_are_refused():
    renamed = other(test=(wording("test-1", "Quite another text about {{ text }}"),))
    with pytest.raises(ConfigError, match=r"got two wordings 'test-1'; rename one of the sets"):
        check_mixture((first(), renamed))
    elsewhere = other()
    examples = tuple(replace(one, fields={"text": "Something else."}) for one in elsewhere.task.examples)
    with pytest.raises(ConfigError, match="several with other test examples"):
        check_mixture((first(), replace(elsewhere, task=replace(elsewhere.task, examples=examples))))


def test_what_training_makes_of_one_entry_is_held_against_the_test_wordings_of_another():
    leak = (wording("b/test", "Please: {{ text }} Which of the labels?"),)
    chosen = method(Kind.LORA, draws=Draws(wordings=4, inputs=1, registers=1.0))
    registers = (Register("polite", "Please: {{ instruction }}"),)
    with pytest.raises(ManyErrors, match=r"b/test.*is nearly what training makes as 'train-1\+polite'"):
        begin(tiny(), training(chosen, materials=(first(), other(test=leak)), registers=registers))


def test_the_same_words_are_answered_as_each_set_asks():
    label = wording("a/1", "{{ text }} {{ options }}")
    letter = replace(label, id="b/1", output_form=OutputForm.LETTER)
    one, two = Poser(tiny()).pose([(label, example(1)), (letter, example(1))])
    assert one.context == two.context
    assert one.answers != two.answers
