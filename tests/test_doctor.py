import importlib
import importlib.util

import pytest

from isophrase import doctor
from isophrase.doctor import Finding, examine
from isophrase.errors import ModelError
from isophrase.models import memory, packages


def named(findings):
    return {finding.name: finding for finding in findings}


def refuse(*_args, **_more):
    raise ModelError("the package registry", got="no connection", remedy="check the network")


def test_a_machine_that_runs_the_tests_is_well(monkeypatch, tmp_path):
    monkeypatch.setenv("ISOPHRASE_CACHE", str(tmp_path))
    monkeypatch.setattr(packages, "check_registry", refuse)  # must not be asked
    findings = named(examine())
    assert all(isinstance(finding, Finding) for finding in findings.values())
    assert [name for name, finding in findings.items() if not finding.ok] == []
    assert findings["Python"].value.startswith("3.")
    assert "torch" in findings["extra local"].value
    assert findings["dtype auto"].value.split()[0] in ("float32", "bfloat16")
    assert "not yet fetched" in findings["default model"].value
    assert "package registry" not in findings


def test_the_caches_size_is_counted_and_a_folder_is_not_made(monkeypatch, tmp_path):
    monkeypatch.setenv("ISOPHRASE_CACHE", str(tmp_path / "not" / "yet"))
    assert named(examine())["cache"].value.endswith("(0 MB)")
    assert not (tmp_path / "not").exists()
    (tmp_path / "not" / "yet").mkdir(parents=True)
    (tmp_path / "not" / "yet" / "x").write_bytes(bytes(3_000_000))
    assert named(examine())["cache"].value.endswith("(3 MB)")


def test_missing_libraries_are_found_and_only_the_computing_ones_are_a_fault(monkeypatch):
    original, load = importlib.util.find_spec, importlib.import_module
    gone = {"torch", "peft"}

    def load_unless_gone(name):
        if name in gone:
            raise ModuleNotFoundError(name=name)
        return load(name)

    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name in gone else original(name))
    monkeypatch.setattr(importlib, "import_module", load_unless_gone)
    findings = named(examine())
    assert findings["extra local"].value == "missing torch"
    assert not findings["extra local"].ok
    assert findings["extra local"].remedy == "run: pip install 'isophrase[local]'"
    assert findings["extra train"].ok
    assert findings["extra train"].remedy
    assert not findings["device"].ok


def test_too_little_memory_is_a_fault(monkeypatch):
    monkeypatch.setattr(memory, "free_memory", lambda: 10**9)
    assert not named(examine())["memory"].ok
    monkeypatch.setattr(memory, "free_memory", lambda: None)
    assert named(examine())["memory"] == Finding("memory", "unknown on this system")


def test_a_full_disk_is_a_fault(monkeypatch):
    monkeypatch.setattr(doctor.catalog, "needed_disk", lambda _: 10**18)
    found = named(examine())["free disk"]
    assert not found.ok
    assert "ISOPHRASE_CACHE" in found.remedy


def test_the_network_is_asked_only_when_wanted(monkeypatch):
    from huggingface_hub import constants

    monkeypatch.setattr(packages, "check_registry", refuse)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    findings = named(examine(network=True))
    assert findings["package registry"] == Finding("package registry", "no connection", False, "check the network")
    assert findings["hub"].ok


@pytest.mark.parametrize(("threads", "remedy"), [("1", "unset OMP_NUM_THREADS to use them all"), ("64", ""), ("x", "")])
def test_threads_held_back_by_the_environment_are_told(monkeypatch, threads, remedy):
    monkeypatch.setattr(doctor.devices, "cpu_count", lambda: 4)
    monkeypatch.setenv("OMP_NUM_THREADS", threads)
    assert named(examine())["cores"].remedy == remedy
