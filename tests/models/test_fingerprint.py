import json
import shutil
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isophrase.models import fingerprint as module
from isophrase.models.fingerprint import BLOCK_BYTES, BLOCKS, WHOLE_BYTES, fingerprint_file, fingerprint_model
from tests.tiny_models import tiny_model

WEIGHTS = ("model.safetensors",)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tiny_model(tmp_path_factory.mktemp("model"))


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_any_changed_byte_of_a_small_model_is_seen(folder, data):
    path = folder / "model.safetensors"
    content = path.read_bytes()
    before = fingerprint_model(folder, WEIGHTS)
    place = data.draw(st.integers(0, len(content) - 1))
    changed = bytearray(content)
    changed[place] ^= data.draw(st.integers(1, 255))
    try:
        path.write_bytes(changed)
        after = fingerprint_model(folder, WEIGHTS)
    finally:
        path.write_bytes(content)
    assert after.weights != before.weights
    assert after.tokenizer == before.tokenizer
    assert fingerprint_model(folder, WEIGHTS) == before


@pytest.mark.parametrize("name", ["tokenizer.json", "tokenizer_config.json", "chat_template.jinja"])
def test_a_changed_tokenizer_file_is_seen_and_leaves_the_weights_alone(folder, tmp_path, name):
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    before = fingerprint_model(copy, WEIGHTS)
    text = (copy / name).read_text()
    (copy / name).write_text(text.replace("im_end", "im_ends", 1) if "im_end" in text else text + " ")
    after = fingerprint_model(copy, WEIGHTS)
    assert after.tokenizer != before.tokenizer
    assert after.weights == before.weights


def test_who_wrote_a_configuration_does_not_count_and_what_it_says_does(folder, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    before = fingerprint_model(copy, WEIGHTS)
    config = json.loads((copy / "config.json").read_text())
    (copy / "config.json").write_text(json.dumps(config | {"transformers_version": "9.9", "_name_or_path": "/x"}))
    assert fingerprint_model(copy, WEIGHTS) == before
    (copy / "config.json").write_text(json.dumps(config | {"rms_norm_eps": 0.5}))
    assert fingerprint_model(copy, WEIGHTS) != before


def test_an_added_or_renamed_file_is_seen(folder, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    before = fingerprint_model(copy, WEIGHTS)
    (copy / "generation_config.json").unlink()
    assert fingerprint_model(copy, WEIGHTS).weights != before.weights


def test_of_a_large_file_header_length_and_every_block_are_seen(tmp_path):
    size = 40 * WHOLE_BYTES
    path = tmp_path / "large.safetensors"
    header = b'{"a": 1}'
    with path.open("wb") as file:
        file.write(len(header).to_bytes(8, "little") + header)
        file.truncate(size)  # sparse: takes no room
    before = fingerprint_file(path)
    seen = {before}
    places = [8, size - 1, *(block * (size - BLOCK_BYTES) // (BLOCKS - 1) + 5 for block in (1, 30, 62))]
    for place in places:
        with path.open("r+b") as file:
            file.seek(place)
            old = file.read(1)
            file.seek(place)
            file.write(b"\x7f")
            file.flush()
            seen.add(fingerprint_file(path))
            file.seek(place)
            file.write(old)
    assert len(seen) == 1 + len(places)
    assert fingerprint_file(path) == before
    with path.open("r+b") as file:
        file.truncate(size + 1)
    assert fingerprint_file(path) != before


def test_a_hundred_gigabytes_take_a_second(tmp_path):
    path = tmp_path / "huge.safetensors"
    with path.open("wb") as file:
        try:
            file.truncate(100 * 10**9)
        except OSError:
            pytest.skip("this file system has no sparse files of 100 GB")
    started = time.monotonic()
    fingerprint_file(path)
    assert time.monotonic() - started < 5


def test_a_long_json_file_is_hashed_as_it_is(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "_JSON_BYTES", 10)
    path = tmp_path / "config.json"
    path.write_text('{"transformers_version": "1", "a": 1}')
    before = fingerprint_file(path)
    path.write_text('{"transformers_version": "2", "a": 1}')
    assert fingerprint_file(path) != before
