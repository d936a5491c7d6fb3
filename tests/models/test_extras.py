import importlib
import logging
import warnings

import pytest

from isophrase.errors import ModelError
from isophrase.models import memory
from isophrase.models.extras import first_line, local_library
from isophrase.models.quiet import quiet


@pytest.fixture
def failing(monkeypatch):
    """Imports fail with the given error."""

    def fail(error):
        def raise_it(name):
            raise error

        monkeypatch.setattr(importlib, "import_module", raise_it)

    return fail


@pytest.mark.parametrize(
    ("name", "extra"), [("torch", "local"), ("peft", "train"), ("huggingface_hub.errors", "local")]
)
def test_a_missing_library_names_its_extra(failing, name, extra):
    failing(ModuleNotFoundError("No module", name=name))
    with pytest.raises(ModelError, match=rf"it is not installed; run: pip install 'isophrase\[{extra}\]'"):
        local_library(name)


def test_a_broken_library_is_told_from_a_missing_one(failing):
    failing(OSError("libcudart.so.13: cannot open shared object file\nmore"))
    with pytest.raises(ModelError, match=r"a working library torch; got it fails to import: libcudart") as caught:
        local_library("torch")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("message", "line"),
    [("", "ValueError"), ("one\ntwo", "one"), ("Errors:\n\n\tsize of a:\nfive\nmore", "Errors: size of a: five"),
     ("x" * 300, "x" * 199 + "…")],
)  # fmt: skip
def test_a_message_is_cut_to_one_line(message, line):
    assert first_line(ValueError(message)) == line


def test_warnings_are_kept_as_notes_and_advice_is_not(capfd):
    logger = logging.getLogger("transformers.modeling_utils")
    with quiet() as notes:
        logger.warning("Something of\nconsequence")
        logger.warning("Something of consequence")
        logger.warning("`torch_dtype` is deprecated! Use `dtype` instead!")
        logger.info("chatter")
        warnings.warn("a user should know", UserWarning, stacklevel=1)
        warnings.warn("programmers' affair", FutureWarning, stacklevel=1)
    assert notes == ["Something of consequence", "a user should know"]
    assert capfd.readouterr() == ("", "")


def test_the_libraries_speak_again_afterwards():
    from transformers.utils import logging as chatter

    logger = logging.getLogger("transformers")
    before = (logger.handlers[:], logger.propagate, chatter.is_progress_bar_enabled())
    with pytest.raises(KeyError), quiet():
        raise KeyError
    assert (logger.handlers[:], logger.propagate, chatter.is_progress_bar_enabled()) == before


def test_free_memory_respects_a_containers_limit(monkeypatch, tmp_path):
    info = tmp_path / "meminfo"
    info.write_text("MemTotal: 1000 kB\nMemAvailable: 800 kB\nSwapFree: 100 kB\nHugePages_Total: 0\n")
    monkeypatch.setattr(memory, "_MEMINFO", info)
    monkeypatch.setattr(memory, "_CGROUP", tmp_path)
    assert memory.free_memory() == 900 * 1024
    assert memory.total_memory() == 1000 * 1024
    (tmp_path / "memory.max").write_text("500000\n")
    (tmp_path / "memory.current").write_text("400000\n")
    (tmp_path / "memory.stat").write_text("anon 1\ninactive_file 150000\n")
    assert memory.free_memory() == 250_000
    assert memory.total_memory() == 500_000
    (tmp_path / "memory.max").write_text("max\n")
    assert memory.free_memory() == 900 * 1024
    monkeypatch.setattr(memory, "_MEMINFO", tmp_path / "absent")
    assert memory.free_memory() is None
