from types import SimpleNamespace

import pytest

from isophrase.errors import ModelError
from isophrase.models import devices
from isophrase.models.devices import Choice, best_device, cpu_flags, cpu_vendor, fast_dtype, resolve, resolve_device
from isophrase.types import ModelSpec


@pytest.fixture
def machine(monkeypatch, tmp_path):
    """A machine with the given processor flags and graphics cards."""

    def build(*, flags="", cards=(), apple=False, built_with_cuda=True):
        info = tmp_path / "cpuinfo"
        told = f"vendor_id\t: AuthenticAMD\nmodel name\t: some\nflags\t\t: fpu avx2 {flags}"
        info.write_text(f"processor\t: 0\n{told}\n\nprocessor\t: 1\n")
        monkeypatch.setattr(devices, "_CPUINFO", info)
        cuda = SimpleNamespace(
            is_available=lambda: bool(cards), device_count=lambda: len(cards), get_device_name=lambda _: "card",
            get_device_capability=lambda index: cards[index],
        )  # fmt: skip
        torch = SimpleNamespace(
            cuda=cuda, version=SimpleNamespace(cuda="13.0" if built_with_cuda else None),
            backends=SimpleNamespace(mps=SimpleNamespace(is_available=lambda: apple)), cpu=SimpleNamespace(),
        )  # fmt: skip
        monkeypatch.setattr(devices, "local_library", lambda name: {"torch": torch}[name])
        return torch

    return build


@pytest.mark.parametrize(
    ("parts", "device", "dtype"),
    [
        ({}, "cpu", "float32"),
        ({"flags": "avx512f avx512_bf16"}, "cpu", "bfloat16"),
        ({"flags": "amx_bf16 amx_tile"}, "cpu", "bfloat16"),
        ({"cards": [(8, 0)]}, "cuda", "bfloat16"),
        ({"cards": [(9, 0), (7, 0)]}, "cuda", "bfloat16"),
        ({"cards": [(7, 5)], "flags": "avx512_bf16"}, "cuda", "float32"),
        ({"apple": True}, "mps", "float32"),
    ],
)
def test_auto_is_the_best_device_and_the_dtype_it_is_fast_in(machine, parts, device, dtype):
    torch = machine(**parts)
    resolved = resolve(ModelSpec(name="m", source="x"))
    assert (resolved.device, resolved.dtype) == (device, dtype)
    assert best_device(torch).reason
    assert fast_dtype(device).reason


def test_what_is_asked_for_is_kept(machine):
    machine(cards=[(8, 0), (8, 0)], flags="avx512_bf16")
    resolved = resolve(ModelSpec(name="m", source="x", dtype="float32", device="cuda:1"))
    assert (resolved.device, resolved.dtype) == ("cuda:1", "float32")
    assert resolve(ModelSpec(name="m", source="x", device="cpu")).dtype == "bfloat16"


def test_the_dtype_of_a_second_card_is_its_own(machine):
    machine(cards=[(8, 0), (7, 0)])
    assert fast_dtype("cuda:1") == Choice("float32", "CUDA capability 7.0 has no bfloat16 units (8.0 has)")


@pytest.mark.parametrize(
    ("parts", "asked", "message"),
    [
        ({"cards": [(8, 0)]}, "cuda:1", "a CUDA device number below 1"),
        ({}, "cuda", "no usable CUDA device"),
        ({"built_with_cuda": False}, "cuda", "a PyTorch built without CUDA"),
        ({}, "mps", "expected a Mac with MPS"),
        ({}, "xpu", "got 'xpu'"),
    ],
)
def test_a_device_that_is_not_there_is_told(machine, parts, asked, message):
    machine(**parts)
    with pytest.raises(ModelError, match=message):
        resolve_device(asked)


def test_the_processors_maker_is_what_the_system_says_if_it_says_it(machine, monkeypatch, tmp_path):
    machine()
    assert cpu_vendor() == "AuthenticAMD"
    monkeypatch.setattr(devices, "_CPUINFO", tmp_path / "absent")
    assert cpu_vendor() == ""


def test_flags_are_asked_of_torch_where_the_system_has_no_file(machine, monkeypatch, tmp_path):
    torch = machine()
    monkeypatch.setattr(devices, "_CPUINFO", tmp_path / "absent")
    assert cpu_flags() == frozenset()
    torch.cpu.get_capabilities = lambda: {"avx512_bf16": True, "amx_bf16": False, "cpu_name": "some", "l1d": 3}
    assert cpu_flags() == {"avx512_bf16"}
    assert fast_dtype("cpu").value == "bfloat16"
