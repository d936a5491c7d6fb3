import pytest
import torch

from isophrase.errors import ModelError
from isophrase.models.convert import convert_gguf
from isophrase.models.gguf import PRE, read_metadata
from isophrase.models.huggingface import load
from isophrase.models.packages import sha256_of
from isophrase.types import ModelSpec
from tests.models.tiny_gguf import write_gguf
from tests.tiny_models import tiny_model

TEXT = "Question:  12 or\n\n3? It's the  7th of 1999, isn't it.\n 4"


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    return tiny_model(tmp_path_factory.mktemp("llama"))


@pytest.fixture(scope="module")
def converted(original, tmp_path_factory):
    folder = tmp_path_factory.mktemp("gguf")
    gguf = write_gguf(original, folder / "model.gguf")
    (folder / "model").mkdir()
    convert_gguf(gguf, folder / "model", sha256=sha256_of(gguf), context_length=512)
    return folder


def logits(loaded, text):
    with torch.no_grad():
        return loaded.model(**loaded.tokenizer(text, return_tensors="pt")).logits


def test_the_converted_model_computes_what_the_original_does(original, converted, capfd):
    first = load(ModelSpec(name="a", source=str(original), device="cpu", dtype="float32"))
    second = load(ModelSpec(name="b", source=str(converted / "model"), device="cpu", dtype="float32"))
    assert torch.equal(logits(first, TEXT), logits(second, TEXT))
    assert second.context_length == 512
    assert second.model.generation_config.eos_token_id == first.tokenizer.eos_token_id
    assert not hasattr(second.model.config, "quantization_config")
    assert second.notes == ("the tokenizer has 1 added tokens that the model does not embed",)  # GPT-2's <|endoftext|>
    assert capfd.readouterr() == ("", "")


def test_the_tokenizer_splits_by_the_files_own_rule_where_transformers_has_none(original, converted):
    first = load(ModelSpec(name="a", source=str(original)))
    for source in (converted / "model", converted / "model.gguf"):
        loaded = load(ModelSpec(name="b", source=str(source)))
        assert loaded.tokenizer(TEXT)["input_ids"] == first.tokenizer(TEXT)["input_ids"]
        assert loaded.tokenizer.chat_template.startswith("{% for message")
        assert loaded.tokenizer.eos_token == "<|im_end|>"


def test_a_gguf_file_loads_without_conversion_and_computes_the_same(original, converted):
    first = load(ModelSpec(name="a", source=str(original), dtype="float32"))
    second = load(ModelSpec(name="b", source=str(converted / "model.gguf"), dtype="float32"))
    assert torch.allclose(logits(first, TEXT), logits(second, TEXT), atol=1e-6)
    (converted / "alone").mkdir()
    (converted / "alone" / "m.gguf").write_bytes((converted / "model.gguf").read_bytes())
    third = load(ModelSpec(name="c", source=str(converted / "alone"), dtype="float32"))
    assert torch.equal(logits(second, TEXT), logits(third, TEXT))


def test_an_unknown_splitting_rule_is_noted(original, tmp_path):
    gguf = write_gguf(original, tmp_path / "x.gguf", rule="of-tomorrow")
    assert read_metadata(gguf, [PRE]) == {PRE: "of-tomorrow"}
    notes = load(ModelSpec(name="x", source=str(gguf))).notes
    assert any("of-tomorrow" in note for note in notes)


def test_another_checksum_is_refused(converted, tmp_path):
    with pytest.raises(ModelError, match=r"weights with sha256 000000000000…"):
        convert_gguf(converted / "model.gguf", tmp_path, sha256="0" * 64, context_length=512)


@pytest.mark.parametrize("length", [3, 10, 1000])
def test_a_truncated_gguf_file_is_one_error(converted, tmp_path, length):
    cut = tmp_path / "cut.gguf"
    cut.write_bytes((converted / "model.gguf").read_bytes()[:length])
    with pytest.raises(ModelError) as caught:
        load(ModelSpec(name="x", source=str(cut)))
    assert "\n" not in str(caught.value)
