"""Which device and number format a model runs in, and why.

Knows what the processor and the graphics card are fast at. Does not know models. The choice depends on the machine's
flags alone, never on a timing, so that it is the same in every process of a run.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from isophrase.errors import ModelError
from isophrase.models.extras import local_library
from isophrase.types import ModelSpec

DTYPES = ("float32", "bfloat16", "float16")
KINDS = ("cpu", "cuda", "mps")
_FAST_BFLOAT16 = ("avx512_bf16", "amx_bf16")
_CPUINFO = Path("/proc/cpuinfo")


@dataclass(frozen=True, slots=True)
class Choice:
    """What `auto` comes to, and the reason in a few words."""

    value: str
    reason: str


def resolve(spec: ModelSpec) -> ModelSpec:
    """The same spec with `dtype` and `device` as they would really run here; nothing is loaded but torch.

    Raises:
        ModelError: No such dtype or device, or the device is not there.
    """
    device = resolve_device(spec.device)
    return replace(spec, device=device, dtype=resolve_dtype(spec.dtype, device))


def resolve_device(asked: str) -> str:
    """A device that exists: `cpu`, `cuda`, `cuda:1`, `mps`. `auto` takes CUDA, then MPS, then the CPU."""
    torch = local_library("torch")
    if asked == "auto":
        return best_device(torch).value
    kind, _, index = asked.partition(":")
    if kind not in KINDS or (index and not index.isdecimal()):
        raise ModelError(
            "device cpu, cuda, cuda:N, mps or auto", got=repr(asked), remedy="correct the model's device"
        )  # fmt: skip
    if kind == "cuda":
        _check_cuda(torch, asked, index)
    if kind == "mps" and not torch.backends.mps.is_available():
        raise ModelError("a Mac with MPS for device mps", got="none here", remedy="use device: cpu or auto")
    return asked


def _check_cuda(torch: Any, asked: str, index: str) -> None:
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if count == 0:
        built = "a PyTorch built without CUDA" if torch.version.cuda is None else "no usable CUDA device"
        raise ModelError(f"a CUDA device for device {asked}", got=built, remedy="use device: cpu or auto")
    if index and int(index) >= count:
        raise ModelError(f"a CUDA device number below {count}", got=asked, remedy=f"use cuda:0 to cuda:{count - 1}")


def best_device(torch: Any) -> Choice:
    """What device `auto` is on this machine."""
    if torch.cuda.is_available():
        return Choice("cuda", f"CUDA: {torch.cuda.get_device_name(0)}")
    if torch.backends.mps.is_available():
        return Choice("mps", "Apple GPU")
    return Choice("cpu", "no CUDA device or Apple GPU")


def resolve_dtype(asked: str, device: str) -> str:
    """One of `DTYPES`; `auto` takes what `fast_dtype` says."""
    if asked == "auto":
        return fast_dtype(device).value
    if asked not in DTYPES:
        raise ModelError(
            f"dtype {', '.join(DTYPES)} or auto", got=repr(asked), remedy="correct the model's dtype"
        )  # fmt: skip
    return asked


def fast_dtype(device: str) -> Choice:
    """bfloat16 where the device computes it in hardware, else float32."""
    kind, _, index = device.partition(":")
    if kind == "cuda":
        major, minor = local_library("torch").cuda.get_device_capability(int(index or 0))
        if major >= 8:
            return Choice("bfloat16", f"CUDA capability {major}.{minor}")
        return Choice("float32", f"CUDA capability {major}.{minor} has no bfloat16 units (8.0 has)")
    if kind == "mps":
        return Choice("float32", "bfloat16 is not known to be faster on an Apple GPU")
    fast = sorted(set(_FAST_BFLOAT16) & cpu_flags())
    if fast:
        return Choice("bfloat16", f"the CPU has {', '.join(fast)}")
    return Choice("float32", "the CPU has neither AVX512-BF16 nor AMX")


def cpu_flags() -> frozenset[str]:
    """The processor's features in Linux's words; empty where they can't be read."""
    if told := _told_of_cpu("flags", "Features"):
        return frozenset(told.split())
    capabilities: dict[str, object] = getattr(local_library("torch").cpu, "get_capabilities", dict)()
    return frozenset(name for name, there in capabilities.items() if there is True)


def cpu_vendor() -> str:
    """The processor's maker in Linux's words (`GenuineIntel`, `AuthenticAMD`); empty where it can't be read."""
    return _told_of_cpu("vendor_id")


def _told_of_cpu(*names: str) -> str:
    """What Linux says of the first processor under one of the names."""
    if _CPUINFO.is_file():
        for line in _CPUINFO.read_text(errors="replace").splitlines():
            name, _, value = line.partition(":")
            if name.strip() in names:
                return value.strip()
    return ""


def cpu_count() -> int:
    """The cores that this process may use (a container's or a batch system's share, not the machine's)."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
